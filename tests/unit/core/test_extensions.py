"""Extension attributes: every CloudEvents type has its value, and nothing is dropped or changed."""

from __future__ import annotations

import copy
import pickle
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given

from evidentsource_core import (
    BinaryExtension,
    BooleanExtension,
    Extensions,
    IntegerExtension,
    InvalidExtension,
    InvalidTimestamp,
    InvalidType,
    InvalidValue,
    StringExtension,
    TimestampExtension,
    UriExtension,
    UriRefExtension,
)
from evidentsource_core.domain.extensions import CONTEXT_ATTRIBUTES, extension_value
from evidentsource_core.times import to_parts
from tests.unit.core.strategies import extensions, zoned_instants

NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("plain", "value"),
    [
        (True, BooleanExtension(True)),
        (False, BooleanExtension(False)),
        (0, IntegerExtension(0)),
        (-(2**31), IntegerExtension(-(2**31))),
        (2**31 - 1, IntegerExtension(2**31 - 1)),
        ("", StringExtension("")),
        ("é", StringExtension("é")),
        (b"\x00", BinaryExtension(b"\x00")),
        (bytearray(b"ab"), BinaryExtension(b"ab")),
        (memoryview(b"ab"), BinaryExtension(b"ab")),
        (NOON, TimestampExtension(NOON)),
        (UriExtension("https://a.example"), UriExtension("https://a.example")),
        (UriRefExtension("../a"), UriRefExtension("../a")),
    ],
)
def test_a_plain_value_becomes_the_matching_kind(plain: object, value: object) -> None:
    made = extension_value("tenant", plain)
    assert made == value
    assert type(made) is type(value)


@pytest.mark.parametrize("plain", [None, 1.5, [], {}, {"a": 1}, object(), 1j])
def test_a_value_without_a_cloudevents_type_is_refused_by_name_with_what_to_use(
    plain: object,
) -> None:
    with pytest.raises(InvalidExtension, match=r"'tenant'.*use str, int, bool, bytes or datetime"):
        extension_value("tenant", plain)


@pytest.mark.parametrize(
    ("plain", "said"),
    [
        (2**31, "32 bits; carry it as a StringExtension"),
        (-(2**31) - 1, "32 bits; carry it as a StringExtension"),
        (datetime(2024, 1, 1), "no time zone"),  # noqa: DTZ001 - what is tested
        ("\ud800", "half a surrogate pair"),
    ],
)
def test_a_value_out_of_range_is_refused_by_name(plain: Any, said: str) -> None:
    with pytest.raises(InvalidExtension, match=f"'retry'.*{said}") as caught:
        Extensions({"retry": plain})
    assert caught.value.name == "retry"


@pytest.mark.parametrize(
    ("kind", "value", "error"),
    [
        (BooleanExtension, 1, InvalidType),
        (BooleanExtension, "true", InvalidType),
        (IntegerExtension, True, InvalidType),
        (IntegerExtension, 1.0, InvalidType),
        (IntegerExtension, 2**31, InvalidValue),
        (StringExtension, b"a", InvalidType),
        (StringExtension, None, InvalidType),
        (StringExtension, "\udc00", InvalidValue),
        (UriExtension, 5, InvalidType),
        (UriRefExtension, None, InvalidType),
        (BinaryExtension, "a", InvalidType),
        (TimestampExtension, "2024-01-01T00:00:00Z", InvalidType),
        (TimestampExtension, datetime(2024, 1, 1), InvalidTimestamp),  # noqa: DTZ001 - what is tested
        (TimestampExtension, datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=1))), InvalidTimestamp),
    ],
)  # fmt: skip
def test_each_kind_refuses_what_it_cannot_hold_by_its_own_name(
    kind: type[Any], value: object, error: type[Exception]
) -> None:
    with pytest.raises(error, match=rf"{kind.__name__}\.value: "):
        kind(value)


def test_text_uri_and_uri_reference_of_one_text_are_three_values() -> None:
    kinds = [StringExtension, UriExtension, UriRefExtension]
    assert len({kind("https://a.example") for kind in kinds}) == 3


@given(zoned_instants)
def test_a_timestamp_is_kept_in_utc_to_the_nanosecond(moment: datetime) -> None:
    value = TimestampExtension(moment).value
    assert value.tzinfo is UTC
    assert to_parts(value) == to_parts(moment)


# --- the mapping ---------------------------------------------------------------------------------


@given(extensions)
def test_every_attribute_comes_back_under_its_name(values: dict[str, Any]) -> None:
    held = Extensions(values)
    assert dict(held) == values
    assert list(held) == list(values)
    assert not list(held.problems())


@pytest.mark.parametrize(
    "values", [OrderedDict(a="1"), MappingProxyType({"a": "1"}), Extensions({"a": "1"})]
)
def test_any_mapping_will_do(values: Any) -> None:
    assert Extensions(values) == {"a": StringExtension("1")}


def test_none_is_no_attributes() -> None:
    assert Extensions(None) == Extensions() == {}


@pytest.mark.parametrize("values", [[("a", "1")], "ab", 5, {"a"}])
def test_what_is_no_mapping_is_refused(values: Any) -> None:
    with pytest.raises(InvalidType, match="extensions: expected a mapping of names to values"):
        Extensions(values)


def test_a_name_that_is_no_text_is_refused() -> None:
    with pytest.raises(InvalidType, match="extensions: expected str as name"):
        Extensions({1: "a"})  # type: ignore[dict-item]  # what is tested


@pytest.mark.parametrize("name", [*sorted(CONTEXT_ATTRIBUTES), "data", "data_base64"])
def test_a_name_of_cloudevents_itself_is_a_problem_that_names_the_fix(name: str) -> None:
    (problem,) = Extensions({name: "x"}).problems()
    assert problem.name == name
    assert "set the event's own field" in str(problem)


@pytest.mark.parametrize("name", ["", "Bad", "bad-name", "bad_name", "bad name", "é", "a\n", "٣"])
def test_a_name_against_the_rule_of_cloudevents_is_a_problem(name: str) -> None:
    (problem,) = Extensions({name: "x"}).problems()
    assert problem.name == name
    assert "only lower-case letters a-z and digits" in str(problem)


def test_every_problem_is_told_not_only_the_first() -> None:
    held = Extensions({"Bad": "x", "subject": "y", "fine": "z", "a-b": 1})
    assert [problem.name for problem in held.problems()] == ["Bad", "subject", "a-b"]


MUTATIONS: list[Callable[[Any], object]] = [
    lambda held: held.__setitem__("b", StringExtension("2")),
    lambda held: held.__delitem__("a"),
    lambda held: held.__ior__({"b": StringExtension("2")}),
    lambda held: held.update(b=StringExtension("2")),
    lambda held: held.pop("a"),
    lambda held: held.popitem(),
    lambda held: held.clear(),
    lambda held: held.setdefault("b", StringExtension("2")),
    lambda held: setattr(held, "extra", 1),
    lambda _held: Extensions.fromkeys(["b"], StringExtension("2")),
]


@pytest.mark.parametrize("mutate", MUTATIONS)
def test_no_method_changes_the_attributes(mutate: Callable[[Any], object]) -> None:
    held = Extensions({"a": "1"})
    with pytest.raises((TypeError, AttributeError)):
        mutate(held)
    assert held == {"a": StringExtension("1")}


def test_an_or_assignment_is_refused() -> None:
    held = Extensions({"a": "1"})
    with pytest.raises(TypeError, match="immutable"):
        held |= {"b": StringExtension("2")}
    assert held == {"a": StringExtension("1")}


def test_initialising_again_changes_nothing() -> None:
    held = Extensions({"a": "1"})
    held.__init__({"b": "2"})  # type: ignore[misc]  # what is tested
    assert held == {"a": StringExtension("1")}


def test_a_changed_copy_is_an_ordinary_dict() -> None:
    held = Extensions({"a": "1"})
    for changed in (held | {"b": StringExtension("2")}, {"b": StringExtension("2")} | held):
        assert type(changed) is dict
        assert changed.keys() == {"a", "b"}
    copied = held.copy()
    copied["b"] = StringExtension("2")
    assert held == {"a": StringExtension("1")}


def test_changing_the_dict_that_they_came_from_changes_nothing() -> None:
    values: dict[str, Any] = {"a": "1"}
    held = Extensions(values)
    values["b"] = "2"
    assert held == {"a": StringExtension("1")}


@given(extensions)
def test_equal_attributes_in_any_order_have_equal_hashes(values: dict[str, Any]) -> None:
    reordered = dict(reversed(values.items()))
    assert Extensions(values) == Extensions(reordered)
    assert hash(Extensions(values)) == hash(Extensions(reordered))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@given(values=extensions)
def test_attributes_survive_pickling(protocol: int, values: dict[str, Any]) -> None:
    back = pickle.loads(pickle.dumps(Extensions(values), protocol))
    assert type(back) is Extensions
    assert back == values
    assert hash(back) == hash(Extensions(values))


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
def test_a_copy_is_as_immutable_as_the_original(duplicate: Callable[[Any], Any]) -> None:
    copied = duplicate(Extensions({"a": "1"}))
    assert copied == {"a": StringExtension("1")}
    with pytest.raises(TypeError, match="immutable"):
        copied["b"] = StringExtension("2")
