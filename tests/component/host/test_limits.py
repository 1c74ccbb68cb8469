"""A Python component over its limits: told so, whatever it catches."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evidentsource_core import Command, Event, StateChangeMetadata
from evidentsource_core.reference import ReferenceDatabase
from evidentsource_core.times import EPOCH
from evidentsource_functions import StateChangeError
from evidentsource_runtime.host import (
    ComponentLimitError,
    Host,
    Limits,
    StateChangeComponent,
    StateViewComponent,
)
from tests.component.host.wire import CONTEXT

pytestmark = [pytest.mark.component, pytest.mark.xdist_group("bases")]

SOURCE = """
import sys

from evidentsource_functions import ProspectiveEvent
from evidentsource_functions.wasm import StateChangeAdapter


def memory():
    kept = []
    while True:
        kept.append(bytes(1_000_000))


def time():
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass


def recursion():
    recursion()


def decide(db, command, metadata):
    if command["do"] == "answer":
        return [ProspectiveEvent(str(n), "accounts", "t") for n in range(command["events"])]
    globals()[command["do"]]()


class WitWorld(StateChangeAdapter):
    command_type = dict
    decide_func = decide
"""


@pytest.fixture(scope="module")
def change(tmp_path_factory: pytest.TempPathFactory) -> StateChangeComponent:
    path: Path = tmp_path_factory.mktemp("program") / "greedy.py"
    path.write_text(SOURCE)
    host = Host(limits=Limits(time_seconds=1, events=5))
    component = host.load_source(path)
    assert isinstance(component, StateChangeComponent)
    return component


def decide(change: StateChangeComponent, **command: object) -> int:
    database = ReferenceDatabase("bank", created_at=EPOCH).latest()
    given = Command.json(json.dumps(command).encode())
    return len(change.decide(database, given, StateChangeMetadata("greedy", 1, 0, EPOCH))[0])


@pytest.mark.parametrize(
    ("command", "limit"),
    [
        ({"do": "memory"}, "memory"),
        ({"do": "time"}, "time"),
        ({"do": "answer", "events": 6}, "decide.events"),
    ],
)
def test_what_takes_too_much_is_told_which_limit_it_met(
    change: StateChangeComponent, command: dict[str, object], limit: str
) -> None:
    with pytest.raises(ComponentLimitError) as caught:
        decide(change, **command)
    assert caught.value.limit == limit
    assert decide(change, do="answer", events=5) == 5


def test_recursion_in_python_is_an_ordinary_exception_there(change: StateChangeComponent) -> None:
    with pytest.raises(StateChangeError, match="RecursionError"):
        decide(change, do="recursion")


VIEW = """
from evidentsource_functions import StateViewBase
from evidentsource_functions.wasm import StateViewAdapter


class Greedy(StateViewBase):
    def evolve_event(self, event):
        kept = []
        while True:
            kept.append(bytes(1_000_000))


class WitWorld(StateViewAdapter):
    state_view_type = Greedy
"""


@pytest.mark.parametrize("lane", [True, False])
def test_a_view_that_has_no_memory_left_is_told_so_by_both_ways(tmp_path: Path, lane: bool) -> None:
    path = tmp_path / "greedy_view.py"
    path.write_text(VIEW)
    view = Host(lane=lane).load_source(path)
    assert isinstance(view, StateViewComponent)
    with pytest.raises(ComponentLimitError) as caught:
        view.evolve(None, [Event("e", "https://host.example", "t")], CONTEXT)
    assert caught.value.limit == "memory"
    assert "event 0 of 1 (id 'e', type 't')" in caught.value.guest_traceback
