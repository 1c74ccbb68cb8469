"""Committing: revisions, what a transaction tells, transaction ids, the log."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from evidentsource_core import (
    Constraint,
    ConstraintViolations,
    DuplicateTransactionId,
    EvidentSourceError,
    InvalidTransactionId,
    Selector,
)
from evidentsource_core.times import format_rfc3339, parse_rfc3339
from evidentsource_runtime.contract.driver import Capability, DatabaseUnderTest
from evidentsource_runtime.contract.values import day, event, everything, ids, needs, refused

_GUARD = [Constraint.must_not_exist(Selector.subject("a-1"))]


class Revisions:
    """The revision counts events."""

    def test_an_empty_database_is_at_revision_0_since_its_creation(
        self, database: DatabaseUnderTest
    ) -> None:
        latest = database.latest()
        assert latest.revision == 0
        assert latest.revision_timestamp == latest.created_at
        assert latest.created_at.utcoffset() == timedelta(0)
        assert latest.query_events(everything()) == []
        assert list(database.log()) == []

    def test_a_snapshot_has_the_name_of_its_database(self, database: DatabaseUnderTest) -> None:
        assert database.latest().name == database.name

    @pytest.mark.parametrize("sizes", [(1,), (3,), (1, 1), (2, 1, 5), (1, 1, 1, 1)])
    def test_a_transaction_of_n_events_moves_the_revision_by_n(
        self, database: DatabaseUnderTest, sizes: tuple[int, ...]
    ) -> None:
        done = 0
        for number, size in enumerate(sizes):
            result = database.transact([event(f"{number}-{i}") for i in range(size)])
            assert (result.basis, result.revision) == (done, done + size)
            done += size
            assert database.latest().revision == done
            assert [each.revision() for each in result.events] == list(
                range(result.basis + 1, result.revision + 1)
            )

    def test_events_come_back_in_the_order_in_which_they_were_given(
        self, database: DatabaseUnderTest
    ) -> None:
        given = [event(name) for name in ("c", "a", "d", "b")]
        result = database.transact(given)
        assert ids(result.events) == ["c", "a", "d", "b"]
        assert ids(database.latest().query_events(everything())) == ["c", "a", "d", "b"]

    def test_a_result_says_what_a_query_gives(self, database: DatabaseUnderTest) -> None:
        result = database.transact([event("1"), event("2", None, data=b"\x00\xff")])
        assert list(result.events) == database.latest().query_events(everything())

    def test_a_snapshot_never_changes(self, database: DatabaseUnderTest) -> None:
        database.transact([event("1")])
        before = database.latest()
        moment = before.revision_timestamp
        database.transact([event("2"), event("3", "b-1"), event("4", None, stream="another")])
        assert ids(before.query_events(everything())) == ["1"]
        assert (before.revision, before.revision_timestamp) == (1, moment)

    def test_the_time_of_a_revision_is_that_of_its_transaction(
        self, database: DatabaseUnderTest
    ) -> None:
        first = database.transact([event("1")])
        second = database.transact([event("2"), event("3")])
        assert database.latest().revision_timestamp == second.timestamp
        assert database.at_revision(1).revision_timestamp == first.timestamp
        assert database.at_revision(2).revision_timestamp == second.timestamp

    def test_recorded_time_never_goes_back_and_is_whole_microseconds(
        self, database: DatabaseUnderTest
    ) -> None:
        moment = database.latest().created_at
        for number in range(5):
            result = database.transact([event(str(number))])
            assert result.timestamp >= moment
            moment = result.timestamp
            (stored,) = result.events
            recorded: Any = stored.extensions["recordedtime"]
            assert recorded.value == format_rfc3339(moment)
            assert parse_rfc3339(recorded.value) == moment

    @needs(Capability.CLOCK)
    def test_recorded_time_stands_still_while_the_clock_is_behind(
        self, database: DatabaseUnderTest
    ) -> None:
        now = datetime(2200, 1, 1, tzinfo=UTC)
        database.set_time(now)
        assert database.transact([event("1")]).timestamp == now
        database.set_time(now - timedelta(days=1))
        assert database.transact([event("2")]).timestamp == now
        later = now + timedelta(microseconds=1)
        database.set_time(later)
        assert database.transact([event("3")]).timestamp == later


class Log:
    """The log gives transactions; they and their events are found by id."""

    def test_the_log_gives_whole_transactions_in_order(self, database: DatabaseUnderTest) -> None:
        results = [
            database.transact([event("1"), event("2")]),
            database.transact([event("3")]),
            database.transact([event("4"), event("5"), event("6")]),
        ]
        log = database.log()
        assert [(each.id, each.basis, each.revision, each.timestamp) for each in log] == [
            (each.id, each.basis, each.revision, each.timestamp) for each in results
        ]
        assert [list(each.events) for each in log] == [list(each.events) for each in results]

    @pytest.mark.parametrize(
        ("start", "revisions"),
        [
            (0, [2, 3, 6]),
            (1, [2, 3, 6]),
            (2, [2, 3, 6]),
            (3, [3, 6]),
            (4, [6]),
            (6, [6]),
            (7, []),
            (99, []),
        ],
    )
    def test_the_log_from_a_revision_starts_with_the_transaction_that_holds_it(
        self, database: DatabaseUnderTest, start: int, revisions: list[int]
    ) -> None:
        for batch in (("1", "2"), ("3",), ("4", "5", "6")):
            database.transact([event(each) for each in batch])
        assert [each.revision for each in database.log(start)] == revisions

    @needs(Capability.TRANSACTION_LOOKUP)
    def test_a_transaction_is_found_by_its_id(self, database: DatabaseUnderTest) -> None:
        result = database.transact([event("1"), event("2")], transaction_id="t-1")
        unnamed = database.transact([event("3")])
        for wanted in (result, unnamed):
            found = database.transaction(wanted.id)
            assert found is not None
            assert (found.basis, found.revision) == (wanted.basis, wanted.revision)
            assert list(found.events) == list(wanted.events)
        assert database.transaction("t-2") is None

    @needs(Capability.EVENT_LOOKUP)
    def test_an_event_is_found_by_stream_and_id(self, database: DatabaseUnderTest) -> None:
        result = database.transact([event("1"), event("1", stream="another", data="other")])
        assert database.event("accounts", "1") == result.events[0]
        assert database.event("another", "1") == result.events[1]
        assert database.event("accounts", "2") is None
        assert database.event("elsewhere", "1") is None


class TransactionIds:
    """A transaction id stands for one content, for good."""

    def test_committed_again_it_gives_the_first_result_and_writes_nothing(
        self, database: DatabaseUnderTest
    ) -> None:
        first = database.transact([event("1")], _GUARD, transaction_id="t-1")
        database.transact([event("2")])
        again = database.transact([event("1")], _GUARD, transaction_id="t-1")
        assert (again.id, again.basis, again.revision) == ("t-1", first.basis, first.revision)
        assert again.timestamp == first.timestamp
        assert list(again.events) == list(first.events)
        assert database.latest().revision == 2
        assert len(database.log()) == 2

    @pytest.mark.parametrize(
        ("events", "conditions"),
        [
            ([event("1", data="other")], []),
            ([event("1", "b-1")], []),
            ([event("1", event_type="other")], []),
            ([event("1", time=day(1))], []),
            ([event("1", extensions={"tenant": "acme"})], []),
            ([event("1", datacontenttype="text/plain")], []),
            ([event("2")], []),
            ([event("1", stream="another")], []),
            ([event("1"), event("2")], []),
            ([event("1")], [Constraint.must_exist(Selector.subject("a-1"))]),
            ([event("1")], [Constraint.max(Selector.subject("a-1"), 9)]),
            ([], []),
        ],
        ids=[
            "data",
            "subject",
            "type",
            "time",
            "extension",
            "content type",
            "id",
            "stream",
            "one more event",
            "a condition that fails",
            "a condition that holds",
            "no event",
        ],
    )
    def test_with_other_content_it_is_refused(
        self, database: DatabaseUnderTest, events: Any, conditions: Any
    ) -> None:
        database.transact([event("1")], transaction_id="t-1")
        with refused(database, DuplicateTransactionId) as caught:
            database.transact(events, conditions, transaction_id="t-1")
        assert "t-1" in str(caught.value)

    def test_a_refused_transaction_leaves_its_id_free(self, database: DatabaseUnderTest) -> None:
        must_exist = [Constraint.must_exist(Selector.subject("a-1"))]
        with refused(database, ConstraintViolations):
            database.transact([event("1")], must_exist, transaction_id="t-1")
        result = database.transact([event("2")], transaction_id="t-1")
        assert (result.id, result.revision) == ("t-1", 1)

    @pytest.mark.parametrize(
        "transaction_id", ["", " ", "\t", "a\nb", "a\x1fb", "a\x7fb", "\x00", "x" * 256]
    )
    def test_it_keeps_the_rule_of_event_ids(
        self, database: DatabaseUnderTest, transaction_id: str
    ) -> None:
        with refused(database, InvalidTransactionId):
            database.transact([event("1")], transaction_id=transaction_id)

    @pytest.mark.parametrize("transaction_id", ["t", "0", "é", "a b", "-", "x" * 255, "a/b?c=d#e"])
    def test_any_text_within_the_rule_is_one(
        self, database: DatabaseUnderTest, transaction_id: str
    ) -> None:
        assert database.transact([event("1")], transaction_id=transaction_id).id == transaction_id
        assert database.log()[0].id == transaction_id

    def test_two_that_differ_in_letter_case_are_two(self, database: DatabaseUnderTest) -> None:
        database.transact([event("1")], transaction_id="t")
        assert database.transact([event("2")], transaction_id="T").revision == 2

    def test_transactions_without_one_get_one_each(self, database: DatabaseUnderTest) -> None:
        made = {database.transact([event(str(number))]).id for number in range(5)}
        assert len(made) == 5
        assert all(each.strip() for each in made)

    def test_one_that_the_database_made_can_be_committed_again(
        self, database: DatabaseUnderTest
    ) -> None:
        first = database.transact([event("1")])
        assert database.transact([event("1")], transaction_id=first.id).revision == 1
        with refused(database, EvidentSourceError):
            database.transact([event("2")], transaction_id=first.id)
