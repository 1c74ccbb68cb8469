"""The testing kit's levels on the to-do list, in projects as users have them."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from evidentsource_functions.testing import (
    ChangeRule,
    LevelUnavailable,
    RuleSource,
    Scenarios,
    command,
    event,
)
from evidentsource_runtime.build import BuildError
from evidentsource_runtime.cachedir import cache_root
from evidentsource_runtime.host import StateChangeComponent
from evidentsource_runtime.testing import use_level
from evidentsource_runtime.testing.components import Components
from evidentsource_runtime.testing.projects import project_rules
from tests.unit.functions.testing.kit import Pay, shop
from tests.whole import whole

pytestmark = [pytest.mark.component, pytest.mark.xdist_group("bases")]

TODOS = Path(__file__).parents[3] / "examples" / "todo_list"

TESTS = """
from todos.list_view import TodoList
from todos.add_item import AddItem
from evidentsource_functions.testing import current_level, event
from evidentsource_runtime.testing import project_scenarios

given = project_scenarios(stream="todos").given


def test_a_scenario():
    added = event("item.added", subject="home", item="tea")
    given().when(AddItem("r-1", "home", "tea")).then(added).then_view(
        TodoList(["tea"]), list_id="home"
    )
    given(added).when(AddItem("r-2", "home", "tea")).then_rejected("conflict")


def test_a_database(es_database):
    es_database.submit(AddItem("r-1", "home", "tea"))
    assert es_database.read(TodoList, {"list_id": "home"}) == TodoList(["tea"])


def test_a_component(es_component, es_level):
    component = es_component("todos.add_item", pure=True)
    assert component is es_component("todos.add_item", pure=True)
    assert type(component).__name__ == "StateChangeComponent"
    assert es_level == current_level().name


def test_that_fails():
    given().when(AddItem("r-1", "home", "tea")).then(event("item.added", subject="home", item="milk"))
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    shutil.copytree(TODOS / "todos", tmp_path / "todos")
    shutil.copy(TODOS / "pyproject.toml", tmp_path)
    return tmp_path


Run = Callable[..., pytest.RunResult]


@pytest.fixture
def cache() -> Path:
    """Where built and compiled components are kept, before ``pytester`` makes itself a new home."""
    return cache_root()


@pytest.fixture
def run(
    cache: Path, project: Path, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> Run:
    """Write a file of tests into the project, and run pytest there."""
    monkeypatch.setenv("EVIDENTSOURCE_CACHE_DIR", str(cache))
    monkeypatch.chdir(project)
    monkeypatch.syspath_prepend(project)

    def run_pytest(tests: str, *arguments: str) -> pytest.RunResult:
        (project / "test_todos.py").write_text(tests, encoding="utf-8")
        # Without its faulthandler: on leaving, that takes wasmtime's handlers of signals with it.
        plain = ("-p", "no:faulthandler", "-p", "no:cacheprovider", f"--rootdir={project}")
        return pytester.runpytest_inprocess(*plain, str(project), *arguments)

    return run_pytest


# Without a component that was built, which takes its minute.
QUICK = "import pytest\npytestmark = pytest.mark.es_level('native', 'sandbox', 'server')\n" + TESTS


@pytest.mark.parametrize(
    ("tests", "level"),
    [
        pytest.param(TESTS, "sandbox", id="sandbox"),
        pytest.param(QUICK, "server", id="server"),
        pytest.param(QUICK, "all", id="native and sandbox compared"),
        pytest.param(TESTS, "component", id="component", marks=whole),
        pytest.param(TESTS, "all", id="all", marks=whole),
    ],
)
def test_the_flag_runs_the_same_tests_at_every_level(tests: str, level: str, run: Run) -> None:
    chosen = ("-k", "not component") if tests is QUICK else ()
    done = run(tests, f"--es-level={level}", *chosen)
    done.assert_outcomes(passed=2 if chosen else 3, failed=1, deselected=len(chosen) // 2)
    told = str(done.stdout)
    assert f"evidentsource: level {level}" in told
    assert "event 1 (item.added) differs in data.item" in told
    assert f"\nlevel {level}\n" in told


UNSTEADY = """
import pytest
from todos.unsteady import Note, decide
from evidentsource_functions.testing import Scenarios

given = Scenarios("notes", stream="notes").change(decide, "note").given


def test_watched_by_default():
    given().when(Note("tea")).then_conditions()


@pytest.mark.es_level("sandbox", guard=False)
def test_not_watched():
    given().when(Note("tea")).then_conditions()
"""
UNSTEADY_RULE = """
import time
from dataclasses import dataclass
from evidentsource_functions import ProspectiveEvent
from evidentsource_functions.wasm import StateChangeAdapter

@dataclass
class Note:
    text: str

def decide(db, command: Note, metadata):
    return [ProspectiveEvent("e-1", "notes", "noted", data=f"{command.text} {time.time_ns()}")]

class WitWorld(StateChangeAdapter):
    decide_func = decide
"""


def test_the_sandbox_finds_what_is_not_deterministic_unless_it_is_told_not_to(
    project: Path, run: Run
) -> None:
    (project / "todos" / "unsteady.py").write_text(UNSTEADY_RULE, encoding="utf-8")
    done = run(UNSTEADY, "--es-level=sandbox")
    done.assert_outcomes(passed=1, failed=1)
    told = str(done.stdout)
    assert "unsteady.py" in told
    assert "time.time_ns(): use metadata.command_received_at" in told


def test_an_edit_that_breaks_a_rule_is_told_by_its_scenario_in_the_sandbox(project: Path) -> None:
    with Components() as components:
        source = RuleSource("todos.add_item", project, pure=True)
        assert isinstance(components.from_source(source), StateChangeComponent)
    (project / "todos" / "add_item.py").write_text("import nowhere\n", encoding="utf-8")
    with Components() as components, pytest.raises(BuildError, match="nowhere"):
        components.from_source(source)


def test_a_rule_without_a_module_of_its_own_says_what_it_needs() -> None:
    with (
        use_level("sandbox"),
        pytest.raises(LevelUnavailable, match="its module needs a WitWorld whose state_view_type"),
    ):
        shop.given(event("order.opened", subject="o-1")).when(Pay("o-1"))


def test_a_component_that_cannot_be_made_is_no_refusal_of_the_rule(project: Path) -> None:
    book = project_rules(TODOS, stream="todos")

    def moved(rule: ChangeRule) -> ChangeRule:
        assert rule.source is not None
        source = dataclasses.replace(rule.source, directory=project, module="todos.gone")
        return dataclasses.replace(rule, source=source)

    book = dataclasses.replace(book, changes=tuple(moved(each) for each in book.changes))
    sent = command("add-item", reference="r-1", list_id="home", item="tea")
    with use_level("sandbox"), pytest.raises(BuildError, match=r"there is no module todos\.gone"):
        Scenarios.of(book).when(sent)
