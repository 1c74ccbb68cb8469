"""Selectors with parameters, and definitions: what is wrong is refused when it is written."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given

from evidentsource_core import (
    EventSelector,
    EventSubject,
    EventType,
    EventTypeAttribute,
    FlatAndNode,
    InvalidSelector,
    InvalidStateChangeName,
    InvalidStateViewName,
    InvalidStreamName,
    InvalidType,
    InvalidValue,
    Parameter,
    ParameterError,
    QueryTemporality,
    Selector,
    SelectorTemplate,
    StateChangeDefinition,
    StateChangeName,
    StateViewDefinition,
    StateViewName,
    StreamAttribute,
    StreamName,
    StreamNamePrefix,
    StreamPrefix,
    SubjectAttribute,
)
from evidentsource_core.domain.definitions import ParameterNode, view_parameters
from tests.unit.core.strategies import selectors

A1 = SubjectAttribute(EventSubject("a-1"))
ACCOUNTS = Selector.stream("accounts")
TEMPLATE = ACCOUNTS & Parameter.subject("account_id")


# --- binding -------------------------------------------------------------------------------------


@given(selectors)
def test_a_selector_without_parameters_binds_to_itself(selector: EventSelector) -> None:
    template = SelectorTemplate.of(selector)
    assert template.parameters == {}
    assert template.bind({}) == selector
    assert SelectorTemplate.of(template) is template


@given(selectors, selectors)
def test_a_template_combines_with_selectors_on_either_side(
    left: EventSelector, right: EventSelector
) -> None:
    hole, bound = Parameter.subject("who"), Selector.subject("a-1")
    cases = [
        (left & hole, left & bound),
        (hole & left, bound & left),
        (left | hole, left | bound),
        (hole | left, bound | left),
        ((left & hole) | right, (left & bound) | right),
        (left | (hole & right), left | (bound & right)),
        ((left & hole) | (hole & right), (left & bound) | (bound & right)),
    ]
    for template, selector in cases:
        assert template.bind({"who": A1}) == selector


@pytest.mark.parametrize(
    ("hole", "value", "selector"),
    [
        (Parameter.stream("p"), StreamAttribute(StreamName("aa")), Selector.stream("aa")),
        (Parameter.subject("p"), A1, Selector.subject("a-1")),
        (Parameter.subject("p"), SubjectAttribute(None), Selector.no_subject()),
        (Parameter.event_type("p"), EventTypeAttribute(EventType("t")), Selector.event_type("t")),
        (
            Parameter.stream("p", starts_with=True),
            StreamAttribute(StreamName("aa")),
            Selector.stream_starts_with("aa"),
        ),
        (Parameter.subject("p", starts_with=True), A1, Selector.subject_starts_with("a-1")),
        (
            Parameter.event_type("p", starts_with=True),
            EventTypeAttribute(EventType("t")),
            Selector.event_type_starts_with("t"),
        ),
    ],
)
def test_each_kind_of_parameter_binds_to_its_attribute(
    hole: SelectorTemplate, value: Any, selector: EventSelector
) -> None:
    assert hole.bind({"p": value}) == selector
    assert hole.bind(MappingProxyType({"p": value})) == selector


def test_parameters_are_told_in_order_of_appearance() -> None:
    template = Parameter.event_type("what") & (Parameter.subject("who") | Parameter.stream("at"))
    assert template.parameters == {"what": "event_type", "who": "subject", "at": "stream"}
    assert list(template.parameters) == ["what", "who", "at"]


def test_one_parameter_may_stand_in_two_places() -> None:
    template = Parameter.subject("who") | Parameter.subject("who", starts_with=True)
    assert template.bind({"who": A1}) == Selector.subject("a-1") | Selector.subject_starts_with(
        "a-1"
    )


@pytest.mark.parametrize(
    ("parameters", "name", "said"),
    [
        ({}, "account_id", "is not bound; give it a subject"),
        ({"acount_id": A1}, "acount_id", "unknown; the view's parameters are: account_id"),
        ({"account_id": A1, "more": A1}, "more", "unknown"),
        (
            {"account_id": StreamAttribute(StreamName("aa"))},
            "account_id",
            "binds a subject, got a stream",
        ),
    ],
)
def test_parameters_that_do_not_fit_are_refused_by_name(
    parameters: dict[str, Any], name: str, said: str
) -> None:
    with pytest.raises(ParameterError, match=said) as caught:
        TEMPLATE.bind(parameters)
    assert caught.value.parameter == name


def test_a_view_without_parameters_says_so() -> None:
    with pytest.raises(ParameterError, match="parameters are: none"):
        SelectorTemplate.of(ACCOUNTS).bind({"account_id": A1})


@pytest.mark.parametrize("value", ["a-1", None, EventSubject("a-1"), Selector.subject("a-1")])
def test_a_value_that_is_no_attribute_is_refused_by_name(value: Any) -> None:
    with pytest.raises(InvalidType, match="parameter 'account_id': expected an event attribute"):
        TEMPLATE.bind({"account_id": value})


@pytest.mark.parametrize("wrong", [[("account_id", A1)], None, "account_id"])
def test_what_is_no_mapping_binds_nothing(wrong: Any) -> None:
    with pytest.raises(InvalidType, match="parameters: expected a mapping"):
        TEMPLATE.bind(wrong)


def test_a_prefix_cannot_be_bound_to_no_subject() -> None:
    with pytest.raises(ParameterError, match="cannot be bound to no subject"):
        Parameter.subject("p", starts_with=True).bind({"p": SubjectAttribute(None)})


# --- templates that cannot be --------------------------------------------------------------------


def test_one_name_for_two_kinds_is_refused_when_it_is_written() -> None:
    with pytest.raises(ParameterError, match="stands for a stream and for a subject") as caught:
        Parameter.stream("p") & Parameter.subject("p")
    assert caught.value.parameter == "p"


@pytest.mark.parametrize("name", ["", " ", "\t"])
def test_a_parameter_without_a_name_is_refused(name: str) -> None:
    with pytest.raises(ParameterError, match="needs a name"):
        Parameter.subject(name)


@pytest.mark.parametrize("name", [None, 5, b"p"])
def test_a_parameter_whose_name_is_no_text_is_refused(name: Any) -> None:
    with pytest.raises(InvalidType, match=r"ParameterNode\.name"):
        Parameter.subject(name)


def test_a_parameter_of_an_unknown_kind_is_refused_with_those_there_are() -> None:
    kind: Any = "type"
    with pytest.raises(InvalidValue, match="'type' is none of stream, subject, event_type"):
        ParameterNode(kind, "p")


@pytest.mark.parametrize(
    "nodes",
    [
        (),
        (FlatAndNode(0, 1),),
        (ParameterNode("subject", "p"), FlatAndNode(0, 1)),
        (ParameterNode("subject", "p"), ParameterNode("subject", "q")),
        ("node",),
    ],
)
def test_nodes_that_describe_no_tree_are_no_template(nodes: Any) -> None:
    with pytest.raises(InvalidSelector):
        SelectorTemplate(nodes)


@pytest.mark.parametrize("wrong", [None, "accounts", A1])
def test_a_template_combines_with_nothing_else(wrong: Any) -> None:
    combinations: list[Callable[[], object]] = [
        lambda: TEMPLATE & wrong,
        lambda: TEMPLATE | wrong,
        lambda: wrong & TEMPLATE,
        lambda: wrong | TEMPLATE,
    ]
    for combine in combinations:
        with pytest.raises(InvalidType, match="a selector or a template"):
            combine()


def test_equal_templates_have_equal_hashes() -> None:
    again = ACCOUNTS & Parameter.subject("account_id")
    assert again == TEMPLATE
    assert hash(again) == hash(TEMPLATE)
    assert SelectorTemplate(list(TEMPLATE.nodes)) == TEMPLATE  # type: ignore[arg-type]  # what is tested


# --- how view_state reads its argument -----------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "attribute"),
    [
        ("a-1", A1),
        (None, SubjectAttribute(None)),
        (EventSubject("a-1"), A1),
        (StreamName("aa"), StreamAttribute(StreamName("aa"))),
        (EventType("t"), EventTypeAttribute(EventType("t"))),
        (A1, A1),
        (SubjectAttribute(None), SubjectAttribute(None)),
        (StreamAttribute(StreamName("aa")), StreamAttribute(StreamName("aa"))),
        (EventTypeAttribute(EventType("t")), EventTypeAttribute(EventType("t"))),
    ],
)
def test_every_form_of_a_parameter_becomes_an_attribute(value: Any, attribute: object) -> None:
    forms: list[Any] = [{"p": value}, [("p", value)], (("p", value),), iter([["p", value]])]
    for given_form in forms:
        assert view_parameters(given_form) == [("p", attribute)]


@pytest.mark.parametrize("nothing", [None, {}, [], ()])
def test_no_parameters_are_no_pairs(nothing: Any) -> None:
    assert view_parameters(nothing) == []


def test_a_parameter_bound_twice_is_refused() -> None:
    with pytest.raises(ParameterError, match="'p': is bound twice"):
        view_parameters([("p", "a"), ("q", "b"), ("p", "a")])


@pytest.mark.parametrize("wrong", [5, "ab", [("p",)], [("p", "a", "b")], ["pa"], [5], [(5, "a")]])
def test_what_is_no_pairs_is_refused(wrong: Any) -> None:
    with pytest.raises(InvalidType, match="parameters: expected"):
        view_parameters(wrong)


@pytest.mark.parametrize("value", [5, b"a", ["a"], StreamPrefix(StreamNamePrefix("a"))])
def test_a_parameter_of_another_type_is_refused_by_name(value: Any) -> None:
    with pytest.raises(InvalidType, match="parameter 'p': expected str, None, StreamAttribute"):
        view_parameters({"p": value})


# --- definitions ---------------------------------------------------------------------------------


def test_a_definition_takes_text_and_a_selector_and_counts_from_one() -> None:
    name: Any = "summary"
    selector: Any = ACCOUNTS
    view = StateViewDefinition(name, selector)
    assert view.name == StateViewName("summary")
    assert view.selector == SelectorTemplate.of(ACCOUNTS)
    assert (view.version, view.temporality) == (1, QueryTemporality.REVISION)
    assert view.content_type == "application/json"
    change: Any = "deposit"
    assert StateChangeDefinition(change) == StateChangeDefinition(StateChangeName("deposit"), 1)


@pytest.mark.parametrize(
    ("build", "error", "said"),
    [
        (lambda: StateViewDefinition("1", TEMPLATE), InvalidStateViewName, "state view name"),  # type: ignore[arg-type]
        (lambda: StateChangeDefinition("1"), InvalidStateChangeName, "state change name"),  # type: ignore[arg-type]
    ],
)  # fmt: skip
def test_a_bad_name_is_refused(build: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        build()


@pytest.mark.parametrize(
    ("fields", "error", "said"),
    [
        ({"name": StateChangeName("deposit")}, InvalidType, r"StateViewDefinition\.name"),
        ({"name": None}, InvalidType, r"StateViewDefinition\.name: expected StateViewName or str"),
        ({"selector": "accounts"}, InvalidType, r"StateViewDefinition\.selector"),
        ({"version": 0}, InvalidValue, "versions count from 1, got 0"),
        ({"version": "1"}, InvalidType, r"StateViewDefinition\.version"),
        ({"version": True}, InvalidType, r"StateViewDefinition\.version"),
        ({"temporality": "revision"}, InvalidType, r"StateViewDefinition\.temporality"),
    ],
)
def test_a_wrong_definition_is_refused_by_the_field(
    fields: dict[str, Any], error: type[Exception], said: str
) -> None:
    right: dict[str, Any] = {"name": StateViewName("summary"), "selector": TEMPLATE}
    with pytest.raises(error, match=said):
        StateViewDefinition(**(right | fields))


def test_a_stream_cannot_be_bound_to_a_text_that_is_none() -> None:
    with pytest.raises(InvalidStreamName):
        StreamAttribute("1")  # type: ignore[arg-type]  # what is tested
