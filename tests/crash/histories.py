"""Concurrent histories of writers and readers, and whether some order of them explains everything.

Each thread notes when it asked and when it was answered. The order is that of revisions, so a history
is strictly serialisable when

- of two transactions, one answered before the other was asked has the lower revision;
- every condition that was accepted holds of exactly the events before its transaction, and every one
  that was refused did not hold at some revision between asking and answering;
- every read is an exact beginning of the log, and has at least what was answered before it was asked.

    python -m tests.crash.histories --times 50
"""
# ruff: noqa: T201 - telling how it goes is what it does

from __future__ import annotations

import argparse
import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

from evidentsource_core import (
    AppendCondition,
    Constraint,
    ConstraintViolations,
    Event,
    EventSelector,
    ProspectiveEvent,
    Selector,
)
from evidentsource_runtime.store import SqliteStore
from tests.crash.folders import fast_folder
from tests.crash.levels import small_levels
from tests.crash.submitting import submitted

STALE = 3
EVERYTHING = Selector.stream_starts_with("s")


@dataclass(frozen=True)
class Attempt:
    """A transaction that was asked for; ``revision`` is None where it was refused."""

    asked: float
    answered: float
    condition: AppendCondition
    basis: int | None
    revision: int | None


@dataclass(frozen=True)
class Read:
    """What a reader got of everything."""

    asked: float
    answered: float
    ids: tuple[str, ...]


@dataclass
class History:
    """What the threads noted."""

    attempts: list[Attempt] = field(default_factory=list)
    reads: list[Read] = field(default_factory=list)


def play(store: SqliteStore, seed: int, writers: int, readers: int, turns: int) -> History:
    """Have threads write with conditions and read, all at once."""
    history = History()
    going = threading.Event()

    def write(thread: int) -> None:
        chance = random.Random(f"{seed}-{thread}")
        transact = partial(submitted, store) if thread % 2 else store.transact
        for turn in range(turns):
            if (
                turn % 4 != STALE
            ):  # else that of the turn before, so that some are refused for certain
                selector = _selector(chance)
                condition = Constraint.unchanged_since(selector, store.highest(selector))
            asked = time.monotonic()
            basis, revision = None, None
            try:
                result = transact(_events(chance, f"{thread}-{turn}"), [condition])
                basis, revision = result.basis, result.revision
            except ConstraintViolations:
                pass
            answered = time.monotonic()
            history.attempts.append(Attempt(asked, answered, condition, basis, revision))

    def read() -> None:
        while not going.is_set():
            asked = time.monotonic()
            ids = tuple(event.id for event in store.query(EVERYTHING))
            history.reads.append(Read(asked, time.monotonic(), ids))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(writers)]
    watching = [threading.Thread(target=read) for _ in range(readers)]
    for thread in (*threads, *watching):
        thread.start()
    for thread in threads:
        thread.join()
    going.set()
    for thread in watching:
        thread.join()
    return history


def _selector(chance: random.Random) -> EventSelector:
    subject = Selector.subject(f"a-{chance.randrange(3)}")
    stream = Selector.stream(f"s{chance.randrange(2)}")
    return chance.choice((subject, stream, subject & stream, subject | stream))


def _events(chance: random.Random, name: str) -> list[ProspectiveEvent]:
    return [
        ProspectiveEvent(
            f"{name}-{index}", f"s{chance.randrange(2)}", "written", f"a-{chance.randrange(3)}"
        )
        for index in range(chance.choice((1, 1, 2, 5)))
    ]


def faults(history: History, log: list[Event]) -> Iterator[str]:
    """Everything in a history that no order of it explains."""
    done = [each for each in history.attempts if each.revision is not None]
    for early in done:
        for late in done:
            if early.answered < late.asked and (early.revision or 0) > (late.basis or 0):
                yield f"{late} was asked after {early} was answered, and lies before it"
    for each in history.attempts:
        if each.basis is not None:
            if not _held(each.condition, log[: each.basis]):
                yield f"{each.condition} did not hold at {each.basis}"
        elif all(_held(each.condition, log[:length]) for length in _between(each, done, len(log))):
            yield f"{each.condition} was refused, and held all the time"
    ids = tuple(event.id for event in log)
    for read in history.reads:
        if read.ids != ids[: len(read.ids)]:
            yield f"a read of {len(read.ids)} events is no beginning of the log"
        known = max((each.revision or 0 for each in done if each.answered < read.asked), default=0)
        if len(read.ids) < known:
            yield f"a read has {len(read.ids)} events, and {known} were acknowledged before it"


def _held(condition: AppendCondition, before: list[Event]) -> bool:
    selector = condition.selector
    highest = [place for place, event in enumerate(before, 1) if selector.matches(event)]
    return condition.holds(highest[-1] if highest else 0)


def _between(each: Attempt, done: list[Attempt], end: int) -> range:
    """The revisions that a refusal may have been decided on."""
    before = max((other.revision or 0 for other in done if other.answered < each.asked), default=0)
    after = min((other.basis or 0 for other in done if other.asked > each.answered), default=end)
    return range(before, after + 1)


def searched(
    seed: int, writers: int = 4, readers: int = 2, turns: int = 25
) -> tuple[History, list[str]]:
    """One history with its faults."""
    with (
        small_levels(scale=4),
        fast_folder() as folder,
        SqliteStore.open(folder / "bank.db") as store,
    ):
        history = play(store, seed, writers, readers, turns)
        return history, list(faults(history, list(store.query(EVERYTHING))))


def main() -> None:
    """Play as many histories as were asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=50, help="how many histories")
    asked = parser.parse_args()
    wrong: list[str] = []
    accepted = refused = reads = 0
    for seed in range(asked.times):
        history, found = searched(seed, writers=8, readers=3, turns=40)
        wrong += [f"seed {seed}: {fault}" for fault in found]
        accepted += sum(each.revision is not None for each in history.attempts)
        refused += sum(each.revision is None for each in history.attempts)
        reads += len(history.reads)
    print(
        f"{asked.times} histories: {accepted} transactions accepted, {refused} refused, {reads} reads, "
        f"{len(wrong)} faults"
    )
    if wrong:
        raise SystemExit("\n".join(wrong))


if __name__ == "__main__":
    main()
