"""Counts what the standard view and a decision cost inside of a component, in wasmtime's fuel.

Fuel goes up by one for about every instruction, and repeats exactly where times do not. Prints the
count; ``--record`` writes it down for ``tests/component/host/test_guest_cost.py``::

    python -m tests.tools.guest_cost --record
"""
# ruff: noqa: T201 - telling what was counted is what it does

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from unittest.mock import patch

from wasmtime import Store

from benchmarks.parts import CONTEXT, HERE, METADATA, RECORDED, Holding, some_events
from evidentsource_core import Command
from evidentsource_core.domain.state_view import RenderedStateView
from evidentsource_runtime.build import build
from evidentsource_runtime.host import Host, StateChangeComponent, StateViewComponent
from evidentsource_runtime.host.convert.lane import Step
from evidentsource_runtime.host.engine import SETTINGS
from evidentsource_runtime.host.instances import Instance
from evidentsource_runtime.host.limits import Limits

RECORD = Path(__file__).parents[1] / "data" / "guest_cost.json"
STANDARD = HERE / "components" / "summary.py"
DECISION = HERE / "components" / "opening.py"
BATCH = 200
PLENTY = 1 << 60
COUNTING = {"consume_fuel": True, "cranelift_opt_level": "none"}
"""Fuel is counted before anything is optimised, and what is not optimised is compiled sooner."""


@contextmanager
def fuelled() -> Iterator[None]:
    """Engines count fuel, and stores have plenty of it."""
    apply = Limits.apply

    def with_fuel(limits: Limits, store: Store) -> None:
        apply(limits, store)
        store.set_fuel(PLENTY)

    with patch.dict(SETTINGS, COUNTING), patch.object(Limits, "apply", with_fuel):
        yield


def count(*, reproducible: bool = False) -> dict[str, dict[str, int]]:
    """Fuel of the standard view by each way: of one event more, and of a call without any.

    Args:
        reproducible: whether to count in a filled base component, which need not be built.
    """
    counted: dict[str, dict[str, int]] = {}
    with fuelled(), tempfile.TemporaryDirectory(prefix="evidentsource-cost-") as name:
        path = Path(name) / "summary.wasm"
        build(STANDARD, output=path, reproducible=reproducible)
        for way in ("contract", "lane"):
            component = Host(lane=way == "lane").load(path)
            assert isinstance(component, StateViewComponent)
            assert component.uses_lane == (way == "lane")
            with component._template.instance() as instance:
                calls = (_call(component, instance, events) for events in (0, BATCH, 2 * BATCH))
                empty, some, more = calls
            counted[way] = {"call": empty, "event": (more - some) // BATCH}
    return counted


def count_decision() -> int:
    """Fuel of a decision: the first call of an instance that a build has prepared, as each one is."""
    with fuelled(), tempfile.TemporaryDirectory(prefix="evidentsource-cost-") as name:
        path = Path(name) / "opening.wasm"
        build(DECISION, output=path)
        component = Host().load(path)
        assert isinstance(component, StateChangeComponent)
        with component._template.instance() as instance:
            store = instance._store
            before = store.get_fuel()
            with patch.object(component._template, "used_once", lambda: nullcontext(instance)):
                component.decide(Holding([]), Command(b'{"id": "a-1"}'), METADATA)
            return before - store.get_fuel()


def _call(component: StateViewComponent, instance: Instance, events: int) -> int:
    """Fuel of the second of two equal calls: the first one also sets things up."""
    view = RenderedStateView(CONTEXT, b'{"balance": 1, "transaction_count": 1}', 0, RECORDED)
    step = Step(view, some_events(events))
    store = instance._store
    for _ in range(2):
        before = store.get_fuel()
        component._folding.fold(instance, step)
    return before - store.get_fuel()


def main() -> int:
    """Count, and say it or write it down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--record", action="store_true", help=f"write {RECORD.name}")
    counted = {**count(), "decision": {"first": count_decision()}}
    print(json.dumps(counted, indent=2))
    if parser.parse_args().record:
        RECORD.write_text(json.dumps(counted, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
