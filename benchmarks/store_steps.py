"""Where the time of a durable append of one event goes, step by step.

    python -m benchmarks.store_steps [--appends 3000] [--folder FOLDER]

One thread goes through the steps of one transaction, and of a group of 16 that share a commit, with a
look at two clocks between the steps: that of the wall, and that of the thread's processor, which runs in
the kernel too. What is printed are medians, in microseconds for each transaction. Below them, in turns
with the steps: all of it by one call, what 32 threads take for each, and the same of the recorder of
``eventsourcing``.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import apsw

from benchmarks.store import Peer, append, events, together
from benchmarks.table import machine
from evidentsource_core.rules import Limits
from evidentsource_runtime.store import SqliteStore
from evidentsource_runtime.store.preparing import asked, prepared
from evidentsource_runtime.store.results import stored_result

APPENDS = 3000
TURN = 100
GROUP = 16
THREADS = 32
STEPS = (
    "the event, and an id for it",
    "taken in, an id for the transaction",
    "checked; columns, checksum, fingerprint",
    "BEGIN",
    "names looked up",
    "rows",
    "INSERT: the event; some entries",
    "COMMIT, with the sync",
    "told to those who follow",
    "what the caller gets",
)
Pair = tuple[float, float]


def step_by_step(store: SqliteStore, size: int) -> Iterator[None]:
    """One commit of so many transactions; stops behind each step."""
    db, writer, limits = store._db, store._writer, Limits()
    made = [events(1) for _ in range(size)]
    yield
    wanted = [asked(each, (), None, None) for each in made]
    yield
    group = [prepared(each, limits, store._identity.keys) for each in wanted]
    yield
    db.execute("BEGIN IMMEDIATE")
    yield
    writer.begin(group)
    yield
    done = [writer.write(each) for each in group]
    yield
    writer.flush()
    yield
    db.execute("COMMIT")
    yield
    writer.commit()
    store._watch.announce(writer.revision, writer.recorded)
    yield
    for each, written in zip(group, done, strict=True):
        stored_result(each, written, store._source)
    yield


def clocks() -> Pair:
    return time.perf_counter(), time.thread_time()


def steps(store: SqliteStore, size: int) -> list[Pair]:
    """What each step took, for each transaction."""
    found: list[Pair] = []
    before = clocks()
    for _ in step_by_step(store, size):
        now = clocks()
        found.append(((now[0] - before[0]) / size, (now[1] - before[1]) / size))
        before = clocks()
    return found


def once(way: Callable[[], object]) -> Pair:
    before = clocks()
    way()
    now = clocks()
    return now[0] - before[0], now[1] - before[1]


def among_threads(way: Callable[[], int]) -> Pair:
    start, processor = time.perf_counter(), time.process_time()
    done = together(THREADS, way)
    return (time.perf_counter() - start) / done, (time.process_time() - processor) / done


def measured(store: SqliteStore, peer: Peer, appends: int) -> dict[str, tuple[Pair, Pair]]:
    """Microseconds of each, alone and in a group."""
    turns = range(max(1, appends // TURN))
    alone, group, ours, beside = [], [], [], []
    for _ in turns:
        alone += [steps(store, 1) for _ in range(TURN)]
        group += [steps(store, GROUP) for _ in range(TURN // GROUP)]
        ours += [once(lambda: append(store, 1)) for _ in range(TURN)]
        beside += [once(lambda: peer.append(1)) for _ in range(TURN)]
    many = [[among_threads(lambda: append(store, 1)) for _ in range(2)]]
    many.append([among_threads(lambda: peer.append(1)) for _ in range(2)])
    found: dict[str, tuple[Pair, Pair]] = {
        name: (middle(one), middle(several))
        for name, one, several in zip(
            STEPS, zip(*alone, strict=True), zip(*group, strict=True), strict=True
        )
    }
    rows = list(found.values())
    found["together"] = (total([one for one, _ in rows]), total([several for _, several in rows]))
    found[f"by one call; {THREADS} threads"] = (middle(ours), middle(many[0]))
    found[f"eventsourcing; {THREADS} threads"] = (middle(beside), middle(many[1]))
    return found


def middle(pairs: list[Pair] | tuple[Pair, ...]) -> Pair:
    wall, processor = zip(*pairs, strict=True)
    return statistics.median(wall) * 1e6, statistics.median(processor) * 1e6


def total(pairs: list[Pair]) -> Pair:
    return sum(wall for wall, _ in pairs), sum(processor for _, processor in pairs)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.store_steps", description=__doc__)
    parser.add_argument("--appends", type=int, default=APPENDS, help="appends of each kind")
    parser.add_argument("--folder", type=Path, help="where the files lie; a temporary folder")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        place = Path(folder)
        peer = Peer(place / "peer.db")
        with SqliteStore.open(place / "steps.db") as store:
            found = measured(store, peer, given.appends)
        peer.datastore.close()
    print(f"{machine()}, SQLite {apsw.sqlite_lib_version()}\n")
    print(f"{'microseconds a transaction':40} {'alone':>6} {'cpu':>6}   {'of 16':>6} {'cpu':>6}")
    for name, (one, several) in found.items():
        figures = "   ".join(f"{wall:6.0f} {cpu:6.0f}" for wall, cpu in (one, several))
        print(f"{name:40} {figures}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
