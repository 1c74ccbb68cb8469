"""Sharing: several threads on one database; commits come one after the other."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from evidentsource_core import Constraint, ConstraintViolations, Selector
from evidentsource_runtime.contract.driver import Capability, DatabaseUnderTest
from evidentsource_runtime.contract.values import event, everything, needs

_T = TypeVar("_T")
_WORKERS = 4


def at_once(work: Callable[[int], _T], count: int) -> list[_T]:
    """The results of ``work`` for each number, several at a time."""
    with ThreadPoolExecutor(_WORKERS) as pool:
        return list(pool.map(work, range(count)))


@needs(Capability.THREADS)
class Sharing:
    """Commits come one after the other, and readers see whole ones."""

    def test_of_many_writers_with_one_guard_exactly_one_commits(
        self, database: DatabaseUnderTest
    ) -> None:
        guard = Constraint.must_not_exist(Selector.subject("a-1"))

        def attempt(number: int) -> bool:
            try:
                database.transact([event(str(number))], [guard])
            except ConstraintViolations:
                return False
            return True

        assert at_once(attempt, 16).count(True) == 1
        assert database.latest().revision == 1

    def test_of_many_with_one_transaction_id_one_writes_and_all_get_its_result(
        self, database: DatabaseUnderTest
    ) -> None:
        def attempt(_number: int) -> int:
            return database.transact([event("1")], transaction_id="t-1").revision

        assert set(at_once(attempt, 16)) == {1}
        assert database.latest().revision == 1

    def test_concurrent_commits_get_revisions_without_gap_or_overlap(
        self, database: DatabaseUnderTest
    ) -> None:
        def commit(number: int) -> int:
            return database.transact([event(f"{number}-{i}") for i in range(3)]).basis

        assert sorted(at_once(commit, 20)) == list(range(0, 60, 3))
        assert [each.revision for each in database.log()] == list(range(3, 61, 3))
        found = database.latest().query_events(everything())
        assert [each.revision() for each in found] == list(range(1, 61))

    def test_readers_beside_writers_see_whole_transactions_only(
        self, database: DatabaseUnderTest
    ) -> None:
        def work(number: int) -> int:
            if number % 2:
                database.transact([event(f"{number}-{i}") for i in range(3)])
            latest = database.latest()
            found = latest.query_events(everything())
            assert len(found) == latest.revision
            return latest.revision

        assert {revision % 3 for revision in at_once(work, 24)} == {0}
