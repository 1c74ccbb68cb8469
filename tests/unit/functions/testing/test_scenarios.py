"""Scenarios: what passes, what is told apart, and what is refused as no scenario at all."""

from __future__ import annotations

import gc
import re
import unittest
from datetime import UTC, datetime
from types import FunctionType
from typing import Any

import pytest

from evidentsource_core import (
    Command,
    Constraint,
    ConstraintViolations,
    Event,
    EventType,
    EventTypeAttribute,
    EvidentSourceError,
    InvalidEvents,
    InvalidType,
    InvalidValue,
    Parameter,
    ProspectiveEvent,
    Selector,
    StreamAttribute,
    StreamName,
)
from evidentsource_functions import InvalidDefinition, StateChangeErrorKind, StateViewBase
from evidentsource_functions.testing import (
    ANYTHING,
    EventBuilder,
    ScenarioFailed,
    Scenarios,
    command,
    event,
)
from tests.unit.functions.testing.kit import (
    AddLines,
    Order,
    Pay,
    Sales,
    add_lines,
    given,
    made,
    order,
    pay,
    shop,
)

PEN = event("line.added", subject="o-1", item="pen", quantity=1)
PAID = event("order.paid", subject="o-1", card="4000")
NOON = datetime(2024, 3, 1, 12, tzinfo=UTC)


def decided(*events: ProspectiveEvent) -> Any:
    """What comes of a rule that decides these events."""

    def rule(db: Any, command: dict, metadata: Any) -> Any:  # type: ignore[type-arg]
        return list(events)

    return Scenarios("shop", stream="orders").change(rule, "rule").when({})


# --- what a test names has to match, and the rest does not ---------------------------------------

STORED: dict[str, Any] = {
    "id": "e-1",
    "stream": "orders",
    "event_type": "order.paid",
    "subject": "o-1",
    "data": '{"card": "4000"}',
    "time": NOON,
    "datacontenttype": "application/json",
    "dataschema": "https://example.com/paid",
    "extensions": {"tenant": "x"},
}


def test_ids_times_schemas_and_extensions_match_where_they_are_not_named() -> None:
    decided(ProspectiveEvent(**STORED)).then(PAID)


@pytest.mark.parametrize(
    "named",
    [
        {"id": "e-2"},
        {"time": "2024-03-01"},
        {"time": None},
        {"dataschema": "https://example.com/other"},
        {"extensions": {}},
        {"extensions": {"tenant": "y"}},
        {"stream": "invoices"},
        {"subject": "o-2"},
        {"content_type": "text/json"},
        {"card": 4000},
        {"more": 1},
    ],
    ids=str,
)
def test_every_part_that_is_named_has_to_match(named: dict[str, Any]) -> None:
    with pytest.raises(ScenarioFailed):
        decided(ProspectiveEvent(**STORED)).then(
            event("order.paid", **({"subject": "o-1", "card": "4000"} | named))
        )


def test_every_part_can_be_named() -> None:
    decided(ProspectiveEvent(**STORED)).then(
        event(
            "order.paid",
            id="e-1",
            stream="orders",
            subject="o-1",
            data={"card": "4000"},
            time="2024-03-01T12:00:00Z",
            content_type="application/json",
            dataschema="https://example.com/paid",
            extensions={"tenant": "x"},
        )
    )


@pytest.mark.parametrize("part", [part for part in STORED if part != "extensions"])
def test_an_event_that_was_built_names_all_of_its_parts(part: str) -> None:
    others: dict[str, Any] = {
        "data": '{"card": "4001"}',
        "time": None,
        "datacontenttype": "text/json",
        "dataschema": None,
    }
    decided(ProspectiveEvent(**STORED)).then(ProspectiveEvent(**STORED))
    with pytest.raises(ScenarioFailed):
        decided(ProspectiveEvent(**STORED)).then(
            ProspectiveEvent(**(STORED | {part: others.get(part, "other")}))
        )


def test_a_builder_names_what_was_set() -> None:
    builder = EventBuilder("order.paid").stream("orders").subject("o-1").data({"card": "4000"})
    decided(ProspectiveEvent(**STORED)).then(builder)
    with pytest.raises(ScenarioFailed):
        decided(ProspectiveEvent(**STORED)).then(builder.id("e-2"))


def test_a_stored_event_is_as_good_as_one_before_it_was_stored() -> None:
    source = "https://test.local/db/shop/streams/orders"
    parts = {key: value for key, value in STORED.items() if key != "stream"}
    decided(ProspectiveEvent(**STORED)).then(Event(source=source, **parts))


def test_the_layout_of_a_payload_does_not_matter() -> None:
    spaced = '{\n"b": [1, 2.0], "a": 1 }'
    event_with = ProspectiveEvent("e", "orders", "t", data=spaced, datacontenttype="text/json")
    decided(event_with).then(event("t", a=1, b=[1, 2]))


@pytest.mark.parametrize(
    ("expected", "got"),
    [(True, "1"), (1, "true"), ([1], "[1, 2]"), ([1, 2], "[1]"), (None, "0"), ("1", "1")],
)
def test_values_of_a_payload_are_told_apart_as_json_does(expected: Any, got: str) -> None:
    event_with = ProspectiveEvent(
        "e", "orders", "t", data=f'{{"a": {got}}}', datacontenttype="application/json"
    )
    with pytest.raises(ScenarioFailed, match=r"data\.a"):
        decided(event_with).then(event("t", a=expected))


def test_a_part_of_a_payload_may_be_anything_but_has_to_be_there() -> None:
    event_with = ProspectiveEvent("e", "orders", "t", data='{"a": 1, "b": [{"c": 2}]}')
    decided(event_with).then(event("t", a=1, b=[{"c": ANYTHING}]))
    with pytest.raises(ScenarioFailed, match=r"data\.d"):
        decided(event_with).then(event("t", a=1, b=[{"c": 2}], d=ANYTHING))


@pytest.mark.parametrize(
    ("data", "content_type"), [("5", "text/plain"), (b"\x00\xff", "application/octet-stream")]
)
def test_a_payload_that_is_no_json_is_compared_as_it_is(data: Any, content_type: str) -> None:
    event_with = ProspectiveEvent("e", "orders", "t", data=data, datacontenttype=content_type)
    decided(event_with).then(event("t", data=data))
    with pytest.raises(ScenarioFailed, match="data"):
        decided(event_with).then(event("t", data=data + data))
    with pytest.raises(ScenarioFailed, match="datacontenttype"):
        decided(event_with).then(event("t", data=data, content_type="image/png"))


def test_structured_data_is_not_text_that_looks_the_same() -> None:
    event_with = ProspectiveEvent("e", "orders", "t", data="{}", datacontenttype="text/plain")
    with pytest.raises(ScenarioFailed, match="datacontenttype"):
        decided(event_with).then(event("t", data={}))


@pytest.mark.parametrize("data", [None, "{}"])
def test_an_event_named_without_a_payload_has_none_or_an_empty_one(data: str | None) -> None:
    decided(ProspectiveEvent("e", "orders", "t", data=data)).then(event("t"))


def test_an_empty_payload_and_none_can_be_told_apart() -> None:
    empty = ProspectiveEvent("e", "orders", "t", data="{}")
    none = ProspectiveEvent("e", "orders", "t")
    decided(empty).then(event("t", data={}))
    decided(none).then(event("t", data=None))
    for made_event, wanted in ((empty, None), (none, {})):
        with pytest.raises(ScenarioFailed, match="data"):
            decided(made_event).then(event("t", data=wanted))


def test_an_event_without_any_stream_is_refused_with_what_to_write() -> None:
    scenarios = Scenarios("shop").change(pay)
    with pytest.raises(InvalidValue, match=r"Scenarios\(\.\.\., stream=\.\.\.\)"):
        scenarios.given(PAID)
    with pytest.raises(InvalidValue, match=r"event\(\.\.\., stream=\.\.\.\)"):
        scenarios.given(made("order.paid", "o-1", "e-1")).when(Pay("o-1")).then(PAID)


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: event(" "), "event type"),
        (lambda: event("t", subject="\x1f"), "subject"),
        (lambda: event("t", stream="1"), "stream name"),
        (lambda: event("t", time="soon"), "time"),
        (lambda: event("t", extensions={"Not-A-Name": 1}), "Not-A-Name"),
        (lambda: event("t", data={}, amount=1), "data: .*left out beside the fields amount"),
    ],
)
def test_a_wrong_event_is_refused_where_it_is_named(make: Any, named: str) -> None:
    with pytest.raises(EvidentSourceError, match=named):
        make()


# --- commands ------------------------------------------------------------------------------------


def test_a_command_goes_to_the_rule_of_its_type_and_the_rule_gets_all_of_it() -> None:
    given().when(AddLines("o-1", ["pen"], quantity=3)).then(
        event("line.added", subject="o-1", item="pen", quantity=3)
    )


def test_a_command_can_be_sent_as_it_is_on_the_wire() -> None:
    given(PEN).when(command("pay", order_id="o-1", card=4000)).then_rejected(
        "validation", "command.card: expected str, got int"
    )
    given(PEN).when(command(Pay, body="{}")).then_rejected(
        "validation", "command.order_id: is missing"
    )
    given(PEN).when(command(Pay, order_id="o-1")).then(PAID)


def test_what_came_with_a_command_reaches_the_rule() -> None:
    seen: list[Any] = []

    def rule(db: Any, command: Command, metadata: Any) -> Any:
        seen.append((metadata.command_headers, metadata.command_received_at, command.content_type))
        return []

    scenarios = Scenarios("shop").change(rule)
    sent = command("rule", body=b"<pay/>", content_type="text/xml", headers={"x-user": "ann"})
    scenarios.given().received_at("2024-03-01T12:00:00Z").when(sent).then_nothing()
    ((headers, received_at, content_type),) = seen
    assert [tuple(pair) for pair in headers] == [("x-user", "ann")]
    assert (received_at, content_type) == (NOON, "text/xml")


def test_a_class_says_itself_how_it_is_sent() -> None:
    class Rename:
        def __init__(self, name: str) -> None:
            self.name = name

        def to_dict(self) -> dict[str, str]:
            return {"newName": self.name}

        @classmethod
        def from_dict(cls, data: dict[str, Any]) -> Rename:
            return cls(data["newName"])

    def rename(db: Any, command: Rename, metadata: Any) -> Any:
        return [made("renamed", "o-1", "e-1", name=command.name)]

    scenarios = Scenarios("shop", stream="orders").change(rename, command_type=Rename)
    scenarios.when(Rename("x")).then(event("renamed", subject="o-1", name="x"))


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        (command("refund"), "no state change takes 'refund'; known are: add-lines .AddLines., pay"),
        ({"order_id": "o-1"}, r'no state change takes dict; .*command\("add-lines", FIELD=...\)'),
    ],
)
def test_a_command_that_no_rule_takes_is_refused(sent: Any, message: str) -> None:
    with pytest.raises(InvalidValue, match=message):
        given().when(sent)


def test_a_command_that_two_rules_take_needs_a_name() -> None:
    both = shop.change(pay, "pay-again")
    with pytest.raises(InvalidValue, match=r'pay, pay-again all take a Pay; .*command\("pay"'):
        both.given(PEN).when(Pay("o-1"))
    both.given(PEN).when(command("pay-again", order_id="o-1")).then(PAID)


def test_the_latest_version_of_a_rule_decides() -> None:
    def second(db: Any, command: Pay, metadata: Any) -> Any:
        assert metadata.state_change_version == 2
        return []

    shop.change(second, "pay").given(PEN).when(Pay("o-1")).then_nothing()


def test_the_class_of_a_command_is_no_command() -> None:
    with pytest.raises(InvalidType, match="not its class"):
        given().when(Pay)  # type: ignore[arg-type]


# --- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind", ["not_found", "not-found", StateChangeErrorKind.NOT_FOUND], ids=str
)
def test_a_refusal_is_named_by_its_kind(kind: Any) -> None:
    given().when(Pay("o-1")).then_rejected(kind)
    given().when(Pay("o-1")).then_rejected(kind, "there is no order o-1")
    given().when(Pay("o-1")).then_rejected(kind, re.compile("no order"))


@pytest.mark.parametrize("text", ["there is no order", re.compile("order o-2")], ids=str)
def test_a_text_is_the_whole_message_and_a_pattern_is_part_of_it(text: Any) -> None:
    with pytest.raises(ScenarioFailed, match="another reason"):
        given().when(Pay("o-1")).then_rejected("not_found", text)


@pytest.mark.parametrize("kind", [ConstraintViolations, "constraint-violations"], ids=str)
def test_a_commit_that_does_not_happen_is_a_refusal_too(kind: Any) -> None:
    given(PEN, PEN).last_seen(1).when(Pay("o-1")).then_rejected(kind)


def test_a_duplicate_event_is_refused_at_the_commit() -> None:
    taken = event("order.paid", subject="o-1", id="o-1.paid", card="x")
    given(PEN, taken).when(Pay("o-1")).then_rejected(InvalidEvents, re.compile("duplicate"))


def test_a_kind_that_does_not_exist_is_refused() -> None:
    with pytest.raises(InvalidValue, match="'forbidden' is no kind of refusal; one of validation"):
        given().when(Pay("o-1")).then_rejected("forbidden")


def test_nothing_is_written_by_a_refused_command() -> None:
    given(PEN).when(Pay("o-1", card="gold")).then_rejected("validation").then_view(None, Sales)


# --- conditions ----------------------------------------------------------------------------------


def test_conditions_are_compared_in_any_order_and_one_by_one() -> None:
    first, second = Constraint.must_exist(order("o-1")), Constraint.must_exist(order("o-2"))

    def rule(db: Any, command: dict, metadata: Any) -> Any:  # type: ignore[type-arg]
        return [], [first, second, first]

    outcome = Scenarios("shop").change(rule, "rule").when({})
    outcome.then_conditions(second, first, first)
    for wrong in ([first, second], [first, second, second], [first, second, first, first]):
        with pytest.raises(ScenarioFailed, match="append conditions differ"):
            outcome.then_conditions(*wrong)


def test_conditions_speak_of_revisions_of_the_scenario() -> None:
    given(PEN, PEN).when(Pay("o-1")).then_conditions(Constraint.unchanged_since(order("o-1"), 2))


def test_a_refused_command_has_no_conditions() -> None:
    with pytest.raises(ScenarioFailed, match="rejected, so there are no conditions"):
        given().when(Pay("o-1")).then_conditions()


# --- time ----------------------------------------------------------------------------------------


def test_what_happened_is_recorded_when_the_test_says_and_the_clock_stands_there() -> None:
    def rule(db: Any, command: dict, metadata: Any) -> Any:  # type: ignore[type-arg]
        times = [
            str(found.extension("recordedtime").value) for found in db.query_events(order("o-1"))
        ]
        return [made("seen", "o-2", "e", times=times, now=str(metadata.command_received_at))]

    (
        Scenarios("shop", stream="orders")
        .change(rule, "rule")
        .given_at("2023-05-01T08:00:00Z", PEN)
        .given_at(NOON, PEN)
        .given(PEN)
        .when({})
        .then(
            event(
                "seen",
                subject="o-2",
                times=[
                    "2023-05-01T08:00:00.000000Z",
                    "2024-03-01T12:00:00.000000Z",
                    "2024-03-01T12:00:00.000000Z",
                ],
                now="2024-03-01 12:00:00+00:00",
            )
        )
    )


def test_a_time_at_which_nothing_happened_is_refused() -> None:
    with pytest.raises(InvalidValue, match=r"names no event .*received_at"):
        shop.given_at("2024-02-01")


def test_recorded_times_do_not_go_back() -> None:
    with pytest.raises(InvalidValue, match=r"never go back; .*event\(\.\.\., time=\.\.\.\)"):
        given().given_at("2024-03-02", PEN).given_at("2024-03-01", PEN)


def test_a_view_is_read_as_of_a_revision_and_an_effective_time() -> None:
    later = event("line.added", subject="o-1", time="2024-06-01", item="pen", quantity=2)
    history = given(PEN).given(PEN, later)
    history.then_view(Order({"pen": 4}), order_id="o-1")
    history.as_of(revision=1).then_view(Order({"pen": 1}), order_id="o-1")
    history.as_of(effective="2024-05-31").then_view(Order({"pen": 2}), order_id="o-1")
    history.as_of(effective="2024-06-01").then_view(Order({"pen": 4}), order_id="o-1")
    history.as_of(effective="2024-06-01", revision=2).then_view(Order({"pen": 2}), order_id="o-1")


def test_given_does_not_change_when_more_is_said() -> None:
    first = given(PEN)
    first.given(PEN)
    first.then_view(Order({"pen": 1}), order_id="o-1")


# --- views ---------------------------------------------------------------------------------------


def test_a_view_is_expected_as_an_object_as_values_or_as_bytes() -> None:
    history = given(PEN, PAID)
    history.then_view(Order({"pen": 1}, paid=True), order_id="o-1")
    history.then_view({"lines": {"pen": 1}, "paid": ANYTHING}, Order, order_id="o-1")
    history.then_view(b'{"lines": {"pen": 1}, "paid": true}', "order", order_id="o-1")
    history.then_view(Sales(1))


def test_bytes_are_compared_byte_for_byte() -> None:
    with pytest.raises(ScenarioFailed, match="content"):
        given(PAID).then_view(b'{"orders":1}', Sales)


def test_plain_values_do_not_say_which_view_they_are() -> None:
    with pytest.raises(InvalidValue, match=r"then_view\(expected, ViewClass\)"):
        given(PAID).then_view({"orders": 1})
    with pytest.raises(InvalidValue, match="no state view is published as 'orders'; known are"):
        given(PAID).then_view({"orders": 1}, "orders")


def test_parameters_of_every_kind_can_be_bound() -> None:
    anywhere = Scenarios("shop", stream="orders").view(
        Sales, "anywhere", Parameter.stream("s") & Parameter.event_type("t")
    )
    bound: dict[str, Any] = {
        "s": StreamAttribute(StreamName("orders")),
        "t": EventTypeAttribute(EventType("order.paid")),
    }
    anywhere.given(PEN, PAID).then_view(Sales(1), **bound)


def test_a_view_that_a_parameter_is_missing_of_cannot_be_read() -> None:
    with pytest.raises(ScenarioFailed, match="the view order cannot be read"):
        given(PEN).then_view(Order())


def test_a_view_needs_a_selector_from_somewhere() -> None:
    with pytest.raises(InvalidValue, match="which events does the view fold"):
        Scenarios("shop").view(Order)


def test_what_a_test_says_goes_before_the_definition_of_the_class() -> None:
    other = Scenarios("shop", stream="orders").view(
        Sales, "lines", Selector.event_type("line.added")
    )
    other.given(PEN, PEN, PAID).then_view({"orders": 2}, "lines")


def test_a_view_with_content_of_its_own_is_compared_in_its_own_bytes() -> None:
    class Words(StateViewBase):
        def __init__(self, words: str = "") -> None:
            self.words = words

        def evolve_event(self, event: Event) -> None:
            self.words += event.event_type + " "

        def serialize(self, content_type: str | None = None) -> bytes:
            return self.words.encode()

        @classmethod
        def deserialize(cls, data: bytes | None, content_type: str | None = None) -> Words:
            return cls((data or b"").decode())

    words = Scenarios("shop", stream="orders").view(
        Words, selector=Selector.stream("orders"), content_type="text/plain"
    )
    words.given(PEN, PAID).then_view(Words("line.added order.paid "))
    with pytest.raises(ScenarioFailed, match="content"):
        words.given(PEN).then_view(Words("nothing"))


# --- how it is used ------------------------------------------------------------------------------


def test_a_scenario_that_nobody_looked_at_is_told() -> None:
    def forgotten() -> None:
        given(PEN).when(Pay("o-1"))
        gc.collect()

    with pytest.warns(UserWarning, match=r"the command to pay: end the scenario with then"):
        forgotten()


def test_then_without_events_is_refused() -> None:
    with pytest.raises(InvalidValue, match=r"then_nothing\(\)"):
        given(PEN).when(AddLines("o-1", [])).then()


def test_the_events_can_be_looked_at() -> None:
    (paid,) = given(PEN).when(Pay("o-1")).events
    assert paid.id == "o-1.paid"
    with pytest.raises(ScenarioFailed, match="rejected"):
        assert given().when(Pay("o-1")).events


@pytest.mark.parametrize("word", ["then", "then_nothing", "then_rejected", "then_conditions"])
def test_what_comes_after_a_command_says_so_where_there_is_none(word: str) -> None:
    with pytest.raises(AttributeError, match=rf"when\(COMMAND\)\.{word}; .*then_view"):
        getattr(given(PEN), word)
    with pytest.raises(AttributeError, match="has no attribute 'than'"):
        getattr(given(PEN), "than")  # noqa: B009 - a type checker knows that there is none


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        ([PEN], r"one by one: given\(first, second\)"),
        ({"type": "line.added"}, r'write event\("TYPE"'),
        ("line.added", r'write event\("TYPE"'),
    ],
    ids=["list", "dict", "text"],
)
def test_what_is_no_event_is_refused_with_what_to_write(wrong: Any, hint: str) -> None:
    with pytest.raises(InvalidType, match=hint):
        given(wrong)
    with pytest.raises(InvalidType, match=hint):
        given(PEN).when(Pay("o-1")).then(wrong)


def test_what_is_no_condition_is_refused_with_what_to_write() -> None:
    selector: Any = Selector.subject("o-1")
    with pytest.raises(InvalidType, match=r"then_conditions: .*Constraint\.must_exist"):
        given(PEN).when(Pay("o-1")).then_conditions(selector)


def test_a_revision_that_is_not_there_is_no_failed_commit() -> None:
    with pytest.raises(ScenarioFailed, match="the command could not be executed") as caught:
        given(PEN).last_seen(9).when(Pay("o-1")).then(PAID)
    assert "9 is not from 0 to 1" in str(caught.value)
    assert "decided were" not in str(caught.value)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (Pay, r"Pay is a class; a state change is a function decide\(db, command, metadata\)"),
        ("pay", "'pay' is no function"),
        (lambda db, command: [], r"cannot be called as decide\(db, command, metadata\): too many"),
    ],
    ids=["class", "text", "two arguments"],
)
def test_what_is_no_rule_is_refused_when_it_is_named(rule: Any, said: str) -> None:
    with pytest.raises(InvalidDefinition, match=said):
        Scenarios("shop").change(rule)


def test_a_rule_that_cannot_work_is_refused_when_it_is_named() -> None:
    with pytest.raises(InvalidDefinition, match="type of the command is not known"):
        Scenarios("shop").change(lambda db, command, metadata: [])


def test_names_come_from_the_function_the_module_or_the_class() -> None:
    names = [view.name for view in shop.book.views], [each.name for each in shop.book.changes]
    assert names == (["order", "sales"], ["add-lines", "pay"])
    decide = FunctionType(pay.__code__, pay.__globals__, "decide")
    decide.__annotations__ = pay.__annotations__
    decide.__module__ = "shop.pay_order"
    assert Scenarios("shop").change(decide).book.changes[0].name == "pay-order"


def test_two_versions_of_a_rule_are_two_rules() -> None:
    assert [each.definition.version for each in shop.change(add_lines).book.changes] == [1, 1, 2]


class InUnittest(unittest.TestCase):
    """The same sentences, in a test that pytest has no part in."""

    def test_a_scenario_passes_or_fails_the_test(self) -> None:
        given(PEN).when(Pay("o-1")).then(PAID)
        with self.assertRaises(AssertionError):  # noqa: PT027 - it is unittest that is shown
            given(PEN).when(Pay("o-1")).then(PEN)


def test_the_sentences_work_in_unittest() -> None:
    result = unittest.TestResult()
    InUnittest("test_a_scenario_passes_or_fails_the_test").run(result)
    assert (result.testsRun, result.wasSuccessful()) == (1, True)
