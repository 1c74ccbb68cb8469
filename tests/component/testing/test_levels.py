"""The testing kit's levels on the to-do list, in projects as users have them."""

from __future__ import annotations

import dataclasses
import shutil
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
from evidentsource_runtime.host import StateChangeComponent
from evidentsource_runtime.testing import use_level
from evidentsource_runtime.testing.components import Components
from evidentsource_runtime.testing.projects import project_rules
from tests.unit.functions.testing.kit import Pay, shop

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
    assert es_level == current_level().name == "sandbox"


def test_that_fails():
    given().when(AddItem("r-1", "home", "tea")).then(event("item.added", subject="home", item="milk"))
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    shutil.copytree(TODOS / "todos", tmp_path / "todos")
    shutil.copy(TODOS / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_flag_runs_the_same_tests_in_the_sandbox(
    project: Path, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "test_todos.py").write_text(TESTS, encoding="utf-8")
    monkeypatch.chdir(project)
    monkeypatch.syspath_prepend(project)
    # Without its faulthandler: on leaving, that takes wasmtime's handlers of signals with it.
    done = pytester.runpytest_inprocess(
        "-p",
        "no:faulthandler",
        f"--rootdir={project}",
        str(project),
        "--es-level=sandbox",
        "-p",
        "no:cacheprovider",
    )
    done.assert_outcomes(passed=3, failed=1)
    told = str(done.stdout)
    assert "evidentsource: level sandbox" in told
    assert "event 1 (item.added) differs in data.item" in told


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
