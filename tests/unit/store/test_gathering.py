"""Gathering: a subject's events side by side once more, and what is read of them."""

from __future__ import annotations

import itertools
import logging
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidentsource_core import (
    Event,
    ProspectiveEvent,
    QueryDirection,
    QueryOptions,
    RevisionRange,
    Selector,
)
from evidentsource_runtime.store import (
    DamagedStore,
    SqliteStore,
    StoreReadOnly,
    gatherer,
    gathering,
    verify,
)
from evidentsource_runtime.store.entries import BLOCK
from evidentsource_runtime.store.fetching import fetch, fetch_one
from evidentsource_runtime.store.gathering import APART, FEWEST, LARGE, LONGEST, Step, due_at
from tests.crash.folders import fast_folder
from tests.crash.levels import small_levels
from tests.unit.core.reference.helpers import START
from tests.unit.store.helpers import bank, event

subject, kind = Selector.subject, Selector.event_type
REVERSE = QueryOptions(direction=QueryDirection.REVERSE)


def written(store: SqliteStore, subjects: list[str | None], **fields: Any) -> None:
    """One event of each of these, in one transaction."""
    head = store.head().revision
    store.transact([event(f"e-{head + n}", each, **fields) for n, each in enumerate(subjects, 1)])


def spread(store: SqliteStore, subjects: int, rounds: int, **fields: Any) -> None:
    """Events of so many subjects, one after the other, again and again; all of them with entries."""
    for _ in range(rounds):
        written(store, [f"a-{n}" for n in range(subjects)], **fields)
    indexed(store)


def indexed(store: SqliteStore) -> None:
    """Have every event that there is get its entries."""
    before = store.head().revision
    while True:
        with store.read() as db:
            if fetch_one(db, "SELECT indexed FROM store")[0] >= before:
                return
        written(store, [None] * BLOCK)


def runs(store: SqliteStore) -> list[tuple[int, ...]]:
    with store.read() as db:
        return fetch(db, "SELECT subject, first, last, count FROM run ORDER BY 1, 3")


def number(found: Event) -> int:
    return found.revision() or 0


def of_subject(store: SqliteStore, name: str) -> list[Event]:
    """The subject's events by a way that knows no runs."""
    every = store.events_at(range(1, store.head().revision + 1))
    return [each for each in every if each.subject == name]


def looked_at(store: SqliteStore, run: Callable[[], object]) -> int:
    """How many pages are looked at, those in the cache included."""

    def pages(db: apsw.Connection) -> int:
        statuses = (apsw.SQLITE_DBSTATUS_CACHE_HIT, apsw.SQLITE_DBSTATUS_CACHE_MISS)
        return sum(db.status(status)[0] for status in statuses)

    run()  # what is looked at once is not counted
    with store._pool.connection() as db:
        before = pages(db)
    run()
    with store._pool.connection() as db:
        return pages(db) - before


# --- what is gathered ----------------------------------------------------------------------------


def test_a_subject_is_read_from_few_pages_once_its_events_are_gathered(tmp_path: Path) -> None:
    with bank(tmp_path) as store:
        spread(store, 40, 30)

        def read() -> list[Event]:
            return list(store.query(subject("a-7"), QueryOptions().limit(20)))

        expected, before = read(), looked_at(store, read)
        assert store.gather() == 40 * 30
        assert read() == expected
        assert looked_at(store, read) < before - 19
        assert list(verify(store)) == []


def test_runs_have_events_that_are_several_and_lie_apart(tmp_path: Path) -> None:
    with bank(tmp_path) as store:
        for turn in range(FEWEST):
            written(store, ["often", "close", "close", *[None] * APART])
            if turn:
                written(store, ["seldom"])
        indexed(store)
        assert store.gather() == FEWEST
        numbers = [each.revision() for each in of_subject(store, "often")]
        assert [run[1:] for run in runs(store)] == [(numbers[0], numbers[-1], FEWEST)]
        for name in ("often", "close", "seldom"):
            assert list(store.query(subject(name))) == of_subject(store, name)


def test_events_that_are_large_stay_where_they_are(tmp_path: Path) -> None:
    with bank(tmp_path) as store:
        spread(store, APART, FEWEST, data="x" * LARGE)
        assert store.gather() == 0
    with bank(tmp_path) as store:
        spread(store, APART, FEWEST + 1, data="x")
        # Now they are not, on average.
        assert store.gather() == APART * (2 * FEWEST + 1)


def test_what_comes_later_is_gathered_by_the_next_pass(tmp_path: Path) -> None:
    with bank(tmp_path) as store:
        spread(store, 20, FEWEST)
        assert store.gather() == 20 * FEWEST
        assert store.gather() == 0
        spread(store, 20, FEWEST - 1)
        assert store.gather() == 0, "they are too few for a run"
        spread(store, 20, 1)
        assert store.gather() == 20 * FEWEST
        assert [run[3] for run in runs(store)] == [FEWEST] * 40
        for name in ("a-0", "a-19"):
            every = of_subject(store, name)
            assert len(every) == 2 * FEWEST
            assert list(store.query(subject(name))) == every
            assert list(store.query(subject(name), REVERSE)) == every[::-1]


def test_a_long_history_becomes_several_runs(tmp_path: Path) -> None:
    with bank(tmp_path) as store:
        spread(store, APART, 2 * LONGEST + 3)
        assert store.gather() == APART * (2 * LONGEST + 3)
        assert [run[3] for run in runs(store)[:3]] == [LONGEST, LONGEST, 3]
        every = of_subject(store, "a-3")
        for first in range(0, len(every), 37):
            since = number(every[first])
            assert list(store.query(subject("a-3"), since=since)) == every[first + 1 :]
            assert list(store.query(subject("a-3"), REVERSE, revision=since)) == every[first::-1]
        assert list(verify(store)) == []


def test_checks_and_times_are_those_of_the_events(tmp_path: Path) -> None:
    by_revision = QueryOptions(range=RevisionRange())
    with bank(tmp_path) as store:
        for turn in range(3 * FEWEST):
            # Later ones took effect earlier, and every third names no time.
            when = START - timedelta(days=turn) if turn % 3 else None
            kinds = ("debited", "credited")
            written(store, [f"a-{n}" for n in range(20)], event_type=kinds[turn % 2], time=when)
        indexed(store)
        every = [each for each in of_subject(store, "a-3") if each.event_type == "credited"]
        assert store.gather() == 20 * 3 * FEWEST
        wanted = subject("a-3") & kind("credited")
        assert list(store.query(wanted)) == every
        assert list(store.query(wanted, QueryOptions().limit(2))) == every[:2]
        assert list(store.query(wanted, REVERSE.limit(2))) == every[:-3:-1]
        for moment in (START, START - timedelta(days=6), START - timedelta(days=90)):
            early = [each for each in every if (each.time or START) <= moment]
            assert list(store.query(wanted, by_revision, effective_at=moment)) == early
            last = early[-1:]
            assert list(store.query(wanted, by_revision.limit(1), effective_at=moment)) == early[:1]
            backwards = replace(by_revision, direction=QueryDirection.REVERSE)
            assert list(store.query(wanted, backwards.limit(1), effective_at=moment)) == last


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_history_is_read_as_it_was_written_however_often_it_is_gathered(
    data: st.DataObject,
) -> None:
    few = st.sampled_from(("a", "a", "a", "b", "c", None))
    with small_levels(), fast_folder() as folder, bank(folder) as store:
        for _ in range(data.draw(st.integers(1, 5))):
            for part in data.draw(st.lists(st.lists(few, min_size=1, max_size=30), max_size=6)):
                written(store, part)
            if data.draw(st.booleans()):
                indexed(store)
            if data.draw(st.integers(0, 4)):
                store.gather()
        head = store.head().revision
        since, upto = data.draw(st.integers(0, head)), data.draw(st.integers(0, head))
        limit = data.draw(st.integers(1, 40))
        for name in ("a", "b", "c", "d"):
            every = [e for e in of_subject(store, name) if since < number(e) <= upto]
            within: dict[str, Any] = {"since": since, "revision": upto}
            assert list(store.query(subject(name), **within)) == every
            assert list(store.query(subject(name), REVERSE, **within)) == every[::-1]
            some = QueryOptions().limit(limit)
            assert list(store.query(subject(name), some, **within)) == every[:limit]
            assert (
                list(store.query(subject(name), REVERSE.limit(limit), **within))
                == (every[::-1][:limit])
            )
        assert list(verify(store)) == []


# --- a pass, step by step ------------------------------------------------------------------------


def test_a_pass_goes_on_where_it_was_after_a_restart(tmp_path: Path) -> None:
    with small_levels():
        with bank(tmp_path) as store:
            spread(store, 12, 6)
            told: list[tuple[int, int]] = []

            class Enough(Exception):
                pass

            def stop(done: int, total: int) -> None:
                told.append((done, total))
                if len(told) == 2:
                    raise Enough

            with pytest.raises(Enough):
                store.gather(stop)
            some = runs(store)
            assert some
            assert told == [(17, store.head().revision), (34, store.head().revision)]
            with store.read() as db:
                place = fetch_one(db, "SELECT subject, revision FROM gathering")
                assert place[0] is not None
                assert due_at(db) == 0
        with bank(tmp_path) as store:
            while not store._gather_on().done:
                pass
            assert {run[0] for run in some} < {run[0] for run in runs(store)}
            assert runs(store)[: len(some)] == some, "nothing was gathered twice"
            assert list(verify(store)) == []


def test_a_subject_with_more_entries_than_a_step_sees_is_never_gathered_with_gaps(
    tmp_path: Path,
) -> None:
    names = ("early and close", "a", "b", "c")
    with small_levels(), bank(tmp_path) as store:
        # Seventeen entries are looked at in a step, and these lie close: what comes later is left, too.
        written(store, [names[0]] * 40)
        for _ in range(40):
            written(store, list(names))
        indexed(store)
        for _ in range(3):
            store.gather()
            for name in names:
                assert list(store.query(subject(name))) == of_subject(store, name)
            assert list(verify(store)) == []
            spread(store, 6, 20)
            written(store, [*names, *names])
        counts = [sum(run[3] for run in runs(store) if run[0] == n) for n in (1, 2, 3, 4)]
        assert counts[0] == 0
        assert all(count >= 40 for count in counts[1:])


def test_a_pass_does_not_stumble_over_where_the_last_run_of_a_long_history_ends(
    tmp_path: Path,
) -> None:
    with small_levels(), bank(tmp_path) as store:
        for _ in range(3):
            written(store, ["first", None, None])
        for _ in range(15):
            written(store, ["a", None, None])
        indexed(store)
        assert store.gather() == 3 + 15
        # Two that lie close end what one step sees of this subject; what follows does not.
        written(store, ["a", "a"])
        for _ in range(30):
            written(store, ["a", None, None])
        indexed(store)
        assert store.gather() == 32
        assert list(store.query(subject("a"))) == of_subject(store, "a")
        assert store.gather() == 0
        assert list(verify(store)) == []


def test_progress_is_told_and_ends_at_the_end(tmp_path: Path) -> None:
    with small_levels(), bank(tmp_path) as store:
        spread(store, 12, 10)
        told: list[tuple[int, int]] = []
        store.gather(lambda done, total: told.append((done, total)))
        total = store.head().revision
        assert len(told) > 3
        assert told == sorted(told)
        assert told[-1] == (total, total)


def test_an_event_that_is_missing_is_told_and_nothing_is_gathered(tmp_path: Path) -> None:
    with bank(tmp_path) as store:
        spread(store, 20, FEWEST)
        store.write(lambda db: db.execute("DELETE FROM event WHERE revision = 30"))
        with pytest.raises(DamagedStore, match="1 events of the index are missing"):
            store.gather()
        assert runs(store) == []


# --- dropped, damaged ----------------------------------------------------------------------------


def test_runs_can_be_dropped_and_come_back_the_same(tmp_path: Path) -> None:
    with bank(tmp_path) as store:
        spread(store, 20, FEWEST)
        store.gather()
        expected, every = runs(store), of_subject(store, "a-1")
        store.write(gathering.begin)
        store.scatter()
        assert runs(store) == []
        assert list(store.query(subject("a-1"))) == every
        assert store._gather_on() == Step(0, 0, True), "a pass that was under way is dropped, too"
        store.gather()
        assert runs(store) == expected
        assert list(store.query(subject("a-1"))) == every


def test_a_store_that_only_reads_cannot_gather_but_reads_runs(tmp_path: Path) -> None:
    with bank(tmp_path) as store:
        spread(store, 20, FEWEST)
        with SqliteStore.open(store.path, mode="read") as reading:
            every = list(reading.query(subject("a-1")))
            store.gather()
            assert list(reading.query(subject("a-1"))) == every
            for refused in (reading.gather, reading.scatter):
                with pytest.raises(StoreReadOnly):
                    refused()


DAMAGES = {
    "a copy is another": "UPDATE gathered SET data = 'other' WHERE place = 3",
    "a copy is missing": "DELETE FROM gathered WHERE place = 3",
    "a copy of no event": "UPDATE gathered SET revision = 100000 WHERE place = 3",
    "a run is missing": (
        "DELETE FROM run WHERE (subject, last) = (SELECT subject, max(last) FROM run WHERE subject = 2)"
    ),
    "the first run is missing": (
        "DELETE FROM run WHERE (subject, last) = (SELECT subject, min(last) FROM run WHERE subject = 2)"
    ),
    "a run of others": "UPDATE run SET place = place + 1 WHERE subject = 2",
    "a run is too short": "UPDATE run SET count = count - 1 WHERE subject = 2",
    "a run ends elsewhere": "UPDATE run SET last = last + 1 WHERE subject = 2",
    "a run begins elsewhere": "UPDATE run SET first = first - 1 WHERE subject = 2",
    "copies change places": (
        "UPDATE gathered SET place = -1 WHERE place = 3; UPDATE gathered SET place = 3 WHERE place = 4; "
        "UPDATE gathered SET place = 4 WHERE place = -1"
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_runs_are_found_and_dropping_them_loses_nothing(
    tmp_path: Path, damage: str
) -> None:
    with bank(tmp_path) as store:
        for _ in range(2):
            spread(store, 20, FEWEST)
            store.gather()
        assert list(verify(store)) == []
        store.write(lambda db: db.execute(DAMAGES[damage]).fetchall())
        assert {fault.code for fault in verify(store)} == {"damaged-runs"}
        store.scatter()
        assert list(verify(store)) == []


# --- while others are at work --------------------------------------------------------------------


def test_others_read_and_write_while_it_gathers(tmp_path: Path) -> None:
    with small_levels(scale=2), bank(tmp_path) as store:
        spread(store, 20, 20)
        ended = threading.Event()
        wrong: list[str] = []

        def read() -> None:
            while not ended.is_set():
                upto = store.head().revision
                found = [number(e) for e in store.query(subject("a-3"), revision=upto)]
                back = [number(e) for e in store.query(subject("a-3"), REVERSE, revision=upto)]
                count = store.count(subject("a-3"), revision=upto)
                if found != sorted(set(found)) or back != found[::-1] or len(found) != count:
                    wrong.append(f"{found} {back} {count}")

        def write() -> None:
            while not ended.is_set():
                written(store, [f"a-{n}" for n in range(20)])

        threads = [threading.Thread(target=each) for each in (read, read, write)]
        for thread in threads:
            thread.start()
        try:
            gathered = sum(store.gather() for _ in range(15))
        finally:
            ended.set()
            for thread in threads:
                thread.join()
        assert wrong == []
        assert gathered > 0
        assert list(verify(store)) == []


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Stores are gathered soon, and from few events on."""
    monkeypatch.setattr(gatherer, "LOOK_EVERY", 0.01)
    monkeypatch.setattr("evidentsource_runtime.store.gathering.FIRST_PASS", 100)
    with small_levels():
        yield


def until(reached: Callable[[], object]) -> None:
    """Wait for something that comes by itself."""
    end = time.monotonic() + 30
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.005)


@pytest.mark.usefixtures("eager")
def test_a_store_is_gathered_by_itself_while_nobody_writes(tmp_path: Path) -> None:
    with bank(tmp_path) as store:
        spread(store, 12, 5)
        assert store._gatherer._thread is None, "there is too little yet"
        spread(store, 12, 5)
        until(lambda: len(runs(store)) > 12)
        until(lambda: store._gatherer.due < 1000)
        before = runs(store)
        spread(store, 12, 10)
        until(lambda: len(runs(store)) > len(before))
    assert not any(each.name == "evidentsource-gatherer" for each in threading.enumerate())
    with bank(tmp_path) as store:
        assert list(verify(store)) == []


@pytest.mark.usefixtures("eager")
def test_what_is_left_of_a_pass_is_done_when_the_store_is_opened_again(tmp_path: Path) -> None:
    with bank(tmp_path, gather=False) as store:
        spread(store, 12, 10)
        time.sleep(0.05)
        assert runs(store) == []
        store._gather_on()
        some = len(runs(store))
    with bank(tmp_path) as store:
        until(lambda: len(runs(store)) > some)


@pytest.mark.usefixtures("eager")
def test_a_store_that_is_never_idle_is_gathered_too_but_seldom(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    revisions = iter(range(10**9))
    with bank(tmp_path, gather=False) as store:
        spread(store, 12, 10)
        taken: list[int] = []

        def step() -> Any:
            taken.append(next(revisions))
            return store._gather_on()

        busy = gatherer.Gatherer(store.path, lambda: next(revisions), lambda: 10**9, step)
        busy.wake()
        until(lambda: busy.due == 10**9)
        busy.close()
        # Each step comes a number of looks behind the one before, not at once.
        assert len(taken) > 3
        assert all(b - a > gatherer.BUSY_LOOKS for a, b in itertools.pairwise(taken))


def test_an_idle_store_takes_one_step_after_the_other_until_somebody_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []
    revision = 0

    def look(_seconds: float) -> bool:
        """Stands for the wait between two looks, and for the pause behind each step."""
        looks.append(len(taken))
        return len(taken) == 9

    def step() -> Step:
        nonlocal revision
        taken.append(revision)
        if len(taken) in {3, 4}:
            revision += 1
        return Step(1, 0, False)

    taken: list[int] = []
    idle = gatherer.Gatherer(str(tmp_path / "bank.db"), lambda: revision, lambda: 0, step)
    (tmp_path / "bank.db").touch()
    monkeypatch.setattr(idle._ended, "wait", look)
    idle._gather()
    # Two looks find it idle, and a pause is behind each step; after the third and fourth it is not idle.
    assert looks == [0, 0, 1, 2, 3, 3, 3, 4, 4, 4, 5, 6, 7, 8, 9, 9]


@pytest.mark.usefixtures("eager")
def test_nothing_is_gathered_where_the_disk_is_nearly_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with caplog.at_level(logging.WARNING), bank(tmp_path) as store:
        spread(store, 12, 10)
        until(lambda: "nearly full" in caplog.text)
        assert runs(store) == []
        assert store.gather() > 0, "who asks for it gets it"


@pytest.mark.usefixtures("eager")
def test_a_step_that_fails_is_told_once_and_stops_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING), bank(tmp_path, gather=False) as store:
        spread(store, 12, 10)
        store.write(lambda db: db.execute("DROP TABLE gathered"))
        store._gatherer.wake()
        until(lambda: "no longer gathered" in caplog.text)
        written(store, ["a-1"])
        assert store.count(subject("a-1")) == 11
    assert caplog.text.count("no longer gathered") == 1


@pytest.mark.usefixtures("eager")
def test_a_commit_does_not_fail_where_no_thread_can_be_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refused(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refused)
    with caplog.at_level(logging.WARNING), bank(tmp_path) as store:
        spread(store, 12, 10)
        assert "events are not gathered: can't start new thread" in caplog.text


def test_a_large_event_of_a_subject_is_read_with_its_run(tmp_path: Path) -> None:
    with bank(tmp_path) as store:
        for turn in range(FEWEST + 2):
            size = 4000 if turn == 3 else 10
            written(store, [f"a-{n}" for n in range(20)], data="é" * size)
        indexed(store)
        assert store.gather() > 0
        assert [len(each.data_as_string() or "") for each in store.query(subject("a-2"))] == [
            *[10] * 3,
            4000,
            *[10] * (FEWEST - 2),
        ]


def test_binary_payloads_and_extensions_come_back(tmp_path: Path) -> None:
    with bank(tmp_path) as store:
        for turn in range(FEWEST):
            head = store.head().revision
            store.transact(
                [
                    ProspectiveEvent(
                        f"{turn}-{n}",
                        f"s-{n % 3}",
                        "t",
                        f"a-{n}",
                        data=bytes([n, 255]) if n % 2 else None,
                        extensions={"tenant": "acme", "number": head} if n % 3 else {},
                    )
                    for n in range(20)
                ]
            )
        indexed(store)
        before = {n: list(store.query(subject(f"a-{n}"))) for n in range(20)}
        assert store.gather() == 20 * FEWEST
        for n, expected in before.items():
            assert list(store.query(subject(f"a-{n}"))) == expected
