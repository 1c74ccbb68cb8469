"""What the database adds to the store and to components: folding, bindings, commands, memory.

    python -m benchmarks.database [--events 100000] [--bindings 10000] [--commands 200] [--large 1000000]

Times are those of the processor for folding, since it is about one core, and those of the clock for
commands, since they wait for the disk. The components are built and compiled in the first run.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path

import evidentsource_runtime
from benchmarks.memory import watched
from benchmarks.parts import CONTEXT, built, view
from benchmarks.table import Row, at_least, at_most, lines, machine
from evidentsource_core import (
    CommandRequest,
    Parameter,
    ProspectiveEvent,
    Selector,
    SelectorTemplate,
    StateChangeDefinition,
    StateChangeName,
    StateViewDefinition,
    StateViewName,
)
from evidentsource_core.times import from_parts
from evidentsource_runtime.database import Database
from evidentsource_runtime.database.folding import BATCH
from evidentsource_runtime.host import EncodedEvents, StateViewComponent

FOLDED_PER_SECOND = 40_000
WITH_COMPONENT_MS = 8.0
WITHOUT_MS = 2.0
SMALL = 10_000
_TRANSACTION = 1_000


@dataclass(frozen=True)
class Sizes:
    """How much is measured."""

    events: int = 100_000
    bindings: int = 10_000
    commands: int = 200
    large: int = 1_000_000


def deposit(number: int, account: str) -> ProspectiveEvent:
    """An event with a subject, a time, a content type and a small JSON payload."""
    return ProspectiveEvent(
        f"e-{number}",
        "accounts",
        "account.credited",
        account,
        json.dumps({"account_id": account, "amount": number}),
        from_parts(1_700_000_000 + number, 5_000),
        "application/json",
    )


def fill(database: Database, count: int, account: Callable[[int], str], start: int = 0) -> None:
    """Events in transactions of a thousand."""
    for first in range(start, start + count, _TRANSACTION):
        last = min(first + _TRANSACTION, start + count)
        database.transact([deposit(number, account(number)) for number in range(first, last)])
    # It would do so by itself, while something else is measured.
    database.store.gather()


@contextmanager
def opened() -> Iterator[Database]:
    """An empty database in a file of its own."""
    with (
        tempfile.TemporaryDirectory(prefix="evidentsource-bench-") as folder,
        evidentsource_runtime.open(Path(folder) / "bank.db") as database,
    ):
        yield database


def summary(selector: SelectorTemplate) -> StateViewDefinition:
    """The view of ``components/summary.py`` over these events."""
    return StateViewDefinition(StateViewName("summary"), selector)


def seconds(work: Callable[[], object]) -> float:
    """Seconds of the processor that it takes, on every thread."""
    start = time.process_time()
    work()
    return time.process_time() - start


def folding(sizes: Sizes) -> Iterator[Row]:
    """One large binding, cold and then a little at a time."""
    with opened() as database:
        database.publish_state_view(
            summary(SelectorTemplate.of(Selector.stream("accounts"))), built("summary")
        )
        fill(database, sizes.events, lambda number: f"account-{number % 100}")
        database.latest().at_revision(1).view_state("summary", 1)
        database.drop_snapshots()
        cold = seconds(lambda: database.latest().view_state("summary", 1))
        yield Row(
            "A",
            f"{sizes.events:,} events folded cold by a component / {FOLDED_PER_SECOND:,} a second",
            sizes.events / cold / FOLDED_PER_SECOND,
            f"{sizes.events / cold:,.0f} events/s, {cold:.2f} s",
            at_least(1),
        )
        straight = seconds(partial(_straight, view("summary"), _batches(database)))
        yield Row(
            "H",
            "the same, a second / its batches handed straight to the component",
            straight / cold,
            f"{sizes.events / cold:,.0f}, {sizes.events / straight:,.0f} events/s",
            at_least(0.8),
        )
        few = _after_each(database, 1)
        many = _after_each(database, 1_000)
        yield Row(
            "B",
            "read after 1 more event / after 1,000 more",
            few / many,
            f"{few * 1e3:.1f} ms, {many * 1e3:.1f} ms",
        )
        again = seconds(lambda: database.latest().view_state("summary", 1))
        yield Row(
            "C",
            "read when nothing has happened / when 1 event has",
            again / few,
            f"{again * 1e3:.2f} ms, {few * 1e3:.1f} ms",
            at_most(0.5),
        )


def _batches(database: Database) -> list[EncodedEvents]:
    found = database.store.batches(Selector.stream("accounts"), size=BATCH)
    return [EncodedEvents(each.text, each.count, f"{database.streams}/") for each in found]


def _straight(component: StateViewComponent, batches: list[EncodedEvents]) -> None:
    content = None
    for batch in batches:
        content = component.evolve_encoded(content, batch, CONTEXT)


def _after_each(database: Database, more: int) -> float:
    start = database.latest().revision
    taken = []
    for turn in range(5):
        fill(database, more, lambda number: f"account-{number % 100}", start + turn * more)
        taken.append(seconds(lambda: database.latest().view_state("summary", 1)))
    return _median(taken)


def bindings(sizes: Sizes) -> Iterator[Row]:
    """Many small bindings of one view, folded together."""
    count = sizes.bindings * 10
    with opened() as database:
        database.publish_state_view(
            summary(Selector.stream("accounts") & Parameter.subject("account_id")),
            built("summary"),
        )
        fill(database, count, lambda number: f"account-{number % sizes.bindings}")
        start = time.process_time()
        report = database.rebuild_state_view("summary", 1)
        taken = time.process_time() - start
        assert not report.failures
        assert report.progress.events == count
        yield Row(
            "D",
            f"{sizes.bindings:,} bindings of 10 events folded / {FOLDED_PER_SECOND:,} events a second",
            count / taken / FOLDED_PER_SECOND,
            f"{count / taken:,.0f} events/s, {taken:.2f} s",
        )


def commands(sizes: Sizes) -> Iterator[Row]:
    """Durable commands one after the other: decided by a component, and not decided at all."""
    with opened() as database:
        database.publish_state_change(
            StateChangeDefinition(StateChangeName("open")), built("opening")
        )
        decided = [_clock(partial(_open, database, n)) for n in range(sizes.commands)]
        appended = [_clock(partial(_append, database, n)) for n in range(sizes.commands)]
    slow, fast = _median(decided) * 1e3, _median(appended) * 1e3
    p99 = sorted(decided)[int(len(decided) * 0.99)] * 1e3
    speed = len(decided) / sum(decided)
    yield Row(
        "E",
        f"durable command decided by a component / {WITH_COMPONENT_MS:g} ms",
        slow / WITH_COMPONENT_MS,
        f"p50 {slow:.2f} ms, p99 {p99:.2f} ms, {speed:,.0f} commands/s",
        at_most(1),
    )
    yield Row(
        "F",
        f"durable append / {WITHOUT_MS:g} ms",
        fast / WITHOUT_MS,
        f"p50 {fast:.2f} ms",
        at_most(1),
    )


def _open(database: Database, number: int) -> None:
    database.execute("open", None, CommandRequest.json({"id": f"c-{number}"}))


def _append(database: Database, number: int) -> None:
    database.transact([deposit(number, "ann")])


def _clock(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _median(values: list[float]) -> float:
    return statistics.median(values)


def growth(sizes: Sizes) -> Iterator[Row]:
    """The same in a large database and in a small one."""
    what = f"at {sizes.large:,} / at {SMALL:,} events"
    with opened() as large, opened() as small:
        for database, count in ((large, sizes.large), (small, SMALL)):
            database.publish_state_view(
                summary(SelectorTemplate.of(Selector.stream("accounts"))), built("summary")
            )
            database.publish_state_change(
                StateChangeDefinition(StateChangeName("open")), built("opening")
            )
            fill(database, count, lambda number: f"account-{number % 100}")
            database.latest().at_revision(1).view_state("summary", 1)
        few = [_folded(small) for _ in range(10)]
        one, other = sizes.large / _folded(large), SMALL / _median(few)
        yield _grown("I", f"folded cold by a component: {what}", one, other, "events/s")
        taken: dict[Database, list[float]] = {large: [], small: []}
        for number in range(sizes.commands):
            for database, times in taken.items():
                times.append(_clock(partial(_open, database, number)))
        one, other = 1 / _median(taken[large]), 1 / _median(taken[small])
        yield _grown(
            "J", f"decided by a component, at the median: {what}", one, other, "commands/s"
        )


def _folded(database: Database) -> float:
    database.drop_snapshots()
    return seconds(lambda: database.latest().view_state("summary", 1))


def _grown(item: str, what: str, one: float, other: float, unit: str) -> Row:
    return Row(item, what, one / other, f"{one:,.0f} / {other:,.0f} {unit}", at_least(0.8))


def rows(sizes: Sizes | None = None) -> Iterator[Row]:
    """Everything."""
    chosen = sizes or Sizes()
    parts = {
        f"one view of {chosen.events:,} events": folding,
        f"{chosen.bindings:,} bindings": bindings,
        f"{chosen.commands:,} commands": commands,
        f"a database of {chosen.large:,} events": growth,
    }
    for what, part in parts.items():
        yield from watched("G", what, part(chosen))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.database", description=__doc__)
    for size in fields(Sizes):
        parser.add_argument(f"--{size.name}", type=int, default=size.default)
    sizes = Sizes(**vars(parser.parse_args()))
    print(f"{machine()}\n")
    for line in lines(rows(sizes)):
        print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
