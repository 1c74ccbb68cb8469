"""Transactions that no thread waits for: written by the committer, told of once for each commit."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw
import pytest

from evidentsource_core import (
    Constraint,
    EmptyTransaction,
    EvidentSourceError,
    InvalidEvents,
    ProspectiveEvent,
    Selector,
)
from evidentsource_runtime.store import (
    SqliteStore,
    StoreClosed,
    StoreForked,
    StoreFull,
    StoreReadOnly,
    TransactionRecord,
    commits,
    verify,
)
from evidentsource_runtime.store.preparing import new_id
from evidentsource_runtime.store.work import FEW, Told
from evidentsource_runtime.store.writing import Writer
from tests.crash.submitting import call_all, submitted
from tests.unit.store.helpers import bank, event

SECONDS = 20


@dataclass
class Inbox:
    """What came by one ``post``: how many were told at once, and which."""

    store: SqliteStore
    told: list[str] = field(default_factory=list)
    posts: list[int] = field(default_factory=list)
    outcomes: dict[str, Callable[[], TransactionRecord]] = field(default_factory=dict)

    def submit(self, *events: ProspectiveEvent, name: str = "", **how: Any) -> None:
        name = name or events[0].id
        note = lambda: self.told.append(name)  # noqa: E731 - the thing that is told
        self.outcomes[name] = self.store.submit(events, post=self._post, told=note, **how)

    def _post(self, told: list[Told]) -> None:
        self.posts.append(len(told))
        call_all(told)

    def wait_for(self, count: int) -> None:
        end = time.monotonic() + SECONDS
        while len(self.told) < count and time.monotonic() < end:
            time.sleep(0.001)
        assert len(self.told) == count

    def verdicts(self) -> dict[str, object]:
        return {name: _verdict(outcome) for name, outcome in self.outcomes.items()}


def _verdict(outcome: Callable[[], TransactionRecord]) -> object:
    try:
        return outcome().revision
    except InvalidEvents as refused:
        return refused.errors[0].code
    except EvidentSourceError as refused:
        return refused.code
    except BaseException as failed:  # noqa: BLE001 - the verdict, whatever it is
        return type(failed).__name__


def test_what_is_submitted_is_told_once_and_is_what_the_file_has(tmp_path: Path) -> None:
    with bank(tmp_path) as store:
        inbox = Inbox(store)
        inbox.submit(event("e-1"), event("e-2"), transaction_id="t-1")
        inbox.wait_for(1)
        found = store.transaction("t-1")
        assert found is not None
        record = TransactionRecord(found.id, found.basis, found.revision, found.timestamp)
        assert inbox.outcomes["e-1"]() == record
        assert (record.basis, record.revision) == (0, 2)
        assert store.head().revision == 2


def test_those_that_share_a_commit_are_told_by_one_post_and_each_has_its_own_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bank(tmp_path) as store:
        store.transact([event("used")])
        goes_on, groups, inbox = _begun(monkeypatch, store)
        free = Constraint.must_not_exist(Selector.subject("shared"))
        inbox.submit(event("e-2", "shared"), conditions=[free])
        inbox.submit(event("e-3", "shared"), conditions=[free])
        inbox.submit(event("used"), name="again")
        inbox.submit(event("e-4"))
        goes_on.set()
        inbox.wait_for(5)
        assert inbox.verdicts() == {
            "e-1": 2,
            "e-2": 3,
            "e-3": "constraint-violations",
            "again": "duplicate-event-id",
            "e-4": 4,
        }
        assert groups == [1, 4], "which is not begun again for the id that is used"
        assert inbox.posts == [1, 4]
        assert list(verify(store)) == []


def test_threads_and_others_share_commits_and_pass_the_turn_to_each_other(tmp_path: Path) -> None:
    with bank(tmp_path) as store:
        seen: list[int] = []

        def write(thread: int) -> None:
            for turn in range(40):
                events = [event(f"{thread}-{turn}")]
                commit = store.transact if (thread + turn) % 2 else None
                seen.append((commit(events) if commit else submitted(store, events)).revision)

        threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(SECONDS)
        assert sorted(seen) == list(range(1, 321))
        assert list(verify(store)) == []


def test_what_speaks_against_a_transaction_itself_is_said_at_once(tmp_path: Path) -> None:
    with bank(tmp_path) as store:
        inbox = Inbox(store)
        with pytest.raises(EmptyTransaction):
            store.submit([], post=call_all, told=lambda: None)
        with pytest.raises(InvalidEvents, match=r"events\[1\]"):
            inbox.submit(event("e-1"), event("e-1"))
        assert store.head().revision == 0
    with bank(tmp_path, mode="read") as store, pytest.raises(StoreReadOnly):
        Inbox(store).submit(event("e-1"))


def test_submitted_again_with_its_id_it_changes_nothing(tmp_path: Path) -> None:
    with bank(tmp_path) as store:
        first = submitted(store, [event("e-1")], transaction_id="t-1")
        assert submitted(store, [event("e-1")], transaction_id="t-1") == first
        inbox = Inbox(store)
        inbox.submit(event("e-2"), transaction_id="t-1")
        inbox.wait_for(1)
        assert inbox.verdicts() == {"e-2": "duplicate-transaction-id"}
        assert store.head().revision == 1


def test_where_the_file_cannot_be_written_all_are_told_and_the_next_one_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bank(tmp_path) as store:
        submitted(store, [event("e-0")])
        real = Writer.flush

        def full(_self: Writer) -> None:
            raise apsw.FullError("database or disk is full")

        monkeypatch.setattr(Writer, "flush", full)
        inbox = Inbox(store)
        for number in range(1, 4):
            inbox.submit(event(f"e-{number}"))
        inbox.wait_for(3)
        assert set(inbox.verdicts().values()) == {StoreFull.code}
        monkeypatch.setattr(Writer, "flush", real)
        assert submitted(store, [event("e-1")]).revision == 2
        assert store.transact([event("e-2")]).revision == 3
        assert list(verify(store)) == []


def test_what_would_end_a_thread_ends_one_transaction_and_not_the_committer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bank(tmp_path) as store:
        real = Writer.write

        def fatal(self: Writer, prepared: Any, also: Any = None) -> Any:
            if prepared.columns[0].id == "fatal":
                raise SystemExit
            return real(self, prepared, also)

        monkeypatch.setattr(Writer, "write", fatal)
        goes_on, _, inbox = _begun(monkeypatch, store)
        for name in ("e-2", "fatal", "e-3"):
            inbox.submit(event(name))
        goes_on.set()
        inbox.wait_for(4)
        assert inbox.verdicts() == {"e-1": 1, "e-2": 2, "fatal": "SystemExit", "e-3": 3}
        assert store.transact([event("e-4")]).revision == 4


def test_what_is_committed_stays_so_whatever_those_do_who_are_told_of_it(tmp_path: Path) -> None:
    with bank(tmp_path) as store:

        def fatal(_head: object) -> None:
            raise SystemExit

        end = store.subscribe(fatal)
        assert submitted(store, [event("e-1")]).revision == 1
        end()
        assert submitted(store, [event("e-2")]).revision == 2


def test_nobody_waits_for_the_log_to_be_carried_over_and_nobody_is_told_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commits, "CHECKPOINT_PAGES", 1)
    monkeypatch.setattr(commits, "LOOK_EVERY", 1)
    real = commits.GroupCommit._checkpoint
    told_before: list[int] = []
    with bank(tmp_path) as store:
        inbox = Inbox(store)

        def slow(self: commits.GroupCommit) -> None:
            told_before.append(len(inbox.told))
            real(self)

        monkeypatch.setattr(commits.GroupCommit, "_checkpoint", slow)
        for number in range(20):
            inbox.submit(event(f"e-{number}"))
        inbox.wait_for(20)
        assert sum(inbox.posts) == 20
        assert told_before[0] == inbox.posts[0]
    assert inbox.told == [f"e-{number}" for number in range(20)]


def _module(store: SqliteStore) -> None:
    store.write(lambda _db: None)


def _module_besides(store: SqliteStore) -> None:
    store.transact([event("next")], also=lambda _db, _record: None)


def _condition(store: SqliteStore) -> None:
    store.transact([event("next")], [Constraint.must_not_exist(Selector.subject("nobody"))])


def _many(store: SqliteStore) -> None:
    store.transact([event(f"next-{number}") for number in range(FEW + 1)])


def _few(store: SqliteStore) -> None:
    store.transact([event(f"next-{number}") for number in range(FEW)])


@pytest.mark.parametrize(
    ("work", "told_before"),
    [(_module, 1), (_module_besides, 1), (_condition, 1), (_many, 1), (_few, 0)],
)
def test_those_whose_work_is_safe_are_told_before_long_work_that_comes_next(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    work: Callable[[SqliteStore], None],
    told_before: int,
) -> None:
    """They are told while the disk has the next work, but do not wait for work that may take long."""
    with bank(tmp_path) as store:
        goes_on, _, inbox = _begun(monkeypatch, store)
        told: list[int] = []
        real = Writer.begin

        def note(self: Writer, group: Any) -> None:
            told.append(len(inbox.told))
            real(self, group)

        after = threading.Thread(target=work, args=(store,))
        after.start()
        _wait_until(lambda: len(store._commits._waiting) == 2)  # type: ignore[union-attr]
        monkeypatch.setattr(Writer, "begin", note)
        goes_on.set()
        after.join(SECONDS)
        assert told == [0, told_before]


def test_those_whose_work_is_safe_are_told_also_where_the_next_commit_fails_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bank(tmp_path) as store:
        goes_on, _, inbox = _begun(monkeypatch, store)
        real, failed = Writer.begin, list[BaseException]()

        def fails(self: Writer, group: Any) -> None:
            if any(each.columns[0].id == "e-2" for each in group):
                raise RuntimeError("no")
            real(self, group)

        def next_one() -> None:
            try:
                store.transact([event("e-2")])
            except RuntimeError as error:
                failed.append(error)

        monkeypatch.setattr(Writer, "begin", fails)
        after = threading.Thread(target=next_one)
        after.start()
        _wait_until(lambda: len(store._commits._waiting) == 2)  # type: ignore[union-attr]
        goes_on.set()
        after.join(SECONDS)
        assert [str(error) for error in failed] == ["no"]
        inbox.wait_for(1)
        assert inbox.verdicts() == {"e-1": 1}
        assert store.transact([event("e-3")]).revision == 2


def test_closing_waits_for_a_writer_that_is_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = bank(tmp_path)
    goes_on, groups = _held(monkeypatch)
    revisions: list[int] = []
    writer = threading.Thread(
        target=lambda: revisions.append(store.transact([event("e-1")]).revision)
    )
    writer.start()
    _wait_until(lambda: len(groups) == 1)
    closer = threading.Thread(target=store.close)
    closer.start()
    _wait_until(lambda: store._commits._closed)  # type: ignore[union-attr]
    assert closer.is_alive()
    goes_on.set()
    writer.join(SECONDS)
    closer.join(SECONDS)
    assert not closer.is_alive()
    assert revisions == [1]


def test_closing_finishes_what_was_submitted_and_then_there_is_no_more(tmp_path: Path) -> None:
    store = bank(tmp_path)
    inbox = Inbox(store)
    for number in range(30):
        inbox.submit(event(f"e-{number}"))
    store.close()
    assert len(inbox.told) == 30
    assert inbox.verdicts() == {f"e-{number}": number + 1 for number in range(30)}
    with pytest.raises(StoreClosed):
        inbox.submit(event("late"))
    assert [each for each in threading.enumerate() if "committer" in each.name] == []
    with bank(tmp_path) as again:
        assert again.head().revision == 30


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this machine cannot fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_child_of_a_fork_is_told_to_open_its_own(tmp_path: Path) -> None:
    with bank(tmp_path) as store:
        submitted(store, [event("e-1")])
        child = os.fork()
        if child == 0:
            try:
                Inbox(store).submit(event("e-2"))
            except StoreForked:
                os._exit(7)
            os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        assert submitted(store, [event("e-2")]).revision == 2


def test_ids_of_a_child_of_a_fork_are_its_own(tmp_path: Path) -> None:
    new_id()  # which keeps random digits for the next
    path = tmp_path / "ids"
    child = os.fork()
    if child == 0:
        path.write_text("\n".join(new_id()[19:] for _ in range(100)))
        os._exit(0)
    mine = {new_id()[19:] for _ in range(100)}
    os.waitpid(child, 0)
    theirs = set(path.read_text().split())
    assert len(mine) == len(theirs) == 100
    assert not mine & theirs


def _held(monkeypatch: pytest.MonkeyPatch) -> tuple[threading.Event, list[int]]:
    """Have the first commit wait for the event; tells how many each commit has."""
    goes_on, groups = threading.Event(), list[int]()
    real = commits.GroupCommit._commit

    def slow(self: commits.GroupCommit, group: list[Any], **how: Any) -> Any:
        groups.append(len(group))
        if len(groups) == 1:
            goes_on.wait(SECONDS)
        return real(self, group, **how)

    monkeypatch.setattr(commits.GroupCommit, "_commit", slow)
    return goes_on, groups


def _begun(
    monkeypatch: pytest.MonkeyPatch, store: SqliteStore
) -> tuple[threading.Event, list[int], Inbox]:
    """The same, once that first commit has begun with one event, which nobody waits for with a thread."""
    goes_on, groups = _held(monkeypatch)
    inbox = Inbox(store)
    inbox.submit(event("e-1"))
    _wait_until(lambda: len(groups) == 1)
    return goes_on, groups, inbox


def _wait_until(done: Callable[[], bool]) -> None:
    end = time.monotonic() + SECONDS
    while not done():
        assert time.monotonic() < end
        time.sleep(0.001)


def test_what_is_held_is_written_together_once_it_is_released(tmp_path: Path) -> None:
    with bank(tmp_path) as store:
        inbox = Inbox(store)
        for number in range(3):
            inbox.submit(event(f"e-{number}"), held=True)
        store.transact([event("another")])
        assert store.head().revision == 1
        store.release()
        inbox.wait_for(3)
        assert inbox.posts == [3]
        assert inbox.verdicts() == {"e-0": 2, "e-1": 3, "e-2": 4}
        store.release()
        assert store.head().revision == 4


def test_a_condition_is_broken_by_whatever_comes_before_it_in_the_same_commit(
    tmp_path: Path,
) -> None:
    with bank(tmp_path) as store:
        inbox = Inbox(store)
        many = [event("first", "changed"), *(event(f"e-{number}") for number in range(300))]
        inbox.submit(*many, name="many", held=True)
        nobody = Constraint.must_not_exist(Selector.subject("changed"))
        inbox.submit(event("late"), conditions=[nobody], held=True)
        store.release()
        inbox.wait_for(2)
        assert inbox.verdicts() == {"many": 301, "late": "constraint-violations"}


def test_what_is_held_when_the_store_is_closed_is_written(tmp_path: Path) -> None:
    with bank(tmp_path) as store:
        inbox = Inbox(store)
        inbox.submit(event("e-1"), held=True)
    inbox.wait_for(1)
    assert inbox.verdicts() == {"e-1": 1}
    with bank(tmp_path) as store:
        assert store.event("accounts", "e-1") is not None
