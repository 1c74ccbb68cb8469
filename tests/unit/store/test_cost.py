"""What an append costs the interpreter, counted: a clock would tell of the machine instead."""

from __future__ import annotations

import sys
import uuid
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from evidentsource_core import ProspectiveEvent
from evidentsource_runtime.store import SqliteStore, commits, merging
from tests.unit.store.helpers import bank, event

MOST_ALONE = 1600
"""Steps of the interpreter that an append of one event may take; it took 2,000 before they were counted."""
MOST_OF_MANY = 430
"""The same for each event of a large transaction; it took 460."""


def new(count: int) -> list[ProspectiveEvent]:
    return [
        ProspectiveEvent(str(uuid.uuid4()), "accounts", "account.credited", f"a-{n % 7}", data="{}")
        for n in range(count)
    ]


def steps(run: Callable[[], object]) -> int:
    """How many bytecodes are executed, in every function that it calls."""
    executed: Counter[str] = Counter()

    def trace(frame: FrameType, what: str, _argument: Any) -> Any:
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        executed[what] += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        run()
    finally:
        sys.settrace(before)
    return executed["opcode"]


def appending(store: SqliteStore, count: int) -> int:
    store.transact(new(count))
    events = new(count)
    return steps(lambda: store.transact(events))


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="later ones have other bytecodes")
def test_an_append_takes_few_steps_of_the_interpreter(tmp_path: Path) -> None:
    with bank(tmp_path) as store:
        assert 500 < appending(store, 1) < MOST_ALONE
        assert appending(store, 100) < 100 * MOST_OF_MANY


def test_a_commit_of_one_event_changes_one_page(tmp_path: Path) -> None:
    with bank(tmp_path) as store:
        store.transact(new(7))
        pages = []
        for _ in range(20):
            before = store._commits._written() if store._commits else 0
            store.transact(new(1))
            pages.append((store._commits._written() if store._commits else 0) - before)
    # Now and then an event begins a new page.
    assert Counter(pages).most_common(1)[0][0] == 1
    assert sum(pages) < 40


@pytest.mark.parametrize("mode", ["transactions", "events"])
def test_the_length_of_the_log_is_looked_at_every_few_commits_or_some_hundred_events(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    monkeypatch.setattr(commits, "CHECKPOINT_PAGES", 1)
    carried: list[int] = []
    with bank(tmp_path) as store:

        def note(self: commits.GroupCommit) -> None:
            carried.append(store.head().revision)
            self._carried = self._written()

        monkeypatch.setattr(commits.GroupCommit, "_checkpoint", note)
        store.transact([event("first")])
        assert carried.pop() == 1
        size = 1 if mode == "transactions" else commits._LOOK_EVENTS
        for _ in range(2 * commits.LOOK_EVERY):
            store.transact(new(size))
    every = commits.LOOK_EVERY if mode == "transactions" else 1
    assert carried == [1 + n * size * every for n in range(1, 2 * commits.LOOK_EVERY // every + 1)]


@pytest.mark.parametrize(("small", "growth"), [(1000, 8), (0, 2)])
def test_the_log_may_grow_little_at_first_and_with_what_was_written_up_to_a_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small: int, growth: int
) -> None:
    """It grows more slowly, by the first number, where commits are small."""
    for name, value in (("FIRST_PAGES", 10), ("CHECKPOINT_PAGES", 40), ("LOOK_EVERY", 1)):
        monkeypatch.setattr(commits, name, value)
    monkeypatch.setattr(commits, "_SMALL", small)
    monkeypatch.setattr(commits, "_SLOW_GROWTH", 8)
    monkeypatch.setattr(commits, "_GROWTH", 2)
    pages: list[tuple[int, int]] = []
    with bank(tmp_path) as store:

        def note(self: commits.GroupCommit) -> None:
            written = self._written()
            pages.append((written, written - self._carried))
            self._carried = written

        monkeypatch.setattr(commits.GroupCommit, "_checkpoint", note)
        begun = store._commits._written() if store._commits else 0
        for _ in range(400):
            store.transact(new(1))
    most_changed_at_once = 6
    for written, carried in pages:
        bound = min(40, 10 + (written - begun) // growth)
        assert bound - most_changed_at_once <= carried <= bound + most_changed_at_once
    assert 10 <= pages[0][1] <= 20
    assert pages[-1][1] >= 40


def test_events_get_their_entries_when_there_are_enough_of_them(tmp_path: Path) -> None:
    with bank(tmp_path) as store:
        store.transact(new(merging.FRESH_EVENTS - 1))
        assert store._writer._upkeep._indexed == 0
        store.transact(new(1))
        assert store._writer._upkeep._indexed == merging.FRESH_EVENTS
