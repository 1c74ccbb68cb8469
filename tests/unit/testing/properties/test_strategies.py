"""Strategies: what is drawn keeps the rules, and a command survives its way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidentsource_core import Command, Event, InvalidType, InvalidValue, ProspectiveEvent
from evidentsource_core.jsontext import dumps
from evidentsource_functions._commands import parse_command
from evidentsource_functions.structure import unstructure
from evidentsource_functions.testing import event
from evidentsource_runtime.testing.strategies import (
    CommandUnknown,
    commands,
    conditions,
    events,
    histories,
    prospective_events,
    selectors,
    stored_events,
)
from evidentsource_runtime.testing.strategies.domain import _names

few = settings(max_examples=20, deadline=None)


class Colour(Enum):
    RED = "red"
    BLUE = 2


@dataclass
class Line:
    item: str
    count: int = 1
    parts: list[Line] = field(default_factory=list)


@dataclass
class Everything:
    text: str
    number: int
    part: float
    flag: bool
    nothing: None
    anything: Any
    maybe: int | None
    either: int | str
    choice: Literal["a", 1]
    noted: Annotated[int, "a note"]
    colour: Colour
    at: datetime
    day: date
    amount: Decimal
    key: UUID
    lines: list[Line]
    pair: tuple[int, str]
    many: tuple[int, ...]
    tags: set[str]
    kinds: frozenset[int]
    by_name: dict[str, Line]
    sequence: Sequence[int]
    mapping: Mapping[str, bool]


@few
@given(commands(Everything))
def test_a_command_of_every_kind_of_field_comes_back_from_its_bytes(command: Everything) -> None:
    sent = Command.json(dumps(unstructure(command)))
    assert parse_command(Everything, sent) == command


@few
@given(commands(Line, item=st.sampled_from(["ink", "pen"]), count=7))
def test_parts_take_the_place_of_what_is_derived(line: Line) -> None:
    assert line.item in ("ink", "pen")
    assert line.count == 7


def test_a_part_that_is_no_field_is_refused_with_those_that_are() -> None:
    with pytest.raises(InvalidValue, match=r"known: item, count, parts"):
        commands(Line, amount=1)


def test_what_cannot_be_derived_is_told_at_once_with_its_path() -> None:
    @dataclass
    class Odd:
        good: int
        bad: dict[str, list[complex]]

    with pytest.raises(
        CommandUnknown, match=r"command\.bad\.\*\[\]: nothing is known of .*complex"
    ):
        commands(Odd)
    with pytest.raises(CommandUnknown, match="it is no dataclass"):
        commands(dict)


@few
@given(
    events(
        st.sampled_from(["credited", "debited"]),
        subject=st.sampled_from(["ann", None]),
        stream="accounts",
        time=None,
        amount=st.integers(1, 5),
        tags=[st.just("x"), "y"],
    )
)
def test_events_take_a_strategy_wherever_a_value_may_stand(made: Any) -> None:
    assert made.event_type in ("credited", "debited")
    assert made.subject in ("ann", None)
    assert (made.stream, made.time) == ("accounts", None)
    assert 1 <= made.payload["amount"] <= 5
    assert made.payload["tags"] == ["x", "y"]


@few
@given(
    histories(
        of=[
            events("credited", stream="accounts"),
            event("closed", stream="accounts", id="same"),
            ProspectiveEvent("same", "accounts", "moved"),
            "noted",
        ],
        min_size=2,
        max_size=8,
    )
)
def test_a_history_is_what_a_database_would_hold(history: list[Event]) -> None:
    assert 2 <= len(history) <= 8
    assert [each.revision() for each in history] == list(range(1, len(history) + 1))
    assert len({(each.stream(), each.id) for each in history}) == len(history)
    assert {each.event_type for each in history} <= {"credited", "closed", "moved", "noted"}
    recorded = [str(each.extensions["recordedtime"].value) for each in history]
    assert recorded == sorted(recorded)


@pytest.mark.parametrize(
    ("of", "error", "text"),
    [
        ([], InvalidValue, "is empty"),
        ("credited", InvalidType, "a list of events"),
        ([7], InvalidType, r"of\[0\]"),
    ],
)
def test_what_no_history_can_be_made_of_is_refused(
    of: Any, error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        histories(of=of)


@few
@given(prospective_events(), stored_events(), selectors(), conditions(), _names)
def test_what_is_drawn_of_the_domain_keeps_its_rules(
    prospective: ProspectiveEvent, stored: Event, selector: Any, condition: Any, stream: str
) -> None:
    assert list(prospective.problems()) == []
    assert stored.stream()
    assert selector.matches_prospective(prospective) in (True, False)
    assert condition.selector.flatten()
    assert stream[0].isalpha()
