"""What a type checker makes of the public API: checked by mypy and by pyright, never run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import assert_type

from evidentsource_core import (
    Constraint,
    Event,
    ProspectiveEvent,
    Selector,
    StringEventData,
)
from evidentsource_functions import (
    Command,
    DatabaseAccess,
    DecideResult,
    StateChangeError,
    StateChangeMetadata,
    StateView,
    StateViewBase,
    StateViewContext,
)
from evidentsource_functions.wasm import StateChangeAdapter, StateViewAdapter
from evidentsource_runtime.artifact import BuildFacts, read_component
from evidentsource_runtime.build import BuildResult, build, build_project
from evidentsource_runtime.host import Host, StateChangeComponent, StateViewComponent


@dataclass
class Balance(StateViewBase):
    total: int = 0

    def evolve_event(self, event: Event) -> None:
        assert_type(event.event_type, str)
        assert_type(event.data_as_string(), str | None)
        self.total += 1


class ViewWorld(StateViewAdapter):
    state_view_type = Balance


@dataclass
class Deposit:
    account_id: str
    amount: int


def decide(db: DatabaseAccess, command: Deposit, metadata: StateChangeMetadata) -> DecideResult:
    assert_type(db.revision, int)
    assert_type(metadata.command_received_at, datetime)
    found = db.view_state("balance", 1, {"account_id": command.account_id})
    assert_type(found, StateView | None)
    assert_type(db.query_events(Selector.stream("accounts")), list[Event])
    if command.amount <= 0:
        raise StateChangeError.validation("amount must be positive")
    event = ProspectiveEvent(
        id="e-1",
        stream="accounts",
        event_type="credited",
        subject=command.account_id,
        data=StringEventData("{}"),
    )
    speculated = db.speculate_with_transaction([event])
    assert_type(speculated.speculated_event_count, int)
    return [event], [Constraint.must_exist(Selector.subject(command.account_id))]


class ChangeWorld(StateChangeAdapter):
    command_type = Deposit
    decide_func = decide


def build_and_run(
    context: StateViewContext, metadata: StateChangeMetadata, db: DatabaseAccess
) -> None:
    built = build("orders.view", output="view.wasm", pure=True, dependencies=["attrs"])
    assert_type(built, BuildResult)
    assert_type(built.path, Path)
    assert_type(build_project().results, dict[str, BuildResult])
    assert_type(read_component(built.path).facts, BuildFacts | None)
    component = Host().load(built.path)
    if isinstance(component, StateViewComponent):
        assert_type(component.evolve(None, [], context), bytes | None)
    else:
        assert_type(component, StateChangeComponent)
        events, _ = component.decide(db, Command(b"{}", "application/json"), metadata)
        assert_type(events, list[ProspectiveEvent])
