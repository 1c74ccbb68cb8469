"""JSON as RFC 8259 says it, in both directions, with one typed error for whatever is not."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidentsource_core import DeserializationFailed, InvalidType, SerializationFailed
from evidentsource_core.jsontext import dumps, loads

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**200), 2**200)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda below: st.lists(below, max_size=4) | st.dictionaries(st.text(), below, max_size=4),
    max_leaves=12,
)


@given(values)
def test_every_value_comes_back(value: object) -> None:
    assert loads(dumps(value)) == value


@given(values)
def test_the_bytes_are_those_that_the_standard_library_writes(value: object) -> None:
    assert dumps(value) == json.dumps(value).encode()


@given(values)
def test_text_and_bytes_with_or_without_a_mark_are_read_alike(value: object) -> None:
    text = json.dumps(value, ensure_ascii=False)
    data = text.encode()
    for form in (
        text,
        f"\ufeff{text}",
        data,
        b"\xef\xbb\xbf" + data,
        bytearray(data),
        memoryview(data),
    ):
        assert loads(form) == value  # type: ignore[arg-type]  # any buffer will do


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "Expecting value"),
        (b"{", "line 1 column 2"),
        (b'{"a": 1,}', "line 1"),
        (b"{'a': 1}", "double quotes"),
        (b"[1] 2", "Extra data"),
        (b"NaN", "NaN is no JSON value"),
        (b'{"n": Infinity}', "Infinity is no JSON value"),
        (b"[-Infinity]", "-Infinity is no JSON value"),
        (b"1e999", "the number 1e999 is too large"),
        (b"[-1e999]", "the number -1e999 is too large"),
        (b"1" * 400 + b".5", f"the number {'1' * 37}... is too large"),
        (b"1" * 36 + b"e999", f"the number {'1' * 36}e999 is too large"),
        (b"1" * 37 + b"e999", f"the number {'1' * 37}... is too large"),
        (b"9" * 5000, "too many digits"),
        (b'{"n": -' + b"9" * 5000 + b"}", "too many digits"),
        (b"[" * 100_000, "nests too deep"),
        (b'{"a":' * 100_000, "nests too deep"),
        (b"\xff\xfe{\x00}\x00", "no UTF-8: invalid start byte, at byte 0"),
        (b'"\xc3"', "no UTF-8"),
        (b'"\xed\xa0\x80"', "no UTF-8"),
        (b'"a\nb"', "control character"),
        (b'"\\x41"', "escape"),
        (b"01", "Extra data"),
        (b".5", "Expecting value"),
    ],
)
def test_what_is_no_json_is_one_typed_error_with_the_reason(data: bytes, said: str) -> None:
    with pytest.raises(DeserializationFailed, match=said) as caught:
        loads(data)
    assert caught.value.code == "deserialization-failed"
    assert "sys." not in str(caught.value)


@given(st.binary(max_size=30))
def test_any_bytes_are_a_value_or_the_typed_error(data: bytes) -> None:
    try:
        value = loads(data)
    except DeserializationFailed:
        return
    assert loads(dumps(value)) == value


@pytest.mark.parametrize("data", [None, 5, ["{}"]])
def test_what_is_neither_bytes_nor_text_is_refused(data: Any) -> None:
    with pytest.raises(InvalidType, match="JSON: expected bytes or str"):
        loads(data)


def test_an_escaped_half_of_a_surrogate_pair_comes_back_escaped() -> None:
    assert dumps(loads(b'"\\ud83d"')) == b'"\\ud83d"'


def test_of_a_name_that_stands_twice_the_last_counts() -> None:
    assert loads(b'{"a": 1, "a": 2}') == {"a": 2}


circular: list[Any] = []
circular.append(circular)
deep: list[Any] = []
for _ in range(100_000):
    deep = [deep]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (math.nan, r"\$: nan is no JSON value"),
        ({"balance": math.inf}, r"\$\.balance: inf is no JSON value"),
        ([1, {"a": (2, -math.inf)}], r"\$\[1\]\.a\[1\]: -inf is no JSON value"),
        ({"at": Decimal(1)}, r"\$\.at: a Decimal has no form in JSON; convert it to str"),
        ({"id": UUID(int=0)}, r"\$\.id: a UUID has no form"),
        ({"a": {1}}, r"\$\.a: a set has no form"),
        ({"a": b"b"}, r"\$\.a: a bytes has no form"),
        ({"a": {(1, 2): 3}}, r"\$\.a: a tuple is no key of a JSON object; use str"),
        ({"a": 10**5000}, r"\$\.a: a whole number has too many digits"),
        (circular, "Circular reference"),
        (deep, "nests too deep"),
    ],
)
def test_what_has_no_form_in_json_is_refused_with_the_path_to_it(value: object, said: str) -> None:
    with pytest.raises(SerializationFailed, match=said) as caught:
        dumps(value)
    assert caught.value.code == "serialization-failed"


def test_the_first_culprit_in_order_is_the_one_named() -> None:
    shared = {"fine": 1}
    with pytest.raises(SerializationFailed, match=r"\$\.b\[1\]: a set"):
        dumps({"a": shared, "b": [shared, {1}], "c": object()})
