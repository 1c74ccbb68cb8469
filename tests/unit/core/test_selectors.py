"""Selectors: what they match, their flat form, and what is refused as no selector."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidentsource_core import (
    AndSelector,
    EqualsSelector,
    Event,
    EventId,
    EventSelector,
    EventSubject,
    EventType,
    EventTypeAttribute,
    EventTypePrefix,
    FlatAndNode,
    FlatEqualsNode,
    FlatOrNode,
    FlatStartsWithNode,
    InvalidEventSubject,
    InvalidSelector,
    InvalidStreamName,
    InvalidType,
    OrSelector,
    ProspectiveEvent,
    Selector,
    StartsWithSelector,
    StreamAttribute,
    StreamName,
    StreamNamePrefix,
    StreamPrefix,
    SubjectAttribute,
    SubjectPrefix,
    unflatten,
)
from evidentsource_core.domain.selectors import (
    MAX_NODES,
    EventSelector_factory,
    all_of,
    any_of,
    leaves,
)
from tests.unit.core.strategies import selectors, trees_of

A, B, C = Selector.stream("aa"), Selector.subject("bb"), Selector.event_type("cc")

# --- matching ------------------------------------------------------------------------------------

STREAMS, SUBJECTS, TYPES = ("aa", "ab", "b-"), (None, "x", "xy", "é"), ("t", "t.u", "u")
EVERY_EVENT = [
    Event("e", f"https://h/db/d/streams/{stream}", kind, subject)
    for stream, subject, kind in product(STREAMS, SUBJECTS, TYPES)
] + [Event("e", "https://h/no-stream", "t", "x")]
LEAVES: list[EventSelector] = [
    *(Selector.stream(stream) for stream in STREAMS),
    *(Selector.subject(subject) for subject in SUBJECTS),
    *(Selector.event_type(kind) for kind in TYPES),
    *(Selector.stream_starts_with(prefix) for prefix in ("a", "aa", "b")),
    *(Selector.subject_starts_with(prefix) for prefix in ("x", "xy", "é")),
    *(Selector.event_type_starts_with(prefix) for prefix in ("t", "t.")),
]


def naive(selector: EventSelector, event: Event) -> bool:
    """The rule as a sentence: what a selector means, by recursion."""
    match selector:
        case AndSelector(left, right):
            return naive(left, event) and naive(right, event)
        case OrSelector(left, right):
            return naive(left, event) or naive(right, event)
        case EqualsSelector(StreamAttribute(stream)):
            return event.stream() == stream.value
        case EqualsSelector(SubjectAttribute(subject)):
            return event.subject == (subject.value if subject else None)
        case EqualsSelector(EventTypeAttribute(kind)):
            return event.event_type == kind.value
        case StartsWithSelector(StreamPrefix(stream)):
            return (event.stream() or "").startswith(stream.value)
        case StartsWithSelector(SubjectPrefix(subject)):
            return (event.subject or "").startswith(subject.value)
        case StartsWithSelector(EventTypePrefix(kind)):
            return event.event_type.startswith(kind.value)
    raise AssertionError(selector)


@given(trees_of(st.sampled_from(LEAVES)))
def test_a_tree_matches_what_its_parts_say(selector: EventSelector) -> None:
    for event in EVERY_EVENT:
        assert selector.matches(event) is naive(selector, event)


@given(trees_of(st.sampled_from(LEAVES)), st.sampled_from(STREAMS), st.sampled_from(SUBJECTS))
def test_a_proposed_event_matches_as_it_will_when_it_is_stored(
    selector: EventSelector, stream: str, subject: str | None
) -> None:
    proposed = ProspectiveEvent("e", stream, "t.u", subject)
    stored = Event("e", f"https://h/db/d/streams/{stream}", "t.u", subject)
    assert selector.matches_prospective(proposed) is selector.matches(stored)


@pytest.mark.parametrize(
    ("selector", "matched"),
    [
        (Selector.subject(None), {None}),
        (Selector.no_subject(), {None}),
        (Selector.subject("x"), {"x"}),
        (Selector.subject_starts_with("x"), {"x", "xy"}),
    ],
)
def test_no_subject_is_matched_only_by_saying_so(
    selector: EventSelector, matched: set[str | None]
) -> None:
    events = [Event("e", "aa", "t", subject) for subject in (None, "x", "xy", "zx")]
    assert {event.subject for event in events if selector.matches(event)} == matched


# --- building ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("built", "written"),
    [
        (Selector.stream("aa"), EqualsSelector(StreamAttribute(StreamName("aa")))),
        (Selector.subject("s"), EqualsSelector(SubjectAttribute(EventSubject("s")))),
        (Selector.no_subject(), EqualsSelector(SubjectAttribute(None))),
        (Selector.event_type("t"), EqualsSelector(EventTypeAttribute(EventType("t")))),
        (Selector.stream_starts_with("a"), StartsWithSelector(StreamPrefix(StreamNamePrefix("a")))),
        (Selector.subject_starts_with("s"), StartsWithSelector(SubjectPrefix(EventSubject("s")))),
        (Selector.event_type_starts_with("t"), StartsWithSelector(EventTypePrefix(EventType("t")))),
        (A & B, AndSelector(A, B)),
        (A | B, OrSelector(A, B)),
        (A & B | C, OrSelector(AndSelector(A, B), C)),
    ],
)
def test_builders_give_the_written_out_selector(built: object, written: object) -> None:
    assert built == written
    assert hash(built) == hash(written)


def test_the_builder_has_two_names() -> None:
    assert EventSelector_factory is Selector


ATTRIBUTES: list[tuple[Callable[[Any], Any], str]] = [
    (StreamAttribute, "stream"),
    (SubjectAttribute, "subject"),
    (EventTypeAttribute, "event_type"),
    (StreamPrefix, "stream"),
    (SubjectPrefix, "subject"),
    (EventTypePrefix, "event_type"),
]


@pytest.mark.parametrize(("kind", "field"), ATTRIBUTES)
def test_plain_text_stands_for_the_name(kind: Callable[[Any], Any], field: str) -> None:
    held = getattr(kind("abc"), field)
    assert held.value == "abc"
    assert kind(held) == kind("abc")


@pytest.mark.parametrize(("kind", "field"), ATTRIBUTES)
@pytest.mark.parametrize("value", [5, b"abc", EventId("abc"), ["abc"]])
def test_a_name_of_another_kind_is_refused_by_the_field(
    kind: type[Any], field: str, value: object
) -> None:
    with pytest.raises(InvalidType, match=rf"{kind.__name__}\.{field}: expected"):
        kind(value)


def test_a_stream_name_may_be_a_prefix_but_a_prefix_no_stream_name() -> None:
    assert StreamPrefix(StreamName("abc")) == StreamPrefix(StreamNamePrefix("abc"))
    assert StreamAttribute(StreamNamePrefix("abc")) == StreamAttribute(StreamName("abc"))
    with pytest.raises(InvalidStreamName):
        StreamAttribute(StreamNamePrefix("a"))


def test_a_blank_subject_is_refused() -> None:
    with pytest.raises(InvalidEventSubject):
        Selector.subject("")


@pytest.mark.parametrize("build", [AndSelector, OrSelector])
@pytest.mark.parametrize("wrong", [None, "aa", StreamAttribute(StreamName("aa")), object()])
def test_a_side_that_is_no_selector_is_refused_by_name(build: type[Any], wrong: object) -> None:
    with pytest.raises(InvalidType, match=rf"{build.__name__}\.left: expected a selector"):
        build(wrong, A)
    with pytest.raises(InvalidType, match=rf"{build.__name__}\.right: expected a selector"):
        build(A, wrong)


@pytest.mark.parametrize("wrong", [None, "aa", StreamPrefix(StreamNamePrefix("a"))])
def test_a_leaf_of_the_wrong_kind_is_refused(wrong: Any) -> None:
    with pytest.raises(InvalidType, match=r"EqualsSelector\.attribute"):
        EqualsSelector(wrong)


@pytest.mark.parametrize("wrong", [None, "aa", StreamAttribute(StreamName("aa"))])
def test_a_prefix_leaf_of_the_wrong_kind_is_refused(wrong: Any) -> None:
    with pytest.raises(InvalidType, match=r"StartsWithSelector\.prefix"):
        StartsWithSelector(wrong)


@pytest.mark.parametrize("wrong", [None, "aa", True, 5])
def test_combining_with_what_is_no_selector_is_a_type_error(wrong: Any) -> None:
    for selector in (A, A & B):
        with pytest.raises(TypeError):
            selector & wrong
        with pytest.raises(TypeError):
            selector | wrong


# --- the flat form -------------------------------------------------------------------------------


@given(selectors)
def test_a_tree_comes_back_from_its_nodes(selector: EventSelector) -> None:
    nodes = selector.flatten()
    again = unflatten(nodes)
    assert again == selector
    assert hash(again) == hash(selector)
    assert again.flatten() == nodes
    assert repr(again) == repr(selector)


@given(selectors)
def test_nodes_come_children_first_each_used_once_and_the_root_last(
    selector: EventSelector,
) -> None:
    nodes = selector.flatten()
    used: list[int] = []
    for index, node in enumerate(nodes):
        if isinstance(node, (FlatAndNode, FlatOrNode)):
            assert node.left < node.right < index
            used += [node.left, node.right]
    assert sorted(used) == list(range(len(nodes) - 1))
    assert len(nodes) == selector.node_count


def test_the_flat_form_of_a_small_tree_is_this_one() -> None:
    assert (A & (B | C)).flatten() == [
        FlatEqualsNode(StreamAttribute(StreamName("aa"))),
        FlatEqualsNode(SubjectAttribute(EventSubject("bb"))),
        FlatEqualsNode(EventTypeAttribute(EventType("cc"))),
        FlatOrNode(1, 2),
        FlatAndNode(0, 3),
    ]
    assert Selector.stream_starts_with("a").flatten() == [
        FlatStartsWithNode(StreamPrefix(StreamNamePrefix("a")))
    ]


def test_changing_the_list_of_nodes_does_not_change_the_selector() -> None:
    tree = A & B
    tree.flatten().clear()
    assert len(tree.flatten()) == 3


both: Any = FlatAndNode
LEAF: Any = FlatEqualsNode(StreamAttribute(StreamName("aa")))


@pytest.mark.parametrize(
    ("nodes", "index", "said"),
    [
        ([], 0, "at least one"),
        ([FlatAndNode(0, 0)], 0, "0 is not the index of an earlier node"),
        ([LEAF, FlatAndNode(0, 1)], 1, "1 is not the index"),
        ([LEAF, FlatOrNode(2, 0)], 1, "2 is not the index"),
        ([LEAF, FlatAndNode(-1, 0)], 1, "-1 is not the index"),
        ([LEAF, both("0", 0)], 1, "'0' is not the index"),
        ([LEAF, LEAF, FlatAndNode(False, True)], 2, "False is not the index"),
        ([LEAF, both(0.0, 0)], 1, r"0\.0 is not the index"),
        ([LEAF, LEAF], 0, "used by no other node, and the last one is the root"),
        ([LEAF, LEAF, LEAF, FlatAndNode(0, 2)], 1, "used by no other node"),
        ([LEAF, "node"], 1, "str is no selector node"),
        ([None], 0, "NoneType is no selector node"),
    ],
)  # fmt: skip
def test_nodes_that_describe_no_tree_are_refused_with_the_node_at_fault(
    nodes: list[Any], index: int, said: str
) -> None:
    with pytest.raises(InvalidSelector, match=said) as caught:
        unflatten(nodes)
    assert caught.value.index == index


def test_a_node_may_be_used_by_several_others() -> None:
    assert unflatten([LEAF, FlatAndNode(0, 0), FlatOrNode(0, 1)]) == A | (A & A)


def test_a_short_list_that_stands_for_an_endless_tree_is_refused() -> None:
    bomb: list[Any] = [LEAF, *(FlatAndNode(index, index) for index in range(64))]
    with pytest.raises(InvalidSelector, match=f"more than {MAX_NODES} nodes"):
        unflatten(bomb)
    with pytest.raises(InvalidSelector, match="at most 1000000 nodes"):
        unflatten(bomb, max_nodes=None)


def test_the_bound_on_nodes_is_the_caller_s() -> None:
    nodes = (A & B).flatten()
    assert unflatten(nodes, max_nodes=3) == A & B
    with pytest.raises(InvalidSelector, match="more than 2 nodes"):
        unflatten(nodes, max_nodes=2)


def test_leaves_are_told_from_left_to_right() -> None:
    tree = (A & B) | Selector.subject_starts_with("x")
    assert list(leaves(tree)) == [
        StreamAttribute(StreamName("aa")),
        SubjectAttribute(EventSubject("bb")),
        SubjectPrefix(EventSubject("x")),
    ]


# --- many ----------------------------------------------------------------------------------------


@given(st.lists(st.sampled_from(LEAVES), min_size=1, max_size=12), st.sampled_from(EVERY_EVENT))
def test_any_of_and_all_of_mean_what_they_say(parts: list[EventSelector], event: Event) -> None:
    assert any_of(parts).matches(event) is any(part.matches(event) for part in parts)
    assert all_of(parts).matches(event) is all(part.matches(event) for part in parts)
    assert list(leaves(any_of(parts))) == [leaf for part in parts for leaf in leaves(part)]


def test_many_become_a_balanced_tree() -> None:
    depth, level = 0, [any_of([A] * 1000)]
    while level:
        level = [s for t in level if isinstance(t, OrSelector) for s in (t.left, t.right)]
        depth += 1
    assert depth == 11


@pytest.mark.parametrize("combine", [any_of, all_of])
def test_none_of_nothing_is_refused(combine: Callable[[list[EventSelector]], object]) -> None:
    with pytest.raises(InvalidSelector, match="at least one"):
        combine([])
