"""Commands, requests and metadata."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidentsource_core import (
    Command,
    CommandRequest,
    DeserializationFailed,
    InvalidRevision,
    InvalidTimestamp,
    InvalidType,
    NoBody,
    SerializationFailed,
    StateChangeMetadata,
    TransactionOptions,
    UnsupportedContentType,
)
from evidentsource_core.domain.state_change import is_json, media_type

NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)
HEADERS = [("X-Trace", "7"), ("x-trace", "8"), ("Accept", "*/*")]

JSON_TYPES: list[Any] = [
    "application/json",
    "application/json; charset=utf-8",
    "application/json;charset=UTF-8",
    "APPLICATION/JSON",
    " Application/Json ; v=1",
    "text/json",
    "application/cloudevents+json",
    "application/vnd.acme.deposit+json; v=1",
    "APPLICATION/PROBLEM+JSON",
    "",
    " ",
    None,
]
OTHER_TYPES = [
    "application/xml",
    "text/plain",
    "application/jsonp",
    "application/json-seq",
    "application/x-json+xml",
    "json",
    "text/plain; format=application/json",
]


# --- content types -------------------------------------------------------------------------------


@pytest.mark.parametrize("content_type", JSON_TYPES)
def test_json_is_known_with_parameters_in_any_case_and_by_its_suffix(content_type: Any) -> None:
    assert is_json(content_type)
    assert Command(b'{"a": 1}', content_type).parse_json() == {"a": 1}


@pytest.mark.parametrize("content_type", OTHER_TYPES)
def test_other_types_are_refused_by_name_with_what_to_use(content_type: str) -> None:
    command = Command(b"{}", content_type)
    assert not command.is_json()
    with pytest.raises(UnsupportedContentType, match="use application/json") as caught:
        command.parse_json()
    assert caught.value.content_type == content_type


@pytest.mark.parametrize(
    ("content_type", "bare"),
    [
        ("Text/Plain; charset=utf-8", "text/plain"),
        ("application/json", "application/json"),
        (None, "application/json"),
        ("; charset=utf-8", "application/json"),
    ],
)
def test_a_media_type_has_no_parameters(content_type: str | None, bare: str) -> None:
    assert media_type(content_type) == bare


# --- commands ------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [None, b""])
def test_a_command_without_a_body_says_so(body: bytes | None) -> None:
    with pytest.raises(NoBody, match="command body is required"):
        Command(body).parse_json()


@pytest.mark.parametrize(
    "body",
    [b"{", b'{"amount": NaN}', b"\xff\xfe", b"[" * 100_000, b"9" * 5000, b'{"amount": 1e999}'],
)
def test_a_body_that_is_no_json_is_a_typed_error(body: bytes) -> None:
    with pytest.raises(DeserializationFailed):
        Command(body).parse_json()


def test_a_body_may_start_with_a_byte_order_mark() -> None:
    assert Command(b'\xef\xbb\xbf{"a": 1}').parse_json() == {"a": 1}


@pytest.mark.parametrize("body", ["{}", {"a": 1}, bytearray(b"{}"), 5])
def test_a_body_that_is_no_bytes_is_refused_by_name(body: Any) -> None:
    with pytest.raises(InvalidType, match=r"Command\.body: expected bytes or None"):
        Command(body)
    with pytest.raises(InvalidType, match=r"CommandRequest\.body: expected bytes or None"):
        CommandRequest(body=body)


def test_every_way_to_build_a_command_is_the_same() -> None:
    command = Command.json(b"{}").with_schema("urn:deposit")
    assert command == Command.new(b"{}").with_schema("urn:deposit")
    assert command == Command(b"{}", "application/json", "urn:deposit")
    assert command.get_body() == b"{}"
    assert command.get_content_type() == "application/json"
    assert command.get_content_schema() == "urn:deposit"
    assert Command.json(b"{}").content_schema is None


# --- requests ------------------------------------------------------------------------------------


def test_a_body_keeps_what_the_request_had_before() -> None:
    request = (
        CommandRequest.new()
        .with_header("X-Trace", "7")
        .with_content_type("application/json")
        .with_content_schema("urn:deposit")
        .with_body(b"{}")
    )
    assert request == CommandRequest((("X-Trace", "7"),), b"{}", "application/json", "urn:deposit")
    assert request.set_body(b"[]").get_header("x-trace") == "7"


def test_a_request_may_start_with_its_body() -> None:
    assert CommandRequest.with_body(b"{}") == CommandRequest(body=b"{}")


def test_a_change_leaves_the_original_as_it_was() -> None:
    request = CommandRequest.new()
    request.with_header("a", "b").with_body(b"{}")
    assert request == CommandRequest()


def test_a_json_request_has_its_type_as_field_and_as_header() -> None:
    request = CommandRequest.json({"amount": 5})
    assert request.body == b'{"amount": 5}'
    assert request.content_type == request.get_header("content-type") == "application/json"


def test_a_json_request_that_has_no_form_names_the_path() -> None:
    with pytest.raises(SerializationFailed, match=r"\$\.amount: nan is no JSON value"):
        CommandRequest.json({"amount": float("nan")})


@pytest.mark.parametrize("headers", [["ab"], [("a",)], [("a", "b", "c")], [5], [("a", 5)], "ab"])
def test_headers_that_are_no_pairs_of_text_are_refused_by_name(headers: Any) -> None:
    with pytest.raises(InvalidType, match=r"CommandRequest\.headers"):
        CommandRequest(headers)
    with pytest.raises(InvalidType, match=r"StateChangeMetadata\.command_headers"):
        StateChangeMetadata("deposit", 1, 0, NOON, headers)


def test_headers_may_come_from_anywhere_and_stay_as_they_were() -> None:
    headers = [*HEADERS]
    request = CommandRequest(headers)
    metadata = StateChangeMetadata("deposit", 1, 0, NOON, iter(headers))
    headers.clear()
    assert request.headers == metadata.command_headers == tuple(HEADERS)


# --- metadata ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"), [("X-Trace", "7"), ("x-TRACE", "7"), ("accept", "*/*"), ("absent", None)]
)
def test_the_first_header_of_a_name_is_found_in_any_case(name: str, value: str | None) -> None:
    assert StateChangeMetadata("deposit", 1, 0, NOON, HEADERS).get_header(name) == value
    assert CommandRequest(HEADERS).get_header(name) == value


@given(st.integers(0, 2**64 - 1))
def test_metadata_keeps_what_it_was_told(revision: int) -> None:
    metadata = StateChangeMetadata("deposit", 3, revision, NOON)
    assert metadata.state_change_name == "deposit"
    assert metadata.state_change_version == 3
    assert metadata.last_seen_revision == revision
    assert metadata.command_received_at == NOON
    assert metadata.command_headers == ()


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("state_change_name", None, InvalidType),
        ("state_change_version", "1", InvalidType),
        ("state_change_version", True, InvalidType),
        ("last_seen_revision", -1, InvalidRevision),
        ("last_seen_revision", None, InvalidRevision),
        ("command_received_at", "noon", InvalidType),
        ("command_received_at", datetime(2024, 1, 1), InvalidTimestamp),  # noqa: DTZ001 - what is tested
    ],
)
def test_wrong_metadata_is_refused_by_the_name_of_the_field(
    field: str, value: object, error: type[Exception]
) -> None:
    right: dict[str, Any] = {
        "state_change_name": "deposit",
        "state_change_version": 1,
        "last_seen_revision": 0,
        "command_received_at": NOON,
    }
    with pytest.raises(error, match=rf"StateChangeMetadata\.{field}: "):
        StateChangeMetadata(**(right | {field: value}))


def test_transaction_options_are_all_optional() -> None:
    assert TransactionOptions() == TransactionOptions(None, None, None)
    assert TransactionOptions("t", "c", "p").causation_id == "p"
