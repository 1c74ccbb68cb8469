"""Trees far deeper than the stack: nothing that a selector can do recurses."""

from __future__ import annotations

import copy
import pickle

import pytest

from evidentsource_core import (
    AndSelector,
    Constraint,
    Event,
    EventSelector,
    InvalidSelector,
    OrSelector,
    Selector,
    SelectorTemplate,
    unflatten,
)
from evidentsource_core.domain.selectors import leaves
from tests.whole import WHOLE

DEPTH = 25_000 if WHOLE else 5_000
NODES = 2 * DEPTH + 1


def build(lean: str, last: str = "last") -> EventSelector:
    tree: EventSelector = Selector.subject(last)
    for index in range(DEPTH):
        leaf = Selector.event_type(f"t{index}")
        if lean == "left":
            tree = OrSelector(tree, leaf)
        elif lean == "right":
            tree = OrSelector(leaf, tree)
        else:
            tree = AndSelector(tree, leaf) if index % 2 else OrSelector(leaf, tree)
    return tree


@pytest.fixture(scope="module", params=["left", "right", "zigzag"])
def tree(request: pytest.FixtureRequest) -> EventSelector:
    return build(request.param)


@pytest.fixture(scope="module")
def twin(tree: EventSelector) -> EventSelector:
    return unflatten(tree.flatten(), max_nodes=None)


def test_a_deep_tree_has_all_its_nodes(tree: EventSelector) -> None:
    assert tree.node_count == len(tree.flatten()) == NODES
    assert len(list(leaves(tree))) == DEPTH + 1


def test_deep_trees_are_compared_and_hashed(tree: EventSelector, twin: EventSelector) -> None:
    assert tree is not twin
    assert tree == twin
    assert hash(tree) == hash(twin)
    assert len({tree, twin}) == 1


def test_deep_trees_that_differ_at_the_bottom_are_unequal() -> None:
    assert build("left") != build("left", "other")


def test_a_deep_tree_is_written(tree: EventSelector, twin: EventSelector) -> None:
    text = repr(tree)
    assert text == repr(twin)
    assert text.count("Selector(") == NODES


def test_a_deep_tree_survives_pickling() -> None:
    tree = build("zigzag")
    assert pickle.loads(pickle.dumps(tree)) == tree


def test_a_deep_tree_is_copied(tree: EventSelector) -> None:
    assert copy.copy(tree) == tree
    assert copy.deepcopy(tree) == tree


@pytest.mark.parametrize("kind", [f"t{DEPTH - 1}", f"t{DEPTH - 2}", "t0", "none"])
@pytest.mark.parametrize("subject", ["last", None])
def test_a_deep_tree_matches(tree: EventSelector, kind: str, subject: str | None) -> None:
    zigzag = isinstance(tree, AndSelector)
    expected = subject == "last"
    for index in range(DEPTH):
        leaf = kind == f"t{index}"
        expected = (expected and leaf) if zigzag and index % 2 else (expected or leaf)
    assert tree.matches(Event("e", "aa", kind, subject)) is expected


def test_a_deep_tree_is_guarded(tree: EventSelector, twin: EventSelector) -> None:
    assert Constraint.must_exist(tree) == Constraint.must_exist(twin)


def test_a_deep_tree_is_templated() -> None:
    tree = build("right")
    assert SelectorTemplate.of(tree).bind({}) == tree


def test_a_tree_that_doubles_at_each_level_is_refused_when_it_is_built() -> None:
    tree: EventSelector = Selector.subject("a")
    for _ in range(18):
        tree = tree & tree
    assert tree.node_count == 2**19 - 1
    with pytest.raises(InvalidSelector, match="at most 1000000 nodes"):
        tree & tree
