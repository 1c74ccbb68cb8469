"""Committing: revisions, times, ids, what is refused, and that a refusal writes nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from evidentsource_core import (
    Constraint,
    ConstraintViolations,
    DuplicateEventId,
    DuplicateTransactionId,
    EmptyTransaction,
    EvidentSourceError,
    IntegerExtension,
    InvalidConstraints,
    InvalidDatabaseName,
    InvalidEventId,
    InvalidEvents,
    InvalidEventSubject,
    InvalidEventType,
    InvalidExtension,
    InvalidStreamName,
    InvalidTimestamp,
    InvalidTransactionId,
    InvalidType,
    InvalidValue,
    Selector,
    StringExtension,
    TransactionTooLarge,
)
from evidentsource_core.reference import ReferenceDatabase
from evidentsource_core.times import from_parts
from tests.unit.core.reference.helpers import START, Clock, bank, day, event, ids


def test_an_empty_database_stands_at_revision_0_with_the_time_of_its_creation() -> None:
    latest = bank(created_at=day(3)).latest()
    assert (latest.revision, latest.revision_timestamp, latest.created_at) == (0, day(3), day(3))
    assert latest.query_events(Selector.stream_starts_with("a")) == []


def test_the_revision_counts_events_and_a_transaction_has_that_of_its_last_one() -> None:
    database = bank()
    first = database.transact([event("1"), event("2")])
    second = database.transact([event("3")])
    assert (first.basis, first.revision) == (0, 2)
    assert (second.basis, second.revision) == (2, 3)
    assert database.latest().revision == 3


def test_a_stored_event_gets_its_source_its_sequence_and_its_recorded_time() -> None:
    database = ReferenceDatabase(
        "bank", host="es.example", clock=Clock(day(1) + timedelta(microseconds=7))
    )
    (stored,) = database.transact([event("e-1", extensions={"tenant": "acme", "n": 2})]).events
    assert stored.id == "e-1"
    assert stored.source == "https://es.example/db/bank/streams/accounts"
    assert list(stored.extensions.items()) == [
        ("tenant", StringExtension("acme")),
        ("n", IntegerExtension(2)),
        ("sequence", StringExtension("00000000000000000001")),
        ("recordedtime", StringExtension("2024-01-02T00:00:00.000007Z")),
    ]


def test_the_effective_time_is_kept_to_the_nanosecond_as_an_instant_in_utc() -> None:
    east = timezone(timedelta(hours=2))
    exact = from_parts(-1, 999_999_999)
    stored = bank().transact(
        [event("1", time=datetime(2024, 5, 1, 2, tzinfo=east)), event("2", time=exact)]
    )
    assert stored.events[0].time == datetime(2024, 5, 1, tzinfo=UTC)
    assert stored.events[0].time.isoformat() == "2024-05-01T00:00:00+00:00"
    assert stored.events[1].time == exact


def test_recorded_time_is_whole_microseconds_and_never_goes_back() -> None:
    clock = Clock(day(5))
    database = bank(clock=clock, created_at=day(5))
    clock.now = day(4)
    assert database.transact([event("1")]).timestamp == day(5)
    clock.now = day(6) + timedelta(microseconds=3)
    assert database.transact([event("2")]).timestamp == clock.now
    clock.now = day(5)
    assert database.transact([event("3")]).timestamp == day(6) + timedelta(microseconds=3)
    clock.now = from_parts(4_000_000_000, 1_999)
    assert database.transact([event("4")]).timestamp == from_parts(4_000_000_000, 1_000)


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"name": "b"}, InvalidDatabaseName, "'b'"),
        ({"created_at": datetime(2024, 1, 1)}, InvalidTimestamp, "created_at"),  # noqa: DTZ001
        ({"created_at": from_parts(0, 1)}, InvalidTimestamp, "created_at: has nanoseconds"),
        ({"clock": lambda: datetime(2024, 1, 1)}, InvalidTimestamp, "clock"),  # noqa: DTZ001
        ({"clock": lambda: 7}, InvalidType, "clock: expected a datetime"),
        ({"view_batch_size": 0}, InvalidValue, "view_batch_size"),
    ],
)
def test_a_database_that_cannot_work_is_refused_when_it_is_made(
    arguments: dict[str, Any], error: type[EvidentSourceError], text: str
) -> None:
    with pytest.raises(error, match=text):
        ReferenceDatabase(**arguments)


def test_a_transaction_needs_an_event() -> None:
    with pytest.raises(EmptyTransaction):
        bank().transact([])


def test_too_many_events_are_refused_with_both_numbers() -> None:
    database = bank(max_events=2)
    with pytest.raises(TransactionTooLarge) as refused:
        database.transact([event(str(i)) for i in range(3)])
    assert (refused.value.actual, refused.value.max, refused.value.unit) == (3, 2, "events")
    assert database.transact([event("1"), event("2")]).revision == 2


def test_the_limits_are_10000_events_and_16_mebibytes() -> None:
    database = bank()
    with pytest.raises(TransactionTooLarge, match="10001 events, max 10000"):
        database.transact([event(str(i)) for i in range(10_001)])
    with pytest.raises(TransactionTooLarge, match="max 16777216"):
        database.transact([event("1", data=b"x" * 16_777_216)])


def test_bytes_are_counted_over_every_text_payload_and_attribute() -> None:
    full = event(
        "i",
        "é",
        stream="ss",
        event_type="ttt",
        data=b"12345",
        time=START,
        datacontenttype="a/b",
        dataschema="urn:x",
        extensions={"text": "é", "number": 7, "flag": True, "bytes": b"123", "at": START},
    )
    #       id stream type subject data time content schema
    size = (1 + 2 + 3 + 2 + 5 + 12 + 3 + 5) + (4 + 2) + (6 + 4) + (4 + 1) + (5 + 3) + (2 + 12)
    assert bank(max_bytes=size).transact([full]).revision == 1
    with pytest.raises(TransactionTooLarge) as refused:
        bank(max_bytes=size - 1).transact([full])
    assert (refused.value.actual, refused.value.unit) == (size, "bytes")


def test_every_problem_of_every_event_is_told_at_once_with_its_place() -> None:
    database = bank()
    database.transact([event("old")])
    bad: list[Any] = [
        event(
            " ",
            "",
            stream="1",
            event_type="",
            extensions={"Bad": 1, "sequence": "7"},
        ),
        event("old"),
        "no event",
        event("twice"),
        event("twice", "another"),
        event("twice", stream="elsewhere"),
    ]
    with pytest.raises(InvalidEvents) as refused:
        database.transact(bad)
    found = [(type(problem), str(problem).partition(":")[0]) for problem in refused.value.errors]
    assert found == [
        (InvalidStreamName, "events[0]"),
        (InvalidEventId, "events[0]"),
        (InvalidEventType, "events[0]"),
        (InvalidEventSubject, "events[0]"),
        (InvalidExtension, "events[0]"),
        (InvalidExtension, "events[0]"),
        (DuplicateEventId, "events[1]"),
        (InvalidType, "events[2]"),
        (DuplicateEventId, "events[4]"),
    ]
    assert database.latest().revision == 1


@pytest.mark.parametrize("events", ["abc", 7, None])
def test_events_that_are_no_list_are_refused_by_name(events: Any) -> None:
    with pytest.raises(InvalidType, match="events: expected a list"):
        bank().transact(events)


def test_what_is_no_condition_is_refused_with_its_place() -> None:
    database = bank()
    conditions: Any = [Constraint.must_not_exist(Selector.stream("aa")), "max", None]
    with pytest.raises(InvalidConstraints) as refused:
        database.transact([event("1")], conditions)
    assert [str(problem)[:13] for problem in refused.value.errors] == [
        "conditions[1]",
        "conditions[2]",
    ]
    assert database.latest().revision == 0


REFUSALS: list[tuple[str, Callable[[ReferenceDatabase], object]]] = [
    ("empty", lambda db: db.transact([])),
    ("too large", lambda db: db.transact([event(str(i)) for i in range(5)])),
    ("too many bytes", lambda db: db.transact([event("2", data="x" * 2000)])),
    ("second event bad", lambda db: db.transact([event("2"), event(" ")])),
    ("second event known", lambda db: db.transact([event("2"), event("1")])),
    (
        "condition",
        lambda db: db.transact([event("2")], [Constraint.must_not_exist(Selector.subject("a-1"))]),
    ),
    ("transaction id", lambda db: db.transact([event("2")], transaction_id="t-1")),
    ("bad transaction id", lambda db: db.transact([event("2")], transaction_id="\x00")),
]


@pytest.mark.parametrize(
    "refused", [case[1] for case in REFUSALS], ids=[case[0] for case in REFUSALS]
)
def test_a_refused_transaction_writes_nothing(
    refused: Callable[[ReferenceDatabase], object],
) -> None:
    database = bank(max_events=4, max_bytes=1000)
    database.transact([event("1")], transaction_id="t-1")
    with pytest.raises(EvidentSourceError):
        refused(database)
    assert database.latest().revision == 1
    assert [each.id for each in database.log()] == ["t-1"]
    assert database.event("accounts", "2") is None
    assert database.transact([event("2")]).revision == 2


def test_a_transaction_id_committed_again_gives_the_first_result_and_writes_nothing() -> None:
    database = bank()
    guard = [Constraint.must_not_exist(Selector.subject("a-1"))]
    first = database.transact([event("1")], guard, transaction_id="t-1")
    database.transact([event("2")])
    assert database.transact([event("1")], guard, transaction_id="t-1") is first
    assert database.latest().revision == 2


@pytest.mark.parametrize(
    ("events", "conditions"),
    [
        ([event("1", data="other")], []),
        ([event("1"), event("2")], []),
        ([event("1")], [Constraint.must_exist(Selector.subject("a-1"))]),
        ([], []),
    ],
    ids=["another event", "more events", "other conditions", "nothing"],
)
def test_a_transaction_id_with_other_content_is_refused(events: Any, conditions: Any) -> None:
    database = bank()
    database.transact([event("1")], transaction_id="t-1")
    with pytest.raises(DuplicateTransactionId, match="t-1"):
        database.transact(events, conditions, transaction_id="t-1")


def test_a_refused_transaction_leaves_its_id_free() -> None:
    database = bank()
    guard = [Constraint.must_exist(Selector.subject("a-1"))]
    with pytest.raises(ConstraintViolations):
        database.transact([event("1")], guard, transaction_id="t-1")
    assert database.transact([event("1")], transaction_id="t-1").id == "t-1"


@pytest.mark.parametrize("transaction_id", ["", " ", "a\nb", "x" * 256])
def test_a_transaction_id_keeps_the_rule_of_event_ids(transaction_id: str) -> None:
    with pytest.raises(InvalidTransactionId):
        bank().transact([event("1")], transaction_id=transaction_id)


def test_a_transaction_id_that_is_no_text_is_refused() -> None:
    wrong: Any = 7
    with pytest.raises(InvalidType, match="transaction_id"):
        bank().transact([event("1")], transaction_id=wrong)


def test_transactions_without_an_id_get_one_each() -> None:
    database = bank()
    assert database.transact([event("1")]).id != database.transact([event("2")]).id


def test_an_event_id_is_used_once_in_a_stream_and_freely_in_another() -> None:
    database = bank()
    database.transact([event("1")])
    with pytest.raises(InvalidEvents, match="duplicate event id: accounts/1"):
        database.transact([event("1", "someone-else", event_type="another")])
    assert database.transact([event("1", stream="transfers")]).revision == 2


def test_the_log_gives_transactions_in_order_from_a_revision_on() -> None:
    database = bank()
    results = [
        database.transact([event("1"), event("2")]),
        database.transact([event("3")]),
        database.transact([event("4")]),
    ]
    assert database.log() == results
    assert database.log(2) == results
    assert database.log(3) == results[1:]
    assert database.log(5) == []


def test_transactions_and_events_are_found_by_their_ids() -> None:
    database = bank()
    result = database.transact([event("1"), event("2")], transaction_id="t-1")
    assert database.transaction("t-1") is result
    assert database.transaction("t-2") is None
    assert database.event("accounts", "2") == result.events[1]
    assert database.event("accounts", "3") is None
    assert database.event("elsewhere", "2") is None


def test_a_snapshot_never_changes() -> None:
    database = bank()
    database.transact([event("1")])
    before = database.latest()
    database.transact([event("2"), event("3", "b-1"), event("4", None, stream="another")])
    everything = Selector.stream_starts_with("a")
    assert ids(before.query_events(everything)) == ["1"]
    assert (before.revision, before.revision_timestamp) == (1, START)
    with pytest.raises(AttributeError):
        before.revision = 3  # type: ignore[misc]  # that it cannot be set is the point
