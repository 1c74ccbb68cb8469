"""Finds rules that give another result when they are repeated, and the line that does it.

A rule is run twice: here, and in another process whose hash seed, clock, time zone, random numbers and
environment are others. A component is asked again by another host at another time, so what differs
between the two is a mistake: in a state view whatever it is, in a state change everything but the ids
of new events.

What is watched, and what to use instead, is a table: :mod:`.watched`.
"""

from __future__ import annotations

import linecache
import threading
from collections.abc import Callable, Sequence
from typing import Any

from evidentsource_core import (
    Command,
    Event,
    RenderedStateView,
    StateChangeMetadata,
)
from evidentsource_functions import create_state_change_handler, create_state_view_handler
from evidentsource_functions.testing import RuleSource
from evidentsource_runtime.testing.guard.compare import Result, differences
from evidentsource_runtime.testing.guard.elsewhere import (
    ELSEWHERE,
    GuardUnavailable,
    Request,
    Target,
    facts_of,
)
from evidentsource_runtime.testing.guard.result import result_of
from evidentsource_runtime.testing.guard.tracing import (
    Parting,
    Place,
    Trace,
    Untraced,
    parting,
    traced,
)
from evidentsource_runtime.testing.guard.watched import SET_ORDER, UNKNOWN, WATCHED

__all__ = ["GuardUnavailable", "NotDeterministic", "check_decide", "check_evolve"]


_now = threading.local()
"""What this thread is doing."""

_OTHERWISE = (
    "gives another result when it is repeated in another process, where the clock, random numbers, "
    "the order of sets and the environment are others"
)


class NotDeterministic(AssertionError):
    """A rule gives another result when it is repeated; the text names the line and what to use instead.

    Args:
        text: the whole of it.
        place: the line, if it was found.
    """

    def __init__(self, text: str, place: Place | None = None) -> None:
        super().__init__(text)
        self.place = place


def check_evolve(
    view: type[Any] | RuleSource,
    rendered: RenderedStateView,
    events: Sequence[Event],
    *,
    native: Callable[..., bytes | None] | None = None,
    name: str | None = None,
) -> None:
    """Check that a state view folds these events to the same bytes anywhere.

    Args:
        view: the class, or where its component's module stands.
        rendered: its content so far.
        events: the next batch.
        native: its handler in this process; by default that of the class.
        name: what to call it in messages.

    Raises:
        NotDeterministic: it does not.
        GuardUnavailable: it cannot be run in another process.
    """
    handler = native or create_state_view_handler(_a_class(view))
    _check(name or _name(view), Target.of(view), handler, (rendered, list(events)))


def check_decide(
    rule: Callable[..., Any] | RuleSource,
    database: Any,
    command: Command,
    metadata: StateChangeMetadata,
    *,
    command_type: type[Any] | None = None,
    native: Callable[..., Any] | None = None,
    name: str | None = None,
) -> None:
    """Check that a state change decides the same anywhere, the ids of new events aside.

    Args:
        rule: ``decide(db, command, metadata)``, or where its component's module stands.
        database: what it decides on; the other process asks this one.
        command: the command's bytes.
        metadata: what comes with it.
        command_type: the command's class; by default the rule's annotation.
        native: its handler in this process; by default that of the rule.
        name: what to call it in messages.

    Raises:
        NotDeterministic: it does not.
        GuardUnavailable: it cannot be run in another process.
    """
    if native is None:
        known = (rule,) if command_type is None else (command_type, rule)
        native = create_state_change_handler(*known)
    target = Target.of(rule, command_type)
    _check(name or _name(rule), target, native, (command, metadata), database)


def _check(
    name: str,
    target: Target,
    native: Callable[..., Any],
    arguments: tuple[Any, ...],
    database: Any = None,
) -> None:
    # A view that a decision reads while that is repeated was checked when it was first read.
    if getattr(_now, "is_repeating", False):
        return
    here = result_of(native, *_given(database, arguments))
    _now.is_repeating = True
    try:
        _compare(name, target, native, arguments, database, here)
    finally:
        _now.is_repeating = False


def _compare(
    name: str,
    target: Target,
    native: Callable[..., Any],
    arguments: tuple[Any, ...],
    database: Any,
    here: Result,
) -> None:
    facts = None if database is None else facts_of(database)
    there, _ = ELSEWHERE.run(Request(target, arguments, facts), database)
    found = differences(here, there)
    if not found:
        return
    # Once more with every step kept, now that there is something to look for.
    results: list[Result] = []
    given = _given(None if database is None else Untraced(database), arguments)
    trace_here = traced(lambda: results.append(result_of(native, *given)))
    there, trace_there = ELSEWHERE.run(Request(target, arguments, facts, trace=True), database)
    others = trace_there or Trace()
    where = parting(_nameless(trace_here, results), _nameless(others, [there]))
    text = _told(name, found, where, trace_here)
    raise NotDeterministic(text, None if where is None else where.place)


def _given(database: Any, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    return arguments if database is None else (database, *arguments)


def _nameless(trace: Trace, results: list[Result]) -> Trace:
    """The trace with every new event's id told by its number, since ids may differ."""
    ids = [each.id for result in results for each in result.events]
    for number, event_id in enumerate(ids):
        for step in trace.steps:
            for name, value in step.values.items():
                step.values[name] = value.replace(event_id, f"<id {number}>")
    return trace


def _told(name: str, found: list[str], where: Parting | None, trace: Trace) -> str:
    lines = [f"{name} {_OTHERWISE}", *(f"  {each}" for each in found)]
    calls = dict(trace.calls)
    if where is None:
        lines += [f"  it called {call}(), {_at(at)}: {WATCHED[call]}" for call, at in calls.items()]
        return "\n".join(lines if calls else [*lines, f"  {UNKNOWN}; {SET_ORDER}"])
    lines.append(f"  {_at(where.place)}")
    text = linecache.getline(where.place.file, where.place.line).strip()
    lines += [f"    {text}"] if text else []
    if where.name is not None:
        lines.append(f"  {where.name} is {where.here} here, {where.there} there")
    there = [call for call, place in trace.calls if _same_line(place, where.place)]
    lines += [f"  {call}(): {WATCHED[call]}" for call in dict.fromkeys(there)]
    if not there:
        lines.append(f"  no watched call stands there; most likely {SET_ORDER}")
    return "\n".join(lines)


def _same_line(one: Place, other: Place) -> bool:
    return (one.file, one.line) == (other.file, other.line)


def _at(place: Place) -> str:
    return f"{place.file}:{place.line} in {place.function}"


def _name(rule: Any) -> str:
    return rule.module if isinstance(rule, RuleSource) else str(getattr(rule, "__name__", rule))


def _a_class(view: Any) -> type[Any]:
    if not isinstance(view, type):
        raise GuardUnavailable("a view that stands elsewhere needs its handler here: native=...")
    return view
