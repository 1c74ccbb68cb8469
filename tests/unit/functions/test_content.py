"""Content negotiation: what is JSON, what is refused, and with which error."""

import json

import pytest

import evidentsource_core
import evidentsource_functions
from evidentsource_functions import (
    Command,
    DeserializationFailed,
    NoBody,
    SerializationFailed,
    UnsupportedContentType,
    deserialize_state,
    negotiate_command,
    serialize_state,
)

JSON_TYPES = [
    "application/json",
    "application/json; charset=utf-8",
    "Application/JSON",
    "application/vnd.bank.v1+json",
    "application/vnd.bank+json; v=1",
    "text/json",
    None,
    "",
]

UNREADABLE = {
    "truncated": b'{"a":',
    "not utf-8": b'{"a": "\xff"}',
    "nested too deep": b"[" * 200_000 + b"]" * 200_000,
    "a number of 5000 digits": b'{"n": ' + b"9" * 5000 + b"}",
    "NaN": b'{"n": NaN}',
    "Infinity": b'{"n": -Infinity}',
    "trailing text": b"{} {}",
    "only spaces": b"  ",
}


@pytest.mark.parametrize("content_type", JSON_TYPES)
def test_every_way_to_say_json_is_json(content_type: str | None) -> None:
    assert negotiate_command(content_type, b'{"amount": 5}') == {"amount": 5}
    assert deserialize_state(b'{"amount": 5}', content_type) == {"amount": 5}
    assert serialize_state({"amount": 5}, content_type) == b'{"amount": 5}'


@pytest.mark.parametrize("content_type", ["application/xml", "text/plain", "json", "x+json/y"])
def test_another_content_type_is_refused_in_every_direction(content_type: str) -> None:
    for call in (
        lambda: negotiate_command(content_type, b"{}"),
        lambda: deserialize_state(b"{}", content_type),
        lambda: serialize_state({}, content_type),
    ):
        with pytest.raises(UnsupportedContentType) as caught:
            call()
        assert caught.value.content_type == content_type


@pytest.mark.parametrize("body", [None, b""])
def test_a_command_without_a_body_has_no_body(body: bytes | None) -> None:
    with pytest.raises(NoBody):
        negotiate_command("application/json", body)


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
def test_what_is_no_json_is_a_typed_error(body: bytes) -> None:
    with pytest.raises(DeserializationFailed):
        negotiate_command("application/json", body)
    with pytest.raises(DeserializationFailed):
        deserialize_state(body)
    with pytest.raises(DeserializationFailed):
        Command(body).parse_json()


def test_a_byte_order_mark_is_ignored() -> None:
    assert negotiate_command(None, b"\xef\xbb\xbf{}") == {}


@pytest.mark.parametrize(
    ("state", "path"),
    [
        ({"n": float("nan")}, "$.n"),
        ({"items": [1, {"n": float("inf")}]}, "$.items[1].n"),
        ({"at": object()}, "$.at"),
        ({"tags": {"a"}}, "$.tags"),
        ({"a": {(1, 2): 3}}, "$.a"),
    ],
)
def test_what_has_no_form_in_json_names_the_path_to_it(state: object, path: str) -> None:
    with pytest.raises(SerializationFailed) as caught:
        serialize_state(state)
    assert f"{path}:" in str(caught.value)


def test_a_state_that_contains_itself_is_a_typed_error() -> None:
    loop: list[object] = []
    loop.append(loop)
    with pytest.raises(SerializationFailed, match="Circular"):
        serialize_state({"loop": loop, "twice": [1, 1]})


def test_no_state_is_no_bytes_and_no_bytes_are_no_state() -> None:
    assert serialize_state(None) is None
    assert deserialize_state(None) is None
    assert deserialize_state(b"") is None


def test_text_survives_as_plain_json_does() -> None:
    text = json.loads(serialize_state({"a": "é\u2028\U0001f600\ud800"}) or b"")
    assert text == {"a": "é\u2028\U0001f600\ud800"}


@pytest.mark.parametrize("name", ["NoBody", "DeserializationFailed", "Command"])
def test_core_and_functions_share_one_class_of_a_name(name: str) -> None:
    assert getattr(evidentsource_core, name) is getattr(evidentsource_functions, name)


def test_a_failed_deserialization_tells_its_reason_apart() -> None:
    with pytest.raises(DeserializationFailed) as caught:
        deserialize_state(b"{")
    assert caught.value.message in str(caught.value)
    assert caught.value.message != str(caught.value)
