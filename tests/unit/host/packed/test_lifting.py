"""Whatever a component gives is lifted to the same as by wasmtime-py's own conversion and ``Lift``.

What cannot be lifted is refused by both, with the same path and the same words.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from wasmtime.component import Record, Variant

from evidentsource_core import (
    AppendCondition,
    Event,
    EventAttribute,
    EventSelector,
    EvidentSourceError,
    ProspectiveEvent,
    QueryOptions,
    Selector,
)
from evidentsource_core.times import MAX_SECONDS, MIN_SECONDS
from evidentsource_runtime.host.convert.contract import DECIDE, EVOLVE, Kind
from evidentsource_runtime.host.convert.lift import Lift
from evidentsource_runtime.host.convert.lower import Lower, record
from evidentsource_runtime.host.convert.packed.sheet import Sheet
from evidentsource_runtime.host.convert.packed.specimen import change_text
from evidentsource_runtime.host.convert.packed.trial import Trial
from evidentsource_runtime.host.convert.packed.writers import Writer
from evidentsource_runtime.host.errors import ComponentInputError
from tests.strategies import (
    conditions,
    event_attributes,
    events,
    prospective_events,
    query_options,
    selectors,
    texts,
)
from tests.unit.host.packed import plain, trials

contracts = st.sampled_from(trials.CONTRACTS)
lift = Lift(trials.NAME, trials.LIMIT)


def outcome(attempt: Callable[[], Any]) -> Any:
    """What comes of it: a value, or what is refused and with which words."""
    try:
        return attempt()
    except EvidentSourceError as error:
        return type(error), str(error)


def fitting(attempt: Callable[[], Any]) -> Any:
    """Values that the contract at hand can carry at all."""
    try:
        return attempt()
    except ComponentInputError:
        return assume(False)


def stock(trial: Trial) -> Lower:
    return Lower(trials.NAME, trial.contract, 2 * trials.LIMIT)


def lifted(trial: Trial, shape: Any, key: str, value: Any, explain: Callable[[Any], Any]) -> Any:
    """What we make of a value that wasmtime-py wrote, once it is known to be what that makes of it."""
    read = trial.plan.reader(shape, key, explain)
    ours = outcome(lambda: trial.ours_of_theirs(key, value, read))
    assert ours == outcome(lambda: explain(trial.theirs_of_theirs(key, value)))
    return ours


def decided(trial: Trial, value: Any) -> Any:
    def explain(answer: Any) -> Any:
        return lift.refusal(answer) if isinstance(answer, Variant) else lift.decision(answer)

    return lifted(trial, DECIDE[1], "decide", value, explain)


@given(
    contract=contracts,
    proposed=st.lists(prospective_events(), max_size=3),
    wanted=st.lists(conditions(), max_size=3),
)
def test_a_decision_is_lifted_to_what_was_decided(
    contract: str, proposed: list[ProspectiveEvent], wanted: list[AppendCondition]
) -> None:
    trial = trials.change(contract)
    made = fitting(lambda: [plain.event(stock(trial), event) for event in proposed])
    ours = decided(trial, (made, [plain.condition(condition) for condition in wanted]))
    if contract == "own":
        assert ours == (proposed, wanted)


@given(contract=contracts, batch=st.lists(events(), max_size=3))
def test_stored_events_that_a_component_hands_on_are_lifted_as_by_the_stock_conversion(
    contract: str, batch: list[Event]
) -> None:
    trial = trials.change(contract)
    made = fitting(lambda: stock(trial).events(batch))
    path = "speculative-database.speculate-with-batch"
    lifted(trial, Kind.EVENTS.value, f"{path}.1", made, lambda found: lift.events(found, path))
    decided(trial, (made, []))


@pytest.mark.parametrize(
    "kind", ["validation", "conflict", "not-found", "unauthorized", "internal"]
)
@given(text=texts)
def test_a_refusal_is_lifted_with_its_kind_and_text(kind: str, text: str) -> None:
    refusal = decided(trials.change("own"), Variant(kind, text))
    assert (refusal.kind.value.replace("_", "-"), refusal.message) == (kind, text)


@given(contract=contracts, selector=selectors(), options=query_options())
def test_a_query_is_lifted_to_what_was_asked(
    contract: str, selector: EventSelector, options: QueryOptions
) -> None:
    trial = trials.change(contract)
    query = fitting(lambda: plain.query(stock(trial), selector, options))
    key = "database.query-events.1"
    ours = lifted(trial, Kind.QUERY.value, key, query, lambda found: lift.query(found, "q"))
    if contract == "own":
        assert ours == (selector, options)


@given(parameters=st.lists(st.tuples(texts, event_attributes()), max_size=4))
def test_parameters_of_a_view_are_lifted_to_what_was_bound(
    parameters: list[tuple[str, EventAttribute]],
) -> None:
    given_ = [(name, plain.attribute(value)) for name, value in parameters]
    ours = lifted(
        trials.change("own"),
        Kind.PARAMETERS.value,
        "database.view-state.3",
        given_,
        lambda found: lift.parameters(found, "p"),
    )
    assert ours == parameters


@given(content=st.none() | st.binary(max_size=5000))
def test_content_is_lifted_byte_for_byte(content: bytes | None) -> None:
    trial = trials.view("own")
    read = trial.plan.reader(EVOLVE[1], "evolve", lambda found: found)
    assert trial.ours_of_theirs("evolve", content, read) == content


@pytest.mark.parametrize("width", ["s8", "u8", "s16", "u16", "s32", "u32", "s64", "u64"])
def test_numbers_of_every_width_are_lifted_and_lowered(width: str) -> None:
    trial = Trial(change_text(("database.name", "database.revision"), {"database.revision": width}))
    bounds = trial.contract.widths["database.revision"]
    read = trial.plan.reader(Kind.NUMBER.value, "database.revision", lambda found: found)
    write = trial.plan.writer(Kind.NUMBER.value, "database.revision")
    for number in (bounds.low, bounds.high, 0, 1):
        assert trial.ours_of_theirs("database.revision", number, read) == number
        written = partial(_written, write, number)
        assert trial.theirs_of_ours("database.revision", written) == number


def _written(write: Writer, value: Any, sheet: Sheet) -> bytes:
    return write(sheet, value)


def _event(**fields: Any) -> Record:
    made: dict[str, Any] = {
        "id": "e",
        "source": "accounts",
        "specversion": "1.0",
        "type": "t",
        "data": None,
        "attributes": [],
    }
    return record(**(made | fields))


def _attributes(*attributes: tuple[str, str, Any]) -> Record:
    return _event(attributes=[(name, Variant(kind, value)) for name, kind, value in attributes])


_SELECTOR = plain.selector(Selector.stream("accounts"))


@pytest.mark.parametrize(
    ("event", "path"),
    [
        (_event(specversion="0.3"), "specversion"),
        (_event(data=bytes(trials.LIMIT + 1)), "data"),
        (_attributes(("subject", "uri", "x")), "attributes.subject"),
        (_attributes(("datacontenttype", "integer", 1)), "attributes.datacontenttype"),
        (_attributes(("dataschema", "binary", b"")), "attributes.dataschema"),
        (_attributes(("time", "integer", 5)), "attributes.time"),
        (_attributes(("time", "string", "yesterday")), "attributes.time"),
        (_attributes(("time", "uri", "2024-01-01T00:00:00Z")), "attributes.time"),
        (
            _attributes(("time", "timestamp", record(seconds=MAX_SECONDS + 1, nanoseconds=0))),
            "attributes.time",
        ),
        (
            _attributes(("when", "timestamp", record(seconds=MIN_SECONDS - 1, nanoseconds=0))),
            "attributes.when",
        ),
        (
            _attributes(("when", "timestamp", record(seconds=0, nanoseconds=10**9))),
            "attributes.when",
        ),
        (_attributes(("a", "string", "x"), ("a", "string", "x")), "attributes.a"),
        (_attributes(("subject", "string", "x"), ("subject", "string", "y")), "attributes.subject"),
        (_attributes(("blob", "binary", bytes(trials.LIMIT + 1))), "attributes.blob"),
    ],
)
def test_an_event_that_means_nothing_is_refused_with_its_path(event: Record, path: str) -> None:
    _, words = decided(trials.change("own"), ([_event(), event], []))
    assert f"decide.events[1].{path}" in words


@pytest.mark.parametrize(
    ("condition", "path"),
    [
        (Variant("range", record(selector=_SELECTOR, min=2, max=1)), "decide.conditions[0]"),
        (Variant("min", record(selector=record(nodes=[]), revision=1)), "selector"),
        (
            Variant("max", record(selector=record(nodes=[Variant("and", (0, 1))]), revision=1)),
            "selector",
        ),
        (
            Variant(
                "max",
                record(
                    selector=record(nodes=[Variant("equals", Variant("stream", "no good"))]),
                    revision=1,
                ),
            ),
            "selector.nodes[0]",
        ),
    ],
)
def test_a_condition_that_means_nothing_is_refused_with_its_path(
    condition: Variant, path: str
) -> None:
    _, words = decided(trials.change("own"), ([], [condition]))
    assert path in words


@given(
    nodes=st.lists(
        st.one_of(
            st.tuples(st.integers(0, 5), st.integers(0, 5)).map(lambda pair: Variant("and", pair)),
            st.tuples(st.integers(0, 5), st.integers(0, 5)).map(lambda pair: Variant("or", pair)),
            texts.map(lambda text: Variant("equals", Variant("stream", text))),
            (st.none() | texts).map(lambda text: Variant("equals", Variant("subject", text))),
            texts.map(lambda text: Variant("starts-with", Variant("event-type", text))),
        ),
        max_size=6,
    )
)
def test_any_nodes_are_a_selector_or_refused_as_by_the_stock_conversion(
    nodes: list[Variant],
) -> None:
    query = record(selector=record(nodes=nodes), range=None, direction="forward", limit=None)
    key = "database.query-events.1"
    lifted(trials.change("own"), Kind.QUERY.value, key, query, lambda found: lift.query(found, "q"))
