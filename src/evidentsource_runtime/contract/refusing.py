"""Refusing: what keeps a transaction out, and that nothing of it is written."""

from __future__ import annotations

from typing import Any

import pytest

from evidentsource_core import (
    Constraint,
    ConstraintViolations,
    DuplicateEventId,
    EmptyTransaction,
    EvidentSourceError,
    InvalidEventId,
    InvalidEvents,
    InvalidEventSubject,
    InvalidEventType,
    InvalidExtension,
    InvalidStreamName,
    ProspectiveEvent,
    Selector,
    TransactionTooLarge,
)
from evidentsource_runtime.contract.driver import Capability, DatabaseUnderTest
from evidentsource_runtime.contract.values import event, ids, needs, refused

_BAD_TEXTS = ["", " ", "\t ", "a\nb", "a\n", "\x00", "a\x1fb", "\x7f", "\x85", "x" * 256]
_BAD_STREAMS = ["", "a", "1st", "-ab", ".ab", "a b", "ab\n", "a/b", "aé", "é1", "a" * 129, "ab\x00"]
_BAD_EXTENSIONS = ["Tenant", "ten-ant", "ten_ant", "tenänt", "", "a b"]
_RESERVED = ["id", "source", "type", "subject", "time", "specversion", "data", "dataschema"]
_ASSIGNED = ["sequence", "recordedtime"]

_BAD_EVENTS: list[tuple[str, ProspectiveEvent, type[EvidentSourceError]]] = [
    *((f"id {bad[:9]!r}", event(bad), InvalidEventId) for bad in _BAD_TEXTS),
    *((f"subject {bad[:9]!r}", event("2", bad), InvalidEventSubject) for bad in _BAD_TEXTS),
    *((f"type {bad[:9]!r}", event("2", event_type=bad), InvalidEventType) for bad in _BAD_TEXTS),
    *((f"stream {bad[:9]!r}", event("2", stream=bad), InvalidStreamName) for bad in _BAD_STREAMS),
    *(
        (f"extension {bad!r}", event("2", extensions={bad: "x"}), InvalidExtension)
        for bad in (*_BAD_EXTENSIONS, *_RESERVED, *_ASSIGNED)
    ),
]


class BadEvents:
    """An event that breaks a rule keeps the whole transaction out."""

    @pytest.mark.parametrize(
        "bad", [case[1] for case in _BAD_EVENTS], ids=[c[0] for c in _BAD_EVENTS]
    )
    def test_an_event_that_breaks_a_rule_is_refused_with_those_beside_it(
        self, database: DatabaseUnderTest, bad: ProspectiveEvent
    ) -> None:
        database.transact([event("1")])
        with refused(database, InvalidEvents):
            database.transact([event("good"), bad])
        assert database.transact([event("good")]).revision == 2

    @needs(Capability.PROBLEMS)
    @pytest.mark.parametrize(
        ("bad", "problem"), [case[1:] for case in _BAD_EVENTS], ids=[c[0] for c in _BAD_EVENTS]
    )
    def test_the_refusal_says_which_rule_and_which_event(
        self, database: DatabaseUnderTest, bad: ProspectiveEvent, problem: type[EvidentSourceError]
    ) -> None:
        with pytest.raises(InvalidEvents) as caught:
            database.transact([event("good"), bad])
        (found,) = caught.value.errors
        assert isinstance(found, problem)
        assert str(found).startswith("events[1]")

    @needs(Capability.PROBLEMS)
    def test_every_problem_of_every_event_is_told_at_once(
        self, database: DatabaseUnderTest
    ) -> None:
        database.transact([event("old")])
        extensions = {"Bad": 1, "sequence": "7"}
        bad = [
            event(" ", "", stream="1", event_type="", extensions=extensions),
            event("old"),
            event("twice"),
            event("twice", "another"),
            event("twice", stream="elsewhere"),
        ]
        with pytest.raises(InvalidEvents) as caught:
            database.transact(bad)
        found = sorted(
            (str(each).partition(":")[0], type(each).__name__) for each in caught.value.errors
        )
        assert found == [
            ("events[0]", "InvalidEventId"),
            ("events[0]", "InvalidEventSubject"),
            ("events[0]", "InvalidEventType"),
            ("events[0]", "InvalidExtension"),
            ("events[0]", "InvalidExtension"),
            ("events[0]", "InvalidStreamName"),
            ("events[1]", "DuplicateEventId"),
            ("events[3]", "DuplicateEventId"),
        ]


class DuplicateIds:
    """An event id is used once in a stream."""

    @pytest.mark.parametrize(
        "batch",
        [
            [event("1")],
            [event("1", "someone-else", event_type="another", data="other")],
            [event("2"), event("1")],
            [event("1"), event("2")],
            [event("2"), event("2")],
            [event("2"), event("3"), event("2", "b-1")],
        ],
        ids=["same", "other content", "second", "first", "twice", "twice, apart"],
    )
    def test_an_id_that_the_stream_has_is_refused(
        self, database: DatabaseUnderTest, batch: list[ProspectiveEvent]
    ) -> None:
        database.transact([event("1")])
        with refused(database, InvalidEvents) as caught:
            database.transact(batch)
        assert "duplicate" in str(caught.value).lower()

    @needs(Capability.PROBLEMS)
    def test_the_refusal_names_stream_and_id(self, database: DatabaseUnderTest) -> None:
        database.transact([event("1")])
        with pytest.raises(InvalidEvents) as caught:
            database.transact([event("1")])
        (found,) = caught.value.errors
        assert isinstance(found, DuplicateEventId)
        assert (found.stream, found.event_id) == ("accounts", "1")

    @pytest.mark.parametrize(
        "batch",
        [
            [event("1", stream="transfers")],
            [event("1", stream="Accounts")],
            [event("a"), event("A")],
            [event("é"), event("e\u0301")],
            [event("1 ")],
        ],
        ids=["other stream", "stream in other case", "other case", "other code points", "a space"],
    )
    def test_what_is_another_id_is_taken(
        self, database: DatabaseUnderTest, batch: list[ProspectiveEvent]
    ) -> None:
        database.transact([event("1"), event("2", stream="transfers")])
        assert database.transact(batch).revision == 2 + len(batch)

    def test_an_id_is_new_again_in_no_later_transaction(self, database: DatabaseUnderTest) -> None:
        for number in range(10):
            database.transact([event(str(number))])
        for number in range(10):
            with pytest.raises(InvalidEvents):
                database.transact([event(str(number))])
        assert database.latest().revision == 10


class Limits:
    """A transaction has at least one event, and at most so many events and bytes."""

    def test_a_transaction_needs_an_event(self, database: DatabaseUnderTest) -> None:
        with refused(database, EmptyTransaction):
            database.transact([])

    def test_as_many_events_as_the_limit_are_taken(self, database: DatabaseUnderTest) -> None:
        result = database.transact([event(str(i)) for i in range(database.max_events)])
        assert result.revision == database.max_events

    def test_one_event_more_than_the_limit_is_refused(self, database: DatabaseUnderTest) -> None:
        batch = [event(str(i)) for i in range(database.max_events + 1)]
        with refused(database, TransactionTooLarge) as caught:
            database.transact(batch)
        assert str(database.max_events) in str(caught.value)

    @pytest.mark.parametrize("kind", ["bytes", "text", "several", "subject and attributes"])
    def test_more_bytes_than_the_limit_are_refused(
        self, database: DatabaseUnderTest, kind: str
    ) -> None:
        size, half = database.max_bytes, "é" * (database.max_bytes // 4)
        batches: dict[str, list[Any]] = {
            "bytes": [event("2", data=bytes(size))],
            "text": [event("2", data="é" * (size // 2))],
            "several": [event("2", data=half), event("3", data=half)],
            "subject and attributes": [event("2", extensions={"x1": half, "x2": half})],
        }
        with refused(database, TransactionTooLarge):
            database.transact(batches[kind])


class Atomic:
    """What is refused leaves no trace."""

    def test_after_any_refusal_the_next_transaction_is_as_if_there_had_been_none(
        self, database: DatabaseUnderTest
    ) -> None:
        database.transact([event("1")], transaction_id="t-1")
        violated = [Constraint.must_not_exist(Selector.subject("a-1"))]
        attempts: list[tuple[type[EvidentSourceError], Any, Any, str | None]] = [
            (EmptyTransaction, [], [], None),
            (InvalidEvents, [event("2"), event(" ")], [], "t-2"),
            (InvalidEvents, [event("2"), event("1")], [], "t-2"),
            (ConstraintViolations, [event("2"), event("3")], violated, "t-2"),
            (EvidentSourceError, [event("2")], [], "t-1"),
            (EvidentSourceError, [event("2")], [], "\x00"),
        ]
        for error, batch, conditions, transaction_id in attempts:
            with refused(database, error):
                database.transact(batch, conditions, transaction_id=transaction_id)
        result = database.transact([event("2"), event("3")], transaction_id="t-2")
        assert (result.basis, result.revision, ids(result.events)) == (1, 3, ["2", "3"])
        assert [each.id for each in database.log()] == ["t-1", "t-2"]
