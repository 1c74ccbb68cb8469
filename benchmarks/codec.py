"""What it costs to carry values to a component and back: the packed codec against wasmtime-py's own.

    python -m benchmarks.codec

Prints a table with the ratios first, and beside them the targets they are held to. The *host* part of
a call is our Python and the C API that it uses; the *inside* is wasmtime and the guest, from the
moment a call is handed over until it comes back. Times are those of the processor, so that whatever
else a machine does counts less. The events have five attributes each (subject, time,
datacontenttype, sequence, recordedtime) and a small JSON payload.

The components are built and compiled in the first run, which takes a minute; stock then takes another.
"""

from __future__ import annotations

import gc
import json
import os
import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from wasmtime import _ffi

from evidentsource_core import Command, Event, StateChangeMetadata, StateViewContext
from evidentsource_core.domain.state_view import RenderedStateView
from evidentsource_core.times import from_parts
from evidentsource_runtime.build import build
from evidentsource_runtime.host import Host
from evidentsource_runtime.host.convert.choice import VARIABLE
from evidentsource_runtime.host.convert.packed.check import find_fault
from evidentsource_runtime.host.instances import Instance, Template

HERE = Path(__file__).parent
RECORDED = from_parts(1_700_000_000, 5_000)
CONTEXT = StateViewContext("bank", "summary", 1, 10, RECORDED, "application/json")
METADATA = StateChangeMetadata("lookup", 1, 0, RECORDED)
CODECS = ("packed", "stock")


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


def templates(module: str) -> dict[str, Template]:
    """The component of a module, with each of the codecs."""
    path = HERE / "dist" / f"{module}.wasm"
    path.parent.mkdir(exist_ok=True)
    build(HERE / "components" / f"{module}.py", output=path)
    made: dict[str, Template] = {}
    for codec in CODECS:
        os.environ[VARIABLE] = codec
        made[codec] = Host().load(path)._template
    return made


def measure(template: Template, use: Callable[..., Any], runs: int) -> Cost:
    """The median of some calls of one instance, the first one left out."""
    inside = Inside()
    costs: list[Cost] = []
    with Instance(template) as instance, inside.counting():
        for _ in range(runs + 1):
            gc.collect()
            inside.seconds = 0.0
            start = time.thread_time()
            instance.call(use)
            costs.append(Cost(time.thread_time() - start, inside.seconds))
    return sorted(costs[1:], key=lambda cost: cost.total)[runs // 2]


def folding(content: bytes | None, events: list[Event]) -> Callable[..., Any]:
    view = RenderedStateView(CONTEXT, content, 0, RECORDED)
    return lambda codec, store, func: codec.evolve(store, func, view, events, 0)


def some_events(count: int) -> list[Event]:
    return [
        Event(
            id=f"e-{n}",
            source="https://host.example/db/bank/streams/accounts",
            event_type="account.credited",
            subject=f"account-{n % 100}",
            data=json.dumps({"account_id": f"account-{n % 100}", "amount": n}),
            time=from_parts(1_700_000_000 + n, 5_000),
            datacontenttype="application/json",
            extensions={"sequence": f"{n:020d}", "recordedtime": "2024-01-01T00:00:00.000000Z"},
        )
        for n in range(count)
    ]


def report(name: str, ratio: float, target: str, note: str) -> None:
    print(f"{name:<52}{ratio:>8.2f}x  {target:<12}{note}")


def folds() -> None:
    for module, words in (("by_hand", "view by hand"), ("summary", "StateViewBase")):
        views = templates(module)
        for count, runs in ((1, 51), (100, 21), (5_000, 5)):
            use = folding(None, some_events(count))
            packed = measure(views["packed"], use, runs)
            stock = measure(views["stock"], use, 1 if count > 1_000 else 5)
            many = count == 5_000
            report(
                f"{words}, {count:,} events: stock / packed",
                stock.total / packed.total,
                ">= 20x" if many else "",
                f"{stock.total / count * 1e6:,.0f} -> {packed.total / count * 1e6:,.1f} us an event",
            )
            report(
                "  host / inside, packed",
                packed.host / packed.inside,
                "<= 0.5x" if many else "",
                f"{packed.host / count * 1e6:,.1f} and {packed.inside / count * 1e6:,.1f} us an event",
            )


def contents() -> None:
    views = templates("blob")
    for size, runs in ((1_000, 51), (100_000, 21), (2 * 1024 * 1024, 5)):
        use = folding(bytes(range(256)) * (size // 256), [])
        packed = measure(views["packed"], use, runs)
        stock = measure(views["stock"], use, 1 if size > 10_000 else 5)
        report(
            f"content of {size:,} bytes: stock / packed",
            stock.total / packed.total,
            "",
            f"host {stock.host * 1e3:,.1f} -> {packed.host * 1e3:,.2f} ms"
            + (" (< 50)" if size > 1_000_000 else "")
            + f", inside {packed.inside * 1e3:,.1f} ms",
        )


class Holding:
    """A database of these events."""

    def __init__(self, events: list[Event]) -> None:
        self._events = events

    def query_events(self, _selector: object) -> list[Event]:
        return self._events


def decisions() -> None:
    changes = templates("lookup")
    database = Holding(some_events(1_000))
    command = Command(b"{}")

    def decide(codec: Any, store: Any, func: Any) -> Any:
        return codec.decide(store, func, database, command, METADATA)

    packed = measure(changes["packed"], decide, 5)
    stock = measure(changes["stock"], decide, 1)
    report(
        "decide, two queries of 1,000: stock / packed",
        stock.total / packed.total,
        "",
        f"{stock.total * 1e3:,.0f} -> {packed.total * 1e3:,.1f} ms",
    )


def main() -> None:
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(f"{machine}, wasmtime {version('wasmtime')}; medians of processor time")
    start = time.thread_time()
    fault = find_fault()
    print(f"self-check: {fault or 'passed'}, {(time.thread_time() - start) * 1e3:.0f} ms\n")
    folds()
    contents()
    decisions()


if __name__ == "__main__":
    main()
