"""Keeping: what was committed is there again after the database was closed and opened."""

from __future__ import annotations

from collections.abc import Callable

from evidentsource_core import (
    Constraint,
    ConstraintViolations,
    DuplicateTransactionId,
    EffectiveTimeRange,
    InvalidEvents,
    QueryOptions,
    QueryTemporality,
    Selector,
)
from evidentsource_runtime.contract.changing import order
from evidentsource_runtime.contract.changing import publish as publish_change
from evidentsource_runtime.contract.driver import Capability, DatabaseUnderTest
from evidentsource_runtime.contract.values import contents, day, event, ids, needs, refused
from evidentsource_runtime.contract.viewing import fill, seen
from evidentsource_runtime.contract.viewing import publish as publish_view

Reopen = Callable[[DatabaseUnderTest], DatabaseUnderTest]


@needs(Capability.REOPEN)
class Keeping:
    """Closed and opened again, a database is the same."""

    def test_an_empty_database_is_empty_and_as_old_as_it_was(
        self, database: DatabaseUnderTest, reopen: Reopen
    ) -> None:
        created_at = database.latest().created_at
        again = reopen(database)
        assert again.latest().revision == 0
        assert again.latest().created_at == again.latest().revision_timestamp == created_at

    def test_every_event_and_transaction_is_there(
        self, database: DatabaseUnderTest, reopen: Reopen
    ) -> None:
        database.transact([event("1", data=b"\xff\x00", time=day(3)), event("2", None)])
        database.transact([event("3", extensions={"n": 1, "b": b"\x00", "t": day(1)})])
        before = contents(database)
        assert contents(reopen(database)) == before

    def test_past_revisions_read_as_before(
        self, database: DatabaseUnderTest, reopen: Reopen
    ) -> None:
        fill(database)
        moments = [database.at_revision(each).revision_timestamp for each in range(4)]
        again = reopen(database)
        for revision in range(4):
            past = again.at_revision(revision)
            assert past.revision_timestamp == moments[revision]
            found = past.query_events(Selector.stream("accounts"))
            assert ids(found) == ["1", "0", "3"][:revision]

    def test_revisions_go_on_without_a_gap(
        self, database: DatabaseUnderTest, reopen: Reopen
    ) -> None:
        database.transact([event("1"), event("2")])
        again = reopen(database)
        result = again.transact([event("3")])
        assert (result.basis, result.revision) == (2, 3)
        assert [each.revision for each in again.log()] == [2, 3]

    def test_recorded_time_goes_on(self, database: DatabaseUnderTest, reopen: Reopen) -> None:
        moment = database.transact([event("1")]).timestamp
        assert reopen(database).transact([event("2")]).timestamp >= moment

    @needs(Capability.CLOCK)
    def test_recorded_time_never_goes_back_even_where_the_clock_did(
        self, database: DatabaseUnderTest, reopen: Reopen
    ) -> None:
        far = day(100_000)
        database.set_time(far)
        database.transact([event("1")])
        again = reopen(database)
        again.set_time(day(99_999))
        assert again.transact([event("2")]).timestamp == far

    def test_an_event_id_stays_used(self, database: DatabaseUnderTest, reopen: Reopen) -> None:
        database.transact([event("1")])
        again = reopen(database)
        with refused(again, InvalidEvents):
            again.transact([event("1", "someone-else")])

    def test_a_condition_sees_what_was_committed_before(
        self, database: DatabaseUnderTest, reopen: Reopen
    ) -> None:
        database.transact([event("1")])
        again = reopen(database)
        with refused(again, ConstraintViolations):
            again.transact([event("2")], [Constraint.must_not_exist(Selector.subject("a-1"))])
        guard = [Constraint.at_revision(Selector.subject("a-1"), 1)]
        assert again.transact([event("2")], guard).revision == 2

    def test_a_transaction_id_stands_for_the_same_content(
        self, database: DatabaseUnderTest, reopen: Reopen
    ) -> None:
        guard = [Constraint.must_not_exist(Selector.subject("a-1"))]
        given = [event("1", time=day(1), data=b"\x00", extensions={"n": 1})]
        first = database.transact(given, guard, transaction_id="t-1")
        again = reopen(database)
        repeated = again.transact(given, guard, transaction_id="t-1")
        assert (repeated.revision, list(repeated.events)) == (1, list(first.events))
        with refused(again, DuplicateTransactionId):
            again.transact(given, transaction_id="t-1")

    def test_what_was_refused_is_not_there(
        self, database: DatabaseUnderTest, reopen: Reopen
    ) -> None:
        database.transact([event("1")])
        with refused(database, InvalidEvents):
            database.transact([event("2"), event("1")], transaction_id="t-2")
        again = reopen(database)
        assert again.latest().revision == 1
        assert again.transact([event("2")], transaction_id="t-2").revision == 2

    def test_effective_time_reads_as_before(
        self, database: DatabaseUnderTest, reopen: Reopen
    ) -> None:
        fill(database)
        options = QueryOptions(range=EffectiveTimeRange())
        found = reopen(database).latest().query_events(Selector.stream("accounts"), options)
        assert ids(found) == ["0", "1", "3"]

    def test_it_can_be_closed_and_opened_many_times(
        self, database: DatabaseUnderTest, reopen: Reopen
    ) -> None:
        for number in range(5):
            database.transact([event(str(number))])
            database = reopen(database)
        found = database.latest().query_events(Selector.stream("accounts"))
        assert ids(found) == ["0", "1", "2", "3", "4"]

    @needs(Capability.VIEWS)
    def test_views_are_there_with_their_versions(
        self, database: DatabaseUnderTest, reopen: Reopen
    ) -> None:
        publish_view(database)
        publish_view(database, temporality=QueryTemporality.EFFECTIVE_TIMESTAMP)
        fill(database)
        assert seen(database.latest()) == ["1", "0", "3"]
        again = reopen(database)
        assert seen(again.latest()) == ["1", "0", "3"]
        assert seen(again.latest(), version=2) == ["0", "1", "3"]
        again.transact([event("4")])
        assert seen(again.latest()) == ["1", "0", "3", "4"]
        assert publish_view(again).version == 3

    @needs(Capability.CHANGES)
    def test_changes_are_there_and_their_transaction_ids_too(
        self, database: DatabaseUnderTest, reopen: Reopen
    ) -> None:
        publish_change(database)
        database.execute("obey", 1, order(ids=["1"]), transaction_id="t-1")
        again = reopen(database)
        assert again.execute("obey", 1, order(ids=["1"]), transaction_id="t-1") == 1
        assert again.execute("obey", 1, order(ids=["2"])) == 2
        with refused(again, DuplicateTransactionId):
            again.execute("obey", 1, order(ids=["3"]), transaction_id="t-1")
