"""Many threads at once: commits are one after the other, and readers never see half of one."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from evidentsource_core import Command, Constraint, ConstraintViolations, Selector
from evidentsource_core.domain.definitions import StateChangeDefinition
from evidentsource_core.domain.identifiers import StateChangeName
from tests.unit.core.reference.helpers import bank, event

PAIRS = Selector.stream_starts_with("a")


@pytest.fixture(autouse=True)
def eager_switching() -> Any:
    """Threads take turns so often that a missing lock shows."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def test_of_many_writers_with_one_guard_exactly_one_commits() -> None:
    database = bank()

    def attempt(number: int) -> bool:
        guard = Constraint.must_not_exist(Selector.subject("a-1"))
        try:
            database.transact([event(str(number))], [guard])
        except ConstraintViolations:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(attempt, range(64)))
    assert outcomes.count(True) == 1
    assert database.latest().revision == 1


def test_concurrent_commits_get_revisions_without_gap_or_overlap() -> None:
    database = bank()

    def commit(number: int) -> Any:
        return database.transact([event(f"{number}-{i}", f"s-{number}") for i in range(3)])

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(commit, range(60)))
    assert sorted(result.basis for result in results) == list(range(0, 180, 3))
    assert [result.revision for result in database.log()] == list(range(3, 181, 3))
    found = database.latest().query_events(PAIRS)
    assert [each.revision() for each in found] == list(range(1, 181))


def test_readers_beside_a_writer_see_whole_transactions_only() -> None:
    database = bank()

    def write() -> None:
        for number in range(150):
            database.transact(
                [event(f"{number}-{side}", f"s-{number}", stream=f"a{number}") for side in "lr"]
            )

    def read() -> list[int]:
        return [len(database.latest().query_events(PAIRS)) % 2 for _ in range(60)]

    with ThreadPoolExecutor(4) as pool:
        writer = pool.submit(write)
        readers = [pool.submit(read) for _ in range(3)]
        assert all(not any(reader.result()) for reader in readers)
        writer.result()


def test_one_transaction_id_executed_by_many_threads_is_committed_once() -> None:
    database = bank()
    database.publish_state_change(
        StateChangeDefinition(StateChangeName("open")),
        lambda db, _command, metadata: ([event(str(metadata.last_seen_revision))], []),
    )

    def execute(_number: int) -> int:
        return database.execute("open", 1, Command.json(b"{}"), transaction_id="t-1").revision

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(execute, range(40))) == {1}
    assert database.latest().revision == 1
