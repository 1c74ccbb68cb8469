"""Followers and the database for ``await``: each transaction once, in order; both loops."""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest

import evidentsource_runtime
from evidentsource_core import (
    Constraint,
    ConstraintViolations,
    DatabaseAccessError,
    QueryOptions,
    Selector,
    StateViewNotFound,
    protocols,
)
from evidentsource_core.domain.state_change import CommandRequest
from evidentsource_runtime.database import Database
from evidentsource_runtime.database.asynchronous import AsyncDatabase
from evidentsource_runtime.database.following import PAGE
from evidentsource_runtime.store import TargetExists
from tests.unit.database.bank import CHANGE, Balance, balance, deposit, order, paid

ANN = {"who": "ann"}


def test_a_follower_catches_up_and_stays_live(bank: Database) -> None:
    for number in range(PAGE + 20):
        bank.transact([paid(f"e-{number}")])
    with bank.follow() as follower:
        caught_up = [next(follower).revision for _ in range(PAGE + 20)]
        assert caught_up == list(range(1, PAGE + 21))
        assert follower.get(timeout=0) is None
        bank.transact([paid("live"), paid("alive")])
        assert next(follower).revision == PAGE + 22
        assert follower.position == PAGE + 22


def test_a_follower_begins_behind_a_revision(bank: Database) -> None:
    bank.transact([paid("e-1"), paid("e-2")])
    bank.transact([paid("e-3")])
    with bank.follow(after=2) as follower:
        assert next(follower).revision == 3
    with bank.follow(after=None) as follower:
        assert follower.get(timeout=0) is None
        bank.transact([paid("e-4")])
        assert next(follower).revision == 4


def test_under_writers_nothing_is_missed_and_nothing_comes_twice(bank: Database) -> None:
    def write(worker: int) -> None:
        for number in range(25):
            bank.transact([paid(f"{worker}-{number}")])

    writers = [threading.Thread(target=write, args=(worker,)) for worker in range(4)]
    with bank.follow() as follower:
        for writer in writers:
            writer.start()
        seen = [next(follower) for _ in range(100)]
        assert follower.get(timeout=0) is None
    for writer in writers:
        writer.join()
    assert [each.revision for each in seen] == list(range(1, 101))
    assert seen == list(bank.log())


@pytest.mark.parametrize("closed_by", ["follower", "database"])
def test_closing_ends_whoever_waits(open_bank: Callable[..., Database], closed_by: str) -> None:
    bank = open_bank()
    follower = bank.follow()
    found: list[Any] = []
    waiting = threading.Thread(target=lambda: found.extend(follower))
    waiting.start()
    bank.transact([paid("e-1")])
    while not found:
        time.sleep(0.001)
    (follower if closed_by == "follower" else bank).close()
    waiting.join(timeout=10)
    assert not waiting.is_alive()
    assert [each.revision for each in found] == [1]


def test_another_process_may_follow_what_this_one_writes(
    open_bank: Callable[..., Database],
) -> None:
    writer, reader = open_bank(), open_bank(mode="read")
    with reader.follow() as follower:
        writer.transact([paid("e-1")])
        found = follower.get(timeout=10)
        assert found is not None
        assert found.revision == 1


def test_a_revision_that_comes_is_waited_for(bank: Database) -> None:
    assert bank.wait(1, timeout=0) is None
    later = threading.Timer(0.02, lambda: bank.transact([paid("e-1"), paid("e-2")]))
    later.start()
    snapshot = bank.wait(2, timeout=10)
    later.join()
    assert snapshot is not None
    assert snapshot.revision == 2


# --- for await -------------------------------------------------------------------------------------


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture
async def db(tmp_path: Path, anyio_backend: str) -> AsyncIterator[AsyncDatabase]:
    async with evidentsource_runtime.open(tmp_path / "bank.db") as database:
        database.database.publish_state_view(balance(), Balance)
        database.database.publish_state_change(CHANGE, deposit)
        yield database


@pytest.mark.anyio
async def test_it_keeps_the_protocols(db: AsyncDatabase) -> None:
    after = await db.transact([paid("e-1")])
    bound = after.at_effective_timestamp(after.created_at)
    speculated = after.speculate_with_transaction([paid("e-2")])
    assert isinstance(db, protocols.DatabaseConnection)
    assert isinstance(after, protocols.DatabaseAtRevision)
    assert isinstance(bound, protocols.DatabaseAtRevisionAndEffectiveTimestamp)
    assert isinstance(speculated, protocols.SpeculativeDatabase)
    assert (bound.basis.revision, bound.effective_timestamp) == (1, after.created_at)
    assert (speculated.basis.revision, speculated.speculated_event_count) == (1, 1)


@pytest.mark.anyio
async def test_it_writes_and_reads_as_the_other_does(db: AsyncDatabase) -> None:
    after = await db.transact_with_id("t-1", [paid("e-1"), paid("e-2", "bob")])
    again = await db.transact_with_id("t-1", [paid("e-1"), paid("e-2", "bob")])
    assert (after.revision, again.revision) == (2, 2)
    with pytest.raises(ConstraintViolations):
        await db.transact([paid("e-3")], [Constraint.must_not_exist(Selector.subject("ann"))])
    decided = await db.execute_state_change("deposit", 1, order("e-3", amount=7))
    assert decided.revision == 3
    view = await decided.view_state_with_params("balance", 1, [("who", "ann")])
    assert view.json() == {"amount": 12, "events": 2}
    earlier = await decided.at_revision(1)
    accounts = Selector.stream("accounts")
    assert [each.id async for each in earlier.query_events(accounts)] == ["e-1"]
    backwards = decided.query_events_with_options(accounts, QueryOptions().reverse().limit(1))
    assert [each.id async for each in backwards] == ["e-3"]
    speculated = decided.speculate_with_transaction([paid("e-4", amount=100)])
    view = await speculated.view_state_with_params("balance", 1, {"who": "ann"})
    assert view.json()["amount"] == 112
    assert [each.event_count async for each in db.log()] == [2, 1]
    assert [len(each.events) async for each in db.log_detail_from(3)] == [1]


@pytest.mark.anyio
async def test_a_view_that_nothing_modified_has_no_content_and_one_that_is_none_is_refused(
    db: AsyncDatabase,
) -> None:
    latest = await db.latest_database()
    view = await latest.view_state_with_params("balance", 1, {"who": "ann"})
    assert (view.content, view.last_modified_revision) == (None, None)
    with pytest.raises(StateViewNotFound):
        await latest.view_state("none", 1)
    with pytest.raises(DatabaseAccessError):
        await latest.view_state("balance", 1)


@pytest.mark.anyio
async def test_a_database_at_a_time_is_what_was_recorded_by_then(db: AsyncDatabase) -> None:
    after = await db.transact([paid("e-1")])
    assert (await db.database_at_timestamp(after.revision_timestamp)).revision == 1
    with pytest.raises(DatabaseAccessError, match="created"):
        await db.database_at_timestamp(db.created_at - timedelta(days=1))


@pytest.mark.anyio
async def test_a_revision_that_comes_is_awaited(db: AsyncDatabase) -> None:
    with anyio.fail_after(10):
        async with anyio.create_task_group() as tasks:
            found: list[int] = []

            async def wait() -> None:
                found.append((await db.database_at_revision(3)).revision)

            tasks.start_soon(wait)
            for number in range(3):
                await db.transact([paid(f"e-{number}")])
    assert found == [3]


@pytest.mark.anyio
async def test_an_asynchronous_follower_misses_nothing_and_ends_with_its_database(
    tmp_path: Path,
) -> None:
    db = evidentsource_runtime.open(tmp_path / "bank.db").asynchronous
    await db.transact([paid("e-0")])
    seen: list[int] = []
    ready = anyio.Event()

    async def follow() -> None:
        async with db.follow() as follower:
            async for transaction in follower:
                seen.append(transaction.revision)
                if transaction.revision == 10:
                    ready.set()

    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(follow)
            for number in range(1, 10):
                await db.transact([paid(f"e-{number}")])
            await ready.wait()
            await db.aclose()
    assert seen == list(range(1, 11))


@pytest.mark.anyio
async def test_a_copy_is_a_database_with_its_definitions_and_traces(
    db: AsyncDatabase, tmp_path: Path
) -> None:
    await db.execute_state_change("deposit", 1, order("e-1"), transaction_id="t-1")
    head = await db.backup(tmp_path / "copy.db")
    before = db.database.latest().view_state("balance", 1, ANN)
    await db.transact([paid("e-2")])
    with evidentsource_runtime.open(tmp_path / "copy.db") as copy:
        assert (copy.name, copy.latest().revision, head.revision) == ("bank", 1, 1)
        assert copy.trace("t-1") == db.database.trace("t-1")
        assert copy.state_changes() == db.database.state_changes() != []
        copy.attach_state_view("balance", 1, Balance)
        assert copy.latest().view_state("balance", 1, ANN) == before
    with pytest.raises(TargetExists):
        db.database.backup(tmp_path / "copy.db")


@pytest.mark.anyio
async def test_what_is_no_command_is_refused(db: AsyncDatabase) -> None:
    with pytest.raises(Exception, match="Command"):
        await db.execute_state_change("deposit", 1, {"amount": 1})
    await db.execute_state_change("deposit", 1, CommandRequest.json({"account": "a", "amount": 1}))
