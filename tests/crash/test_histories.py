"""Histories of many threads are strictly serialisable, and the search can tell those that are not."""

from __future__ import annotations

from dataclasses import replace

from evidentsource_runtime.store import SqliteStore
from tests.crash.folders import fast_folder
from tests.crash.histories import EVERYTHING, faults, play, searched


def test_writers_with_conditions_and_readers_are_strictly_serialisable() -> None:
    for seed in range(3):
        history, found = searched(seed)
        assert found == []
        assert any(each.revision is None for each in history.attempts)
        assert any(each.revision is not None for each in history.attempts)
        assert history.reads


def test_the_search_finds_what_no_order_explains() -> None:
    with fast_folder() as folder, SqliteStore.open(folder / "bank.db") as store:
        history = play(store, 5, writers=3, readers=1, turns=10)
        log = list(store.query(EVERYTHING))
    read = history.reads[-1]
    history.reads.append(replace(read, ids=(*read.ids[1:], "other")))
    first = history.attempts[0]
    history.attempts.append(replace(first, basis=len(log), revision=len(log) + 1))
    assert len(list(faults(history, log))) >= 2
