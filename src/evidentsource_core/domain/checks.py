"""Checks that a database and a component make alike, so that both refuse with the same words."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from evidentsource_core.domain.errors import (
    DatabaseAccessError,
    DuplicateEventId,
    EvidentSourceError,
    InvalidEvents,
    InvalidType,
)
from evidentsource_core.domain.events import ProspectiveEvent
from evidentsource_core.domain.selectors import (
    AndSelector,
    EqualsSelector,
    EventSelector,
    OrSelector,
    StartsWithSelector,
)

IsTaken = Callable[[str, str], bool]
"""Whether a stream has an event of an id."""


def items(field: str, values: Iterable[object]) -> Iterable[object]:
    """``values``, if they are several; a text is one value, though it can be iterated.

    Raises:
        InvalidType: they are not.
    """
    if type(values) is tuple or type(values) is list:
        return values
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
        raise InvalidType(field, "a list", values)
    return values


def at(path: str, problem: EvidentSourceError) -> EvidentSourceError:
    """The same error, its message led by where in the request it stands."""
    problem.args = (f"{path}: {problem}",)
    return problem


def check_events(
    events: Iterable[object], is_taken: IsTaken | None = None
) -> tuple[ProspectiveEvent, ...]:
    """The events, if every rule of events holds.

    An event id is used once in a stream: neither where ``is_taken`` says so nor earlier among the
    events. Without ``is_taken`` nobody asks for duplicates.

    Raises:
        InvalidEvents: with every problem of every event, each led by its place.
    """
    problems: list[EvidentSourceError] = []
    checked: list[ProspectiveEvent] = []
    seen: set[tuple[str, str]] = set()
    for index, event in enumerate(items("events", events)):
        if not isinstance(event, ProspectiveEvent):
            problems.append(InvalidType(f"events[{index}]", "ProspectiveEvent", event))
            continue
        checked.append(event)
        if found := list(event.problems()):
            problems += [at(f"events[{index}]", problem) for problem in found]
        if is_taken is not None:
            key = (event.stream, event.id)
            if key in seen or is_taken(*key):
                problems.append(at(f"events[{index}]", DuplicateEventId(*key)))
            seen.add(key)
    if problems:
        raise InvalidEvents(problems)
    return tuple(checked)


def check_earlier(revision: object, latest: int) -> int:
    """``revision``, if a database that stands at ``latest`` can go there: it only goes back.

    Raises:
        DatabaseAccessError: it is no revision, or lies after ``latest``.
    """
    if isinstance(revision, bool) or not isinstance(revision, int):
        raise DatabaseAccessError.invalid_revision(f"{revision!r} is no whole number")
    if not 0 <= revision <= latest:
        raise DatabaseAccessError.invalid_revision(
            f"{revision} is not from 0 to {latest}, the revision of this database"
        )
    return revision


def check_selector(selector: object) -> EventSelector:
    """``selector``, if it is one.

    Raises:
        InvalidType: it is not.
    """
    if not isinstance(selector, (EqualsSelector, StartsWithSelector, AndSelector, OrSelector)):
        raise InvalidType("selector", "a selector", selector, "build it with Selector")
    return selector


def check_view(name: object, version: object) -> tuple[str, int]:
    """The name and version of a state view, if they are of the right types.

    Raises:
        InvalidType: one is not.
    """
    text = getattr(name, "value", name)
    if not isinstance(text, str):
        raise InvalidType("name", "str", name)
    if isinstance(version, bool) or not isinstance(version, int):
        raise InvalidType("version", "int", version)
    return text, version
