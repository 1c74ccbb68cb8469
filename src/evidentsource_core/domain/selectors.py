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
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from evidentsource_core.domain.errors import InvalidSelector, InvalidType
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


def _coerce(value: object, field: str, kind: type[Any], name: str) -> None:
    """Let a plain string stand for its identifier, in a frozen dataclass."""
    current = getattr(value, field)
    if not isinstance(current, kind):
        raw = current if isinstance(current, str) else getattr(current, "value", current)
        if not isinstance(raw, str):
            raise InvalidType(f"{name}.{field}", "str", current)
        object.__setattr__(value, field, kind(raw))


@dataclass(frozen=True, slots=True)
class StreamAttribute:
    """The stream is exactly this one."""

    stream: StreamName

    def __post_init__(self) -> None:
        _coerce(self, "stream", StreamName, "StreamAttribute")


@dataclass(frozen=True, slots=True)
class SubjectAttribute:
    """The subject is exactly this one; None means that the event has no subject."""

    subject: EventSubject | None

    def __post_init__(self) -> None:
        if self.subject is not None:
            _coerce(self, "subject", EventSubject, "SubjectAttribute")


@dataclass(frozen=True, slots=True)
class EventTypeAttribute:
    """The type is exactly this one."""

    event_type: EventType

    def __post_init__(self) -> None:
        _coerce(self, "event_type", EventType, "EventTypeAttribute")


EventAttribute: TypeAlias = StreamAttribute | SubjectAttribute | EventTypeAttribute


@dataclass(frozen=True, slots=True)
class StreamPrefix:
    """The stream's name starts with this; one character is enough."""

    stream: StreamName

    def __post_init__(self) -> None:
        _coerce(self, "stream", StreamNamePrefix, "StreamPrefix")


@dataclass(frozen=True, slots=True)
class SubjectPrefix:
    """The subject starts with this; one character is enough."""

    subject: EventSubject

    def __post_init__(self) -> None:
        _coerce(self, "subject", EventSubject, "SubjectPrefix")


@dataclass(frozen=True, slots=True)
class EventTypePrefix:
    """The type starts with this; one character is enough."""

    event_type: EventType

    def __post_init__(self) -> None:
        _coerce(self, "event_type", EventType, "EventTypePrefix")


EventAttributePrefix: TypeAlias = StreamPrefix | SubjectPrefix | EventTypePrefix


@dataclass(frozen=True, slots=True)
class FlatEqualsNode:
    """A leaf of a flat selector: the attribute equals."""

    attribute: EventAttribute


@dataclass(frozen=True, slots=True)
class FlatStartsWithNode:
    """A leaf of a flat selector: the attribute starts with."""

    prefix: EventAttributePrefix


@dataclass(frozen=True, slots=True)
class FlatAndNode:
    """Both of two earlier nodes, by their indices."""

    left: int
    right: int


@dataclass(frozen=True, slots=True)
class FlatOrNode:
    """Either of two earlier nodes, by their indices."""

    left: int
    right: int


FlatSelectorNode: TypeAlias = FlatEqualsNode | FlatStartsWithNode | FlatAndNode | FlatOrNode


class _Selector:
    """What every selector can do."""

    __slots__ = ()

    def flatten(self) -> list[FlatSelectorNode]:
        """The tree as nodes in post-order, children first, the root last."""
        return _flatten(self)  # type: ignore[arg-type]  # every concrete selector is one

    def matches(self, event: Event) -> bool:
        """Whether a stored event is selected."""
        return self._holds(event.stream(), event.subject, event.event_type)

    def matches_prospective(self, event: ProspectiveEvent) -> bool:
        """Whether an event would be selected once it is stored."""
        return self._holds(event.stream, event.subject, event.event_type)

    def __and__(self, other: EventSelector) -> AndSelector:
        if not isinstance(other, _Selector):
            return NotImplemented
        return AndSelector(self, other)  # type: ignore[arg-type]  # every concrete selector is one

    def __or__(self, other: EventSelector) -> OrSelector:
        if not isinstance(other, _Selector):
            return NotImplemented
        return OrSelector(self, other)  # type: ignore[arg-type]  # every concrete selector is one

    def _holds(self, stream: str | None, subject: str | None, event_type: str) -> bool:
        held: list[bool] = []
        for node in self.flatten():
            if isinstance(node, FlatAndNode):
                held.append(held[node.left] and held[node.right])
            elif isinstance(node, FlatOrNode):
                held.append(held[node.left] or held[node.right])
            elif isinstance(node, FlatEqualsNode):
                held.append(_equals(node.attribute, stream, subject, event_type))
            else:
                held.append(_starts_with(node.prefix, stream, subject, event_type))
        return held[-1]


@dataclass(frozen=True, slots=True)
class EqualsSelector(_Selector):
    """Events of which an attribute equals a value."""

    attribute: EventAttribute

    def __post_init__(self) -> None:
        if not isinstance(self.attribute, (StreamAttribute, SubjectAttribute, EventTypeAttribute)):
            raise InvalidType("EqualsSelector.attribute", "an event attribute", self.attribute)

    def _holds(self, stream: str | None, subject: str | None, event_type: str) -> bool:
        return _equals(self.attribute, stream, subject, event_type)


@dataclass(frozen=True, slots=True)
class StartsWithSelector(_Selector):
    """Events of which an attribute starts with a prefix."""

    prefix: EventAttributePrefix

    def __post_init__(self) -> None:
        if not isinstance(self.prefix, (StreamPrefix, SubjectPrefix, EventTypePrefix)):
            raise InvalidType("StartsWithSelector.prefix", "an attribute prefix", self.prefix)

    def _holds(self, stream: str | None, subject: str | None, event_type: str) -> bool:
        return _starts_with(self.prefix, stream, subject, event_type)


@dataclass(frozen=True, slots=True, eq=False)
class _Branch(_Selector):
    left: EventSelector
    right: EventSelector

    def __post_init__(self) -> None:
        for side in ("left", "right"):
            if not isinstance(getattr(self, side), _Selector):
                raise InvalidType(
                    f"{type(self).__name__}.{side}", "a selector", getattr(self, side)
                )

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self.flatten() == other.flatten()

    def __hash__(self) -> int:
        return hash(tuple(self.flatten()))

    def __reduce__(self) -> Any:
        return (unflatten, (self.flatten(), None))

    def __repr__(self) -> str:
        texts: list[str] = []
        for node in self.flatten():
            if isinstance(node, (FlatAndNode, FlatOrNode)):
                name = "AndSelector" if isinstance(node, FlatAndNode) else "OrSelector"
                right = texts.pop()
                texts.append(f"{name}(left={texts.pop()}, right={right})")
            elif isinstance(node, FlatEqualsNode):
                texts.append(repr(EqualsSelector(node.attribute)))
            else:
                texts.append(repr(StartsWithSelector(node.prefix)))
        return texts[-1]


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
    sizes: list[int] = []
    unused: set[int] = set()
    for index, node in enumerate(nodes):
        size = 1
        if isinstance(node, (FlatAndNode, FlatOrNode)):
            for side in (node.left, node.right):
                if isinstance(side, bool) or not isinstance(side, int) or not 0 <= side < index:
                    raise InvalidSelector(index, f"{side!r} is not the index of an earlier node")
                size += sizes[side]
                unused.discard(side)
            branch = AndSelector if isinstance(node, FlatAndNode) else OrSelector
            built.append(branch(built[node.left], built[node.right]))
        elif isinstance(node, FlatEqualsNode):
            built.append(EqualsSelector(node.attribute))
        elif isinstance(node, FlatStartsWithNode):
            built.append(StartsWithSelector(node.prefix))
        else:
            raise InvalidSelector(index, f"{type(node).__name__} is no selector node")
        if max_nodes is not None and size > max_nodes:
            raise InvalidSelector(index, f"stands for more than {max_nodes} nodes")
        sizes.append(size)
        unused.add(index)
    if not built:
        raise InvalidSelector(0, "there is no node; a selector has at least one")
    if len(unused) > 1:
        raise InvalidSelector(min(unused), "is used by no other node, and the last one is the root")
    return built[-1]


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
        elif isinstance(selector, EqualsSelector):
            nodes.append(FlatEqualsNode(selector.attribute))
        else:
            nodes.append(FlatStartsWithNode(selector.prefix))
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
    selectors: Sequence[EventSelector], branch: type[AndSelector] | type[OrSelector]
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


def _equals(
    attribute: EventAttribute, stream: str | None, subject: str | None, event_type: str
) -> bool:
    if isinstance(attribute, StreamAttribute):
        return stream == attribute.stream.value
    if isinstance(attribute, SubjectAttribute):
        return subject == (None if attribute.subject is None else attribute.subject.value)
    return event_type == attribute.event_type.value


def _starts_with(
    prefix: EventAttributePrefix, stream: str | None, subject: str | None, event_type: str
) -> bool:
    if isinstance(prefix, StreamPrefix):
        return stream is not None and stream.startswith(prefix.stream.value)
    if isinstance(prefix, SubjectPrefix):
        return subject is not None and subject.startswith(prefix.subject.value)
    return event_type.startswith(prefix.event_type.value)
