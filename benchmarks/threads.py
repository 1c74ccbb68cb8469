"""Decisions a second on one, two and four threads (h), each in an instance of its own.

    python -m benchmarks.threads

Every decision asks twice for events and once for a view, of which it finds none, few or many: the fewer
it finds, the more of its time is the making of its instance.

Two threads are to decide 1.6 times as often as one *on two free cores*. Whether they are free is up to
whoever else uses the machine, which a virtual one cannot see. So two processes do the same work: they
share nothing, and on free cores do twice of what one does. Half of what they do is what a core had to give.
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

DECISIONS = {0: 120, 20: 80, 1_000: 8}
"""How many decisions are timed, by how many events each of them reads, twice."""
PREPARING = 20
RUNS = 21
PAUSE = 1.1
COMMAND = Command(b"{}")
ALONE, THREADS, PROCESSES = "1 thread", "2 threads", "2 processes"
NAMES = (THREADS, "4 threads", PROCESSES, ALONE)
"""What takes turns, in this order: side by side first."""


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
                if name == ALONE:
                    # What calls side by side leave warm for a while is none of a single thread's.
                    time.sleep(PAUSE)
                found[name].append(rate(executor, workers, events))
    return found


def rows() -> Iterator[Row]:
    for events in DECISIONS:
        found = rates(events)
        alone, processes = found[ALONE], found[PROCESSES]
        title = f"{events:,} events twice"
        for name in NAMES[:-1]:
            what = f"{title}: {name} / one thread"
            if name == PROCESSES:
                what += " (what the machine had to give)"
            yield Row("h", what, _ratio(found[name], alone), _figures(found[name], alone))
        threads = found[THREADS]
        what = f"{title}: 2 threads / half of 2 processes: on two free cores"
        both = _figures(threads, processes)
        yield Row("h", what, 2 * _ratio(threads, processes), both, at_least(1.6))


def _ratio(some: list[float], others: list[float]) -> float:
    """Of the rounds, since the machine is another one in the next."""
    return median(each / other for each, other in zip(some, others, strict=True))


def _figures(some: list[float], others: list[float]) -> str:
    return f"{median(some):,.0f} and {median(others):,.0f} decisions a second"


if __name__ == "__main__":
    for line in lines(rows()):
        print(line)
