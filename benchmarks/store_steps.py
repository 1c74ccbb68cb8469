"""Where the time of one durable append goes, step by step.

    python -m benchmarks.store_steps [--appends 4000] [--folder FOLDER]

One writer appends one event after the other, as in :mod:`benchmarks.store`, with a look at two clocks
between the steps: that of the wall, and that of the thread's processor, which runs in the kernel too.
What is printed are medians, and below them what the recorder of ``eventsourcing`` takes for all of it,
in turns with the steps.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import apsw

from benchmarks.store import Peer, events
from benchmarks.table import machine
from evidentsource_core.rules import Limits, TransactionResult
from evidentsource_runtime.store import SqliteStore
from evidentsource_runtime.store.preparing import asked, prepared
from evidentsource_runtime.store.stored import stored_events

APPENDS = 4000
TURN = 100
STEPS = (
    "the event itself, and an id for it",
    "taken in, an id for the transaction",
    "checked; columns, checksum, fingerprint",
    "BEGIN",
    "names looked up",
    "conditions, rows",
    "INSERT: event, transaction, six indexes",
    "COMMIT, with the sync",
    "told to those who follow",
    "the events as the caller gets them",
)
Pair = tuple[float, float]


def step_by_step(store: SqliteStore) -> Iterator[None]:
    """One append; stops behind each step."""
    db, writer = store._db, store._writer
    made = events(1)
    yield
    wanted = asked(made, (), None, None)
    yield
    ready = prepared(wanted, Limits())
    yield
    db.execute("BEGIN IMMEDIATE")
    yield
    writer.begin([ready])
    yield
    written = writer.write(ready)
    yield
    writer.flush()
    yield
    db.execute("COMMIT")
    yield
    writer.commit()
    store._announce()
    yield
    found = tuple(stored_events(written.rows(ready), store._source))
    TransactionResult(ready.id, written.basis, written.revision, written.time.moment, found)
    yield


def clocks() -> tuple[float, float]:
    return time.perf_counter(), time.thread_time()


def measured(store: SqliteStore, peer: Peer, appends: int) -> tuple[list[Pair], Pair, Pair]:
    """Microseconds of each step, of the same by one call, and of the recorder: medians."""
    steps: list[list[Pair]] = [[] for _ in STEPS]
    whole: list[Pair] = []
    beside: list[Pair] = []
    for _ in range(max(1, appends // TURN)):
        for _ in range(TURN):
            before = clocks()
            for step, _ in zip(steps, step_by_step(store), strict=True):
                now = clocks()
                step.append((now[0] - before[0], now[1] - before[1]))
                before = clocks()
        for way, found in (
            (lambda: store.transact(events(1)), whole),
            (lambda: peer.append(1), beside),
        ):
            for _ in range(TURN):
                before = clocks()
                way()
                now = clocks()
                found.append((now[0] - before[0], now[1] - before[1]))
    return [middle(step) for step in steps], middle(whole), middle(beside)


def middle(pairs: list[Pair]) -> Pair:
    wall, processor = zip(*pairs, strict=True)
    return statistics.median(wall) * 1e6, statistics.median(processor) * 1e6


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.store_steps", description=__doc__)
    parser.add_argument("--appends", type=int, default=APPENDS, help="appends of each kind")
    parser.add_argument("--folder", type=Path, help="where the files lie; a temporary folder")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        place = Path(folder)
        peer = Peer(place / "peer.db")
        with SqliteStore.open(place / "steps.db") as store:
            steps, whole, beside = measured(store, peer, given.appends)
        peer.datastore.close()
    total = (sum(wall for wall, _ in steps), sum(processor for _, processor in steps))
    print(f"{machine()}, SQLite {apsw.sqlite_lib_version()}\n")
    print(f"{'microseconds':44}   wall  processor")
    named = [*zip(STEPS, steps, strict=True), ("together", total), ("by one call", whole)]
    for name, (wall, processor) in [*named, ("eventsourcing, by one call", beside)]:
        print(f"{name:44} {wall:6.0f} {processor:10.0f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
