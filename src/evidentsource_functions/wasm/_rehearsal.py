"""A rehearsal at the end of a build: what every first call would do again is done once.

Each decision runs in an instance of its own, and so is always a first call: the interpreter's caches
are empty, its bytecode is not specialised, annotations are not resolved. A component is a picture of
the memory at the end of its build, so what was called there stays warm. No code of the user runs: the
rule and the view are this module's own, and so is the database.
"""

from __future__ import annotations

import inspect
from contextlib import suppress
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from evidentsource_core.domain.constraints import Constraint
from evidentsource_core.domain.events import Event, ProspectiveEvent
from evidentsource_core.domain.selectors import Selector
from evidentsource_core.domain.state_change import StateChangeMetadata
from evidentsource_core.times import EPOCH
from evidentsource_functions.errors import InvalidDefinition, StateChangeError
from evidentsource_functions.lane import encode_batch
from evidentsource_functions.state_change import DatabaseAccess, DecideResult
from evidentsource_functions.state_view import StateViewBase
from evidentsource_functions.structure import resolve_hints
from evidentsource_functions.wasm import _bindings
from evidentsource_functions.wasm.adapters import StateChangeAdapter, StateViewAdapter

TIMES = 12
"""How often: the interpreter specialises bytecode after some calls."""

_JSON = "application/json"
_MOMENT = SimpleNamespace(seconds=0, nanoseconds=0)
_CONTEXT = SimpleNamespace(
    database="rehearsal",
    name="count",
    version=1,
    database_revision=1,
    database_revision_timestamp=_MOMENT,
    content_type=_JSON,
    content_schema=None,
)
_HEADER = (
    '{"database":"rehearsal","name":"count","version":1,"revision":1,"timestamp":[0,0],'
    '"content_type":"application/json","content_schema":null,"source":"https://host/",'
    '"modified":[[0,0,0]],"counts":[null]}'
)
_EVENTS = [
    Event(
        id="e-1",
        source="https://host/db/rehearsal/streams/accounts",
        event_type="account.opened",
        subject="a-1",
        data='{"amount": 1}',
        time=EPOCH,
        datacontenttype=_JSON,
        extensions={"sequence": "1"},
    )
]


@dataclass
class _Open:
    name: str
    amount: int = 0
    note: str | None = None


@dataclass
class _Count(StateViewBase):
    events: int = 0

    def evolve_event(self, event: Event) -> None:
        if event.event_type == "account.opened" and event.data_as_json() and event.subject:
            self.events += 1


class _Change(StateChangeAdapter):
    command_type = _Open

    @staticmethod
    def decide_func(db: DatabaseAccess, command: _Open, _: StateChangeMetadata) -> DecideResult:
        """Ask what most rules ask, and refuse or propose as they do."""
        selected = Selector.stream("accounts") & Selector.subject(command.name)
        db.query_events(selected)
        db.view_state("count", 1)
        if command.amount < 0:
            raise StateChangeError.conflict(f"{db.name} at {db.revision} has {command.name}")
        opened = ProspectiveEvent(
            command.name, "accounts", "account.opened", command.name, '{"amount": 1}'
        )
        return [opened], [Constraint.must_not_exist(selected), Constraint.must_exist(selected)]


class _View(StateViewAdapter):
    state_view_type = _Count


class _Database:
    """What the host's handle looks like from here."""

    def __exit__(self, *_: object) -> None:
        pass

    def name(self) -> str:
        return "rehearsal"

    def revision(self) -> int:
        return 1

    def query_events(self, _query: object) -> list[Any]:
        return []

    def view_state(self, _name: str, _version: int, _parameters: object) -> None:
        return None


def rehearse(world: Any = None) -> None:
    """Call everything that is warm afterwards.

    Args:
        world: the user's ``WitWorld``, of which what every call would make again is made; nothing of
            it is called.
    """
    for _ in range(TIMES):
        _rehearse_views()
        if _bindings.changes is not None:
            _rehearse_changes()
    if isinstance(world, type) and issubclass(world, (StateViewAdapter, StateChangeAdapter)):
        # Where it cannot work, the first call says so, in the words that it has for it.
        with suppress(InvalidDefinition):
            _prepare(world)


def _prepare(world: type[StateViewAdapter | StateChangeAdapter]) -> None:
    if issubclass(world, StateViewAdapter):
        resolve_hints(world.state_view_type)
        constructor: Any = StateViewAdapter.__init__
    else:
        resolve_hints(world.command_type)
        constructor = StateChangeAdapter.__init__
    # What a user's own constructor does belongs to the call.
    if inspect.getattr_static(world, "__init__") is constructor:
        world()


def _rehearse_views() -> None:
    view = _View()
    batch = encode_batch(_EVENTS, "https://host/")
    view.evidentsource_fold_v1(_HEADER, [(None, None)], [batch])
    rendered = SimpleNamespace(
        context=_CONTEXT,
        content=b'{"events": 1}',
        last_modified_revision=1,
        last_modified_timestamp=_MOMENT,
    )
    view.evolve(rendered, [])


def _rehearse_changes() -> None:
    metadata = SimpleNamespace(
        state_change_name="open",
        state_change_version=1,
        last_seen_revision=1,
        command_received_at=_MOMENT,
        command_headers=[],
    )
    for body in (b'{"name": "a-1", "amount": 1}', b'{"name": "a-1", "amount": -1}'):
        command = SimpleNamespace(body=body, content_type=_JSON, content_schema=None)
        try:
            _Change().decide(_Database(), command, metadata)
        except _bindings.Err:
            continue
