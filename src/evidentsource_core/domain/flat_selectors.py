"""The flat form of a selector: nodes in post-order, children first, the root last.

It is the form in which a selector crosses every boundary, and the one in which it is evaluated.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from evidentsource_core.domain.attributes import (
    EventAttribute,
    EventAttributePrefix,
    StreamAttribute,
    StreamPrefix,
    SubjectAttribute,
    SubjectPrefix,
)


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

STREAM, SUBJECT, TYPE = range(3)
"""The attributes that a step of a program compares."""
EQUALS, STARTS_WITH, AND, OR = range(4)
"""The operations of a program; the last two take the results of the two steps before them."""

Step: TypeAlias = tuple[int, int, str | None]
"""An operation, which attribute, and what to compare."""
Program: TypeAlias = tuple[Step, ...]
"""A selector made ready for many events."""


def compiled(nodes: Iterable[FlatSelectorNode]) -> Program:
    """The nodes of a tree, each used once, as a program for :func:`holds`."""
    return tuple(_step(node) for node in nodes)


def holds(program: Program, stream: str | None, subject: str | None, event_type: str) -> bool:
    """Whether an event of these attributes is selected."""
    facts = (stream, subject, event_type)
    held: list[bool] = []
    for operation, attribute, text in program:
        if operation == EQUALS:
            held.append(facts[attribute] == text)
        elif operation == STARTS_WITH:
            held.append((facts[attribute] or "").startswith(text or ""))
        else:
            right, left = held.pop(), held.pop()
            held.append(left and right if operation == AND else left or right)
    return held[0]


def _step(node: FlatSelectorNode) -> Step:
    if isinstance(node, FlatAndNode):
        return (AND, 0, None)
    if isinstance(node, FlatOrNode):
        return (OR, 0, None)
    if isinstance(node, FlatEqualsNode):
        return equals(node.attribute)
    return starts_with(node.prefix)


def equals(attribute: EventAttribute) -> Step:
    """The step that compares a whole attribute."""
    if isinstance(attribute, SubjectAttribute):
        subject = attribute.subject
        return (EQUALS, SUBJECT, None if subject is None else subject.value)
    if isinstance(attribute, StreamAttribute):
        return (EQUALS, STREAM, attribute.stream.value)
    return (EQUALS, TYPE, attribute.event_type.value)


def starts_with(prefix: EventAttributePrefix) -> Step:
    """The step that compares the beginning of an attribute."""
    if isinstance(prefix, SubjectPrefix):
        return (STARTS_WITH, SUBJECT, prefix.subject.value)
    if isinstance(prefix, StreamPrefix):
        return (STARTS_WITH, STREAM, prefix.stream.value)
    return (STARTS_WITH, TYPE, prefix.event_type.value)
