"""Transactions by ``await``: no thread waits for them, and they end as those of a thread do."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.lowlevel import checkpoint

import evidentsource_runtime
from evidentsource_core import (
    BinaryEventData,
    Constraint,
    ConstraintViolations,
    EmptyTransaction,
    InvalidEvents,
    ProspectiveEvent,
    Selector,
    StringEventData,
)
from evidentsource_runtime.database.async_snapshots import in_thread
from evidentsource_runtime.database.asynchronous import AsyncDatabase
from evidentsource_runtime.store import StoreClosed, StoreReadOnly, commits
from tests.unit.database.bank import CHANGE, deposit, order, paid

SECONDS = 20


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
async def db(tmp_path: Path, anyio_backend: str) -> AsyncIterator[AsyncDatabase]:
    async with evidentsource_runtime.open(tmp_path / "bank.db") as opened:
        yield opened


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What goes to a worker thread."""
    sent: list[object] = []
    real = in_thread

    async def counted(work: Any, *args: Any, **how: Any) -> Any:
        sent.append(work.__name__)
        return await real(work, *args, **how)

    monkeypatch.setattr("evidentsource_runtime.database.asynchronous.in_thread", counted)
    return sent


@pytest.mark.anyio
async def test_many_tasks_write_at_once_without_a_thread_each(
    db: AsyncDatabase, workers: list[object]
) -> None:
    revisions: list[int] = []

    async def write(task: int) -> None:
        for turn in range(10):
            after = await db.transact([paid(f"{task}-{turn}")])
            revisions.append(after.revision)
            found = [each async for each in after.query_events(Selector.stream("accounts"))]
            assert len(found) == after.revision
            assert found[-1].id == f"{task}-{turn}"

    with anyio.fail_after(SECONDS):
        async with anyio.create_task_group() as tasks:
            for task in range(32):
                tasks.start_soon(write, task)
    assert sorted(revisions) == list(range(1, 321))
    assert workers == []
    latest = await db.latest_database()
    assert (latest.revision, latest.revision_timestamp) == (
        320,
        db.database.store.head().timestamp,
    )


@pytest.mark.anyio
async def test_tasks_of_one_loop_write_to_several_databases(
    tmp_path: Path, anyio_backend: str
) -> None:
    async with (
        evidentsource_runtime.open(tmp_path / "one.db") as one,
        evidentsource_runtime.open(tmp_path / "two.db") as two,
    ):
        with anyio.fail_after(SECONDS):
            async with anyio.create_task_group() as tasks:
                for number in range(20):
                    tasks.start_soon(one.transact, [paid(f"one-{number}")])
                    tasks.start_soon(two.transact, [paid(f"two-{number}")])
        for opened, name in ((one, "one"), (two, "two")):
            every = opened.local_database().query_events(Selector.stream("accounts"))
            assert {each.id async for each in every} == {f"{name}-{n}" for n in range(20)}


@pytest.mark.anyio
async def test_each_is_refused_for_its_own_reason_with_all_that_the_file_has_to_say(
    db: AsyncDatabase,
) -> None:
    await db.transact([paid("e-1")])
    with pytest.raises(EmptyTransaction):
        await db.transact([])
    with pytest.raises(InvalidEvents) as refused:
        await db.transact([paid("e-2"), paid("e-2"), paid("e-1")])
    assert [each.code for each in refused.value.errors] == ["duplicate-event-id"] * 2
    with pytest.raises(InvalidEvents, match="e-1"):
        await db.transact([paid("e-1")])
    with pytest.raises(ConstraintViolations):
        await db.transact([paid("e-2")], [Constraint.must_not_exist(Selector.stream("accounts"))])
    assert db.local_database().revision == 1


@pytest.mark.anyio
async def test_committed_again_with_its_id_it_changes_nothing(db: AsyncDatabase) -> None:
    first = await db.transact_with_id("t-1", [paid("e-1")])
    await db.transact([paid("e-2")])
    again = await db.transact_with_id("t-1", [paid("e-1")])
    assert (again.revision, again.revision_timestamp) == (1, first.revision_timestamp)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("events", "by_thread"),
    [
        ([paid("e-1")], False),
        ((paid("e-1"), paid("e-2")), False),
        ([paid(f"e-{number}") for number in range(17)], True),
        ([ProspectiveEvent("e", "stream", "type", data=StringEventData("x" * 70_000))], True),
        ([ProspectiveEvent("e", "stream", "type", data=BinaryEventData(b"x" * 70_000))], True),
    ],
    ids=["one", "two", "many", "much text", "many bytes"],
)
async def test_what_takes_long_to_look_through_does_not_keep_the_loop(
    db: AsyncDatabase, workers: list[object], events: list[ProspectiveEvent], *, by_thread: bool
) -> None:
    assert (await db.transact(events)).revision == len(events)
    assert workers == (["transact"] if by_thread else [])


@pytest.mark.anyio
async def test_events_that_come_one_by_one_are_taken_in_a_thread(
    db: AsyncDatabase, workers: list[object]
) -> None:
    seen: list[int] = []

    def slowly() -> Iterator[ProspectiveEvent]:
        seen.append(threading.get_ident())
        yield paid("e-1")

    assert (await db.transact(slowly())).revision == 1
    assert workers == ["transact"]
    assert seen != [threading.get_ident()]


@pytest.mark.anyio
async def test_whoever_gives_up_waiting_still_learns_how_it_ended(
    db: AsyncDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a worker thread: what was begun cannot be taken back, so it is waited for."""
    goes_on = _hold_commits(monkeypatch)
    ended: list[int] = []
    with anyio.fail_after(SECONDS):
        async with anyio.create_task_group() as tasks:

            async def write() -> None:
                ended.append((await db.transact([paid("e-1")])).revision)

            tasks.start_soon(write)
            await anyio.sleep(0.05)
            tasks.cancel_scope.cancel()
            goes_on.set()
    assert ended == [1]


@pytest.mark.anyio
async def test_a_time_limit_that_runs_out_meanwhile_leaves_nothing_behind(
    db: AsyncDatabase, anyio_backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on = _hold_commits(monkeypatch)
    with anyio.fail_after(SECONDS):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_set_later, goes_on)
            with anyio.move_on_after(0.02) as scope:
                after = await db.transact([paid("e-1")])
                told = after.revision
                await checkpoint()
            assert scope.cancelled_caught, "by the next checkpoint"
        assert told == 1
        if anyio_backend == "asyncio":
            task = asyncio.current_task()
            assert task is not None
            assert task.cancelling() == 0
        assert (await db.transact([paid("e-2")])).revision == 2


async def _set_later(event: threading.Event) -> None:
    await anyio.sleep(0.1)
    event.set()


def test_a_task_that_asyncio_cancels_ends_at_once_and_its_transaction_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on = _hold_commits(monkeypatch)

    async def main() -> int:
        async with evidentsource_runtime.open(tmp_path / "bank.db") as db:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(db.transact([paid("e-1")]), 0.02)
            assert not goes_on.is_set()
            goes_on.set()
            return (await db.transact([paid("e-2")])).revision

    assert asyncio.run(main()) == 2


def test_others_are_told_though_one_of_them_waits_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on = _hold_commits(monkeypatch)

    async def main() -> list[object]:
        async with evidentsource_runtime.open(tmp_path / "bank.db") as db:
            writing = []
            for number in range(4):
                transact = db.transact([paid(f"e-{number}")])
                writing.append(asyncio.ensure_future(transact))
                await asyncio.sleep(0.02)
            writing[1].cancel()
            goes_on.set()
            done, _ = await asyncio.wait(writing, timeout=SECONDS)
            return [each.cancelled() or each.result().revision for each in writing if each in done]

    assert asyncio.run(main()) == [1, True, 3, 4]


@pytest.mark.anyio
async def test_what_is_cancelled_before_it_begins_is_not_begun(db: AsyncDatabase) -> None:
    with anyio.CancelScope() as scope:
        scope.cancel()
        await db.transact([paid("e-1")])
    assert scope.cancelled_caught
    assert db.local_database().revision == 0


@pytest.mark.anyio
async def test_where_it_is_closed_or_only_read_nothing_is_written(
    tmp_path: Path, anyio_backend: str
) -> None:
    async with evidentsource_runtime.open(tmp_path / "bank.db") as db:
        await db.transact([paid("e-1")])
    with pytest.raises(StoreClosed):
        await db.transact([paid("e-2")])
    async with evidentsource_runtime.open(tmp_path / "bank.db", mode="read") as db:
        with pytest.raises(StoreReadOnly):
            await db.transact([paid("e-2")])


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_one_database_serves_one_loop_after_the_other(tmp_path: Path, backend: str) -> None:
    with evidentsource_runtime.open(tmp_path / "bank.db") as bank:

        async def write(name: str) -> int:
            return (await bank.asynchronous.transact([paid(name)])).revision

        assert [anyio.run(write, f"e-{n}", backend=backend) for n in range(3)] == [1, 2, 3]


def test_a_loop_that_is_over_misses_its_verdict_and_nobody_else_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with evidentsource_runtime.open(tmp_path / "bank.db") as bank:
        goes_on = _hold_commits(monkeypatch)
        loop = asyncio.new_event_loop()
        task = loop.create_task(bank.asynchronous.transact([paid("e-1")]))
        loop.run_until_complete(asyncio.sleep(0.05))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            loop.run_until_complete(task)
        loop.close()
        goes_on.set()
        assert bank.transact([paid("e-2")]).revision == 2


@pytest.mark.anyio
async def test_a_command_leads_to_the_database_after_it(
    db: AsyncDatabase, workers: list[object]
) -> None:
    db.database.publish_state_change(CHANGE, deposit)
    after = await db.execute_state_change("deposit", None, order("e-1"))
    assert after.revision == 1
    assert workers == ["execute"]


def _hold_commits(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """No commit begins before the event is set."""
    goes_on = threading.Event()
    real = commits.GroupCommit._commit

    def held(self: commits.GroupCommit, group: list[Any], **how: Any) -> Any:
        goes_on.wait(SECONDS)
        return real(self, group, **how)

    monkeypatch.setattr(commits.GroupCommit, "_commit", held)
    return goes_on
