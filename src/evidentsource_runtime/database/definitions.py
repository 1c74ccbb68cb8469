"""Definitions to JSON and back, as the file keeps them; and the text that tells bindings apart."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

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
from evidentsource_core.domain.definitions import (
    ParameterNode,
    QueryTemporality,
    SelectorTemplate,
    StateChangeDefinition,
    StateViewDefinition,
)
from evidentsource_core.domain.flat_selectors import (
    FlatAndNode,
    FlatEqualsNode,
    FlatOrNode,
    FlatStartsWithNode,
)
from evidentsource_core.domain.identifiers import (
    EventSubject,
    EventType,
    StateChangeName,
    StateViewName,
    StreamName,
    StreamNamePrefix,
)

__all__ = ["binding_parameters", "binding_text", "from_text", "to_text"]

Definition = StateViewDefinition | StateChangeDefinition

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode

_ATTRIBUTES: dict[str, Callable[[Any], EventAttribute]] = {
    "stream": lambda value: StreamAttribute(StreamName(value)),
    "subject": lambda value: SubjectAttribute(EventSubject.from_optional(value)),
    "event_type": lambda value: EventTypeAttribute(EventType(value)),
}
_PREFIXES: dict[str, Callable[[Any], EventAttributePrefix]] = {
    "stream": lambda value: StreamPrefix(StreamNamePrefix(value)),
    "subject": lambda value: SubjectPrefix(EventSubject(value)),
    "event_type": lambda value: EventTypePrefix(EventType(value)),
}


def to_text(definition: Definition) -> str:
    """Everything of a definition but its version, which the file has beside it.

    >>> to_text(StateChangeDefinition(StateChangeName("deposit"), description="Pay in."))
    '{"description":"Pay in.","name":"deposit","source_code_uri":null}'
    """
    facts: dict[str, Any] = {"name": str(definition.name), "description": definition.description}
    if isinstance(definition, StateChangeDefinition):
        return _encode({**facts, "source_code_uri": definition.source_code_uri})
    facts |= {
        "selector": [_node(node) for node in definition.selector.nodes],
        "temporality": definition.temporality.value,
        "content_type": definition.content_type,
        "content_schema": definition.content_schema,
    }
    return _encode(facts)


def from_text(text: str, version: int) -> Definition:
    """The definition of :func:`to_text`, as that version."""
    facts = json.loads(text)
    if "selector" not in facts:
        name = StateChangeName(facts["name"])
        return StateChangeDefinition(name, version, facts["description"], facts["source_code_uri"])
    return StateViewDefinition(
        name=StateViewName(facts["name"]),
        selector=SelectorTemplate(tuple(_read_node(*node) for node in facts["selector"])),
        version=version,
        temporality=QueryTemporality(facts["temporality"]),
        content_type=facts["content_type"],
        content_schema=facts["content_schema"],
        description=facts["description"],
    )


def binding_text(parameters: Iterable[tuple[str, EventAttribute]]) -> str:
    """The parameters of a view as a text, the same for the same binding in any order.

    >>> binding_text([("who", SubjectAttribute(EventSubject("a-1")))])
    '[["who","subject","a-1"]]'
    """
    return _encode(sorted([name, *_leaf(value)] for name, value in parameters))


def binding_parameters(text: str) -> list[tuple[str, EventAttribute]]:
    """The parameters that a :func:`binding_text` stands for."""
    return [(name, _ATTRIBUTES[kind](value)) for name, kind, value in json.loads(text)]


def _node(node: Any) -> list[Any]:
    if isinstance(node, ParameterNode):
        return ["parameter", node.kind, node.name, node.starts_with]
    if isinstance(node, FlatEqualsNode):
        return ["equals", *_leaf(node.attribute)]
    if isinstance(node, FlatStartsWithNode):
        return ["starts-with", *_leaf(node.prefix)]
    return ["and" if isinstance(node, FlatAndNode) else "or", node.left, node.right]


def _read_node(kind: str, first: Any, second: Any, *rest: Any) -> Any:
    if kind == "parameter":
        return ParameterNode(first, second, *rest)
    if kind == "equals":
        return FlatEqualsNode(_ATTRIBUTES[first](second))
    if kind == "starts-with":
        return FlatStartsWithNode(_PREFIXES[first](second))
    return FlatAndNode(first, second) if kind == "and" else FlatOrNode(first, second)


def _leaf(leaf: EventAttribute | EventAttributePrefix) -> tuple[str, str | None]:
    if isinstance(leaf, (StreamAttribute, StreamPrefix)):
        return ("stream", leaf.stream.value)
    if isinstance(leaf, (SubjectAttribute, SubjectPrefix)):
        return ("subject", None if leaf.subject is None else leaf.subject.value)
    return ("event_type", leaf.event_type.value)
