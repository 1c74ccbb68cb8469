"""The determinism guard: what it finds, where, and what it lets pass."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from evidentsource_core import (
    Command,
    Event,
    ProspectiveEvent,
    RenderedStateView,
    StateChangeMetadata,
    StateViewContext,
)
from evidentsource_core.reference import ReferenceDatabase
from evidentsource_runtime.testing.guard import (
    GuardUnavailable,
    NotDeterministic,
    check_decide,
    check_evolve,
)

unsteady: Any = importlib.import_module("tests.data.modules.unsteady")
NOW = datetime(2024, 1, 1, tzinfo=UTC)
COMMAND = Command.json(b'{"text": "one two three four five six seven eight nine ten"}')
TAGS = '{"tags": ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]}'


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNSTEADY_LIMIT", "7")


def decide(rule: Callable[..., Any]) -> None:
    database = ReferenceDatabase("notes", created_at=NOW, clock=lambda: NOW)
    database.transact([ProspectiveEvent("e-1", "notes", "noted", data="{}")])
    metadata = StateChangeMetadata("note", 1, 1, NOW)
    check_decide(rule, database.latest(), COMMAND, metadata)


def evolve(view: type[Any]) -> None:
    context = StateViewContext("notes", "view", 1, 1, NOW, "application/json")
    event = Event("e-1", "https://h/db/notes/streams/notes", "noted", data=TAGS)
    check_evolve(view, RenderedStateView(context, None, 0, NOW), [event])


def line_of(text: str) -> int:
    with open(str(unsteady.__file__), encoding="utf-8") as file:  # noqa: PTH123 - a path as text
        return next(number for number, line in enumerate(file, 1) if text in line)


@pytest.mark.parametrize("rule", [unsteady.steady, unsteady.random_id], ids=lambda r: r.__name__)
def test_a_decision_that_is_the_same_but_for_the_ids_of_events_passes(
    rule: Callable[..., Any],
) -> None:
    decide(rule)


def test_a_view_that_keeps_a_set_and_writes_it_sorted_passes() -> None:
    evolve(unsteady.Steady)


RECEIVED, SEED, SORTED = "metadata.command_received_at", "uuid5", "sorted("


@pytest.mark.parametrize(
    ("rule", "line", "advice"),
    [
        (unsteady.clock, "now = datetime.now(UTC)", RECEIVED),
        (unsteady.today, "date.today()", RECEIVED),
        (unsteady.seconds, "if int(time.time())", RECEIVED),
        (unsteady.year, "year = time.gmtime()", RECEIVED),
        (unsteady.dice, "number = random.randint", SEED),
        (unsteady.set_order, 'order = " ".join(words)', SORTED),
        (unsteady.set_in_an_event, "tags=list({*command", SORTED),
        (unsteady.condition, "subject = str(uuid.uuid4())", SEED),
        (unsteady.environment, 'limit = os.environ.get("UNSTEADY_LIMIT"', "no environment"),
        (unsteady.hashed, "bucket = hash(", "hashlib"),
        (unsteady.refusal, "not at {time.time()}", RECEIVED),
        (unsteady.how_many, "for _ in range(int(time.time())", RECEIVED),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_a_decision_that_depends_on_something_else_fails_with_the_line_and_what_to_use(
    rule: Callable[..., Any], line: str, advice: str
) -> None:
    with pytest.raises(NotDeterministic) as found:
        decide(rule)
    text = str(found.value)
    assert f"unsteady.py:{line_of(line)} in " in text
    assert line in text
    assert advice in text


@pytest.mark.parametrize(
    ("view", "line", "advice"),
    [
        (unsteady.Tags, "for tag in set(", SORTED),
        (unsteady.Stamped, "self.at = datetime.now", "the event's own time"),
        (unsteady.Numbered, "self.number = str(uuid", SEED),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_a_view_that_depends_on_anything_else_fails_and_so_do_random_ids_in_it(
    view: type[Any], line: str, advice: str
) -> None:
    with pytest.raises(NotDeterministic) as found:
        evolve(view)
    assert f"unsteady.py:{line_of(line)} in evolve" in str(found.value)
    assert advice in str(found.value)


def test_the_whole_of_a_failure() -> None:
    with pytest.raises(NotDeterministic) as found:
        decide(unsteady.dice)
    lines = str(found.value).splitlines()
    assert lines[0].startswith("dice gives another result when it is repeated in another process")
    assert lines[1].startswith("  events[0].data is ")
    assert lines[2].endswith(f"unsteady.py:{line_of('number = random.randint')} in dice")
    assert lines[3] == "    number = random.randint(1, 10**9)"
    assert lines[4].startswith("  number is ")
    assert lines[5].startswith("  random.Random.randint(): derive ids and choices from the command")


def test_a_rule_that_no_other_process_can_import_is_told_with_what_to_do() -> None:
    def inner(db: Any, command: Command, metadata: Any) -> Any:
        return []

    with pytest.raises(GuardUnavailable, match="define it at the top of a module"):
        decide(inner)


def test_what_a_rule_is_refused_by_its_database_is_refused_there_too() -> None:
    decide(unsteady.refused_query)


def test_the_environment_of_this_process_stays_as_it_is() -> None:
    decide(unsteady.steady)
    assert os.environ["UNSTEADY_LIMIT"] == "7"
    assert datetime.now(UTC).year < 2100
