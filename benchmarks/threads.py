"""Decisions a second on one, two and four threads (h), each in an instance of its own.

    python -m benchmarks.threads

Two threads can only be faster than one where two cores are free, so the line says how busy they were:
the same work in two processes, which share nothing, shows what the machine had to give.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack
from statistics import median

from benchmarks.parts import METADATA, Holding, change
from benchmarks.table import Row, at_least, lines
from evidentsource_core import Command
from evidentsource_runtime.host import StateChangeComponent

DECISIONS = 200
PREPARING = 20
RUNS = 7
PAUSE = 1.1
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
    """Decisions a second by the clock."""
    start = time.perf_counter()
    list(executor.map(some_decisions, [DECISIONS // workers] * workers))
    return DECISIONS / (time.perf_counter() - start)


def rates() -> dict[str, list[float]]:
    """Decisions a second of each round. All take turns, since others share the machine."""
    spawned = multiprocessing.get_context("spawn")
    found: dict[str, list[float]] = {}
    with ExitStack() as stack:
        executors: dict[str, tuple[Executor, int]] = {
            f"{workers} thread{'s' * (workers > 1)}": (
                stack.enter_context(ThreadPoolExecutor(workers)),
                workers,
            )
            for workers in (1, 2, 4)
        }
        processes = ProcessPoolExecutor(2, mp_context=spawned)
        executors["2 processes"] = (stack.enter_context(processes), 2)
        for executor, workers in executors.values():
            list(executor.map(some_decisions, [PREPARING] * workers))
        for _ in range(RUNS):
            for name, (executor, workers) in executors.items():
                # What calls side by side leave warm for a while is none of a single thread's.
                time.sleep(PAUSE)
                found.setdefault(name, []).append(rate(executor, workers))
    return found


def rows() -> Iterator[Row]:
    found = rates()
    alone = found["1 thread"]
    for name, target in (("2 threads", at_least(1.6)), ("4 threads", None), ("2 processes", None)):
        ratio = median(many / one for many, one in zip(found[name], alone, strict=True))
        figures = f"{median(found[name]):,.0f} and {median(alone):,.0f} decisions a second"
        what = f"{name} / one thread"
        if "processes" in name:
            what += " (what the machine had to give)"
        yield Row("h", what, ratio, figures, target)


if __name__ == "__main__":
    for line in lines(rows()):
        print(line)
