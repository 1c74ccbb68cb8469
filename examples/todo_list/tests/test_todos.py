"""The to-do list, in scenarios. ``--es-level=sandbox`` runs the same ones in WebAssembly."""

from __future__ import annotations

from pathlib import Path

import pytest

from evidentsource_core import Constraint, ConstraintViolations
from evidentsource_functions.testing import Database, EventSpec, Scenarios, event
from evidentsource_runtime.testing import project_scenarios
from examples.todo_list.todos.add_item import AddItem
from examples.todo_list.todos.clear_list import ClearList
from examples.todo_list.todos.list_view import TodoList
from examples.todo_list.todos.lists import MOST_ITEMS, todos
from examples.todo_list.todos.progress import Progress
from examples.todo_list.todos.tick_item import TickItem

lists: Scenarios[AddItem | TickItem | ClearList] = project_scenarios(
    Path(__file__).parents[1], stream="todos"
)
given = lists.given


def added(item: str, to: str = "home") -> EventSpec:
    return event("item.added", subject=to, item=item)


def ticked(item: str) -> EventSpec:
    return event("item.ticked", subject="home", item=item)


def unticked(item: str) -> EventSpec:
    return event("item.unticked", subject="home", item=item)


def removed(item: str) -> EventSpec:
    return event("item.removed", subject="home", item=item)


FULL = [added(f"item {number}") for number in range(MOST_ITEMS)]


def test_the_first_item_makes_the_list() -> None:
    (
        lists.when(AddItem("r-1", "home", " tea "))
        .then(event("item.added", id="r-1.tea", subject="home", item="tea"))
        .then_conditions(Constraint.unchanged_since(todos("home"), 0))
    )


def test_an_item_has_a_text() -> None:
    refusal = "command.item: must not be blank"
    lists.when(AddItem("r-1", "home", "  ")).then_rejected("validation", refusal)


def test_an_item_is_on_a_list_once_while_it_is_open() -> None:
    refusal = "'tea' is on the list already"
    given(added("tea")).when(AddItem("r-1", "home", "tea")).then_rejected("conflict", refusal)
    given(added("tea"), ticked("tea")).when(AddItem("r-1", "home", "tea")).then(added("tea"))
    given(added("tea", to="work")).when(AddItem("r-1", "home", "tea")).then(added("tea"))


def test_a_list_holds_so_many_open_items() -> None:
    refusal = "the list has 5 open items; tick one first"
    given(*FULL).when(AddItem("r-1", "home", "tea")).then_rejected("conflict", refusal)
    given(*FULL[1:]).when(AddItem("r-1", "home", "tea")).then(added("tea"))
    given(*FULL, ticked("item 0")).when(AddItem("r-1", "home", "tea")).then(added("tea"))


def test_two_who_add_at_once_do_not_overfill_a_list() -> None:
    (
        given(*FULL)
        .last_seen(MOST_ITEMS - 1)
        .when(AddItem("r-1", "home", "tea"))
        .then_rejected(ConstraintViolations)
    )


def test_an_item_is_ticked_and_unticked() -> None:
    given(added("tea")).when(TickItem("r-1", "home", "tea")).then(ticked("tea"))
    history = (added("tea"), ticked("tea"))
    given(*history).when(TickItem("r-1", "home", "tea", done=False)).then(unticked("tea"))


@pytest.mark.parametrize("done", [True, False])
def test_ticking_changes_nothing_where_nothing_changes(done: bool) -> None:
    history = (added("tea"), ticked("tea")) if done else (added("tea"),)
    given(*history).when(TickItem("r-1", "home", "tea", done=done)).then_nothing()


def test_only_what_is_on_the_list_can_be_ticked() -> None:
    refusal = "'tea' is not on the list"
    lists.when(TickItem("r-1", "home", "tea")).then_rejected("not_found", refusal)
    gone = (added("tea"), ticked("tea"), removed("tea"))
    given(*gone).when(TickItem("r-1", "home", "tea")).then_rejected("not_found", refusal)


def test_clearing_takes_off_what_is_done_in_one_transaction() -> None:
    (
        given(added("tea"), added("milk"), added("salt"), ticked("salt"), ticked("tea"))
        .when(ClearList("r-1", "home"))
        .then(removed("salt"), removed("tea"))
        .then_conditions(Constraint.unchanged_since(todos("home"), 5))
        .then_view(TodoList(open=["milk"]), list_id="home")
        .then_view(Progress(items=1))
    )


def test_clearing_a_list_with_nothing_done_does_nothing() -> None:
    given(added("tea")).when(ClearList("r-1", "home")).then_nothing()


def test_a_list_keeps_the_order_of_its_items() -> None:
    history = given(added("tea"), added("milk"), ticked("tea"), unticked("tea"))
    history.then_view(TodoList(open=["milk", "tea"]), list_id="home")
    history.as_of(revision=3).then_view(TodoList(["milk"], ["tea"]), list_id="home")


def test_progress_counts_every_list() -> None:
    history = given(added("tea"), added("tea", to="work"), ticked("tea"))
    history.then_view(Progress(items=2, done=1))
    history.given(unticked("tea")).then_view(Progress(items=2, done=0))


def test_a_day_of_a_list(es_database: Database) -> None:
    for number, item in enumerate(["tea", "milk"]):
        es_database.submit(AddItem(f"a-{number}", "home", item))
    es_database.submit(TickItem("t-1", "home", "tea"))
    es_database.submit(ClearList("c-1", "home"))
    assert es_database.read(TodoList, {"list_id": "home"}) == TodoList(open=["milk"])
    assert es_database.read(Progress) == Progress(items=1)
