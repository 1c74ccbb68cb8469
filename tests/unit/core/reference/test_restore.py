"""Taking over stored events: what they say of their place is kept, what contradicts is refused."""

from __future__ import annotations

from typing import Any

import pytest

from evidentsource_core import (
    Constraint,
    ConstraintViolations,
    Event,
    InvalidEvents,
    InvalidValue,
    Selector,
    TimestampExtension,
)
from evidentsource_core.times import format_rfc3339
from tests.unit.core.reference.helpers import Clock, bank, day, event, ids

EVERYTHING = Selector.stream_starts_with("a")


def stored(event_id: str, revision: int, recorded: int, **fields: Any) -> Event:
    extensions: Any = {
        "sequence": f"{revision:020d}",
        "recordedtime": format_rfc3339(day(recorded)),
        **fields.pop("extensions", {}),
    }
    source = fields.pop("source", "https://es.example/db/bank/streams/accounts")
    return Event(event_id, source, "opened", "a-1", extensions=extensions, **fields)


def test_events_come_back_as_they_were_at_their_own_revisions_and_times() -> None:
    events = [stored("1", 3, 1), stored("2", 4, 1, time=day(0)), stored("3", 9, 2)]
    database = bank()
    database.restore(events)
    latest = database.latest()
    assert (latest.revision, latest.revision_timestamp) == (9, day(2))
    assert latest.query_events(EVERYTHING) == events
    assert ids(latest.at_revision(5).query_events(EVERYTHING)) == ["1", "2"]
    assert latest.at_revision(5).revision_timestamp == day(1)
    assert latest.at_revision(2).query_events(EVERYTHING) == []
    assert latest.at_revision(2).revision_timestamp == database.created_at
    assert ids(latest.at_effective_timestamp(day(0)).query_events(EVERYTHING)) == ["2"]
    assert database.event("accounts", "3") == events[2]
    assert database.log() == []


def test_a_restored_database_goes_on_from_where_it_stands() -> None:
    database = bank(clock=Clock(day(1)))
    database.restore([stored("1", 3, 2)])
    with pytest.raises(ConstraintViolations, match="revision 3"):
        database.transact([event("2")], [Constraint.unchanged_since(EVERYTHING, 2)])
    with pytest.raises(InvalidEvents, match="duplicate event id: accounts/1"):
        database.transact([event("1")])
    result = database.transact([event("2")], [Constraint.at_revision(EVERYTHING, 3)])
    assert (result.basis, result.revision, result.timestamp) == (3, 4, day(2))


def test_a_database_may_stand_behind_its_last_known_event() -> None:
    database = bank()
    database.restore([stored("1", 3, 2)], revision=10, revision_timestamp=day(5))
    latest = database.latest()
    assert (latest.revision, latest.revision_timestamp) == (10, day(5))
    assert latest.at_revision(9).revision_timestamp == day(2)
    assert database.transact([event("2")]).revision == 11


def test_a_history_without_known_events_can_be_restored() -> None:
    database = bank()
    database.restore([], revision=100)
    assert database.latest().revision == 100
    assert database.transact([event("1")]).basis == 100


def test_recorded_time_may_be_a_timestamp() -> None:
    database = bank()
    database.restore([stored("1", 1, 1, extensions={"recordedtime": TimestampExtension(day(3))})])
    assert database.latest().revision_timestamp == day(3)


@pytest.mark.parametrize(
    ("events", "text"),
    [
        ([stored("1", 1, 1, source="urn:a/b")], r"events\[0\]: invalid event source: urn:a/b"),
        ([stored("1", 1, 1, source="1st")], r"events\[0\]: invalid stream name"),
        ([stored(" ", 1, 1)], r"events\[0\]: invalid event id"),
        ([stored("1", 0, 1)], r"events\[0\].*'sequence': holds no revision"),
        ([stored("1", 1, 1, extensions={"sequence": "x"})], r"'sequence': holds no revision"),
        ([stored("1", 2**64, 1)], r"'sequence': holds no revision"),
        ([stored("1", 2, 1), stored("2", 2, 1)], r"events\[1\].*2 does not lie behind 2"),
        ([stored("1", 2, 1), stored("2", 1, 1)], r"events\[1\].*1 does not lie behind 2"),
        ([stored("1", 1, 2), stored("2", 2, 1)], r"events\[1\].*'recordedtime': lies before"),
        ([stored("1", 1, 1, extensions={"recordedtime": "x"})], r"recordedtime.*no RFC 3339"),
        ([stored("1", 1, 1, extensions={"recordedtime": 7})], "neither a text nor a timestamp"),
        ([event("1")], r"events\[0\]: expected Event, got ProspectiveEvent"),
        ([Event("1", "accounts", "opened")], "recordedtime': is missing"),
        ([stored("1", 1, 1), stored("1", 2, 1)], r"events\[1\]: duplicate event id: accounts/1"),
    ],
)
def test_an_event_that_has_no_place_in_a_log_is_refused_and_nothing_is_taken_over(
    events: Any, text: str
) -> None:
    database = bank()
    with pytest.raises(InvalidEvents, match=text):
        database.restore(events)
    assert database.latest().revision == 0


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"revision": 2}, "revision: 2 lies before that of the last event, 3"),
        ({"revision_timestamp": day(1)}, "revision_timestamp: .* lies before the last event"),
    ],
)
def test_a_database_cannot_stand_before_its_last_event(arguments: Any, text: str) -> None:
    with pytest.raises(InvalidValue, match=text):
        bank().restore([stored("1", 3, 2)], **arguments)


def test_no_event_was_recorded_before_the_creation() -> None:
    with pytest.raises(InvalidEvents, match="'recordedtime': lies before 2024-01-01"):
        bank().restore([stored("1", 3, -1)])


def test_events_are_taken_over_behind_those_that_are_there() -> None:
    database = bank(clock=Clock(day(2)))
    database.transact([event("1")], transaction_id="t-1")
    database.restore([stored("2", 4, 3)])
    assert database.latest().revision == 4
    assert database.transact([event("3")]).basis == 4
    assert ids(database.latest().query_events(EVERYTHING)) == ["1", "2", "3"]
    assert database.transact([event("1")], transaction_id="t-1").revision == 1


@pytest.mark.parametrize(
    ("late", "text"),
    [
        (stored("2", 1, 5), r"events\[0\].*'sequence': 1 does not lie behind 1"),
        (stored("2", 2, 1), r"events\[0\].*'recordedtime': lies before"),
        (stored("1", 2, 5), r"events\[0\]: duplicate event id: accounts/1"),
    ],
)
def test_an_event_that_lies_before_what_is_there_is_refused_with_all_that_came_along(
    late: Event, text: str
) -> None:
    database = bank(clock=Clock(day(2)))
    database.transact([event("1")])
    with pytest.raises(InvalidEvents, match=text):
        database.restore([late, stored("9", 9, 9)])
    assert database.latest().revision == 1
    assert database.event("accounts", "9") is None
