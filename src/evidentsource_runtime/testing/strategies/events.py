"""Events of a shape that the user names, and histories of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias, cast

from hypothesis import strategies as st

from evidentsource_core import (
    Event,
    EvidentSourceError,
    InvalidType,
    InvalidValue,
    ProspectiveEvent,
)
from evidentsource_core.reference import ReferenceDatabase
from evidentsource_functions.testing import ANYTHING, EventSpec, event
from evidentsource_runtime.testing.strategies.domain import moments

__all__ = ["AnyEvents", "events", "histories", "prospective"]

STREAM = "events"
"""The stream of events that name none."""

AnyEvents: TypeAlias = st.SearchStrategy[EventSpec] | EventSpec | ProspectiveEvent | str
"""Events in the forms that a history is made of: a strategy, one event, or the name of a type."""

_FIRST = datetime(2024, 1, 1, tzinfo=UTC)


def events(
    event_type: str | st.SearchStrategy[str],
    /,
    *,
    subject: str | st.SearchStrategy[str | None] | None = None,
    stream: str | st.SearchStrategy[str] = STREAM,
    time: Any = ANYTHING,
    **parts: Any,
) -> st.SearchStrategy[EventSpec]:
    """Events of one shape: what :func:`evidentsource_functions.testing.event` takes, or strategies.

    Args:
        event_type: what happened.
        subject: whom it happened to.
        stream: where.
        time: when it took effect; ``moments()`` for any time at all. Unnamed, it is sometimes there
            and sometimes not, and need not be in the order of recording.
        **parts: everything else that ``event`` takes, the fields of a payload among it.

    Any of these may be a strategy, also within lists and dictionaries.

    >>> from hypothesis import strategies as st
    >>> credited = events("account.credited", subject="ann", amount=st.just(5))
    >>> credited.example().payload  # doctest: +SKIP
    {'amount': 5}
    """
    if time is ANYTHING:
        time = _times()
    named = {"subject": subject, "stream": stream, "time": time, **parts}
    fixed = {name: value for name, value in named.items() if not _varies(value)}
    varying = {name: drawn(value) for name, value in named.items() if name not in fixed}
    return st.builds(
        lambda kind, some: event(kind, **fixed, **some),
        drawn(event_type),
        st.fixed_dictionaries(varying),
    )


def histories(
    of: Sequence[AnyEvents], *, min_size: int = 0, max_size: int = 10
) -> st.SearchStrategy[list[Event]]:
    """Stored events, as a database holds them: each with its sequence and recorded time.

    Args:
        of: what the events are: strategies such as ``events(...)``, single events, or names of types.
        min_size: the fewest.
        max_size: the most.

    Ids are made different where they are not. The time of recording goes on by up to a day from one
    event to the next.

    Raises:
        InvalidValue: there is nothing to choose from.
        InvalidType: an item is none of these.
    """
    one = one_of(of)
    step = st.integers(0, 86_400).map(lambda seconds: timedelta(seconds=seconds))
    return st.lists(st.tuples(one, step), min_size=min_size, max_size=max_size).map(_stored)


def one_of(of: Sequence[AnyEvents]) -> st.SearchStrategy[EventSpec | ProspectiveEvent]:
    """One event of those that a history is made of."""
    if isinstance(of, (str, EventSpec, st.SearchStrategy)):
        raise InvalidType("of", "a list of events", of)
    if not of:
        raise InvalidValue("of", "is empty", 'name what happens: of=[events("account.opened")]')
    return st.one_of([_any_events(index, each) for index, each in enumerate(of)])


def _varies(value: Any) -> bool:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return any(map(_varies, value))
    return isinstance(value, st.SearchStrategy)


def drawn(value: Any) -> st.SearchStrategy[Any]:
    """What a value stands for: itself, or what is drawn from the strategies within it."""
    if isinstance(value, st.SearchStrategy):
        return value
    if not _varies(value):
        return st.just(value)
    if isinstance(value, dict):
        return st.fixed_dictionaries({key: drawn(item) for key, item in value.items()})
    return st.tuples(*map(drawn, value)).map(type(value))


def prospective(given: EventSpec | ProspectiveEvent, default_id: str) -> ProspectiveEvent:
    """An event as it is committed, with ``default_id`` where it names none."""
    if isinstance(given, EventSpec):
        return given.prospective(STREAM, default_id)
    return given


def _times() -> st.SearchStrategy[datetime | None]:
    near = st.integers(-5, 40).map(lambda number: _FIRST + timedelta(days=number))
    return st.none() | near | moments()


def _any_events(index: int, given: object) -> st.SearchStrategy[EventSpec | ProspectiveEvent]:
    if isinstance(given, st.SearchStrategy):
        return cast("st.SearchStrategy[EventSpec | ProspectiveEvent]", given)
    if isinstance(given, str):
        return events(given)
    if isinstance(given, (EventSpec, ProspectiveEvent)):
        return st.just(given)
    raise InvalidType(f"of[{index}]", "events(...), event(...) or the name of a type", given)


def _stored(steps: list[tuple[EventSpec | ProspectiveEvent, timedelta]]) -> list[Event]:
    now = [_FIRST]
    database = ReferenceDatabase("history", clock=lambda: now[0], created_at=_FIRST)
    seen: dict[tuple[str, str], int] = {}
    stored: list[Event] = []
    for number, (given, step) in enumerate(steps, 1):
        now[0] += step
        made = _with_new_id(prospective(given, f"event-{number}"), seen)
        stored += database.transact([made]).events
    return stored


def _with_new_id(made: ProspectiveEvent, seen: dict[tuple[str, str], int]) -> ProspectiveEvent:
    key = (made.stream, made.id)
    count = seen[key] = seen.get(key, 0) + 1
    if count == 1:
        return made
    fields: Mapping[str, Any] = {name: getattr(made, name) for name in ProspectiveEvent.__slots__}
    renamed = ProspectiveEvent(**{**fields, "id": f"{made.id[:200]}-{count}"})
    problem: EvidentSourceError | None = next(renamed.problems(), None)
    if problem is not None:
        raise problem
    return _with_new_id(renamed, seen)
