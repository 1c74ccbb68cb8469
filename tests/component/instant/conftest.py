"""Programs in folders of their own, loaded from their source."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from evidentsource_core import Event
from evidentsource_core.reference import ReferenceDatabase
from evidentsource_functions import Command, StateChangeMetadata, StateViewContext
from evidentsource_runtime.host import Host, StateChangeComponent, StateViewComponent

MOMENT = datetime(2024, 1, 1, tzinfo=UTC)
CONTEXT = StateViewContext("bank", "view", 1, 1, MOMENT, "application/json")
METADATA = StateChangeMetadata("change", 1, 0, MOMENT, [])

CHANGE = """
from evidentsource_functions import ProspectiveEvent
from evidentsource_functions.wasm import StateChangeAdapter

{top}


def decide(db, command, metadata):
    return [ProspectiveEvent("e", "accounts", "said", data=str({said}))]


class WitWorld(StateChangeAdapter):
    command_type = dict
    decide_func = decide
"""

VIEW = """
from evidentsource_functions import StateViewBase
from evidentsource_functions.wasm import StateViewAdapter

{top}


class Said(StateViewBase):
    def __init__(self, said=""):
        self.said = said

    def evolve_event(self, event):
        self.said += str({said})

    def to_dict(self):
        return {{"said": self.said}}

    @classmethod
    def from_dict(cls, data):
        return cls(data.get("said", ""))


class WitWorld(StateViewAdapter):
    state_view_type = Said
"""

Write = Callable[..., Path]


@pytest.fixture(scope="module")
def host() -> Host:
    return Host()


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write modules into an empty folder, by their paths; the path of the first one."""

    def write_files(files: dict[str, str]) -> Path:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text), encoding="utf-8")
        return tmp_path / next(iter(files))

    return write_files


def said(component: Any) -> str:
    """What the rule of `CHANGE`, or the view of `VIEW` for one event, says."""
    if isinstance(component, StateViewComponent):
        event = Event("e-1", "https://example.com/db/bank/streams/accounts", "done")
        content = component.evolve(None, [event], CONTEXT)
        assert content is not None
        return content.decode()
    assert isinstance(component, StateChangeComponent)
    database = ReferenceDatabase("bank", created_at=MOMENT).latest()
    events, _ = component.decide(database, Command(b"{}"), METADATA)
    assert events[0].data is not None
    return str(events[0].data.data)
