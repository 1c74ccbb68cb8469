"""What several benchmarks measure with: the standard events, and the components of ``components/``."""

from __future__ import annotations

import json
from pathlib import Path

from evidentsource_core import (
    DatabaseName,
    Event,
    Revision,
    StateChangeMetadata,
    StateView,
    StateViewContext,
    StateViewName,
    StateViewVersion,
)
from evidentsource_core.times import from_parts
from evidentsource_runtime.build import build
from evidentsource_runtime.host import Host, StateChangeComponent, StateViewComponent

HERE = Path(__file__).parent
RECORDED = from_parts(1_700_000_000, 5_000)
CONTEXT = StateViewContext("bank", "summary", 1, 10, RECORDED, "application/json")
METADATA = StateChangeMetadata("lookup", 1, 0, RECORDED)


def some_events(count: int) -> list[Event]:
    """Events with five attributes each and a small JSON payload."""
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


VIEW = StateView(
    DatabaseName("bank"),
    StateViewName("summary"),
    StateViewVersion(1),
    last_modified_revision=Revision(10),
    last_modified_timestamp=RECORDED,
    content=b'{"balance": 1, "transaction_count": 1}',
)


class Holding:
    """A database of these events, and of one view."""

    revision = 10
    revision_timestamp = RECORDED

    def __init__(self, events: list[Event]) -> None:
        self._events = events

    def query_events(self, _selector: object) -> list[Event]:
        return self._events

    def view_state(self, _name: str, _version: int, _parameters: object) -> StateView:
        return VIEW


def built(module: str) -> Path:
    """The component of a module, built once."""
    path = HERE / "dist" / f"{module}.wasm"
    path.parent.mkdir(exist_ok=True)
    build(HERE / "components" / f"{module}.py", output=path)
    return path


def view(module: str) -> StateViewComponent:
    component = Host().load(built(module))
    assert isinstance(component, StateViewComponent)
    return component


def change(module: str) -> StateChangeComponent:
    component = Host().load(built(module))
    assert isinstance(component, StateChangeComponent)
    return component
