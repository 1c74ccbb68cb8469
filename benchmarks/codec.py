"""What it costs to carry values to a component and back, and what the guest adds.

    python -m benchmarks.codec

The same calls by wasmtime-py's own conversion (*stock*), by the contract with the packed codec, and by
the lane. The *host* part of a call is our Python and the C API that it uses; the *inside* is wasmtime
and the guest, from the moment a call is handed over until it comes back. Times are those of the
processor, so that whatever else a machine does counts less. The events have five attributes each
(subject, time, datacontenttype, sequence, recordedtime) and a small JSON payload.

The components are built and compiled in the first run, which takes a minute; stock then takes another.
"""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any

from wasmtime import _ffi

from benchmarks.parts import CONTEXT, METADATA, RECORDED, Holding, built, some_events
from benchmarks.table import Row, at_least, at_most, lines
from evidentsource_core import Command, Event
from evidentsource_core.domain.state_view import RenderedStateView
from evidentsource_runtime.host import Fold, Host, Limits, StateViewComponent
from evidentsource_runtime.host.convert.choice import VARIABLE
from evidentsource_runtime.host.convert.lane import Step
from evidentsource_runtime.host.instances import Instance, Template

CODECS = ("packed", "stock")
BINDINGS = 1_000
CONTENT_MS = 50
EVENTS_OF_BINDING = 10
PATIENT = Limits(time_seconds=600)
"""On a busy machine, a stock call of 5,000 events takes more than a component may by default."""

SIZES = ((1, 51), (100, 21), (5_000, 7))
"""How many events, and how often."""

Use = Callable[[Instance], Any]
Costs = Sequence["Cost"]
"""One call of an instance."""


@dataclass(frozen=True)
class Cost:
    """Seconds of one call."""

    total: float
    inside: float

    @property
    def host(self) -> float:
        return self.total - self.inside


class Inside:
    """Counts the seconds that calls spend inside wasmtime."""

    def __init__(self) -> None:
        self.seconds = 0.0

    @contextmanager
    def counting(self) -> Iterator[None]:
        call = _ffi.wasmtime_component_func_call

        def timed(*arguments: Any) -> Any:
            start = time.thread_time()
            answer = call(*arguments)
            self.seconds += time.thread_time() - start
            return answer

        _ffi.wasmtime_component_func_call = timed  # type: ignore[assignment]  # of the same form
        try:
            yield
        finally:
            _ffi.wasmtime_component_func_call = call


def loaded(module: str) -> dict[str, Any]:
    """The component of a module, with each of the codecs."""
    path = built(module)
    made: dict[str, Any] = {}
    for codec in CODECS:
        os.environ[VARIABLE] = codec
        made[codec] = Host(limits=PATIENT).load(path)
    del os.environ[VARIABLE]
    return made


def measure(template: Template, use: Use, runs: int) -> Cost:
    """The median of some calls of one instance, the first one left out."""
    (costs,) = in_turns([(template, use)], runs)
    return middle(costs)


def in_turns(items: Sequence[tuple[Template, Use]], runs: int) -> list[list[Cost]]:
    """What calls of one instance each cost, round by round, the first round left out.

    They take turns, since a machine that others share is twice as fast in one moment as in another;
    whoever compares two of them compares round by round.
    """
    inside = Inside()
    costs: list[list[Cost]] = [[] for _ in items]
    with ExitStack() as stack:
        instances = [stack.enter_context(template.first()) for template, _ in items]
        stack.enter_context(inside.counting())
        for _ in range(runs + 1):
            for instance, (_, use), found in zip(instances, items, costs, strict=True):
                gc.collect()
                inside.seconds = 0.0
                start = time.thread_time()
                use(instance)
                found.append(Cost(time.thread_time() - start, inside.seconds))
    return [found[1:] for found in costs]


def middle(costs: Sequence[Cost]) -> Cost:
    """The median, by the whole time."""
    return sorted(costs, key=lambda cost: cost.total)[len(costs) // 2]


def times(many: Sequence[float], one: Sequence[float]) -> float:
    """How many times as long, the median of the rounds."""
    return median(longer / shorter for longer, shorter in zip(many, one, strict=True))


def by_contract(content: bytes | None, events: list[Event]) -> Use:
    view = RenderedStateView(CONTEXT, content, 0, RECORDED)
    return lambda instance: instance.call(
        lambda codec, store, func: codec.evolve(store, func, view, events, 0)
    )


def by_lane(component: StateViewComponent, events: list[Event]) -> Use:
    step = Step(RenderedStateView(CONTEXT, None, 0, RECORDED), events)
    return lambda instance: component._folding.fold(instance, step)


def us(seconds: float, count: int) -> str:
    return f"{seconds / count * 1e6:,.1f}"


def rows() -> Iterator[Row]:
    yield from folds()
    yield from many()
    yield from contents()
    yield from decisions()


def folds() -> Iterator[Row]:
    ours, by_hand = loaded("summary"), loaded("by_hand")
    for count, runs in SIZES:
        events, large = some_events(count), count == 5_000
        use = by_contract(None, events)
        template = ours["packed"]._template
        rounds = in_turns(
            [
                (ours["stock"]._template, use),
                (template, use),
                (template, by_lane(ours["packed"], events)),
                (by_hand["packed"]._template, use),
            ],
            runs,
        )
        yield from compared(count, *rounds, large=large)


def compared(
    count: int, stock: Costs, contract: Costs, lane: Costs, hand: Costs, *, large: bool
) -> Iterator[Row]:
    for name, costs, least in (("contract", contract, 20), ("lane", lane, 50)):
        cost = middle(costs)
        figures = (
            f"{us(middle(stock).total, count)} and {us(cost.total, count)} us an event, "
            f"{count / cost.total:,.0f} events a second"
        )
        target = at_least(least) if large else None
        what = f"{count:,} events, stock / by the {name}"
        ratio = times([each.total for each in stock], [each.total for each in costs])
        yield Row("a", what, ratio, figures, target)
    for name, costs in (("contract", contract), ("lane", lane)):
        cost = middle(costs)
        figures = f"{us(cost.host, count)} and {us(cost.inside, count)} us an event"
        target = at_most(0.5) if large else None
        what = f"{count:,} events by the {name}, host / inside"
        yield Row("b", what, cost.host / cost.inside, figures, target)
    figures = (
        f"{us(middle(contract).inside, count)} and {us(middle(hand).inside, count)} us an event"
    )
    what = f"{count:,} events, StateViewBase / by hand, inside"
    ratio = times([each.inside for each in contract], [each.inside for each in hand])
    yield Row("c", what, ratio, figures, at_most(1.2) if large else None)


def many() -> Iterator[Row]:
    view = loaded("summary")["packed"]
    folds = [Fold(None, some_events(EVENTS_OF_BINDING)) for _ in range(BINDINGS)]

    def alone() -> None:
        for fold in folds:
            view.evolve(fold.content, fold.events, CONTEXT)

    apart, together = seconds(alone), seconds(lambda: list(view.evolve_many(folds, CONTEXT)))
    figures = f"{us(apart, BINDINGS)} and {us(together, BINDINGS)} us a content"
    what = f"{BINDINGS:,} contents of {EVENTS_OF_BINDING} events, each alone / evolve_many"
    yield Row("a", what, apart / together, figures)


def seconds(work: Callable[[], object]) -> float:
    work()
    start = time.thread_time()
    work()
    return time.thread_time() - start


def contents() -> Iterator[Row]:
    views = loaded("blob")
    for size, runs in ((1_000, 51), (100_000, 21), (2 * 1024 * 1024, 5)):
        use = by_contract(bytes(range(256)) * (size // 256), [])
        packed = measure(views["packed"]._template, use, runs)
        stock = measure(views["stock"]._template, use, 1 if size > 10_000 else 5)
        figures = (
            f"host {stock.host * 1e3:,.1f} and {packed.host * 1e3:,.2f} ms, "
            f"inside {packed.inside * 1e3:,.1f} ms"
        )
        what = f"content of {size:,} bytes, stock / by the contract"
        yield Row("f", what, stock.total / packed.total, figures)
    what = f"content of {size:,} bytes, time of the host / {CONTENT_MS} ms"
    taken = packed.host * 1e3
    yield Row("f", what, taken / CONTENT_MS, f"{taken:,.2f} ms", at_most(1))


def decisions() -> Iterator[Row]:
    changes = loaded("lookup")
    database = Holding(some_events(1_000))
    command = Command(b"{}")

    def decide(instance: Instance) -> Any:
        return instance.call(
            lambda codec, store, func: codec.decide(store, func, database, command, METADATA)
        )

    packed = measure(changes["packed"]._template, decide, 5)
    stock = measure(changes["stock"]._template, decide, 1)
    figures = f"{stock.total * 1e3:,.0f} and {packed.total * 1e3:,.1f} ms"
    yield Row(
        "g",
        "decide, two queries of 1,000 events and a view, stock / ours",
        stock.total / packed.total,
        figures,
    )


if __name__ == "__main__":
    for line in lines(rows()):
        print(line, flush=True)
