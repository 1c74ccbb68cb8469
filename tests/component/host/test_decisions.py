"""What goes into a state change in a component, and what comes out, is what was meant."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from evidentsource_core import (
    AppendCondition,
    Command,
    Event,
    EventSelector,
    ProspectiveEvent,
    Selector,
    StateChangeMetadata,
)
from evidentsource_core.reference import ReferenceDatabase
from evidentsource_core.times import from_parts
from evidentsource_functions import StateChangeError, StateChangeErrorKind
from evidentsource_runtime.host import (
    ComponentError,
    ComponentExit,
    ComponentInputError,
    ComponentLimitError,
    ComponentOutputError,
    ComponentTrap,
    StateChangeComponent,
)
from tests.component.host import wire
from tests.component.host.test_views import fits, moments_of
from tests.component.host.wire import metadata, order, told
from tests.unit.core.strategies import (
    constraints,
    events,
    instants,
    prospective_events,
    selectors,
)

pytestmark = [pytest.mark.component, pytest.mark.xdist_group("bases")]

BANK = ReferenceDatabase("bank", created_at=from_parts(0), clock=lambda: from_parts(9)).latest()


def decide(change: StateChangeComponent, **parts: list[Any]) -> Any:
    """Let the component return these parts of a decision, given as ``plain.load`` takes them."""
    decision = {"events": [], "conditions": []} | parts
    return change.decide(BANK, order(decision), metadata("decide"))


@given(
    command=st.builds(
        Command, st.none() | st.binary(max_size=40), st.text(max_size=20), st.none() | st.text()
    ),
    version=st.integers(0, 2**32 - 1),
    revision=st.integers(0, 2**63 - 1),
    received_at=instants,
    headers=st.lists(st.tuples(st.text(max_size=9), st.text(max_size=9)), max_size=3),
)
@settings(max_examples=60)
def test_a_command_and_its_metadata_arrive_as_they_are(
    change: StateChangeComponent,
    contract: str,
    command: Command,
    version: int,
    revision: int,
    received_at: datetime,
    headers: list[tuple[str, str]],
) -> None:
    assume(fits(contract, received_at))
    with pytest.raises(StateChangeError) as caught:
        change.decide(
            BANK, command, StateChangeMetadata("echo", version, revision, received_at, headers)
        )
    assert json.loads(caught.value.message) == {
        "command": {
            "is": "Command",
            "body": wire.binary(command.body),
            "content_type": command.content_type,
            "content_schema": command.content_schema,
        },
        "metadata": {
            "is": "StateChangeMetadata",
            "state_change_name": "echo",
            "state_change_version": version,
            "last_seen_revision": revision,
            "command_received_at": wire.time(received_at),
            "command_headers": [list(header) for header in headers],
        },
    }


@pytest.mark.parametrize("kind", StateChangeErrorKind)
def test_a_refusal_arrives_with_its_kind_and_text(
    change: StateChangeComponent, kind: StateChangeErrorKind
) -> None:
    name = kind.value.title().replace("_", "")
    with pytest.raises(StateChangeError) as caught:
        change.decide(BANK, order({"kind": name, "text": "nö"}), metadata("refuse"))
    assert caught.value == StateChangeError(kind, "nö")


@given(data=st.data())
@settings(max_examples=120)
def test_every_event_comes_back_with_everything_it_has(
    change: StateChangeComponent, contract: str, data: st.DataObject
) -> None:
    drawn: list[ProspectiveEvent] = data.draw(st.lists(prospective_events, max_size=3))
    assume(all(fits(contract, *moments_of(event)) for event in drawn))
    decided = decide(change, events=[wire.cloudevent(event) for event in drawn])
    assert decided == (drawn, [])


class Holding:
    """A database with exactly these events, whatever is asked."""

    def __init__(self, held: list[Event]) -> None:
        self.held = held
        self.asked: list[EventSelector] = []

    def query_events(self, selector: EventSelector) -> list[Event]:
        self.asked.append(selector)
        return self.held


@given(data=st.data())
@settings(max_examples=60)
def test_a_stored_event_goes_through_a_component_unchanged(
    change: StateChangeComponent, contract: str, data: st.DataObject
) -> None:
    held: list[Event] = data.draw(st.lists(events, max_size=3))
    assume(all(fits(contract, *moments_of(event)) for event in held))
    query = order(wire.query(Selector.stream("accounts")))
    decided, _ = change.decide(Holding(held), query, metadata("return-query"))
    back = [
        Event(
            *(event.id, event.stream, event.event_type, event.subject, event.data, event.time),
            *(event.datacontenttype, event.dataschema, event.extensions),
        )
        for event in decided
    ]
    assert back == held


@given(conditions=st.lists(constraints, max_size=3))
@settings(max_examples=100)
def test_every_condition_comes_back_as_it_was_made(
    change: StateChangeComponent, conditions: list[AppendCondition]
) -> None:
    decided = decide(change, conditions=[wire.condition(each) for each in conditions])
    assert decided == ([], conditions)


@given(selector=selectors)
@settings(max_examples=100)
def test_every_selector_reaches_the_database_as_it_was_made(
    change: StateChangeComponent, selector: EventSelector
) -> None:
    database = Holding([])
    change.decide(database, order(wire.query(selector)), metadata("return-query"))
    assert database.asked == [selector]


def test_nothing_survives_from_one_decision_to_the_next(change: StateChangeComponent) -> None:
    empty = Command()
    assert [told(change, "count-decisions", BANK, empty) for _ in range(2)] == [1, 1]


# --- what a component may return, and what it may not --------------------------------------------

EVENT = wire.cloudevent(ProspectiveEvent("e-1", "accounts", "account.opened"))
TIME = {"is": "Datetime", "seconds": 1, "nanoseconds": 5}


def attribute(name: str, kind: str, value: Any) -> dict[str, Any]:
    return {"tuple": [name, wire.case("CloudeventAttributeValue", kind, value)]}


def having(*attributes: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return EVENT | {"attributes": list(attributes)} | fields


@pytest.mark.parametrize(
    ("pair", "field", "value"),
    [
        (("dataschema", "Uri", "s:1"), "dataschema", "s:1"),
        (("dataschema", "UriRef", "1"), "dataschema", "1"),
        (("dataschema", "String", "s:1"), "dataschema", "s:1"),
        (("time", "Timestamp", TIME), "time", from_parts(1, 5)),
        (("time", "String", "1970-01-01T01:00:01.000000005+01:00"), "time", from_parts(1, 5)),
        (("subject", "String", "a-1"), "subject", "a-1"),
        (("datacontenttype", "String", "text/plain"), "datacontenttype", "text/plain"),
    ],
)
def test_a_context_attribute_is_taken_in_every_form_that_says_it(
    change: StateChangeComponent, pair: tuple[str, str, Any], field: str, value: Any
) -> None:
    (event,), _ = decide(change, events=[having(attribute(*pair))])
    assert getattr(event, field) == value
    assert not event.extensions


ONE = wire.case("EventSelectorNode", "Equals", wire.case("EventAttribute", "Stream", "accounts"))


def node(name: str, *value: Any) -> dict[str, Any]:
    return wire.case("EventSelectorNode", name, {"tuple": list(value)})


def over(*nodes: dict[str, Any]) -> dict[str, Any]:
    body = {"is": "EventSelector", "nodes": list(nodes)}
    return wire.case(
        "BatchConstraint", "Min", {"is": "BatchConstraintMin", "selector": body, "revision": 1}
    )


def spanning(low: int, high: int) -> dict[str, Any]:
    body = {"is": "BatchConstraintRange", "min": low, "max": high}
    return wire.case(
        "BatchConstraint", "Range", body | {"selector": {"is": "EventSelector", "nodes": [ONE]}}
    )


@pytest.mark.parametrize(
    ("parts", "field", "reason"),
    [
        ({"events": [EVENT, having(specversion="0.3")]}, "decide.events[1].specversion", "1.0"),
        (
            {"events": [having(attribute("time", "Integer", 5))]},
            "decide.events[0].attributes.time",
            "must be a timestamp or RFC 3339 string, got a integer",
        ),
        (
            {"events": [having(attribute("time", "String", "yesterday"))]},
            "decide.events[0].attributes.time",
            "no RFC 3339 time",
        ),
        (
            {"events": [having(attribute("subject", "Uri", "s:1"))]},
            "decide.events[0].attributes.subject",
            "must be a string, got a uri",
        ),
        (
            {"events": [having(*[attribute("subject", "String", "s")] * 2)]},
            "decide.events[0].attributes.subject",
            "is given twice",
        ),
        (
            {"events": [having(*[attribute("tenant", "String", "s")] * 2)]},
            "decide.events[0].attributes.tenant",
            "is given twice",
        ),
        (
            {"events": [having(attribute("at", "Timestamp", TIME | {"nanoseconds": 10**9}))]},
            "decide.events[0].attributes.at",
            "nanoseconds",
        ),
        (
            {"events": [having(attribute("at", "Timestamp", TIME | {"seconds": 2**40}))]},
            "decide.events[0].attributes.at",
            "years 1 to 9999",
        ),
        ({"conditions": [over()]}, "decide.conditions[0].selector", "there is no node"),
        (
            {"conditions": [over(ONE), over(ONE, node("And", 0, 1))]},
            "decide.conditions[1].selector",
            "1 is not the index of an earlier node",
        ),
        (
            {"conditions": [over(ONE, ONE)]},
            "decide.conditions[0].selector",
            "node 0: is used by no other node",
        ),
        (
            {"conditions": [over(ONE, *(node("Or", i, i) for i in range(14)))]},
            "decide.conditions[0].selector",
            "more than 10000 nodes",
        ),
        (
            {
                "conditions": [
                    over(
                        wire.case(
                            "EventSelectorNode",
                            "Equals",
                            wire.case("EventAttribute", "Stream", "1"),
                        )
                    )
                ]
            },
            "decide.conditions[0].selector.nodes[0]",
            "invalid stream name: '1'",
        ),
        ({"conditions": [spanning(3, 2)]}, "decide.conditions[0]", "min (3) must be <= max (2)"),
    ],
)
def test_what_means_nothing_in_the_domain_is_refused_by_the_path_to_it(
    change: StateChangeComponent, parts: dict[str, list[Any]], field: str, reason: str
) -> None:
    with pytest.raises(ComponentOutputError) as caught:
        decide(change, **parts)
    assert caught.value.field == field
    assert reason in caught.value.reason


def test_bytes_that_are_too_many_are_told_as_a_limit(change: StateChangeComponent) -> None:
    with pytest.raises(ComponentLimitError) as caught:
        change.decide(BANK, Command(bytes(2_097_153)), metadata("echo"))
    assert caught.value.limit == "command.body"
    too_much = wire.case("CloudeventData", "Binary", {"repeat": 3_000_000})
    with pytest.raises(ComponentLimitError):
        decide(change, events=[EVENT | {"data": too_much}])


def test_a_returned_payload_over_the_limit_is_told_as_a_limit(
    change: StateChangeComponent,
) -> None:
    too_much = wire.case("CloudeventData", "Binary", {"repeat": 2_097_153})
    with pytest.raises(ComponentLimitError) as caught:
        decide(change, events=[EVENT, EVENT | {"data": too_much}])
    assert caught.value.limit == "decide.events[1].data"


@pytest.mark.parametrize(("name", "kind"), [("return-int", ComponentTrap), ("exit", ComponentExit)])
def test_a_decision_that_fails_is_a_typed_error_and_the_next_one_works(
    change: StateChangeComponent, name: str, kind: type[ComponentError]
) -> None:
    with pytest.raises(kind):
        change.decide(BANK, Command(), metadata(name))
    assert decide(change) == ([], [])


def test_a_number_that_the_contract_has_no_room_for_is_refused(
    change: StateChangeComponent, contract: str
) -> None:
    high = metadata("echo", last_seen_revision=2**63)
    if contract == "own":
        with pytest.raises(StateChangeError):
            change.decide(BANK, Command(), high)
        return
    with pytest.raises(ComponentInputError, match="does not fit into the s64") as caught:
        change.decide(BANK, Command(), high)
    assert caught.value.field == "metadata.last-seen-revision"


@pytest.mark.parametrize(
    ("command", "about", "name"),
    [(b"{}", metadata("echo"), "command"), (Command(), {}, "metadata")],
)
def test_arguments_of_the_wrong_type_are_refused_by_name(
    change: StateChangeComponent, command: Any, about: Any, name: str
) -> None:
    with pytest.raises(TypeError, match=f"^{name}: "):
        change.decide(BANK, command, about)
