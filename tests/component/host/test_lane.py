"""The lane gives what the contract gives, byte for byte: contents, and errors where a view fails."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidentsource_core import Event, TimestampExtension
from evidentsource_core.times import from_parts
from evidentsource_functions.lane import encode_batch, source_prefix
from evidentsource_runtime.artifact import read_component
from evidentsource_runtime.build import build
from evidentsource_runtime.host import (
    ComponentError,
    EncodedEvents,
    Fold,
    Host,
    Limits,
    StateViewComponent,
)
from evidentsource_runtime.host.convert.choice import VARIABLE
from evidentsource_runtime.host.convert.codec import Codec
from tests.component.host.conftest import DATA
from tests.component.host.wire import CONTEXT
from tests.strategies import events
from tests.whole import whole

pytestmark = [pytest.mark.component, pytest.mark.xdist_group("bases")]

SOURCE = "https://host.example/db/bank/streams/"
LIMITS = Limits(time_seconds=0.6, memory_bytes=60 * 1024 * 1024, content_bytes=100_000)
OWN_FRAMES = re.compile(
    r'  File "[^"]*(?:adapters|_instant|_lane)\.py", line \d+, in \w+\n(?:    .*\n)*', re.MULTILINE
)


@dataclass(frozen=True)
class Views:
    """One component, both ways."""

    lane: StateViewComponent
    contract: StateViewComponent


@pytest.fixture(scope="module")
def variant(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The mirror, built against a contract of another package with u64 seconds."""
    path: Path = tmp_path_factory.mktemp("mirror") / "mirror.wasm"
    build(DATA / "mirror_view.py", output=path, wit=DATA / "variant.wit", reproducible=True)
    return path


@pytest.fixture(scope="module", params=["packed", "stock"])
def mirror_host(request: pytest.FixtureRequest) -> Iterator[Host]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(request.param))
        yield Host(limits=LIMITS, source_roots=[DATA])


OTHER = pytest.param("built against another contract", marks=whole)


@pytest.fixture(scope="module", params=["from source", OTHER])
def views(request: pytest.FixtureRequest, mirror_host: Host) -> Views:
    def load(*, lane: bool) -> StateViewComponent:
        if request.param == "from source":
            component = mirror_host.load_source(DATA / "mirror_view.py", lane=lane)
        else:
            component = mirror_host.load(request.getfixturevalue("variant"), lane=lane)
        assert isinstance(component, StateViewComponent)
        assert component.uses_lane is lane
        return component

    return Views(load(lane=True), load(lane=False))


def outcome(fold: Callable[[], bytes | None]) -> Any:
    """The content; or everything that an error says, but for what the two ways have of their own."""
    try:
        return fold()
    except ComponentError as error:
        # "trap" is wasmtime's word, and "reached" the seconds until a call was stopped.
        facts = {key: value for key, value in vars(error).items() if key not in ("trap", "reached")}
        return type(error), _comparable(str(error)), _comparable(facts)


def _comparable(said: Any) -> Any:
    if isinstance(said, dict):
        return {key: _comparable(value) for key, value in said.items()}
    if isinstance(said, list):
        return [_comparable(value) for value in said]
    if not isinstance(said, str):
        return said
    said = re.sub(r"repeated \d+ more times", "repeated", OWN_FRAMES.sub("", said))
    return re.sub(r"[\d.]+ seconds are over", "over", said)


def encoded(batch: list[Event]) -> EncodedEvents:
    source = source_prefix(batch[0].source) if batch else ""
    return EncodedEvents(encode_batch(batch, source), len(batch), source)


@given(data=st.data())
@settings(max_examples=12)
def test_any_events_in_any_batches_give_the_same(views: Views, data: st.DataObject) -> None:
    history = data.draw(st.lists(events(), max_size=5))
    content = data.draw(st.none() | st.binary(max_size=20) | st.text(max_size=20).map(str.encode))
    size = data.draw(st.integers(1, 3))
    expected = outcome(lambda: views.contract.evolve(content, history, CONTEXT, batch_size=size))
    got = outcome(lambda: views.lane.evolve(content, history, CONTEXT, batch_size=size))
    assert got == expected
    whole = outcome(lambda: views.contract.evolve(content, history, CONTEXT))
    batch = encoded(history)
    for view in (views.lane, views.contract):
        assert outcome(lambda: view.evolve_encoded(content, batch, CONTEXT)) == whole  # noqa: B023
        folds = [Fold(content, history), Fold(content, batch), Fold(None, [])]
        many = [outcome(folded.result) for folded in view.evolve_many(folds, CONTEXT)]
        assert many == [whole, whole, outcome(lambda: views.contract.evolve(None, [], CONTEXT))]


def event(name: str, kind: str = "t", data: str | None = None, **fields: Any) -> Event:
    return Event(name, f"{SOURCE}accounts", kind, data=data, **fields)


FAILING: dict[str, list[Event]] = {
    "an exception": [event("1"), event("2"), event("3", "do-fail")],
    "an exception after a warning": [event("1", "do-print"), event("2", "do-fail")],
    "exit": [event("1", "do-exit")],
    "deep recursion": [event("1", "do-recurse")],
    "all of the memory": [event("1", "do-take-memory")],
    "more memory than there is": [event("1", "do-ask-too-much")],
    "content that is too large": [event("1", "do-grow", "100001")],
    "an endless loop": [event("1", "do-loop")],
    "a payload that is too large": [event("1"), Event("2", SOURCE, "t", data=bytes(100_001))],
    "a name that is taken": [event("1"), event("2"), event("3", extensions={"subject": "s"})],
    "no event": [event("1"), {"id": "2"}],  # type: ignore[list-item]
}


@pytest.mark.parametrize("name", FAILING)
def test_whatever_fails_fails_with_the_same_words(views: Views, name: str) -> None:
    def fold(view: StateViewComponent) -> Any:
        return outcome(lambda: view.evolve(None, FAILING[name], CONTEXT, batch_size=2))

    expected = fold(views.contract)
    assert issubclass(expected[0], ComponentError)
    assert fold(views.lane) == expected


def test_a_failure_names_the_event_and_the_users_line(views: Views) -> None:
    with pytest.raises(ComponentError) as caught:
        views.lane.evolve(None, FAILING["an exception"], CONTEXT)
    said = caught.value.guest_traceback
    assert "event 2 of 3 (id '3', type 'do-fail'): ValueError: cannot take 3" in said
    assert f'File "{DATA / "mirror_view.py"}", line ' in said


@pytest.mark.parametrize("kind", ["t", "do-halve", "do-forget"])
def test_contents_of_all_kinds_come_back(views: Views, kind: str) -> None:
    history = [event("1"), event("2", kind), event("3")]
    expected = outcome(lambda: views.contract.evolve(b"\x00", history, CONTEXT, batch_size=1))
    assert outcome(lambda: views.lane.evolve(b"\x00", history, CONTEXT, batch_size=1)) == expected


def test_times_that_a_contract_cannot_carry_are_refused_by_the_lane_too(views: Views) -> None:
    early = from_parts(-1)
    for history in (
        [event("1", time=early)],
        [event("1", extensions={"at": TimestampExtension(early)})],
    ):
        expected = outcome(lambda: views.contract.evolve(None, history, CONTEXT))  # noqa: B023
        assert outcome(lambda: views.lane.evolve(None, history, CONTEXT)) == expected  # noqa: B023
        text = encoded(history)
        assert outcome(lambda: views.lane.evolve_encoded(None, text, CONTEXT)) == expected  # noqa: B023


ROW = '["e","accounts","t",null,null,null,null,null,null]'


@pytest.mark.parametrize(
    ("text", "count", "field", "reason"),
    [
        ("[", 0, "events", "no JSON"),
        ("{}", 0, "events", "must be a list, got dict"),
        (f"[{ROW}]", 2, "events", "has 1 events where 2 were announced"),
        (f"[{ROW},[]]", 2, "events[1]", "a list of 9 values"),
        ("[" + ROW.replace('"t"', "5") + "]", 1, "events[0].type", "must be text, got int"),
        ("[" + ROW.replace('"e"', r'"\ud800"') + "]", 1, "events[0]", "surrogate"),
        (
            "[" + ROW.replace(",null]", ',{"n":99999999999}]') + "]",
            1,
            "events[0].extensions",
            "does not fit into 32 bits",
        ),
        (
            "[" + ROW.replace(",null]", ',{"subject":"s"}]') + "]",
            1,
            "events[0].extensions.subject",
            "CloudEvents defines this name",
        ),
    ],
)
def test_a_text_that_is_no_batch_is_refused_by_the_place(
    views: Views, text: str, count: int, field: str, reason: str
) -> None:
    batch = EncodedEvents(text, count, SOURCE)
    expected = outcome(lambda: views.contract.evolve_encoded(None, batch, CONTEXT))
    assert outcome(lambda: views.lane.evolve_encoded(None, batch, CONTEXT)) == expected
    with pytest.raises(ComponentError, match=re.escape(reason)) as caught:
        views.lane.evolve_encoded(None, batch, CONTEXT)
    assert getattr(caught.value, "field", None) == field


SAYING = {"an exception", "an exception after a warning", "more memory than there is"}
"""What fails in words, and so leaves the call that it happens in as it is."""


def some_folds(failing: dict[str, list[Event]]) -> list[Fold]:
    """Good ones, and between them those that fail."""
    folds: list[Fold] = []
    for number, bad in enumerate(failing.values()):
        folds.append(Fold(f"{number} ".encode(), [event(f"{number}-{n}") for n in range(4)]))
        folds.append(Fold(None, bad))
        folds.append(Fold(b"\xff", encoded([event(f"{number}")])))
    return [*folds, Fold(b"", []), Fold(None, [event(str(n)) for n in range(7)])]


@pytest.mark.parametrize(
    "failing",
    [FAILING, {name: FAILING[name] for name in sorted(SAYING)}],
    ids=["some that end the call", "some that say so"],
)
def test_many_folds_are_each_as_if_it_were_alone(
    views: Views, failing: dict[str, list[Event]]
) -> None:
    def alone(fold: Fold) -> bytes | None:
        if isinstance(fold.events, EncodedEvents):
            return views.lane.evolve_encoded(fold.content, fold.events, CONTEXT)
        return views.lane.evolve(fold.content, fold.events, CONTEXT, batch_size=5)

    folds = some_folds(failing)
    expected = [outcome(lambda: alone(fold)) for fold in folds]  # noqa: B023
    got = [outcome(each.result) for each in views.lane.evolve_many(folds, CONTEXT, batch_size=5)]
    assert got == expected


def test_many_small_folds_take_few_calls(views: Views, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    codec: Codec = views.lane._template.codec
    fold = codec.fold

    def counted(*arguments: Any) -> Any:
        calls.append(len(arguments[4]))
        return fold(*arguments)

    monkeypatch.setattr(codec, "fold", counted)
    folds = [Fold(None, [event(f"{number}")]) for number in range(1_500)]
    folds[700] = Fold(None, [event("700", "do-fail")])
    results = list(views.lane.evolve_many(iter(folds), CONTEXT))
    assert calls == [1_000, 500]
    failed = [number for number, result in enumerate(results) if result.error is not None]
    assert failed == [700]
    assert results[1_499].content is not None
    assert b"id='1499'" in results[1_499].content


BY_HAND = """
class WitWorld:
    def evolve(self, state_view, events):
        return b"%d by hand" % len(events)
"""
OVERRIDING = """
from evidentsource_functions import StateViewBase
from evidentsource_functions.wasm import StateViewAdapter


class Count(StateViewBase):
    def evolve_event(self, event): ...


class WitWorld(StateViewAdapter):
    state_view_type = Count

    def evolve(self, state_view, events):
        return b"%d by hand" % len(events)
"""


@pytest.mark.parametrize("source", [BY_HAND, OVERRIDING], ids=["by hand", "overriding"])
def test_an_evolve_of_the_users_own_sees_every_batch(
    mirror_host: Host, tmp_path: Path, source: str
) -> None:
    (tmp_path / "own.py").write_text(source)
    view = mirror_host.load_source(tmp_path / "own.py")
    assert isinstance(view, StateViewComponent)
    folds = [Fold(None, [event("1")] * 2), Fold(None, [])]
    got = [folded.result() for folded in view.evolve_many(folds, CONTEXT)]
    assert got == [b"2 by hand", b"0 by hand"]
    assert view.evolve(None, [event("1")] * 3, CONTEXT) == b"3 by hand"


def test_the_lane_shows_in_the_file(variant: Path) -> None:
    assert read_component(variant).lane == 1
