"""Selectors, append conditions and the parameters of views.

A selector is a tree in the contract, and protobuf reads trees of some hundred levels at most. Nothing
here recurses; a selector that goes out deeper than that is balanced first, which selects the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from evidentsource_core.domain.constraints import (
    AppendCondition,
    MaxConstraint,
    MinConstraint,
    RangeConstraint,
)
from evidentsource_core.domain.errors import InvalidSelector
from evidentsource_core.domain.identifiers import (
    EventSubject,
    EventType,
    StreamName,
    StreamNamePrefix,
)
from evidentsource_core.domain.revision import Range
from evidentsource_core.domain.selectors import (
    MAX_NODES,
    AndSelector,
    EqualsSelector,
    EventAttribute,
    EventAttributePrefix,
    EventSelector,
    EventTypeAttribute,
    EventTypePrefix,
    OrSelector,
    StartsWithSelector,
    StreamAttribute,
    StreamPrefix,
    SubjectAttribute,
    SubjectPrefix,
    all_of,
    any_of,
)
from evidentsource_runtime.server.protobuf.generated import domain_pb2 as pb
from evidentsource_runtime.server.service.errors import InvalidRequest, reading

__all__ = [
    "attribute_from",
    "attribute_to",
    "condition_from",
    "condition_to",
    "parameters_from",
    "parameters_to",
    "selector_from",
    "selector_to",
]

MAX_DEPTH = 40
"""Levels of ``and`` and ``or`` that go out. Each is two messages, of which protobuf reads 100 nested."""


# --- attributes --------------------------------------------------------------------------------


def attribute_from(message: pb.EventAttribute, field: str) -> EventAttribute:
    """An attribute and its value."""
    kind = message.WhichOneof("attribute")
    with reading(f"{field}.{kind}"):
        if kind == "stream":
            return StreamAttribute(StreamName(message.stream))
        if kind == "event_type":
            return EventTypeAttribute(EventType(message.event_type))
        if kind == "subject":
            if message.subject.has_value:
                return SubjectAttribute(EventSubject(message.subject.value))
            if not message.subject.value:
                return SubjectAttribute(None)
            raise InvalidRequest(
                f"{field}.subject", "has a value and says has_value = false; set has_value"
            )
    raise InvalidRequest(field, "is empty; set stream, subject or event_type")


def attribute_to(attribute: EventAttribute) -> pb.EventAttribute:
    """The message of an attribute."""
    if isinstance(attribute, StreamAttribute):
        return pb.EventAttribute(stream=attribute.stream.value)
    if isinstance(attribute, EventTypeAttribute):
        return pb.EventAttribute(event_type=attribute.event_type.value)
    subject = attribute.subject
    value = pb.EventAttribute.SubjectValue(
        has_value=subject is not None, value=subject.value if subject else ""
    )
    return pb.EventAttribute(subject=value)


def _prefix_from(message: pb.EventSelector.StartsWith, field: str) -> EventAttributePrefix:
    kind = message.WhichOneof("attribute")
    with reading(f"{field}.{kind}"):
        if kind == "stream":
            return StreamPrefix(StreamNamePrefix(message.stream))
        if kind == "subject":
            return SubjectPrefix(EventSubject(message.subject))
        if kind == "event_type":
            return EventTypePrefix(EventType(message.event_type))
    raise InvalidRequest(field, "is empty; set stream, subject or event_type")


def _prefix_to(prefix: EventAttributePrefix) -> pb.EventSelector.StartsWith:
    if isinstance(prefix, StreamPrefix):
        return pb.EventSelector.StartsWith(stream=prefix.stream.value)
    if isinstance(prefix, SubjectPrefix):
        return pb.EventSelector.StartsWith(subject=prefix.subject.value)
    return pb.EventSelector.StartsWith(event_type=prefix.event_type.value)


# --- selectors ---------------------------------------------------------------------------------


def selector_from(message: pb.EventSelector, field: str) -> EventSelector:
    """The selector of a message; ``field`` is the path to it, for errors.

    Raises:
        InvalidRequest: a part of it is empty, a name breaks its rule, or there are too many nodes.
    """
    finished: list[EventSelector] = []
    nodes = 0
    todo: list[tuple[pb.EventSelector, str, str | None]] = [(message, field, None)]
    while todo:
        node, path, joined = todo.pop()
        if joined is not None:
            right, left = finished.pop(), finished.pop()
            finished.append((AndSelector if joined == "and" else OrSelector)(left, right))
            continue
        nodes += 1
        if nodes > MAX_NODES:
            raise InvalidRequest(
                field, f"has more than {MAX_NODES:,} nodes; ask in several requests"
            )
        kind = node.WhichOneof("selector")
        if kind == "equals":
            finished.append(EqualsSelector(attribute_from(node.equals, f"{path}.equals")))
        elif kind == "starts_with":
            prefix = _prefix_from(node.starts_with, f"{path}.starts_with")
            finished.append(StartsWithSelector(prefix))
        elif kind is None:
            raise InvalidRequest(path, "is empty; set equals, starts_with, and or or")
        else:
            branch = getattr(node, kind)
            here = f"{path}.{kind}"
            todo += [
                (node, path, kind),
                (branch.right, f"{here}.right", None),
                (branch.left, f"{here}.left", None),
            ]
    return finished[0]


def selector_to(selector: EventSelector) -> pb.EventSelector:
    """The message of a selector.

    Raises:
        InvalidSelector: it is nested too deeply even when it is balanced.
    """
    if _depth(selector) > MAX_DEPTH:
        selector = _balanced(selector)
        if _depth(selector) > MAX_DEPTH:
            raise InvalidSelector(0, f"and and or alternate on more than {MAX_DEPTH} levels")
    root = pb.EventSelector()
    todo = [(selector, root)]
    while todo:
        node, message = todo.pop()
        if isinstance(node, EqualsSelector):
            message.equals.CopyFrom(attribute_to(node.attribute))
        elif isinstance(node, StartsWithSelector):
            message.starts_with.CopyFrom(_prefix_to(node.prefix))
        else:
            # Python's keywords, so no attributes of the message.
            branch = getattr(message, "and" if isinstance(node, AndSelector) else "or")
            todo += [(node.left, branch.left), (node.right, branch.right)]
    return root


def _depth(selector: EventSelector) -> int:
    deepest, todo = 0, [(selector, 0)]
    while todo:
        node, depth = todo.pop()
        deepest = max(deepest, depth)
        if isinstance(node, (AndSelector, OrSelector)):
            todo += [(node.left, depth + 1), (node.right, depth + 1)]
    return deepest


def _balanced(selector: EventSelector) -> EventSelector:
    """The same selector with each chain of one kind of branch as a tree of the least depth."""
    finished: list[EventSelector] = []
    todo: list[tuple[EventSelector, int]] = [(selector, 0)]
    while todo:
        node, count = todo.pop()
        if count:
            parts = [finished.pop() for _ in range(count)][::-1]
            finished.append((all_of if isinstance(node, AndSelector) else any_of)(parts))
        elif isinstance(node, (AndSelector, OrSelector)):
            operands = _operands(node)
            todo.append((node, len(operands)))
            todo += [(operand, 0) for operand in reversed(operands)]
        else:
            finished.append(node)
    return finished[0]


def _operands(branch: AndSelector | OrSelector) -> list[EventSelector]:
    operands: list[EventSelector] = []
    todo: list[EventSelector] = [branch]
    while todo:
        node = todo.pop()
        if isinstance(node, (AndSelector, OrSelector)) and type(node) is type(branch):
            todo += [node.right, node.left]
        else:
            operands.append(node)
    return operands


# --- append conditions -------------------------------------------------------------------------


def condition_from(message: pb.AppendCondition, field: str) -> AppendCondition:
    """The append condition of a message."""
    kind = message.WhichOneof("condition")
    if kind is None:
        raise InvalidRequest(field, "is empty; set min, max or range")
    part = getattr(message, kind)
    here = f"{field}.{kind}"
    selector = selector_from(part.selector, f"{here}.selector")
    with reading(here):
        if kind == "range":
            return RangeConstraint(selector, Range(part.min, part.max))
        return (MinConstraint if kind == "min" else MaxConstraint)(selector, part.revision)


def condition_to(condition: AppendCondition) -> pb.AppendCondition:
    """The message of an append condition."""
    selector = selector_to(condition.selector)
    if isinstance(condition, RangeConstraint):
        low, high = condition.range.min, condition.range.max
        bounds = pb.AppendCondition.Range(selector=selector, min=low, max=high)
        return pb.AppendCondition(range=bounds)
    if isinstance(condition, MinConstraint):
        low = condition.revision
        return pb.AppendCondition(min=pb.AppendCondition.Min(selector=selector, revision=low))
    high = condition.revision
    return pb.AppendCondition(max=pb.AppendCondition.Max(selector=selector, revision=high))


# --- parameters --------------------------------------------------------------------------------


def parameters_from(message: pb.ParameterBindings, field: str) -> dict[str, EventAttribute]:
    """A view's parameters by name."""
    return {
        name: attribute_from(value, f'{field}.bindings["{name}"]')
        for name, value in message.bindings.items()
    }


def parameters_to(
    parameters: Mapping[str, EventAttribute] | Iterable[tuple[str, EventAttribute]],
) -> pb.ParameterBindings:
    """The message of a view's parameters."""
    bindings = {name: attribute_to(value) for name, value in dict(parameters).items()}
    return pb.ParameterBindings(bindings=bindings)
