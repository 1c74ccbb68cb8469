"""EventBuilder and the functions beside it: every value, what is built, and what is refused."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from evidentsource_core import (
    BinaryEventData,
    BinaryExtension,
    BooleanExtension,
    Event,
    EvidentSourceError,
    IntegerExtension,
    InvalidEventId,
    InvalidEvents,
    InvalidEventSubject,
    InvalidEventType,
    InvalidExtension,
    InvalidStreamName,
    InvalidTimestamp,
    InvalidType,
    InvalidValue,
    ProspectiveEvent,
    SerializationFailed,
    StringEventData,
    StringExtension,
    TimestampExtension,
    UriExtension,
    UriRefExtension,
)
from evidentsource_core.times import parse_rfc3339
from evidentsource_functions.testing import (
    EventBuilder,
    TestEventBuilder,
    create_prospective_event,
    create_stored_event,
)

NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)


def builder() -> EventBuilder:
    return EventBuilder("account.opened").stream("accounts")


def test_a_built_event_has_what_the_builder_was_told() -> None:
    event = (
        EventBuilder("account.opened")
        .id("e-1")
        .stream("accounts")
        .subject("a-1")
        .data({"owner": "Ann"})
        .dataschema("urn:schema")
        .timestamp(NOON)
        .extension("tenant", "acme")
        .build()
    )
    assert event == ProspectiveEvent(
        id="e-1",
        stream="accounts",
        event_type="account.opened",
        subject="a-1",
        data=StringEventData('{"owner": "Ann"}'),
        time=NOON,
        datacontenttype="application/json",
        dataschema="urn:schema",
        extensions={"tenant": StringExtension("acme")},
    )


def test_a_stored_event_has_a_full_source_and_the_rest_as_it_was_told() -> None:
    told = builder().id("e-1").subject("a-1").data({"n": 1}).extension("tenant", "acme")
    stored, event = told.build_stored(), told.build()
    assert isinstance(stored, Event)
    assert stored.source == "https://test.local/db/test/streams/accounts"
    for name in ("id", "event_type", "subject", "data", "time", "datacontenttype", "extensions"):
        assert getattr(stored, name) == getattr(event, name)


def test_every_event_gets_an_id_of_its_own_unless_one_is_set() -> None:
    assert builder().build().id != builder().build().id
    again = builder()
    assert again.build().id != again.build().id
    assert builder().id("e-1").build_stored().id == "e-1"


def test_what_was_built_does_not_change_with_the_builder() -> None:
    told = builder().extension("one", 1)
    first = told.build()
    stored = told.build_stored()
    told.extension("two", 2).subject("later")
    assert set(first.extensions) == set(stored.extensions) == {"one"}
    assert first.subject is None


def test_each_method_changes_the_builder_itself() -> None:
    told = EventBuilder("opened")
    told.stream("accounts")
    told.subject("a-1")
    assert told.build().subject == "a-1"
    assert told.subject(None).build().subject is None


def test_the_older_name_is_the_same_class() -> None:
    assert TestEventBuilder is EventBuilder


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("acme", StringExtension("acme")),
        (7, IntegerExtension(7)),
        (True, BooleanExtension(True)),
        (b"\x00", BinaryExtension(b"\x00")),
        (NOON, TimestampExtension(NOON)),
        (UriExtension("urn:x"), UriExtension("urn:x")),
        (UriRefExtension("../x"), UriRefExtension("../x")),
        (StringExtension("acme"), StringExtension("acme")),
    ],
)
def test_an_extension_may_be_of_every_kind(value: Any, kind: Any) -> None:
    told = builder().extension("name", value)
    assert told.build().extension("name") == kind
    assert told.build_stored().extension("name") == kind


@dataclass
class Opening:
    owner: str
    limit: Decimal


@pytest.mark.parametrize(
    ("data", "payload", "content_type"),
    [
        (None, None, None),
        ({"a": [1, None]}, StringEventData('{"a": [1, null]}'), "application/json"),
        ([], StringEventData("[]"), "application/json"),
        (0, StringEventData("0"), "application/json"),
        (False, StringEventData("false"), "application/json"),
        (
            Opening("Ann", Decimal("1.50")),
            StringEventData('{"owner": "Ann", "limit": "1.50"}'),
            "application/json",
        ),
        ("plain", StringEventData("plain"), "text/plain"),
        ("", StringEventData(""), "text/plain"),
        (b"\xff", BinaryEventData(b"\xff"), "application/octet-stream"),
        (bytearray(b"x"), BinaryEventData(b"x"), "application/octet-stream"),
        (StringEventData("kept"), StringEventData("kept"), "text/plain"),
        (BinaryEventData(b"kept"), BinaryEventData(b"kept"), "application/octet-stream"),
    ],
)
def test_a_payload_is_what_was_given_with_its_content_type(
    data: Any, payload: Any, content_type: str | None
) -> None:
    event = builder().data(data).build()
    assert event.data == payload
    assert event.datacontenttype == content_type


def test_none_takes_the_payload_away_again() -> None:
    event = builder().data({"a": 1}).data(None).build()
    assert (event.data, event.datacontenttype) == (None, None)


def test_a_content_type_can_be_named() -> None:
    event = builder().data(json.dumps({"a": 1}), "application/vnd.bank+json").build()
    assert event.datacontenttype == "application/vnd.bank+json"
    assert event.data_as_json() == {"a": 1}


@pytest.mark.parametrize(
    ("value", "time"),
    [
        (date(2024, 1, 31), datetime(2024, 1, 31, tzinfo=UTC)),
        ("2024-01-31", datetime(2024, 1, 31, tzinfo=UTC)),
        (datetime(2024, 1, 31, 17, 45, tzinfo=UTC), datetime(2024, 1, 31, 17, 45, tzinfo=UTC)),
        ("2024-01-31T17:45:00Z", datetime(2024, 1, 31, 17, 45, tzinfo=UTC)),
        ("2024-01-31T17:45:00.000000001Z", parse_rfc3339("2024-01-31T17:45:00.000000001Z")),
        (
            datetime(2024, 1, 31, 1, tzinfo=timezone(timedelta(hours=2))),
            datetime(2024, 1, 30, 23, tzinfo=UTC),
        ),
    ],
)
def test_a_date_may_be_a_date_a_datetime_or_a_text_and_keeps_its_time_of_day(
    value: Any, time: datetime
) -> None:
    assert builder().date(value).build().time == time


REFUSED: list[tuple[Any, type[EvidentSourceError], str]] = [
    (lambda: EventBuilder(""), InvalidEventType, "event type"),
    (lambda: EventBuilder("x" * 256), InvalidEventType, "event type"),
    (lambda: builder().stream("1st"), InvalidStreamName, "'1st'"),
    (lambda: builder().stream("examples/2025-01-01"), InvalidStreamName, "examples/2025"),
    (lambda: builder().subject("  "), InvalidEventSubject, "subject"),
    (lambda: builder().id("a\nb"), InvalidEventId, "event id"),
    (lambda: builder().extension("Bad-Name", "x"), InvalidExtension, "'Bad-Name'"),
    (lambda: builder().extension("subject", "x"), InvalidExtension, "'subject'"),
    (lambda: builder().extension("n", 2**31), InvalidExtension, "32 bits"),
    (lambda: builder().extension("n", 1.5), InvalidExtension, "float"),
    (lambda: builder().data({"a": float("nan")}), SerializationFailed, r"\$\.a: nan"),
    (lambda: builder().data({"a": object()}), SerializationFailed, r"\$\.a: a object"),
    (lambda: builder().date("01.02.2024"), InvalidTimestamp, "date: '01.02.2024'"),
    (lambda: builder().date("2024-01-01T10:00:00"), InvalidTimestamp, "date"),
    (lambda: builder().date(datetime(2024, 1, 1)), InvalidTimestamp, "date"),  # noqa: DTZ001
    (lambda: builder().date(20240101), InvalidType, "date"),
    (lambda: builder().date(None), InvalidType, "date"),
    (lambda: builder().timestamp(datetime(2024, 1, 1)), InvalidTimestamp, "timestamp"),  # noqa: DTZ001
    (lambda: builder().timestamp("2024-01-01"), InvalidType, "timestamp"),  # type: ignore[arg-type]  # on purpose
    (lambda: builder().extension("sequence", "1").build(), InvalidEvents, "sequence"),
    (lambda: builder().data("\ud800"), InvalidValue, "data"),
]


@pytest.mark.parametrize(("build", "error", "text"), REFUSED)
def test_a_wrong_value_is_refused_when_it_is_given_by_its_name(
    build: Any, error: type[EvidentSourceError], text: str
) -> None:
    with pytest.raises(error, match=text):
        build()


def test_an_event_needs_a_stream() -> None:
    for build in (EventBuilder("opened").build, EventBuilder("opened").build_stored):
        with pytest.raises(ValueError, match=r"stream: is not set; call \.stream\(name\)"):
            build()


def test_a_stored_event_may_have_what_only_a_database_assigns() -> None:
    stored = builder().extension("sequence", "7").build_stored()
    assert stored.revision() == 7


def test_events_are_made_in_one_call_too() -> None:
    event = create_prospective_event("opened", "a-1", {"n": 1}, "accounts")
    assert (event.event_type, event.subject, event.stream) == ("opened", "a-1", "accounts")
    assert event.data_as_json() == {"n": 1}
    bare = create_prospective_event(event_type="opened")
    assert (bare.stream, bare.subject, bare.data) == ("test-stream", None, None)
    stored = create_stored_event("opened", subject="a-1", data=[1], stream="accounts")
    assert (stored.stream(), stored.data_as_json()) == ("accounts", [1])
    assert create_stored_event("opened").stream() == "test-stream"
