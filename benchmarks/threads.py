"""Decisions a second on one, two and four threads (h), each in an instance of its own.

    python -m benchmarks.threads

Every decision asks twice for events and once for a view, of which it finds none, few or many: the fewer it
finds, the more of its time is the making of its instance.

Two threads can only be faster than one where two cores are free, so the line says how busy they were:
the same work in two processes, which share nothing, shows what the machine had to give.
"""

from __future__ import annotations

import functools
import multiprocessing
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack
from statistics import median

from benchmarks.parts import METADATA, Holding, change, some_events
from benchmarks.table import Row, at_least, lines
from evidentsource_core import Command
from evidentsource_runtime.host import StateChangeComponent

DECISIONS = {0: 200, 20: 120, 1_000: 16}
"""How many decisions are timed, by how many events each of them reads, twice."""
PREPARING = 20
RUNS = 7
PAUSE = 1.1
COMMAND = Command(b"{}")
NAMES = ("1 thread", "2 threads", "4 threads", "2 processes")


_LOADED: list[StateChangeComponent] = []


def some_decisions(count: int, events: int = 0) -> None:
    """Decide so often, in this thread or process."""
    if not _LOADED:
        _LOADED.append(change("lookup"))
    database = _holding(events)
    for _ in range(count):
        _LOADED[0].decide(database, COMMAND, METADATA)


@functools.cache
def _holding(events: int) -> Holding:
    return Holding(some_events(events))


def rate(executor: Executor, workers: int, events: int) -> float:
    """Decisions a second by the clock."""
    count = DECISIONS[events]
    start = time.perf_counter()
    list(executor.map(some_decisions, [count // workers] * workers, [events] * workers))
    return count / (time.perf_counter() - start)


def rates(events: int) -> dict[str, list[float]]:
    """Decisions a second of each round. All take turns, since others share the machine."""
    found: dict[str, list[float]] = {name: [] for name in NAMES}
    with ExitStack() as stack:
        executors: dict[str, tuple[Executor, int]] = {}
        for name in NAMES:
            workers = int(name[0])
            executor: Executor = ThreadPoolExecutor(workers)
            if "process" in name:
                spawned = multiprocessing.get_context("spawn")
                executor = ProcessPoolExecutor(workers, mp_context=spawned)
            executors[name] = (stack.enter_context(executor), workers)
        for executor, workers in executors.values():
            list(executor.map(some_decisions, [PREPARING] * workers, [events] * workers))
        for _ in range(RUNS):
            for name, (executor, workers) in executors.items():
                # What calls side by side leave warm for a while is none of a single thread's.
                time.sleep(PAUSE)
                found[name].append(rate(executor, workers, events))
    return found


def rows() -> Iterator[Row]:
    for events in DECISIONS:
        found = rates(events)
        alone = found["1 thread"]
        for name in NAMES[1:]:
            ratio = median(many / one for many, one in zip(found[name], alone, strict=True))
            figures = f"{median(found[name]):,.0f} and {median(alone):,.0f} decisions a second"
            what = f"{events:,} events twice: {name} / one thread"
            if "process" in name:
                what += " (what the machine had to give)"
            yield Row("h", what, ratio, figures, at_least(1.6) if name == "2 threads" else None)


if __name__ == "__main__":
    for line in lines(rows()):
        print(line)
