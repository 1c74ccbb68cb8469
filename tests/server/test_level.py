"""The level ``server`` of the testing kit: in a server of its own, and in one that runs already."""

from __future__ import annotations

import dataclasses
import importlib
import re
import sys
import textwrap
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
import pytest

from evidentsource_core import Constraint, ConstraintViolations, ProspectiveEvent, Selector
from evidentsource_core.domain.errors import DatabaseNotFound
from evidentsource_functions import StateChangeError
from evidentsource_functions.testing import (
    Clock,
    ComparingLevel,
    LevelUnavailable,
    RuleBook,
    ScenarioFailed,
    Scenarios,
    command,
    event,
    level_named,
    use_level,
)
from evidentsource_runtime.server import Server
from evidentsource_runtime.server.testing import ServerDatabase, ServerLevel
from evidentsource_runtime.testing import project_database
from evidentsource_runtime.testing.projects import project_rules
from examples.todo_list.todos.add_item import AddItem
from examples.todo_list.todos.progress import Progress
from tests.server.stub import Stub

PROJECT = Path(__file__).parents[2] / "examples" / "todo_list"
TEA = event("item.added", subject="home", item="tea")
HOME = Selector.stream("todos") & Selector.subject("home")
todos = Scenarios.of(project_rules(PROJECT, stream="todos"))
given = todos.given


@pytest.fixture
def own() -> Iterator[ServerLevel]:
    with use_level(ServerLevel()) as level:
        assert isinstance(level, ServerLevel)
        yield level


@pytest.fixture
def running(server: Server) -> ServerLevel:
    """The level in a server that was there before."""
    assert server.http is not None
    return ServerLevel(server.http.url, grpc=server.grpc.target)


def databases(server: Server) -> set[str]:
    with grpc.insecure_channel(server.grpc.target) as channel:
        return {each.database_name for each in Stub(channel).FetchCatalog()}


def test_scenarios_run_in_a_server_of_their_own(own: ServerLevel) -> None:
    (
        given(TEA)
        .when(AddItem("r-1", "home", "milk"))
        .then(event("item.added", subject="home", item="milk"))
        .then_conditions(Constraint.unchanged_since(HOME, 1))
        .then_view(Progress(items=2, done=0))
        .as_of(revision=1)
        .then_view(Progress(items=1, done=0))
    )
    given(TEA).when(AddItem("r-1", "home", "tea")).then_rejected("conflict", re.compile("already"))
    given(TEA).when(command("add-item", list_id=1)).then_rejected("validation")
    given().then_view(None, Progress)


def test_a_condition_that_does_not_hold_comes_back_as_the_commits_own_error(
    own: ServerLevel,
) -> None:
    late = given(TEA).given(event("item.added", subject="home", item="oil")).last_seen(1)
    decided = late.when(AddItem("r-1", "home", "milk")).then_rejected(ConstraintViolations)
    decided.then_conditions(Constraint.unchanged_since(HOME, 1))
    assert len(decided.outcome.events) == 1


def test_a_failure_tells_the_level_and_the_history_and_nothing_of_the_connection(
    own: ServerLevel,
) -> None:
    with pytest.raises(ScenarioFailed) as caught:
        given(TEA).when(AddItem("r-1", "home", "tea")).then(TEA)
    text = str(caught.value)
    assert (
        text
        == textwrap.dedent(
            """
        the command was rejected, so there are no events
        level server
        given
              1  item.added  todos  home  {"item": "tea"}
        when add-item
            {"reference": "r-1", "list_id": "home", "item": "tea"}
        then
            conflict: 'tea' is on the list already
        """
        ).strip()
    )


def test_the_clock_of_a_server_of_its_own_is_the_tests(own: ServerLevel) -> None:
    history = todos.given_at("2024-02-01T09:00:00Z", TEA).given_at(
        "2024-03-01", event("item.added", subject="home", item="oil")
    )
    history.as_of(effective="2024-02-10").then_view(Progress(1, 0))
    history.then_view(Progress(2, 0))
    database = own.database(todos.book, Clock("2024-05-01T00:00:00Z"))
    result = database.submit(
        AddItem("r-1", "home", "tea"), received_at=datetime(2024, 4, 1, tzinfo=UTC)
    )
    assert result.transaction is not None
    assert result.transaction.timestamp == datetime(2024, 5, 1, tzinfo=UTC)


RECEIVED = """
from dataclasses import dataclass
from evidentsource_functions import ProspectiveEvent
from evidentsource_functions.wasm import StateChangeAdapter

@dataclass
class Note:
    text: str

def decide(db, command: Note, metadata):
    at = metadata.command_received_at.isoformat()
    return [ProspectiveEvent("e-1", "notes", "noted", data=f"{command.text} at {at}")]

class WitWorld(StateChangeAdapter):
    decide_func = decide
"""


def test_a_command_arrives_when_the_test_says(
    own: ServerLevel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "received_note.py").write_text(RECEIVED, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    note: Any = importlib.import_module("received_note")
    rules = Scenarios("notes", stream="notes").change(note.decide, "note")
    tea = rules.given().when(note.Note("tea"))
    tea.then(event("noted", data="tea at 2024-01-01T00:00:00+00:00"))
    received = rules.given().received_at("2024-03-01T09:00:00Z").when(note.Note("tea"))
    received.then(event("noted", data="tea at 2024-03-01T09:00:00+00:00"))
    monkeypatch.delitem(sys.modules, "received_note")


def test_a_rule_without_a_module_says_what_it_needs(own: ServerLevel) -> None:
    def nameless(db: Any, command: AddItem, metadata: Any) -> Any:
        return []

    rules = Scenarios("todos", stream="todos").change(nameless)
    with pytest.raises(
        LevelUnavailable, match="level server: no component can be made of nameless"
    ):
        rules.when(AddItem("r-1", "home", "tea"))


# --- a database ----------------------------------------------------------------------------------


def test_a_projects_database_is_one_of_the_server(own: ServerLevel) -> None:
    clock = Clock("2024-05-01T00:00:00Z")
    database: Any = project_database(PROJECT, clock=clock)
    assert isinstance(database, ServerDatabase)
    assert database.created_at == clock()
    database.insert_event(TEA.prospective("todos", "e-1"))
    clock.advance(hours=1)
    assert database.submit(AddItem("r-1", "home", "milk")).revision == 2
    sent = {"reference": "r-2", "list_id": "home", "item": "oil"}
    assert database.execute("add-item", sent, last_seen_revision=2).revision == 3
    with pytest.raises(StateChangeError, match="on the list already"):
        database.submit(AddItem("r-3", "home", "oil"))
    assert database.revision_timestamp == clock()
    assert database.read(Progress) == Progress(3, 0)
    assert database.read(Progress, revision=1) == Progress(1, 0)
    assert database.read(Progress, effective_at="2024-05-01T00:30:00Z") == Progress(1, 0)
    view = database.view_state("progress", 1)
    assert view is not None
    assert view.json() == {"items": 3, "done": 0}
    assert [each.revision() for each in database.query_events(HOME, limit=2)] == [1, 2]
    early = database.at_effective_timestamp(datetime(2024, 5, 1, tzinfo=UTC))
    assert [each.revision() for each in early.query_events(HOME)] == [1]
    assert len(database.all_events()) == 3


def test_what_a_server_has_not_is_told_by_its_name(own: ServerLevel) -> None:
    database: Any = own.database(RuleBook("todos"))
    with pytest.raises(LevelUnavailable, match="a database of a server has no with_revision"):
        database.with_revision(5)
    database.publish(todos)
    with pytest.raises(LevelUnavailable, match="no speculation"):
        database.read(Progress, speculated=[TEA.prospective("todos", "e-1")])
    with pytest.raises(AttributeError):
        _ = database.with_revisions


# --- a server that runs already ------------------------------------------------------------------


def test_rules_are_built_and_published_into_a_server_that_runs(
    server: Server, running: ServerLevel
) -> None:
    before = databases(server)
    (add_item,) = [each for each in todos.book.changes if each.name == "add-item"]
    rules = Scenarios.of(dataclasses.replace(todos.book, changes=(add_item,)))
    history = rules.given_at("2024-02-01T09:00:00Z", TEA)
    with use_level(running):
        decided = history.as_of(effective="2024-02-10").when(AddItem("r-1", "home", "milk"))
        decided.then(event("item.added", subject="home", item="milk"))
        # Recorded in January 2024, for the view; and then today, since the server's clock is its own.
        decided.then_view(Progress(1, 0)).as_of().then_view(Progress(2, 0))
        assert decided.outcome.conditions is None
        assert {name.partition("-")[0] for name in databases(server) - before} == {"todos"}
        with pytest.raises(LevelUnavailable, match="leave --es-url out"):
            history.received_at("2024-02-02").when(AddItem("r-1", "home", "milk"))
    assert databases(server) == before
    with use_level(ComparingLevel([level_named("native")], [running])):
        rules.given(TEA).then_view(Progress(1, 0))
    assert databases(server) == before


def test_a_database_that_cannot_be_deleted_is_told(server: Server, running: ServerLevel) -> None:
    database = running.database(RuleBook("todos"))
    with grpc.insecure_channel(server.grpc.target) as channel:
        Stub(channel).DeleteDatabase(database_name=database.name)
    with pytest.raises(DatabaseNotFound):
        database.transact([ProspectiveEvent("e-1", "todos", "item.added")])
    with pytest.warns(UserWarning, match="database todos-.* of a test stays on"):
        running.release()


def test_nobody_at_the_grpc_address_is_told(server: Server) -> None:
    assert server.http is not None
    with pytest.raises(LevelUnavailable, match=r"nobody answers gRPC at 127\.0\.0\.1:9"):
        ServerLevel(server.http.url, grpc="127.0.0.1:9")
