"""What the store costs, beside raw SQLite on the same tables and the recorder of ``eventsourcing``.

    python -m benchmarks.store [--events 200000] [--folder FOLDER] [--json]

Whatever is compared is measured in turns of half a second each, so that a busy machine or disk slows
both; the ratio is that of the medians. Appends are timed by the clock, since they wait for the disk, each
at every commit; reads by the processor, which is all that they need. What stands under
"raw" is apsw with rows that were made before, on this very schema, without any decoding. With a million
events the run takes some minutes, nearly all of them to fill the store.
"""

# ruff: noqa: S608 - the store's own columns

from __future__ import annotations

import argparse
import gc
import itertools
import json
import random
import resource
import statistics
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import apsw
from eventsourcing.persistence import StoredEvent
from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteDatastore

import evidentsource_runtime
from benchmarks.memory import watched
from benchmarks.table import Row, at_least, at_most, lines, machine
from evidentsource_core import Constraint, EventSelector, ProspectiveEvent, QueryOptions, Selector
from evidentsource_core.domain.flat_selectors import SUBJECT
from evidentsource_runtime.database import Database
from evidentsource_runtime.database.asynchronous import AsyncDatabase
from evidentsource_runtime.store import SqliteStore
from evidentsource_runtime.store.connecting import LARGE_CACHE_KIB
from evidentsource_runtime.store.entries import arms
from evidentsource_runtime.store.fetching import fetch_one
from evidentsource_runtime.store.merging import Upkeep
from evidentsource_runtime.store.runs import gathered_upto, rows_of_runs
from evidentsource_runtime.store.stored import COLUMNS, NAMES
from evidentsource_runtime.store.ways import LARGEST

EVENTS = 1_000_000
SMALL = 10_000
TURN = 0.5
TURNS = 4
ROUNDS = 2
DATA = '{"amount":12345,"currency":"EUR","reference":"invoice 4711"}'
SUBJECTS = 1000
NO_END = (None,) * 6
WORK_PAGES = 40_000
"""Pages that a writer has written when its log has become as long as it does; see ``commits``."""

Count = Callable[[], int]
"""Does something once, and tells how many of it that was."""


def events(count: int, subjects: int = SUBJECTS, first: int = 0) -> list[ProspectiveEvent]:
    return [
        ProspectiveEvent(
            str(uuid.uuid4()),
            f"accounts-{number % 7}",
            ("account.credited", "account.debited", "account.closed")[number % 3],
            f"a-{(number * 7919) % subjects}",
            data=DATA,
            datacontenttype="application/json",
        )
        for number in range(first, first + count)
    ]


def speeds(
    *ways: Count,
    turn: float = TURN,
    turns: int = TURNS,
    clock: Callable[[], float] = time.perf_counter,
) -> list[float]:
    """How many a second of each, all of them in turns."""
    found: list[list[float]] = [[] for _ in ways]
    for _ in range(turns):
        for way, speed in zip(ways, found, strict=True):
            gc.collect()
            start, done = clock(), 0
            while clock() - start < turn:
                done += way()
            speed.append(done / (clock() - start))
    return [statistics.median(speed) for speed in found]


def row(item: str, what: str, one: float, other: float, unit: str, target: Any = None) -> Row:
    return Row(item, what, one / other, f"{one:,.0f} / {other:,.0f} {unit}", target)


# --- appends ---------------------------------------------------------------------------------------


class Raw:
    """The store's own tables, written by apsw with rows that were made before."""

    def __init__(self, path: Path) -> None:
        SqliteStore.open(path).close()
        self.db = apsw.Connection(str(path))
        self.db.pragma("journal_mode", "wal")
        self.db.pragma("synchronous", "FULL")
        self.db.pragma("cache_size", -32 * 1024)
        self.upkeep = Upkeep(self.db)
        self.revision = 0

    def append(self, count: int) -> int:
        first = self.revision + 1
        last = self.revision = self.revision + count
        db = self.db
        db.execute("BEGIN IMMEDIATE")
        db.executemany(
            f"INSERT INTO event VALUES ({', '.join('?' * 21)})",
            (
                (
                    *(n, last, n % 7, (n * 7919) % SUBJECTS, n % 3, n, 0, 0, None),
                    *(random.getrandbits(40), *(self.end(first - 1) if n == last else NO_END)),
                    *(str(uuid.uuid4()), "application/json", None, None, DATA),
                )
                for n in range(first, last + 1)
            ),
        )
        self.upkeep.written(last)
        db.execute("COMMIT")
        return count

    def end(self, basis: int) -> tuple[Any, ...]:
        stamp = "2026-01-01T00:00:00.000000Z"
        return (basis, stamp, random.getrandbits(40), str(uuid.uuid4()), b"1" * 16, 1)


class Peer:
    """The recorder of ``eventsourcing``, whose SQLite also waits for the disk (``synchronous=FULL``)."""

    def __init__(self, path: Path) -> None:
        self.datastore = SQLiteDatastore(str(path))
        self.recorder = SQLiteApplicationRecorder(self.datastore)
        self.recorder.create_table()
        with self.datastore.transaction(commit=False) as cursor:
            cursor.execute("PRAGMA synchronous")
            assert tuple(cursor.fetchone()) == (2,)

    def append(self, count: int) -> int:
        stored = [
            StoredEvent(uuid.uuid4(), number, "account.credited", DATA.encode())
            for number in range(count)
        ]
        self.recorder.insert_events(stored)
        return count


def append(store: SqliteStore, count: int) -> int:
    store.transact(events(count))
    return count


def appends(folder: Path) -> Iterator[Row]:
    raw, peer = Raw(folder / "raw.db"), Peer(folder / "peer.db")
    with SqliteStore.open(folder / "appends.db") as store:
        for size in (1, 10, 100, 1000):
            ours, beside, below = speeds(
                lambda: append(store, size),  # noqa: B023 - called before the next size
                lambda: peer.append(size),  # noqa: B023
                lambda: raw.append(size),  # noqa: B023
            )
            what = f"durable appends, {size} at once"
            target = at_least(1) if size == 1 else None
            yield row("t", f"{what}: ours / eventsourcing", ours, beside, "events/s", target)
            yield row("t", f"{what}: ours / raw", ours, below, "events/s")
        yield from conditional(store)
    with evidentsource_runtime.open(folder / "concurrent.db") as database:
        yield from concurrent(database, peer)
    raw.db.close()
    peer.datastore.close()


def conditional(store: SqliteStore) -> Iterator[Row]:
    """The consistency boundary of one account: its events of two types."""

    def with_condition() -> int:
        subject = Selector.subject(f"a-{uuid.uuid4().int % SUBJECTS}")
        kinds = Selector.event_type("account.credited") | Selector.event_type("account.debited")
        boundary = subject & kinds
        seen = store.head().revision
        store.transact(events(1), [Constraint.unchanged_since(boundary, seen)])
        return 1

    ours, without = speeds(with_condition, lambda: append(store, 1))
    yield row("t", "appends with / without a condition", ours, without, "transactions/s")


def concurrent(database: Database, peer: Peer) -> Iterator[Row]:
    """Threads, and tasks of one event loop, beside as many threads of the recorder."""
    store = database.store
    for writers in (8, 32):
        threads, tasks, beside = speeds(
            lambda: together(writers, lambda: append(store, 1)),  # noqa: B023
            lambda: anyio.run(tasks_together, database.asynchronous, writers),  # noqa: B023
            lambda: together(writers, lambda: peer.append(1)),  # noqa: B023
            turn=1.0,
        )
        target = at_least(3) if writers == 32 else None
        for kind, ours in (("threads", threads), ("tasks", tasks)):
            what = f"durable appends, {writers} {kind}: ours / eventsourcing, threads"
            yield row("t", what, ours, beside, "transactions/s", target)


async def tasks_together(database: AsyncDatabase, writers: int, seconds: float = 1.0) -> int:
    """So many tasks append for a while."""
    done = [0] * writers
    end = time.perf_counter() + seconds

    async def work(number: int) -> None:
        while time.perf_counter() < end:
            await database.transact(events(1))
            done[number] += 1

    async with anyio.create_task_group() as tasks:
        for number in range(writers):
            tasks.start_soon(work, number)
    return sum(done)


def together(writers: int, once: Count, seconds: float = 1.0) -> int:
    """So many threads do something for a while."""
    done = [0] * writers
    end = time.perf_counter() + seconds

    def work(number: int) -> None:
        while time.perf_counter() < end:
            done[number] += once()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done)


# --- reads -----------------------------------------------------------------------------------------


def fill(store: SqliteStore, count: int, subjects: int) -> None:
    for start in range(store.head().revision, count, 1000):
        store.transact(events(min(1000, count - start), subjects, start))


def touched(found: Iterator[Any]) -> int:
    """Read what a fold reads of each event."""
    count = 0
    for count, event in enumerate(found, 1):  # noqa: B007 - the last one counts
        _ = (event.event_type, event.subject, event.data_as_string())
    return count


_NUMBER = "(SELECT id FROM subject WHERE value = ?1)"
_SUBJECT = " UNION ALL ".join(
    (
        rows_of_runs(_NUMBER, "0", str(LARGEST), "1", reverse=False),
        *(
            f"SELECT {COLUMNS} FROM {arm.tables} CROSS JOIN event AS e ON e.revision = p.revision {NAMES} "
            f"WHERE {arm.where} AND {arm.value} = {_NUMBER} AND p.revision > {gathered_upto(_NUMBER)}"
            for arm in arms(SUBJECT)
        ),
    )
)
_ALL = f"SELECT {COLUMNS} FROM event AS e {NAMES} ORDER BY e.revision LIMIT ?"


def reads(store: SqliteStore, total: int, subjects: int) -> Iterator[Row]:
    db = apsw.Connection(store.path, flags=apsw.SQLITE_OPEN_READONLY)
    db.pragma("cache_size", -32 * 1024)
    numbers = itertools.count()

    def one_subject() -> int:
        return touched(store.query(Selector.subject(f"a-{next(numbers) * 31 % subjects}")))

    def one_subject_raw() -> int:
        name = f"a-{next(numbers) * 31 % subjects}"
        return sum(1 for _ in db.execute(_SUBJECT, (name,)))

    everything = Selector.event_type_starts_with("account.")
    most = min(total, 50_000)

    def scan() -> int:
        return touched(store.query(everything, QueryOptions().limit(most)))

    def scan_raw() -> int:
        return sum(1 for _ in db.execute(_ALL, (most,)))

    def lanes() -> int:
        found = store.batches(everything, QueryOptions().limit(most))
        return sum(batch.count for batch in found)

    each = total // subjects
    ours, below = speeds(one_subject, one_subject_raw, clock=time.thread_time)
    what = f"one subject's {each} events, decoded / raw, not decoded"
    yield row("v", what, ours, below, "events/s", at_least(0.5))
    ours, text, below = speeds(scan, lanes, scan_raw, clock=time.thread_time)
    yield row("v", "all events, decoded / raw, not decoded", ours, below, "events/s", at_least(0.5))
    yield row("v", "all events as the lane's text / raw", text, below, "events/s")
    db.close()


def trees(store: SqliteStore, total: int) -> Iterator[Row]:
    stream, kind, subject = Selector.stream, Selector.event_type, Selector.subject
    shapes: dict[str, EventSelector] = {
        "stream and subject": stream("accounts-3") & subject("a-0"),
        "subject and either of two types": subject("a-0")
        & (kind("account.credited") | kind("account.debited")),
        "any of 20 subjects": _any(*(subject(f"a-{n * 17}") for n in range(20))),
        "subject prefix and type": Selector.subject_starts_with("a-77") & kind("account.closed"),
        "two streams and one type": (stream("accounts-1") | stream("accounts-2"))
        & kind("account.closed"),
        "type prefix": Selector.event_type_starts_with("account.c"),
    }
    for name, selector in shapes.items():
        taken = []
        for turn in range(7):
            start = time.perf_counter()
            found = touched(store.query(selector, QueryOptions().limit(1000)))
            taken.append(time.perf_counter() - start)
            if turn and sum(taken) > 2:
                break
        milliseconds = statistics.median(taken) * 1000
        figures = f"{milliseconds:.1f} ms for the first {found:,} among {total:,}"
        yield Row("w", f"query: {name}", None, figures)


def _any(*selectors: EventSelector) -> EventSelector:
    found, *others = selectors
    for other in others:
        found = found | other
    return found


def memory(store: SqliteStore, total: int) -> Iterator[Row]:
    everything = Selector.event_type_starts_with("account.")
    touched(store.query(everything, QueryOptions().limit(20_000)))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    count = touched(store.query(everything))
    lanes = sum(batch.count for batch in store.batches(everything))
    assert count == lanes == total
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    figures = f"{grown:.1f} MiB more at most, after the first 20,000 of {total:,} events"
    yield Row("x", "memory while streaming: MiB grown", grown, figures, at_most(16))


# --- growth ----------------------------------------------------------------------------------------


def gathering(small: SqliteStore, large: SqliteStore) -> Iterator[Row]:
    """What stores do while nobody writes, so that subjects are read as they are then."""
    small.gather()
    pages, start = pages_of(large), time.perf_counter()
    count = large.gather()
    taken = time.perf_counter() - start
    size = (pages_of(large) - pages) / count
    figures = f"{count / taken:,.0f} events/s, {size:,.0f} bytes an event"
    yield Row("t", f"laying {count:,} events side by side by subject", None, figures)


def pages_of(store: SqliteStore) -> int:
    """The size of a store in bytes, what is in its log included."""
    with store.read() as db:
        return int(db.pragma("page_count")) * int(db.pragma("page_size"))


def before_gathering(
    small: SqliteStore, large: SqliteStore, sizes: tuple[int, int]
) -> Iterator[Row]:
    (one, other), _ = growth_of_reads(small, large, sizes)
    every, few = sizes[1] // 20, sizes[0] // 20
    what = f"10 events of one of {every:,} / of {few:,} subjects, not gathered: {_sizes(sizes)}"
    yield row("x", what, one, other, "reads/s")


def _sizes(sizes: tuple[int, int]) -> str:
    return f"at {sizes[1]:,} / at {sizes[0]:,} events"


Pair = tuple[float, float]


def growth_of_reads(
    small: SqliteStore, large: SqliteStore, sizes: tuple[int, int]
) -> tuple[Pair, Pair]:
    """Reads a second of ten events of any subject in a large store and in a small one; ours, and raw."""
    numbers = itertools.count()
    every, few = sizes[1] // 20, sizes[0] // 20

    def read(store: SqliteStore, subjects: int) -> Count:
        def one() -> int:
            subject = Selector.subject(f"a-{next(numbers) * 31 % subjects}")
            return touched(store.query(subject, QueryOptions().limit(10))) and 1

        return one

    def read_raw(store: SqliteStore, subjects: int) -> Count:
        db = apsw.Connection(store.path, flags=apsw.SQLITE_OPEN_READONLY)
        db.pragma("cache_size", -LARGE_CACHE_KIB)

        def one() -> int:
            name = f"a-{next(numbers) * 31 % subjects}"
            return len(db.execute(f"{_SUBJECT} LIMIT 10", (name,)).fetchall()) and 1

        return one

    of_any, of_any_raw = read(large, every), read_raw(large, every)
    for _ in range(every):
        # What is measured is not the first look at each page, of which the small store has few.
        of_any()
        of_any_raw()
    any_of_all, other, raw, other_raw = speeds(
        of_any, read(small, few), of_any_raw, read_raw(small, few), clock=time.thread_time
    )
    return (any_of_all, other), (raw, other_raw)


def growth(small: SqliteStore, large: SqliteStore, sizes: tuple[int, int]) -> Iterator[Row]:
    what = _sizes(sizes)
    ours, raw = growth_of_reads(small, large, sizes)
    any_one = f"10 events of one of {sizes[1] // 20:,} / of {sizes[0] // 20:,} subjects: {what}"
    yield row("x", any_one, *ours, "reads/s", at_least(0.8))
    yield row("x", f"the same, raw, not decoded: {what}", *raw, "reads/s")
    one, other = speeds(scan(large, sizes), scan(small, sizes), clock=time.thread_time)
    name = f"{sizes[0]:,} events in their order, from anywhere: {what}"
    yield row("x", name, one, other, "events/s", at_least(0.8))
    ways: dict[str, Callable[[SqliteStore], int]] = {
        "1 at once": lambda store: append(store, 1),
        "32 threads": lambda store: together(32, lambda: append(store, 1), TURN / 2),
        "100 at once": lambda store: append(store, 100),
        "1000 at once": lambda store: append(store, 1000),
    }
    for name, once in ways.items():
        one, other = grown(large, once)
        target = at_least(0.8) if name in {"1 at once", "32 threads"} else None
        yield row("x", f"durable appends, {name}: {what}", one, other, "events/s", target)


def scan(store: SqliteStore, sizes: tuple[int, int]) -> Count:
    """As many events as the small store has, each time from another place on."""
    everything, count = Selector.event_type_starts_with("account."), sizes[0]
    places = itertools.cycle(range(0, store.head().revision - count + 1, count))
    return lambda: touched(store.query(everything, QueryOptions().limit(count), since=next(places)))


def grown(large: SqliteStore, once: Callable[[SqliteStore], int]) -> tuple[float, float]:
    """How many a second in a large store, and in small ones.

    A small store does not stay small: each is left before it has twice as many events. It is filled by
    its writer, as the large one was, which so knows the ids of all its events.
    """
    found: tuple[list[float], list[float]] = ([], [])
    for _ in range(2 * TURNS):
        with (
            tempfile.TemporaryDirectory(dir=Path(large.path).parent) as place,
            SqliteStore.open(Path(place) / "small.db") as small,
        ):
            fill(small, SMALL, SMALL // 20)
            small.gather()
            _be_at_work(small)
            for store, speed in zip((large, small), found, strict=True):
                speed.append(_for_a_while(partial(once, store)))
    return statistics.median(found[0]), statistics.median(found[1])


def _be_at_work(store: SqliteStore) -> None:
    """Write until the log is what it becomes in time: a young one is short, and its file still grows."""
    store.write(lambda db: db.execute("CREATE TABLE other (content BLOB)"))
    store.write(lambda db: db.execute("INSERT INTO other VALUES (zeroblob(1))"))
    for _ in range(WORK_PAGES // 250):
        store.write(lambda db: db.execute("UPDATE other SET content = zeroblob(250 * 4096)"))


def _for_a_while(way: Count) -> float:
    gc.collect()
    start, done = time.perf_counter(), 0
    while time.perf_counter() - start < TURN and done < SMALL * 0.9:
        done += way()
    return done / (time.perf_counter() - start)


def rows(total: int = EVENTS, folder: Path | None = None) -> Iterator[Row]:
    """Every comparison, with so many events in the larger store."""
    with tempfile.TemporaryDirectory(dir=folder) as made:
        place = Path(made)
        yield from watched("x", "appends", appends(place))
        with (
            # They are gathered when it is said, not while something else is measured.
            SqliteStore.open(place / "small.db", gather=False) as small,
            SqliteStore.open(place / "large.db", gather=False) as large,
        ):
            fill(small, SMALL, SMALL // 20)
            start = time.perf_counter()
            fill(large, total, total // 20)
            taken = time.perf_counter() - start
            size = Path(large.path).stat().st_size / total
            with large.read() as db:
                found = fetch_one(db, "SELECT count(*) FROM subject")[0]
            yield Row(
                "t",
                f"filling a store, 1000 at once, {found:,} subjects",
                None,
                f"{total / taken:,.0f} events/s, {size:,.0f} bytes an event",
            )
            yield from before_gathering(small, large, (SMALL, total))
            yield from gathering(small, large)
            yield from watched("x", "reads", reads(large, total, total // 20))
            yield from watched("x", "queries", trees(large, total))
            yield from memory(large, total)
            yield from watched("x", "both sizes", growth(small, large, (SMALL, total)))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.store", description=__doc__)
    parser.add_argument("--events", type=int, default=EVENTS, help="events in the larger store")
    parser.add_argument("--folder", type=Path, help="where the files lie; a temporary folder")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead")
    asked = parser.parse_args()
    found = rows(asked.events, asked.folder)
    if asked.json:
        print(json.dumps({"machine": machine(), "rows": [each.as_json() for each in found]}))
        return 0
    print(f"{machine()}, SQLite {apsw.sqlite_lib_version()}\n")
    for line in lines(found):
        print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
