"""The database with components: from source in the sandbox, and as bytes in its own file."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import evidentsource_runtime
from evidentsource_core import (
    CommandRequest,
    Parameter,
    ProspectiveEvent,
    Selector,
    StateChangeDefinition,
    StateChangeName,
    StateViewDefinition,
    StateViewName,
)
from evidentsource_functions import StateChangeError
from evidentsource_runtime.contract import DatabaseUnderTest
from evidentsource_runtime.contract.programs import SEEN
from evidentsource_runtime.contract.suite import DatabaseFixtures
from evidentsource_runtime.contract.viewing import Views
from evidentsource_runtime.database import CodeNotAttached, Database, StateViewFailed
from evidentsource_runtime.host import (
    ComponentError,
    ComponentLimitError,
    ComponentLoadError,
    ComponentTrap,
    Host,
    Limits,
)
from tests.component.host.hostile import state_change
from tests.unit.database.driver import DatabaseDriver

pytestmark = pytest.mark.component

VIEW = """
import sys
from dataclasses import dataclass, field

from evidentsource_functions import StateViewBase
from evidentsource_functions.wasm import StateViewAdapter


@dataclass
class Ill(StateViewBase):
    ids: list[str] = field(default_factory=list)

    def evolve_event(self, event):
        if event.event_type == "loops":
            while True:
                pass
        if event.event_type == "allocates":
            self.ids = bytearray(200_000_000)
        if event.event_type == "exits":
            sys.exit(3)
        if event.event_type == "fails":
            raise ValueError(event.id)
        self.ids.append(event.id)


class WitWorld(StateViewAdapter):
    state_view_type = Ill
"""
CHANGE = """
import sys

from evidentsource_functions import ProspectiveEvent
from evidentsource_functions.wasm import StateChangeAdapter


def decide(db, command, metadata):
    what = command["what"]
    if what == "loops":
        while True:
            db.query_events
    if what == "allocates":
        return bytearray(200_000_000)
    if what == "fails":
        raise ValueError("told to")
    if what == "reads":
        db.view_state("ill", 1)
    return [ProspectiveEvent(command["id"], "accounts", "said")]


class WitWorld(StateChangeAdapter):
    command_type = dict
    decide_func = decide
"""
ILL = StateViewDefinition(StateViewName("ill"), Selector.stream("accounts"))  # type: ignore[arg-type]  # becomes a template
MANIFEST = """
[tool.evidentsource]
database = "bank"

[tool.evidentsource.state-views.ill]
module = "ill_view"
selector = { stream = "accounts" }

[tool.evidentsource.state-changes.says]
module = "ill_change"
"""
SAYS = StateChangeDefinition(StateChangeName("says"))


@pytest.fixture(scope="module")
def host() -> Host:
    return Host()


@pytest.fixture(scope="module")
def programs(host: Host, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("programs")
    (folder / "ill_view.py").write_text(VIEW)
    (folder / "ill_change.py").write_text(CHANGE)
    hasty = Limits(time_seconds=1)
    return {
        "view": host.load_source("ill_view", directory=folder),
        "change": host.load_source("ill_change", directory=folder),
        "hasty view": host.load_source("ill_view", directory=folder, limits=hasty),
        "hasty change": host.load_source("ill_change", directory=folder, limits=hasty),
    }


@pytest.fixture
def bank(
    request: pytest.FixtureRequest, tmp_path: Path, host: Host, programs: dict[str, Any]
) -> Iterator[Database]:
    parameters = getattr(request.node, "callspec", None)
    # Who loops is soon ended; everybody else has the time that a busy machine takes.
    how = "hasty " if parameters and "loops" in parameters.params.values() else ""
    with evidentsource_runtime.open(tmp_path / "bank.db", host=host) as database:
        database.publish_state_view(ILL, programs[f"{how}view"])
        database.publish_state_change(SAYS, programs[f"{how}change"])
        yield database


def event(event_id: str, event_type: str = "fine") -> ProspectiveEvent:
    return ProspectiveEvent(event_id, "accounts", event_type)


def say(what: str, event_id: str = "said") -> CommandRequest:
    return CommandRequest.json({"what": what, "id": event_id})


def ids(bank: Database, revision: int) -> list[str] | None:
    view = bank.at_revision(revision).view_state("ill", 1)
    return None if view is None else view.json()["ids"]


@pytest.mark.parametrize(
    ("event_type", "cause"),
    [
        ("fails", ComponentTrap),
        ("exits", ComponentTrap),
        ("loops", ComponentLimitError),
        ("allocates", ComponentError),
    ],
)
def test_a_view_that_fails_on_an_event_harms_nothing(
    bank: Database, event_type: str, cause: type[Exception]
) -> None:
    bank.transact([event("1"), event("2"), event("bad", event_type), event("4")])
    with pytest.raises(StateViewFailed, match="'bad'") as caught:
        bank.latest().view_state("ill", 1)
    assert isinstance(caught.value.__cause__, cause)
    assert caught.value.revision == 3
    assert ids(bank, 2) == ["1", "2"]
    assert bank.transact([event("5")]).revision == 5
    if event_type == "fails":
        with pytest.raises(StateChangeError, match=r"State view failed.*'bad'"):
            bank.execute("says", None, say("reads"))


@pytest.mark.parametrize(
    ("what", "error"),
    [
        ("fails", StateChangeError),
        ("loops", ComponentLimitError),
        ("allocates", ComponentLimitError),
    ],
)
def test_a_decision_that_fails_writes_nothing_and_leaves_its_id_free(
    bank: Database, what: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        bank.execute("says", None, say(what), transaction_id="t-1")
    assert (bank.latest().revision, bank.trace("t-1")) == (0, None)
    assert bank.execute("says", None, say("fine"), transaction_id="t-1").revision == 1


def test_many_bindings_are_folded_in_few_calls_and_one_that_fails_stops_no_other(
    bank: Database, programs: dict[str, Any]
) -> None:
    selector = Selector.stream("accounts") & Parameter.subject("who")
    bank.publish_state_view(StateViewDefinition(StateViewName("each"), selector), programs["view"])
    for number in range(30):
        kind = "fails" if number == 17 else "fine"
        bank.transact([ProspectiveEvent(f"e-{number}", "accounts", kind, f"account-{number}")])
    report = bank.rebuild_state_view("each", 1)
    assert (report.progress.done, report.progress.events) == (30, 29)
    (failed,) = report.failures.values()
    assert failed.revision == 18
    view = bank.latest().view_state("each", 1, {"who": "account-29"})
    assert view is not None
    assert view.json() == {"ids": ["e-29"]}


# --- the contract, in the sandbox --------------------------------------------------------------------


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Any:
    # By itself: in its package it would bring the whole contract along.
    folder = tmp_path_factory.mktemp("contract")
    shutil.copy(SEEN.path, folder)
    return Host().load_source(SEEN.path.stem, directory=folder)


class TestViewsInTheSandbox(DatabaseFixtures, Views):
    @pytest.fixture
    def new_database(
        self, tmp_path: Path, seen: Any, monkeypatch: pytest.MonkeyPatch
    ) -> Callable[[], DatabaseUnderTest]:
        monkeypatch.setattr(DatabaseDriver, "view_code", lambda _driver, _program: seen)
        return lambda: DatabaseDriver(tmp_path / "bank.db")


# --- bytes in the file -------------------------------------------------------------------------------


def test_a_component_is_in_the_file_and_runs_after_a_restart(tmp_path: Path) -> None:
    component = state_change()
    with evidentsource_runtime.open(tmp_path / "bank.db") as bank:
        bank.publish_state_change(SAYS, component)
        assert bank.publish_state_change(SAYS, component, if_changed=True).version == 1
        assert bank.publish_state_change(SAYS, component).version == 2
        (first, second) = bank.state_changes()
        assert first.origin == second.origin
        assert (first.origin.kind, len(first.origin.digest)) == ("component", 64)
    assert (tmp_path / "bank.db").stat().st_size < 300_000, "its bytes are there once"
    with (
        evidentsource_runtime.open(tmp_path / "bank.db") as bank,
        pytest.raises(StateChangeError, match="bank"),
    ):
        bank.execute("says", 1, say("fine"))


def test_bytes_that_are_no_component_are_refused(tmp_path: Path) -> None:
    with evidentsource_runtime.open(tmp_path / "bank.db") as bank:
        with pytest.raises(ComponentLoadError):
            bank.publish_state_change(SAYS, b"no component")
        assert bank.state_changes() == []


def test_a_project_is_published_from_source(
    tmp_path: Path, host: Host, programs: dict[str, Any]
) -> None:
    (tmp_path / "ill_view.py").write_text(VIEW)
    (tmp_path / "ill_change.py").write_text(CHANGE)
    (tmp_path / "pyproject.toml").write_text(MANIFEST)
    with evidentsource_runtime.open(tmp_path / "bank.db", host=host) as bank:
        published = bank.publish_project(tmp_path, source=True)
        assert [(str(each.name), each.version) for each in published] == [("ill", 1), ("says", 1)]
        bank.execute("says", None, say("fine"), transaction_id="t-1")
        trace = bank.trace("t-1")
        assert trace is not None
        assert trace.origin is not None
        assert (trace.origin.kind, trace.origin.name) == ("attached", "says")
        assert trace.origin.input_hash
    with evidentsource_runtime.open(tmp_path / "bank.db", host=host) as bank:
        with pytest.raises(CodeNotAttached, match="publish it with if_changed=True"):
            bank.latest().view_state("ill", 1)
        again = bank.publish_project(tmp_path / "pyproject.toml", source=True)
        assert [each.version for each in again] == [1, 1]
        assert ids(bank, 1) == ["said"]
