"""The guard around a level: scenarios fail where a rule depends on what differs elsewhere."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from evidentsource_functions.testing import ANYTHING, Scenarios, command, event, use_level
from evidentsource_runtime.testing.guard import NotDeterministic
from evidentsource_runtime.testing.guard.rules import guarded
from evidentsource_runtime.testing.projects import project_scenarios

_MODULE = """
import json, random
from dataclasses import dataclass, field
from evidentsource_functions import Event, ProspectiveEvent, StateViewBase
from evidentsource_functions.wasm import {adapter}
{code}
"""
_CHANGE = """
@dataclass
class Throw:
    name: str

def decide(db, command: Throw, metadata):
    seen = db.view_state("names", 1)
    if command.name == "die":
        number = random.randint(1, 10**9)
    else:
        number = len(db.query_events(SELECTOR))
    return [ProspectiveEvent(command.name, "throws", "thrown", data=json.dumps({"number": number}))]

class WitWorld(StateChangeAdapter):
    decide_func = decide
"""
_VIEW = """
@dataclass
class Names(StateViewBase):
    names: list[str] = field(default_factory=list)

    def evolve_event(self, event: Event) -> None:
        self.names = list({*self.names, *event.data_as_json().get("names", ())})

class WitWorld(StateViewAdapter):
    state_view_type = Names
"""
_MANIFEST = """
[project]
name = "throws"
version = "1"

[tool.evidentsource]
database = "throws"

[tool.evidentsource.state-changes.throw]
module = "throwing.change"

[tool.evidentsource.state-views.names]
module = "throwing.view"
selector = { stream = "throws" }
"""


@pytest.fixture
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scenarios[object]]:
    (tmp_path / "throwing").mkdir()
    (tmp_path / "throwing" / "__init__.py").touch()
    selector = (
        "from evidentsource_functions import Selector\nSELECTOR = Selector.stream('throws')\n"
    )
    change = _MODULE.format(adapter="StateChangeAdapter", code=selector + _CHANGE)
    view = _MODULE.format(adapter="StateViewAdapter", code=_VIEW)
    (tmp_path / "throwing" / "change.py").write_text(change)
    (tmp_path / "throwing" / "view.py").write_text(view)
    (tmp_path / "pyproject.toml").write_text(_MANIFEST)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield project_scenarios(tmp_path, stream="throws")
    for name in [each for each in sys.modules if each.partition(".")[0] == "throwing"]:
        del sys.modules[name]


def test_a_steady_rule_passes_and_its_database_is_that_of_the_scenario(
    rules: Scenarios[object],
) -> None:
    with use_level(guarded()):
        rules.given(event("thrown", number=0)).when(command("throw", name="coin")).then(
            event("thrown", number=1)
        )


def test_a_scenario_fails_where_its_rule_throws_dice(rules: Scenarios[object]) -> None:
    die = command("throw", name="die")
    before = rules.given(event("thrown", names=["ann"]))
    with use_level(guarded()), pytest.raises(NotDeterministic, match=r"number = random.randint"):
        before.when(die)
    rules.when(die).then(event("thrown", number=ANYTHING))


def test_a_view_that_a_decision_reads_is_guarded_too(rules: Scenarios[object]) -> None:
    names = "ann bob cid dan eve fay gus hal ida joe".split()
    before = rules.given(event("thrown", names=names))
    with use_level(guarded()), pytest.raises(NotDeterministic, match=r"self.names = list\(\{"):
        before.when(command("throw", name="coin"))


def test_a_scenario_fails_where_its_view_keeps_the_order_of_a_set(
    rules: Scenarios[object],
) -> None:
    names = "ann bob cid dan eve fay gus hal ida joe".split()
    given = rules.given(event("thrown", names=names))
    with use_level(guarded()), pytest.raises(NotDeterministic, match=r"self.names = list\(\{"):
        given.then_view({"names": names}, "names")


def test_what_cannot_be_repeated_elsewhere_runs_unguarded_and_that_is_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def note(db: object, command: dict, metadata: object) -> list[object]:  # type: ignore[type-arg]  # a plain dict is the command's type
        return []

    with use_level(guarded()), caplog.at_level(logging.WARNING, "evidentsource.testing"):
        rules = Scenarios("notes").change(note)  # type: ignore[arg-type]  # whatever it returns
        rules.when({}).then_nothing()
    assert [record.message for record in caplog.records if "note gives the same" in record.message]
