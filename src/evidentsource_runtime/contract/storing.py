"""Storing: an event comes back as it was given, and with what the database says of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from evidentsource_core import (
    BinaryEventData,
    BinaryExtension,
    BooleanExtension,
    IntegerExtension,
    StringEventData,
    StringExtension,
    TimestampExtension,
    UriExtension,
    UriRefExtension,
)
from evidentsource_core.times import from_parts, parse_rfc3339
from evidentsource_runtime.contract.driver import DatabaseUnderTest
from evidentsource_runtime.contract.values import day, event, everything

_EAST = timezone(timedelta(hours=5, minutes=45))

_PAYLOADS: list[Any] = [
    None,
    StringEventData(""),
    StringEventData("text"),
    StringEventData('{"amount": 5, "nested": [1, 2.5, null, "é"]}'),
    StringEventData("  {}\n\t"),
    StringEventData("é ü 漢字 🐍 \u202e"),
    StringEventData("line\r\nbreaks\x00and NUL"),
    StringEventData("x" * 100_000),
    BinaryEventData(b""),
    BinaryEventData(b"text"),
    BinaryEventData(b"\x00\xff\xfe\x80"),
    BinaryEventData(bytes(range(256)) * 100),
]

_TIMES: list[datetime | None] = [
    None,
    datetime(2024, 5, 1, 12, 30, tzinfo=UTC),
    datetime(2024, 5, 1, 12, 30, 0, 1, tzinfo=UTC),
    datetime(2024, 5, 1, 12, 30, tzinfo=_EAST),
    datetime(1970, 1, 1, tzinfo=UTC),
    datetime(1969, 12, 31, 23, 59, 59, 500_000, tzinfo=UTC),
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    from_parts(0, 1),
    from_parts(-1, 999_999_999),
    parse_rfc3339("2255-06-05T23:47:34.740992123Z"),
]

_EXTENSIONS: list[Any] = [
    BooleanExtension(True),
    BooleanExtension(False),
    IntegerExtension(0),
    IntegerExtension(1),
    IntegerExtension(-(2**31)),
    IntegerExtension(2**31 - 1),
    StringExtension(""),
    StringExtension("acme é 🐍"),
    StringExtension("true"),
    StringExtension("1"),
    StringExtension("2024-01-01T00:00:00Z"),
    BinaryExtension(b""),
    BinaryExtension(b"\x00\xff"),
    UriExtension("https://example.com/a?b=c#d"),
    UriRefExtension("../relative"),
    TimestampExtension(day(3)),
    TimestampExtension(from_parts(-1, 999_999_999)),
]

_LABELS = [
    "a",
    "x" * 255,
    "a b",
    "é",
    "🐍" * 255,
    "'; drop table events; --",
    "100%",
    "a_b",
    "a/b?c=d&e#f",
    '"quoted"',
    "back\\slash",
    "\u202ebidi",
    "a\u00a0b",
    "NULL",
    "0",
]


class Storing:
    """An event comes back as it was given."""

    @pytest.mark.parametrize("data", _PAYLOADS, ids=range(len(_PAYLOADS)))
    def test_a_payload_comes_back_byte_for_byte_and_of_its_kind(
        self, database: DatabaseUnderTest, data: Any
    ) -> None:
        database.transact([event("1", data=data)])
        (stored,) = database.latest().query_events(everything())
        assert stored.data == data

    @pytest.mark.parametrize("time", _TIMES, ids=str)
    def test_an_effective_time_is_kept_to_the_nanosecond_as_an_instant_in_utc(
        self, database: DatabaseUnderTest, time: datetime | None
    ) -> None:
        database.transact([event("1", time=time)])
        (stored,) = database.latest().query_events(everything())
        assert stored.time == time
        assert stored.time is None or stored.time.utcoffset() == timedelta(0)

    @pytest.mark.parametrize("value", _EXTENSIONS, ids=repr)
    def test_an_extension_attribute_comes_back_with_its_type(
        self, database: DatabaseUnderTest, value: Any
    ) -> None:
        database.transact([event("1", extensions={"x1": value})])
        (stored,) = database.latest().query_events(everything())
        assert stored.extensions["x1"] == value
        assert type(stored.extensions["x1"]) is type(value)

    @pytest.mark.parametrize("label", _LABELS)
    def test_any_id_type_and_subject_within_the_rules_come_back(
        self, database: DatabaseUnderTest, label: str
    ) -> None:
        database.transact([event(label, label, event_type=label)])
        (stored,) = database.latest().query_events(everything())
        assert (stored.id, stored.subject, stored.event_type) == (label, label, label)

    @pytest.mark.parametrize("stream", ["ab", "a1", "a" * 128, "a-_.", "streams", "db", "aZ.9"])
    def test_the_source_is_the_uri_of_the_stream(
        self, database: DatabaseUnderTest, stream: str
    ) -> None:
        database.transact([event("1", stream=stream)])
        (stored,) = database.latest().query_events(everything())
        assert stored.stream() == stream
        assert stored.source.startswith("https://")
        assert stored.source.endswith(f"/db/{database.name}/streams/{stream}")

    @pytest.mark.parametrize(
        ("datacontenttype", "dataschema"),
        [
            (None, None),
            ("application/json", None),
            (None, "urn:schema:1"),
            ("text/plain; charset=utf-8", "https://example.com/schema#1"),
        ],
    )
    def test_content_type_and_schema_come_back(
        self, database: DatabaseUnderTest, datacontenttype: str | None, dataschema: str | None
    ) -> None:
        given = event("1", datacontenttype=datacontenttype, dataschema=dataschema)
        database.transact([given])
        (stored,) = database.latest().query_events(everything())
        assert (stored.datacontenttype, stored.dataschema) == (datacontenttype, dataschema)

    @pytest.mark.parametrize("subject", [None, "a-1"])
    def test_an_event_without_a_subject_has_none(
        self, database: DatabaseUnderTest, subject: str | None
    ) -> None:
        database.transact([event("1", subject)])
        (stored,) = database.latest().query_events(everything())
        assert stored.subject == subject

    def test_a_stored_event_has_its_own_attributes_its_sequence_and_its_recorded_time(
        self, database: DatabaseUnderTest
    ) -> None:
        database.transact([event("0")])
        result = database.transact([event("1", extensions={"tenant": "acme", "n": 2})])
        (stored,) = result.events
        assert set(stored.extensions) == {"tenant", "n", "sequence", "recordedtime"}
        assert stored.extensions["tenant"] == StringExtension("acme")
        assert stored.extensions["n"] == IntegerExtension(2)
        assert stored.extensions["sequence"] == StringExtension("00000000000000000002")
        recorded: Any = stored.extensions["recordedtime"]
        assert parse_rfc3339(recorded.value) == result.timestamp

    def test_many_attributes_come_back(self, database: DatabaseUnderTest) -> None:
        many = {f"x{number}": number for number in range(50)}
        database.transact([event("1", extensions=many)])
        (stored,) = database.latest().query_events(everything())
        assert {name: stored.extensions[name].value for name in many} == many
