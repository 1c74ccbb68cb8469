"""Event selectors: which events a query, a view or an append condition speaks of.

A selector is a tree of ``equals`` and ``starts with`` leaves under ``and`` and ``or``. It crosses
every boundary flat: a list of nodes in post-order, the root last (:meth:`_Selector.flatten`,
:func:`unflatten`). Nothing here recurses, so that no depth of tree can overflow the stack.

>>> selector = Selector.stream("accounts") & Selector.subject("a-1")
>>> len(selector.flatten())
3
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self, TypeAlias

from evidentsource_core.domain.attributes import (
    EventAttribute,
    EventAttributePrefix,
    EventTypeAttribute,
    EventTypePrefix,
    StreamAttribute,
    StreamPrefix,
    SubjectAttribute,
    SubjectPrefix,
)
from evidentsource_core.domain.errors import InvalidSelector, InvalidType
from evidentsource_core.domain.flat_selectors import (
    FlatAndNode,
    FlatEqualsNode,
    FlatOrNode,
    FlatSelectorNode,
    FlatStartsWithNode,
    Program,
    compiled,
    equals,
    holds,
    starts_with,
)
from evidentsource_core.domain.identifiers import (
    EventSubject,
    EventType,
    StreamName,
    StreamNamePrefix,
)
from evidentsource_core.domain.queries import QueryDirection, QueryOptions

if TYPE_CHECKING:
    from evidentsource_core.domain.events import Event, ProspectiveEvent

__all__ = [
    "AndSelector",
    "EqualsSelector",
    "EventAttribute",
    "EventAttributePrefix",
    "EventSelector",
    "EventSelector_factory",
    "EventTypeAttribute",
    "EventTypePrefix",
    "FlatAndNode",
    "FlatEqualsNode",
    "FlatOrNode",
    "FlatSelectorNode",
    "FlatStartsWithNode",
    "OrSelector",
    "QueryDirection",
    "QueryOptions",
    "Selector",
    "StartsWithSelector",
    "StreamAttribute",
    "StreamPrefix",
    "SubjectAttribute",
    "SubjectPrefix",
    "unflatten",
]

MAX_NODES = 10_000
"""Nodes that a selector received from outside may stand for, shared ones counted each time."""
MAX_TREE_NODES = 1_000_000
"""Nodes that any selector may stand for: a tree that uses one subtree twice doubles at each level."""


class _Selector:
    """What every selector can do."""

    __slots__ = ()
    node_count: int
    """How many nodes the tree has, those of a shared subtree counted each time."""

    def flatten(self) -> list[FlatSelectorNode]:
        """The tree as nodes in post-order, children first, the root last."""
        raise NotImplementedError

    def matches(self, event: Event) -> bool:
        """Whether a stored event is selected."""
        return holds(self._program(), event.stream(), event.subject, event.event_type)

    def matches_prospective(self, event: ProspectiveEvent) -> bool:
        """Whether an event would be selected once it is stored."""
        return holds(self._program(), event.stream, event.subject, event.event_type)

    def __and__(self, other: EventSelector) -> AndSelector:
        if not isinstance(other, _Selector):
            return NotImplemented
        return AndSelector(self, other)  # type: ignore[arg-type]  # every concrete selector is one

    def __or__(self, other: EventSelector) -> OrSelector:
        if not isinstance(other, _Selector):
            return NotImplemented
        return OrSelector(self, other)  # type: ignore[arg-type]  # every concrete selector is one

    def _program(self) -> Program:
        raise NotImplementedError


class _Leaf(_Selector):
    __slots__ = ()
    node_count = 1
    _steps: Program

    def _program(self) -> Program:
        return self._steps


@dataclass(frozen=True, slots=True)
class EqualsSelector(_Leaf):
    """Events of which an attribute equals a value."""

    attribute: EventAttribute
    _steps: Program = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.attribute, (StreamAttribute, SubjectAttribute, EventTypeAttribute)):
            raise InvalidType("EqualsSelector.attribute", "an event attribute", self.attribute)
        object.__setattr__(self, "_steps", (equals(self.attribute),))

    def flatten(self) -> list[FlatSelectorNode]:
        """The one node that it is."""
        return [FlatEqualsNode(self.attribute)]


@dataclass(frozen=True, slots=True)
class StartsWithSelector(_Leaf):
    """Events of which an attribute starts with a prefix."""

    prefix: EventAttributePrefix
    _steps: Program = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.prefix, (StreamPrefix, SubjectPrefix, EventTypePrefix)):
            raise InvalidType("StartsWithSelector.prefix", "an attribute prefix", self.prefix)
        object.__setattr__(self, "_steps", (starts_with(self.prefix),))

    def flatten(self) -> list[FlatSelectorNode]:
        """The one node that it is."""
        return [FlatStartsWithNode(self.prefix)]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _Branch(_Selector):
    left: EventSelector
    right: EventSelector
    node_count: int = field(init=False)
    # Made when first asked for: an append condition is compared and a query is evaluated often.
    _nodes: tuple[FlatSelectorNode, ...] | None = field(init=False, default=None)
    _steps: Program | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        size = 1
        for name in ("left", "right"):
            side = getattr(self, name)
            if not isinstance(side, _Selector):
                raise InvalidType(f"{type(self).__name__}.{name}", "a selector", side)
            size += side.node_count
        if size > MAX_TREE_NODES:
            raise InvalidSelector(size - 1, f"a tree has at most {MAX_TREE_NODES} nodes")
        object.__setattr__(self, "node_count", size)

    def flatten(self) -> list[FlatSelectorNode]:
        """The tree as nodes in post-order, children first, the root last."""
        return list(self._flat())

    def _flat(self) -> tuple[FlatSelectorNode, ...]:
        nodes = self._nodes
        if nodes is None:
            nodes = tuple(_flatten(self))  # type: ignore[arg-type]  # every branch is And or Or
            object.__setattr__(self, "_nodes", nodes)
        return nodes

    def _program(self) -> Program:
        steps = self._steps
        if steps is None:
            steps = compiled(self._flat())
            object.__setattr__(self, "_steps", steps)
        return steps

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self is other or self._flat() == other._flat()

    def __hash__(self) -> int:
        return hash(self._flat())

    def __reduce__(self) -> Any:
        return (unflatten, (self.flatten(), None))

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __repr__(self) -> str:
        pieces: list[str] = []
        todo: list[str | EventSelector] = [self]  # type: ignore[list-item]  # every branch is And or Or
        while todo:
            item = todo.pop()
            if isinstance(item, _Branch):
                name = type(item).__name__
                todo += [")", item.right, ", right=", item.left, f"{name}(left="]
            else:
                pieces.append(item if isinstance(item, str) else repr(item))
        return "".join(pieces)


class AndSelector(_Branch):
    """Events that both sides select."""

    __slots__ = ()


class OrSelector(_Branch):
    """Events that at least one side selects."""

    __slots__ = ()


EventSelector: TypeAlias = EqualsSelector | StartsWithSelector | AndSelector | OrSelector


class Selector:
    """Builds selectors; combine them with ``&`` and ``|``.

    >>> accounts = Selector.stream("accounts") & Selector.event_type_starts_with("account.")
    """

    @staticmethod
    def stream(name: str) -> EqualsSelector:
        """Events of that stream."""
        return EqualsSelector(StreamAttribute(StreamName(name)))

    @staticmethod
    def subject(value: str | None) -> EqualsSelector:
        """Events of that subject; None is the same as :meth:`no_subject`."""
        return EqualsSelector(SubjectAttribute(EventSubject.from_optional(value)))

    @staticmethod
    def no_subject() -> EqualsSelector:
        """Events without a subject."""
        return EqualsSelector(SubjectAttribute(None))

    @staticmethod
    def event_type(value: str) -> EqualsSelector:
        """Events of that type."""
        return EqualsSelector(EventTypeAttribute(EventType(value)))

    @staticmethod
    def stream_starts_with(prefix: str) -> StartsWithSelector:
        """Events of streams whose names start so; one character is enough."""
        return StartsWithSelector(StreamPrefix(StreamNamePrefix(prefix)))

    @staticmethod
    def subject_starts_with(prefix: str) -> StartsWithSelector:
        """Events whose subjects start so; one character is enough."""
        return StartsWithSelector(SubjectPrefix(EventSubject(prefix)))

    @staticmethod
    def event_type_starts_with(prefix: str) -> StartsWithSelector:
        """Events whose types start so; one character is enough."""
        return StartsWithSelector(EventTypePrefix(EventType(prefix)))


EventSelector_factory = Selector
"""The published package has the same builder under this name too."""


def unflatten(
    nodes: Iterable[FlatSelectorNode], max_nodes: int | None = MAX_NODES
) -> EventSelector:
    """The selector that a flat list of nodes stands for.

    A node may be used by several others; ``max_nodes`` bounds how large the tree gets with every
    use counted, so that a short list cannot stand for an endless one. None sets no bound.

    Raises:
        InvalidSelector: there is no node, an index is not that of an earlier node, a node is left
            over, or the tree is too large.

    >>> unflatten([FlatEqualsNode(StreamAttribute(StreamName("orders")))])
    EqualsSelector(attribute=StreamAttribute(stream=StreamName('orders')))
    """
    built: list[EventSelector] = []
    unused: set[int] = set()
    for index, node in enumerate(nodes):
        if isinstance(node, (FlatAndNode, FlatOrNode)):
            unused -= {_earlier(index, node.left), _earlier(index, node.right)}
            branch = AndSelector if isinstance(node, FlatAndNode) else OrSelector
            built.append(branch(built[node.left], built[node.right]))
        elif isinstance(node, FlatEqualsNode):
            built.append(EqualsSelector(node.attribute))
        elif isinstance(node, FlatStartsWithNode):
            built.append(StartsWithSelector(node.prefix))
        else:
            raise InvalidSelector(index, f"{type(node).__name__} is no selector node")
        if max_nodes is not None and built[-1].node_count > max_nodes:
            raise InvalidSelector(index, f"stands for more than {max_nodes} nodes")
        unused.add(index)
    if not built:
        raise InvalidSelector(0, "there is no node; a selector has at least one")
    if len(unused) > 1:
        raise InvalidSelector(min(unused), "is used by no other node, and the last one is the root")
    return built[-1]


def _earlier(index: int, child: object) -> int:
    if isinstance(child, bool) or not isinstance(child, int) or not 0 <= child < index:
        raise InvalidSelector(index, f"{child!r} is not the index of an earlier node")
    return child


def _flatten(root: EventSelector) -> list[FlatSelectorNode]:
    nodes: list[FlatSelectorNode] = []
    finished: list[int] = []
    todo: list[tuple[EventSelector, bool]] = [(root, False)]
    while todo:
        selector, children_done = todo.pop()
        if isinstance(selector, _Branch):
            if not children_done:
                todo += [(selector, True), (selector.right, False), (selector.left, False)]
                continue
            right, left = finished.pop(), finished.pop()
            kind: Callable[[int, int], FlatSelectorNode]
            kind = FlatAndNode if isinstance(selector, AndSelector) else FlatOrNode
            nodes.append(kind(left, right))
        else:
            nodes += selector.flatten()
        finished.append(len(nodes) - 1)
    return nodes


def leaves(selector: EventSelector) -> Iterator[EventAttribute | EventAttributePrefix]:
    """The attributes and prefixes that a selector compares, from left to right."""
    for node in selector.flatten():
        if isinstance(node, FlatEqualsNode):
            yield node.attribute
        elif isinstance(node, FlatStartsWithNode):
            yield node.prefix


def any_of(selectors: Sequence[EventSelector]) -> EventSelector:
    """The ``or`` of all, as a balanced tree; deep ones hit the nesting limits of wire formats.

    >>> any_of([Selector.stream("aa"), Selector.stream("bb"), Selector.stream("cc")]).left.left
    EqualsSelector(attribute=StreamAttribute(stream=StreamName('aa')))
    """
    return _balanced(selectors, OrSelector)


def all_of(selectors: Sequence[EventSelector]) -> EventSelector:
    """The ``and`` of all, as a balanced tree."""
    return _balanced(selectors, AndSelector)


def _balanced(
    selectors: Sequence[EventSelector], branch: type[AndSelector | OrSelector]
) -> EventSelector:
    if not selectors:
        raise InvalidSelector(0, "there is no node; a selector has at least one")
    level = list(selectors)
    while len(level) > 1:
        paired: list[EventSelector] = [
            branch(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)
        ]
        level = paired + level[len(paired) * 2 :]
    return level[0]
