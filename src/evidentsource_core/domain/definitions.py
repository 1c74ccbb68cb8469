"""What is published: the definitions of state views and state changes, and selectors with parameters.

A state view is defined over a selector in which some values are parameters; a reader binds them.

>>> template = Selector.stream("accounts") & Parameter.subject("account_id")
>>> template.parameters
{'account_id': 'subject'}
>>> template.bind({"account_id": SubjectAttribute(EventSubject("a-1"))}) == (
...     Selector.stream("accounts") & Selector.subject("a-1"))
True
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Literal, TypeAlias

from evidentsource_core.domain.errors import EvidentSourceError, InvalidType, InvalidValue
from evidentsource_core.domain.identifiers import (
    EventSubject,
    EventType,
    StateChangeName,
    StateViewName,
    StreamName,
)
from evidentsource_core.domain.selectors import (
    AndSelector,
    EqualsSelector,
    EventAttribute,
    EventSelector,
    EventTypeAttribute,
    EventTypePrefix,
    FlatAndNode,
    FlatEqualsNode,
    FlatOrNode,
    FlatSelectorNode,
    FlatStartsWithNode,
    OrSelector,
    Selector,
    StartsWithSelector,
    StreamAttribute,
    StreamPrefix,
    SubjectAttribute,
    SubjectPrefix,
    unflatten,
)

__all__ = [
    "EventSubject",
    "Parameter",
    "ParameterError",
    "ParameterNode",
    "QueryTemporality",
    "Selector",
    "SelectorTemplate",
    "StateChangeDefinition",
    "StateViewDefinition",
    "ViewParameter",
    "ViewParameters",
    "view_parameters",
]

AttributeKind: TypeAlias = Literal["stream", "subject", "event_type"]

_KINDS: Mapping[type[object], AttributeKind] = {
    StreamAttribute: "stream",
    SubjectAttribute: "subject",
    EventTypeAttribute: "event_type",
}
_KIND_NAMES = ", ".join(_KINDS.values())


class ParameterError(EvidentSourceError, ValueError):
    """A view's parameters were not bound as its definition asks; ``parameter`` is the one at fault."""

    code = "parameter-error"

    def __init__(self, parameter: str, reason: str) -> None:
        super().__init__(f"parameter {parameter!r}: {reason}")
        self.parameter = parameter
        self.reason = reason


class QueryTemporality(Enum):
    """In which order a view folds its events."""

    REVISION = "revision"
    """As they were recorded."""
    EFFECTIVE_TIMESTAMP = "effective_timestamp"
    """As they took effect; events of one time in the order of their revisions."""


@dataclass(frozen=True, slots=True)
class ParameterNode:
    """A leaf whose value the reader binds; ``starts_with`` makes it a prefix."""

    kind: AttributeKind
    name: str
    starts_with: bool = False

    def __post_init__(self) -> None:
        if self.kind not in _KINDS.values():
            raise InvalidValue("ParameterNode.kind", f"{self.kind!r} is none of {_KIND_NAMES}")
        if not isinstance(self.name, str):
            raise InvalidType("ParameterNode.name", "str", self.name)
        if not self.name.strip():
            raise ParameterError(self.name, "a parameter needs a name")


_TemplateNode: TypeAlias = FlatSelectorNode | ParameterNode


@dataclass(frozen=True, slots=True)
class SelectorTemplate:
    """A selector with parameters, as nodes in post-order.

    Raises:
        InvalidSelector: the nodes do not describe one tree.
        ParameterError: one name stands for two kinds of attribute.
    """

    nodes: tuple[_TemplateNode, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "nodes", tuple(self.nodes))
        kinds: dict[str, AttributeKind] = {}
        for node in self.nodes:
            if (
                isinstance(node, ParameterNode)
                and kinds.setdefault(node.name, node.kind) != node.kind
            ):
                reason = f"stands for a {kinds[node.name]} and for a {node.kind}; use two names"
                raise ParameterError(node.name, reason)
        blank = FlatEqualsNode(SubjectAttribute(None))
        shape = (blank if isinstance(node, ParameterNode) else node for node in self.nodes)
        unflatten(shape, max_nodes=None)

    @classmethod
    def of(cls, selector: EventSelector | SelectorTemplate) -> SelectorTemplate:
        """A selector as a template, with no parameters if it has none yet."""
        return selector if isinstance(selector, SelectorTemplate) else cls((*selector.flatten(),))

    @property
    def parameters(self) -> dict[str, AttributeKind]:
        """Each parameter's name and what it binds to, in order of appearance."""
        return {node.name: node.kind for node in self.nodes if isinstance(node, ParameterNode)}

    def bind(self, parameters: Mapping[str, EventAttribute]) -> EventSelector:
        """The selector with every parameter's value in place.

        Raises:
            ParameterError: one is missing, unknown, or of the wrong kind.
            InvalidType: ``parameters`` is no mapping, or a value no event attribute.
        """
        if not isinstance(parameters, Mapping):
            raise InvalidType("parameters", "a mapping of names to event attributes", parameters)
        wanted = self.parameters
        for name, value in parameters.items():
            if name not in wanted:
                known = ", ".join(wanted) or "none"
                raise ParameterError(name, f"unknown; the view's parameters are: {known}")
            kind = _KINDS.get(type(value))
            if kind is None:
                raise InvalidType(f"parameter {name!r}", "an event attribute", value)
            if kind != wanted[name]:
                raise ParameterError(name, f"binds a {wanted[name]}, got a {kind}")
        for name in wanted:
            if name not in parameters:
                raise ParameterError(name, f"is not bound; give it a {wanted[name]}")
        bound = [
            _bind(node, parameters[node.name]) if isinstance(node, ParameterNode) else node
            for node in self.nodes
        ]
        return unflatten(bound, max_nodes=None)

    def __and__(self, other: EventSelector | SelectorTemplate) -> SelectorTemplate:
        return _join(self, other, FlatAndNode)

    def __or__(self, other: EventSelector | SelectorTemplate) -> SelectorTemplate:
        return _join(self, other, FlatOrNode)

    def __rand__(self, other: EventSelector) -> SelectorTemplate:
        return _join(other, self, FlatAndNode)

    def __ror__(self, other: EventSelector) -> SelectorTemplate:
        return _join(other, self, FlatOrNode)


class Parameter:
    """Builds leaves whose values a reader binds."""

    @staticmethod
    def stream(name: str, *, starts_with: bool = False) -> SelectorTemplate:
        """The stream is (or starts with) what the parameter ``name`` is bound to."""
        return SelectorTemplate((ParameterNode("stream", name, starts_with),))

    @staticmethod
    def subject(name: str, *, starts_with: bool = False) -> SelectorTemplate:
        """The subject is (or starts with) what the parameter ``name`` is bound to."""
        return SelectorTemplate((ParameterNode("subject", name, starts_with),))

    @staticmethod
    def event_type(name: str, *, starts_with: bool = False) -> SelectorTemplate:
        """The type is (or starts with) what the parameter ``name`` is bound to."""
        return SelectorTemplate((ParameterNode("event_type", name, starts_with),))


@dataclass(frozen=True, slots=True)
class StateViewDefinition:
    """A published state view, its code aside. Versions of one name count from 1."""

    name: StateViewName
    selector: SelectorTemplate
    version: int = 1
    temporality: QueryTemporality = QueryTemporality.REVISION
    content_type: str = "application/json"
    content_schema: str | None = None
    description: str | None = None

    def __post_init__(self) -> None:
        _check_name_and_version(self, StateViewName)
        selector: object = self.selector
        if isinstance(selector, (EqualsSelector, StartsWithSelector, AndSelector, OrSelector)):
            object.__setattr__(self, "selector", SelectorTemplate.of(selector))
        elif not isinstance(selector, SelectorTemplate):
            expected = "a selector or a template"
            raise InvalidType("StateViewDefinition.selector", expected, selector)
        temporality: object = self.temporality
        if not isinstance(temporality, QueryTemporality):
            raise InvalidType("StateViewDefinition.temporality", "QueryTemporality", temporality)


@dataclass(frozen=True, slots=True)
class StateChangeDefinition:
    """A published state change, its code aside. Versions of one name count from 1."""

    name: StateChangeName
    version: int = 1
    description: str | None = None
    source_code_uri: str | None = None

    def __post_init__(self) -> None:
        _check_name_and_version(self, StateChangeName)


def _check_name_and_version(
    definition: StateViewDefinition | StateChangeDefinition,
    kind: type[StateViewName | StateChangeName],
) -> None:
    """Check what every definition has: a name, which may be given as text, and a version."""
    owner = type(definition).__name__
    name: object = definition.name
    if isinstance(name, str):
        object.__setattr__(definition, "name", kind(name))
    elif not isinstance(name, kind):
        raise InvalidType(f"{owner}.name", f"{kind.__name__} or str", name)
    version: object = definition.version
    if isinstance(version, bool) or not isinstance(version, int):
        raise InvalidType(f"{owner}.version", "int", version)
    if version < 1:
        raise InvalidValue(f"{owner}.version", f"versions count from 1, got {version}")


ViewParameter: TypeAlias = EventAttribute | EventSubject | StreamName | EventType | str | None
"""What a view's parameter may be given. A ``str`` is a subject, None stands for no subject."""
ViewParameters: TypeAlias = Mapping[str, ViewParameter] | Iterable[tuple[str, ViewParameter]]
"""A view's parameters by name, as a mapping or as pairs."""


def view_parameters(parameters: ViewParameters | None) -> list[tuple[str, EventAttribute]]:
    """A view's parameters as pairs, from pairs or a mapping: how ``view_state`` reads its argument.

    A ``str`` is a subject, as is an :class:`EventSubject`; None stands for no subject.

    Raises:
        ParameterError: a name comes twice.
        InvalidType: there are no pairs, or a value is no event attribute.

    >>> view_parameters({"account_id": "a-1"})
    [('account_id', SubjectAttribute(subject=EventSubject('a-1')))]
    """
    pairs: list[tuple[str, EventAttribute]] = []
    given: object = parameters.items() if isinstance(parameters, Mapping) else parameters
    if not isinstance(given, (Iterable, type(None))):
        raise InvalidType("parameters", "a mapping, or pairs of a name and a value", given)
    for item in given or ():
        name, value = _pair(item)
        if any(name == earlier for earlier, _ in pairs):
            raise ParameterError(name, "is bound twice")
        pairs.append((name, _attribute(name, value)))
    return pairs


def _pair(item: object) -> tuple[str, object]:
    if not isinstance(item, (tuple, list)) or len(item) != 2:
        raise InvalidType("parameters", "a mapping, or pairs of a name and a value", item)
    name, value = item
    if not isinstance(name, str):
        raise InvalidType("parameters", "a name (str) for each parameter", name)
    return name, value


def _attribute(name: str, value: object) -> EventAttribute:
    if isinstance(value, (StreamAttribute, SubjectAttribute, EventTypeAttribute)):
        return value
    if value is None or isinstance(value, EventSubject):
        return SubjectAttribute(value)
    if isinstance(value, str):
        return SubjectAttribute(EventSubject(value))
    if isinstance(value, StreamName):
        return StreamAttribute(value)
    if isinstance(value, EventType):
        return EventTypeAttribute(value)
    raise InvalidType(
        f"parameter {name!r}",
        "str, None, StreamAttribute, SubjectAttribute or EventTypeAttribute",
        value,
    )


def _bind(node: ParameterNode, value: EventAttribute) -> FlatSelectorNode:
    if not node.starts_with:
        return FlatEqualsNode(value)
    if isinstance(value, StreamAttribute):
        return FlatStartsWithNode(StreamPrefix(value.stream))
    if isinstance(value, EventTypeAttribute):
        return FlatStartsWithNode(EventTypePrefix(value.event_type))
    if value.subject is None:
        raise ParameterError(node.name, "is a prefix, which cannot be bound to no subject")
    return FlatStartsWithNode(SubjectPrefix(value.subject))


def _join(
    left: EventSelector | SelectorTemplate,
    right: EventSelector | SelectorTemplate,
    branch: type[FlatAndNode | FlatOrNode],
) -> SelectorTemplate:
    for side in (left, right):
        kinds = (SelectorTemplate, EqualsSelector, StartsWithSelector, AndSelector, OrSelector)
        if not isinstance(side, kinds):
            raise InvalidType("selector", "a selector or a template", side)
    first, second = SelectorTemplate.of(left).nodes, SelectorTemplate.of(right).nodes
    shifted = tuple(_shift(node, len(first)) for node in second)
    root = branch(len(first) - 1, len(first) + len(second) - 1)
    return SelectorTemplate((*first, *shifted, root))


def _shift(node: _TemplateNode, by: int) -> _TemplateNode:
    if isinstance(node, FlatAndNode):
        return FlatAndNode(node.left + by, node.right + by)
    if isinstance(node, FlatOrNode):
        return FlatOrNode(node.left + by, node.right + by)
    return node
