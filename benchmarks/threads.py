"""Decisions a second on one, two and four threads (h), each in an instance of its own.

    python -m benchmarks.threads

Two threads can only be faster than one where two cores are free, so the line says how busy they were:
the same work in two processes, which share nothing, shows what the machine had to give.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from statistics import median

from benchmarks.parts import METADATA, Holding, change
from benchmarks.table import Row, at_least, lines
from evidentsource_core import Command
from evidentsource_runtime.host import StateChangeComponent

DECISIONS = 200
RUNS = 5
COMMAND = Command(b"{}")


_LOADED: list[StateChangeComponent] = []


def some_decisions(count: int) -> None:
    """Decide so often, in this thread or process."""
    if not _LOADED:
        _LOADED.append(change("lookup"))
    database = Holding([])
    for _ in range(count):
        _LOADED[0].decide(database, COMMAND, METADATA)


def rate(executor: Executor, workers: int) -> float:
    """Decisions a second by the clock, the median of several runs."""
    list(executor.map(some_decisions, [1] * workers))
    rates = []
    for _ in range(RUNS):
        start = time.perf_counter()
        list(executor.map(some_decisions, [DECISIONS // workers] * workers))
        rates.append(DECISIONS / (time.perf_counter() - start))
    return median(rates)


def measured(workers: int, kind: Callable[[int], Executor] = ThreadPoolExecutor) -> float:
    with kind(workers) as executor:
        return rate(executor, workers)


def rows() -> Iterator[Row]:
    some_decisions(1)
    one = measured(1)
    for workers, target in ((2, at_least(1.6)), (4, None)):
        several = measured(workers)
        figures = f"{several:,.0f} and {one:,.0f} decisions a second"
        yield Row("h", f"{workers} threads / one", several / one, figures, target)
    spawned = multiprocessing.get_context("spawn")
    two = measured(2, lambda count: ProcessPoolExecutor(count, mp_context=spawned))
    figures = f"{two:,.0f} and {one:,.0f} decisions a second"
    yield Row("h", "2 processes / one thread (what the machine had to give)", two / one, figures)


if __name__ == "__main__":
    for line in lines(rows()):
        print(line)
