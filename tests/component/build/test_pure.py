"""In a pure component, reading the clock, randomness or files is an error that names the line."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

import pytest

from evidentsource_core import Event
from evidentsource_core.reference import ReferenceDatabase
from evidentsource_functions import (
    Command,
    StateChangeError,
    StateChangeErrorKind,
    StateChangeMetadata,
)
from evidentsource_functions.wasm.pure import CLOCK, FILES, RANDOM
from evidentsource_runtime.artifact import read_component
from evidentsource_runtime.build import BuildResult
from evidentsource_runtime.host import (
    ComponentTrap,
    Host,
    StateChangeComponent,
    StateViewComponent,
)
from tests.component.build.conftest import CONTEXT, DATA, MOMENT, Evolve, Make
from tests.whole import whole

SOURCE = (DATA / "impure.py").read_text(encoding="utf-8")
KINDS = {"CLOCK": CLOCK, "RANDOM": RANDOM, "FILES": FILES}
NAMES = {
    kind: re.findall(
        r'^    "(\w+)":', SOURCE.partition(f"\n{kind} = {{")[2].partition("\n}")[0], re.MULTILINE
    )
    for kind in (*KINDS, "PURE")
}
IMPURE = [(kind, name) for kind in KINDS for name in NAMES[kind]]
# These reach the clock or a source of randomness by way of another kind of call.
OTHERS_WORDS = {"tempfile": RANDOM}

pytestmark = [pytest.mark.component, pytest.mark.xdist_group("bases")]


@pytest.fixture(scope="module", params=["filled", pytest.param("built", marks=whole)])
def built(request: pytest.FixtureRequest, make: Make) -> BuildResult:
    """The rule that reads everything; all names ask one component, of the kind made in a moment."""
    if request.param == "filled":
        return make("impure_change", pure=True, reproducible=True)
    return make("stamped_change", pure=True)


@pytest.fixture(scope="module")
def change(built: BuildResult) -> StateChangeComponent:
    component = Host().load(built.path)
    assert isinstance(component, StateChangeComponent)
    return component


def ask(change: StateChangeComponent, name: str) -> str:
    database = ReferenceDatabase("bank", created_at=MOMENT, clock=lambda: MOMENT)
    command = Command(json.dumps({"name": name}).encode(), "application/json")
    metadata = StateChangeMetadata("ask", 1, 0, datetime(2024, 1, 1, tzinfo=UTC), [])
    events, _ = change.decide(database.latest(), command, metadata)
    (event,) = events
    return str(event.data_as_string())


def line_of(name: str) -> int:
    return next(
        n for n, line in enumerate(SOURCE.splitlines(), 1) if line.startswith(f'    "{name}":')
    )


@pytest.mark.parametrize(("kind", "name"), IMPURE)
def test_a_rule_that_reads_it_is_refused_with_words(
    change: StateChangeComponent, kind: str, name: str
) -> None:
    with pytest.raises(StateChangeError) as caught:
        ask(change, name)
    error = caught.value
    assert error.kind is StateChangeErrorKind.INTERNAL
    assert "ImpureCall" in error.message
    assert OTHERS_WORDS.get(name, KINDS[kind]) in error.message
    if name != "default_argument":
        assert re.search(rf"impure\.py:{line_of(name)}\b", error.message)


@pytest.mark.parametrize("name", NAMES["PURE"])
def test_what_is_pure_works(change: StateChangeComponent, name: str) -> None:
    assert ask(change, name)


@whole
def test_what_the_clock_said_while_it_was_built_is_kept(make: Make) -> None:
    component = Host().load(make("stamped_change", pure=True).path)
    assert isinstance(component, StateChangeComponent)
    assert ask(component, "frozen_clock") == "True"


@pytest.mark.parametrize("name", ["uuid4", "now", "open", "random"])
def test_a_view_that_reads_it_fails_with_a_traceback_of_the_users_line(
    make: Make, evolve: Evolve, name: str
) -> None:
    path = make("impure_view", pure=True, reproducible=True).path
    with pytest.raises(ComponentTrap) as caught:
        evolve(path, name)
    words = caught.value.guest_traceback
    assert "ImpureCall" in words
    assert re.search(rf'impure\.py", line {line_of(name)}\b', words)
    assert evolve(path, "seeded") == b'{"answers": ["True"]}'


def test_a_host_that_keeps_to_the_contract_is_told_why_by_the_lane(make: Make) -> None:
    view = Host(lane=False).load(make("impure_view", pure=True, reproducible=True).path)
    assert isinstance(view, StateViewComponent)
    event = Event("e-1", "https://example.com/db/bank/streams/accounts", "uuid4")
    with pytest.raises(ComponentTrap) as caught:
        view.evolve(None, [event], CONTEXT)
    assert "ImpureCall" in caught.value.guest_traceback
    assert "unreachable" in caught.value.trap


def test_a_pure_component_imports_nothing_of_wasi(built: BuildResult) -> None:
    found = read_component(built.path)
    assert [each.name for each in found.imports if each.name.startswith("wasi:")] == []
    assert found.facts is not None
    assert found.facts.pure


@whole
def test_a_pure_change_exports_the_decision_alone(make: Make) -> None:
    found = read_component(make("stamped_change", pure=True).path)
    assert [each.name for each in found.exports if each.kind == "func"] == ["decide"]


@whole
def test_a_pure_view_says_by_the_lane_why_a_fold_failed_and_needs_no_more_exports(
    make: Make,
) -> None:
    found = read_component(make("impure_view", pure=True).path)
    functions = {each.name for each in found.exports if each.kind == "func"}
    assert functions == {"evidentsource-fold-v1", "evolve"}


def test_a_component_that_is_not_pure_reads_them(make: Make) -> None:
    change = Host().load(make("impure_change", reproducible=True).path)
    assert isinstance(change, StateChangeComponent)
    for name in ("time", "uuid4", "unseeded", "now"):
        assert ask(change, name)


def test_the_build_says_beforehand_what_shows_from_the_source(built: BuildResult) -> None:
    warnings = built.warnings
    assert {warning.code for warning in warnings} == {"impure-call"}
    lines = {warning.line for warning in warnings}
    assert {line_of(name) for name in ("time", "uuid4", "open", "now", "choice_by_name")} <= lines
    assert lines.isdisjoint(line_of(name) for name in NAMES["PURE"])
