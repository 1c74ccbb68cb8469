"""Selectors and append conditions in words, for the person who reads a refusal."""

from __future__ import annotations

from evidentsource_core.domain.constraints import AppendCondition
from evidentsource_core.domain.selectors import (
    AndSelector,
    EqualsSelector,
    EventAttribute,
    EventAttributePrefix,
    EventSelector,
    EventTypeAttribute,
    EventTypePrefix,
    OrSelector,
    StreamAttribute,
    StreamPrefix,
)


def selector_in_words(selector: EventSelector) -> str:
    """What a selector selects.

    >>> from evidentsource_core import Selector
    >>> selector_in_words(Selector.stream("accounts") & Selector.subject("a-1"))
    "stream is 'accounts' and subject is 'a-1'"
    """
    words: list[str] = []
    # A stack of its own, since a selector may be deeper than Python's.
    todo: list[EventSelector | str] = [selector]
    while todo:
        item = todo.pop()
        if isinstance(item, str):
            words.append(item)
        elif isinstance(item, EqualsSelector):
            words.append(_equals(item.attribute))
        elif isinstance(item, (AndSelector, OrSelector)):
            joint = " and " if isinstance(item, AndSelector) else " or "
            todo += [*_operand(item.right, item), joint, *_operand(item.left, item)]
        else:
            words.append(_starts_with(item.prefix))
    return "".join(words)


def violation_in_words(index: int, condition: AppendCondition, highest: int) -> str:
    """Why a condition did not hold, L being ``highest``.

    >>> from evidentsource_core import Constraint, Selector
    >>> violation_in_words(0, Constraint.must_exist(Selector.subject("a-1")), 0)
    "conditions[0]: the last event where subject is 'a-1' must be at revision 1 or later; ...
    """
    low, high = condition.min_revision(), condition.max_revision()
    if high is None:
        wanted = f"must be at revision {low} or later"
    elif high == 0:
        wanted = "must not exist"
    elif low is None:
        wanted = f"must be at revision {high} or earlier"
    elif low == high:
        wanted = f"must be at revision {low}"
    else:
        wanted = f"must be from revision {low} to {high}"
    actual = f"it is at revision {highest}" if highest else "there is none"
    where = selector_in_words(condition.selector)
    return f"conditions[{index}]: the last event where {where} {wanted}; {actual}"


def _operand(side: EventSelector, parent: AndSelector | OrSelector) -> list[EventSelector | str]:
    """One side of a branch as it goes onto the stack, in brackets if it is of the other kind."""
    if isinstance(side, (AndSelector, OrSelector)) and type(side) is not type(parent):
        return [")", side, "("]
    return [side]


def _equals(attribute: EventAttribute) -> str:
    if isinstance(attribute, StreamAttribute):
        return f"stream is {attribute.stream.value!r}"
    if isinstance(attribute, EventTypeAttribute):
        return f"type is {attribute.event_type.value!r}"
    if attribute.subject is None:
        return "there is no subject"
    return f"subject is {attribute.subject.value!r}"


def _starts_with(prefix: EventAttributePrefix) -> str:
    if isinstance(prefix, StreamPrefix):
        return f"stream starts with {prefix.stream.value!r}"
    if isinstance(prefix, EventTypePrefix):
        return f"type starts with {prefix.event_type.value!r}"
    return f"subject starts with {prefix.subject.value!r}"
