"""Whatever a component is given, it is given the same as by wasmtime-py's own conversion.

The check of a value and the words of a refusal are those of ``Lower``, so a value that one conversion
refuses is refused by the other, with the same words.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from evidentsource_core import (
    BinaryEventData,
    BinaryExtension,
    BooleanExtension,
    Command,
    Event,
    EvidentSourceError,
    IntegerExtension,
    ProspectiveEvent,
    StateChangeMetadata,
    StateViewContext,
    TimestampExtension,
)
from evidentsource_core.domain.extensions import Extensions, StringExtension
from evidentsource_core.domain.state_view import RenderedStateView
from evidentsource_core.times import from_parts
from evidentsource_runtime.host.convert.contract import DECIDE, EVOLVE, Kind
from evidentsource_runtime.host.convert.lower import Lower
from evidentsource_runtime.host.convert.packed.sheet import Sheet
from evidentsource_runtime.host.convert.packed.trial import Trial
from tests.strategies import events, moments, texts
from tests.unit.core.strategies import zoned_instants
from tests.unit.host.packed import trials

contracts = st.sampled_from(trials.CONTRACTS)
whole = st.integers(-1, 2**64) | st.sampled_from([0, 1, 2**32 - 1, 2**32, 2**64 - 1])
times = moments() | zoned_instants
optional_texts = st.none() | texts
contents = st.none() | st.binary(max_size=trials.LIMIT + 1)


def outcome(attempt: Callable[[], Any]) -> Any:
    """What comes of it: a value, or what is refused and with which words."""
    try:
        return attempt()
    except EvidentSourceError as error:
        return type(error), str(error)


def stock(trial: Trial) -> Lower:
    return Lower(trials.NAME, trial.contract, trials.LIMIT)


def written(trial: Trial, shape: Any, key: str, lowered: Callable[[], Any]) -> Any:
    """What wasmtime-py reads of what we wrote, after it was checked."""

    def attempt() -> Any:
        value = lowered()
        writer = trial.plan.writer(shape, key)
        return trial.theirs_of_ours(key, lambda sheet: writer(sheet, value))

    return outcome(attempt)


def events_written(trial: Trial, given_events: Sequence[Event], offset: int = 0) -> Any:
    def write(sheet: Sheet) -> bytes:
        return trial.plan.write_events(sheet, given_events, "events", offset)

    return outcome(lambda: trial.theirs_of_ours("evolve.1", write))


@given(contract=contracts, batch=st.lists(events(), max_size=5), offset=st.integers(0, 9))
def test_events_are_given_as_by_the_stock_conversion(
    contract: str, batch: list[Event], offset: int
) -> None:
    trial = trials.view(contract)
    expected = outcome(lambda: stock(trial).events(batch, "events", offset))
    assert events_written(trial, batch, offset) == expected


@given(contract=contracts, time=zoned_instants)
def test_times_of_any_zone_are_given_as_by_the_stock_conversion(
    contract: str, time: datetime
) -> None:
    trial = trials.view(contract)
    batch = [Event("e", "s", "t", time=time, extensions={"when": TimestampExtension(time)})]
    assert events_written(trial, batch) == outcome(lambda: stock(trial).events(batch))


views = st.builds(
    RenderedStateView,
    st.builds(StateViewContext, texts, texts, whole, whole, times, optional_texts, optional_texts),
    contents,
    whole,
    times,
)


@given(contract=contracts, view=views)
def test_a_view_is_given_as_by_the_stock_conversion(contract: str, view: RenderedStateView) -> None:
    trial = trials.view(contract)
    ours = written(trial, EVOLVE[0][0], "evolve.0", lambda: trial.plan.lower.rendered(view))
    assert ours == outcome(lambda: stock(trial).rendered(view))


@given(contract=contracts, command=st.builds(Command, contents, texts, optional_texts))
def test_a_command_is_given_as_by_the_stock_conversion(contract: str, command: Command) -> None:
    trial = trials.change(contract)
    ours = written(trial, DECIDE[0][1], "decide.1", lambda: trial.plan.lower.command(command))
    assert ours == outcome(lambda: stock(trial).command(command))


@given(
    contract=contracts,
    metadata=st.builds(
        StateChangeMetadata,
        texts,
        whole,
        st.integers(0, 2**64 - 1),
        times,
        st.lists(st.tuples(texts, texts), max_size=3),
    ),
)
def test_metadata_are_given_as_by_the_stock_conversion(
    contract: str, metadata: StateChangeMetadata
) -> None:
    trial = trials.change(contract)
    ours = written(trial, DECIDE[0][2], "decide.2", lambda: trial.plan.lower.metadata(metadata))
    assert ours == outcome(lambda: stock(trial).metadata(metadata))


@given(contract=contracts, time=st.none() | times, number=whole, text=texts)
@example(contract="own", time=None, number=2**64 - 1, text="\0\U0010ffff")
def test_results_of_the_host_are_given_as_by_the_stock_conversion(
    contract: str, time: datetime | None, number: int, text: str
) -> None:
    trial = trials.change(contract)
    for key, kind, ours, theirs in (
        ("database.name", Kind.TEXT, trial.plan.lower.text, stock(trial).text),
        ("database.revision", Kind.NUMBER, trial.plan.lower.whole, stock(trial).whole),
        ("database.created-at", Kind.TIME, trial.plan.lower.time, stock(trial).time),
        (
            "database.effective-timestamp",
            Kind.OPTIONAL_TIME,
            trial.plan.lower.time,
            stock(trial).time,
        ),
    ):
        value = {Kind.TEXT: text, Kind.NUMBER: number}.get(kind, time)
        if value is None and kind is Kind.TIME:
            continue
        rest = (key, "path") if kind is Kind.NUMBER else ("path",)

        def lowered(lower: Any, value: Any = value, rest: tuple[str, ...] = rest) -> Any:
            return None if value is None else lower(value, *rest)

        got = written(trial, kind.value, key, lambda: lowered(ours))  # noqa: B023 - called at once
        assert got == outcome(lambda: lowered(theirs))  # noqa: B023 - called at once


NOW = from_parts(5, 1_000)


def forged(event: Event, **fields: Any) -> Event:
    """An event with values that its own checks would refuse."""
    for name, value in fields.items():
        object.__setattr__(event, name, value)
    return event


def _event(**fields: Any) -> Event:
    return Event("e", "s", "t", **fields)


def _forged_integer() -> IntegerExtension:
    value = IntegerExtension(1)
    object.__setattr__(value, "value", 2**40)
    return value


@pytest.mark.parametrize(
    "wrong",
    [
        ProspectiveEvent("e", "stream", "t"),
        None,
        {"id": "e"},
        SimpleNamespace(**dataclasses.asdict(Event("e", "s", "t"))),
        forged(_event(), id=5),
        forged(_event(), source=None),
        forged(_event(), event_type=b"t"),
        forged(_event(), id="\ud800"),
        forged(_event(), subject="\udfff"),
        forged(_event(), subject=b"s"),
        forged(_event(), datacontenttype=1.5),
        forged(_event(), dataschema="\ud800"),
        forged(_event(), time=datetime(2024, 1, 1)),  # noqa: DTZ001 - the wrong value that is meant
        forged(_event(), time="2024-01-01T00:00:00Z"),
        forged(_event(), extensions=Extensions({"time": "x"})),
        forged(_event(), extensions=Extensions({"id": "x"})),
        forged(_event(), extensions=Extensions({"\ud800": "x"})),
        _event(data=BinaryEventData(bytes(trials.LIMIT + 1))),
        _event(extensions={"b": BinaryExtension(bytes(trials.LIMIT + 1))}),
        _event(extensions={"n": _forged_integer()}),
    ],
)
def test_an_event_that_does_not_fit_is_refused_in_the_words_of_the_stock_conversion(
    wrong: Any,
) -> None:
    trial = trials.view("own")
    batch = [_event(subject="fine", time=NOW), wrong, _event()]
    expected = outcome(lambda: stock(trial).events(batch, "events", 7))
    assert events_written(trial, batch, 7) == expected


class _OwnEvent(Event):
    __slots__ = ()


class _OwnText(StringExtension):
    __slots__ = ()


class _OwnFlag(BooleanExtension):
    __slots__ = ()


def test_values_of_subclasses_are_given_like_those_of_their_classes() -> None:
    trial = trials.view("own")
    plain = Event("e", "s", "t", extensions={"text": "x", "flag": True})
    own = _OwnEvent("e", "s", "t", extensions={"text": _OwnText("x"), "flag": _OwnFlag(True)})
    assert events_written(trial, [own]) == events_written(trial, [plain])


def test_a_batch_of_thousands_of_different_events_is_given_in_order() -> None:
    trial = trials.view("own")
    batch = [
        Event(
            *(f"e-{n}", "s", "ü" * (n % 3), None if n % 2 else f"subject {n}"),
            *(None if n % 5 == 0 else f"{{{n}}}" if n % 3 else bytes([n % 256]) * (n % 7),),
            time=from_parts(n, n) if n % 4 else None,
            extensions={f"x{n % 11}": n, f"y{n % 3}": str(n)} if n % 6 else {},
        )
        for n in range(400)
    ]
    assert events_written(trial, batch) == stock(trial).events(batch)
