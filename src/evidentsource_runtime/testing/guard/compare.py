"""What a rule came to, in a form that goes to another process and can be compared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from evidentsource_core import AppendCondition, ProspectiveEvent
from evidentsource_functions.testing import _words as words

_FIELDS = tuple(name for name in ProspectiveEvent.__slots__ if name != "id")


@dataclass(frozen=True, slots=True)
class Result:
    """What a rule returned or raised.

    Args:
        content: a view's content.
        events: a decision's events.
        conditions: a decision's append conditions.
        error: type and text of what was raised; None where nothing was.
    """

    content: bytes | None = None
    events: tuple[ProspectiveEvent, ...] = ()
    conditions: tuple[AppendCondition, ...] = ()
    error: str | None = None


def differences(here: Result, there: Result) -> list[str]:
    """What differs, a line each; the ids of events may.

    >>> differences(Result(content=b"1"), Result(content=b"2"))
    ["the content is b'1' here, b'2' there"]
    """
    return list(_differences(here, there))


def _differences(here: Result, there: Result) -> Iterator[str]:
    if here.error != there.error:
        yield f"it ends with {here.error or 'no error'} here, {there.error or 'no error'} there"
        return
    if here.content != there.content:
        yield f"the content is {here.content!r} here, {there.content!r} there"
    if len(here.events) != len(there.events):
        yield f"there are {len(here.events)} events here, {len(there.events)} there"
        return
    for index, (one, other) in enumerate(zip(here.events, there.events, strict=True)):
        for name in _FIELDS:
            mine, others = getattr(one, name), getattr(other, name)
            if mine != others:
                yield f"events[{index}].{name} is {_shown(mine)} here, {_shown(others)} there"
    if here.conditions != there.conditions:
        mine, others = (
            "; ".join(words.condition_line(each) for each in each_side.conditions) or "none"
            for each_side in (here, there)
        )
        yield f"the conditions are: {mine} here; {others} there"


def _shown(value: Any) -> str:
    return words.value(value)
