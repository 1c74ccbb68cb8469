"""Where inserted events stand: revisions and recorded times that no database has assigned yet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias

from evidentsource_core import (
    SEQUENCE_KEY,
    Event,
    EvidentSourceError,
    InvalidEvents,
    InvalidEventSource,
    InvalidExtension,
    InvalidTimestamp,
    InvalidType,
    InvalidValue,
    ProspectiveEvent,
)
from evidentsource_core.reference import as_prospective, recorded_time, stamped
from evidentsource_core.times import from_parts, to_parts

AnyEvent: TypeAlias = Event | ProspectiveEvent


@dataclass(frozen=True, slots=True)
class Declared:
    """What a test says of its database; None where it says nothing.

    Args:
        opened_at: when the mock was made; what times are where nothing else tells.
        revision: where the database stands, its events included.
        revision_timestamp: when that revision was recorded.
        created_at: when the database was created.
    """

    opened_at: datetime
    revision: int | None = None
    revision_timestamp: datetime | None = None
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """Events with a revision and a recorded time each, and the database they make up."""

    events: list[Event]
    revision: int
    revision_timestamp: datetime
    created_at: datetime


def place(events: Sequence[Event], declared: Declared) -> Placed:
    """Give every event its revision and its recorded time.

    What an event's own ``sequence`` and ``recordedtime`` say stands. The others are the last ones
    up to the declared revision, or count from 1; they were recorded at the declared revision
    timestamp, or when the mock was made, as far as the events around them allow.

    Raises:
        InvalidValue: the declared revision is too low for so many events.
    """
    usual = declared.revision_timestamp
    if usual is None:
        usual = max(declared.opened_at, declared.created_at or declared.opened_at)
    revisions = _revisions([event.revision() for event in events], declared.revision)
    times = _recorded_times([recorded_time(event) for event in events], usual)
    return Placed(
        [
            replace(event, extensions=stamped(event.extensions, revision, at))
            for event, revision, at in zip(events, revisions, times, strict=True)
        ],
        revisions[-1] if declared.revision is None and revisions else declared.revision or 0,
        max([usual, *times]),
        declared.created_at or _whole_microseconds(min([declared.opened_at, usual, *times])),
    )


def _revisions(claimed: list[int | None], end: int | None) -> list[int]:
    if end is None:
        before = 0
        placed: list[int] = []
        for revision in claimed:
            before = before + 1 if revision is None else revision
            placed.append(before)
        return placed
    behind = end + 1
    placed = []
    for revision in reversed(claimed):
        behind = behind - 1 if revision is None else revision
        placed.append(behind)
    if behind < 1:
        raise InvalidValue(
            "revision",
            f"{end} is too low for {len(claimed)} events",
            "name the revision of the last event; every event counts one",
        )
    return placed[::-1]


def _recorded_times(claimed: list[datetime | None], usual: datetime) -> list[datetime]:
    """Times that never go back, unless those that were claimed do."""
    latest = usual
    times: list[datetime] = []
    for moment in reversed(claimed):
        latest = latest if moment is None else moment
        times.append(min(usual, latest) if moment is None else moment)
    times.reverse()
    for index, moment in enumerate(claimed):
        if index and moment is None:
            times[index] = max(times[index], times[index - 1])
    return times


def _whole_microseconds(moment: datetime) -> datetime:
    seconds, nanoseconds = to_parts(moment)
    return from_parts(seconds, nanoseconds - nanoseconds % 1000)


def checked(events: Iterable[object], streams: str) -> list[Event]:
    """Events as they may be inserted; ``streams`` is the URI of the database's streams.

    A bare stream name as ``source`` becomes the stream's URI, and an event that was not stored
    becomes one that is.

    Raises:
        InvalidEvents: with every problem of every event.
    """
    found: list[Event] = []
    problems: list[EvidentSourceError] = []
    for index, event in enumerate(events):
        if isinstance(event, ProspectiveEvent):
            problems += event.problems()
            found.append(_as_stored(event, streams))
        elif isinstance(event, Event):
            problems += _problems(event)
            bare = "/" not in event.source
            found.append(replace(event, source=f"{streams}/{event.source}") if bare else event)
        else:
            problems.append(InvalidType(f"events[{index}]", "Event or ProspectiveEvent", event))
    if problems:
        raise InvalidEvents(problems)
    return found


def _as_stored(event: ProspectiveEvent, streams: str) -> Event:
    return Event(
        id=event.id,
        source=f"{streams}/{event.stream}",
        event_type=event.event_type,
        subject=event.subject,
        data=event.data,
        time=event.time,
        datacontenttype=event.datacontenttype,
        dataschema=event.dataschema,
        extensions=event.extensions,
    )


def _problems(event: Event) -> list[EvidentSourceError]:
    problems: list[EvidentSourceError] = []
    try:
        problems += as_prospective(event).problems()
        recorded_time(event)
    except (InvalidEventSource, InvalidTimestamp, InvalidExtension) as error:
        problems.append(error)
    if SEQUENCE_KEY in event.extensions and event.revision() is None:
        problems.append(InvalidExtension(SEQUENCE_KEY, "holds no revision"))
    return problems
