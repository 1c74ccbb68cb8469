"""Stored events back into a log: what their own attributes say of their place is checked."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from evidentsource_core.domain.checks import at
from evidentsource_core.domain.errors import (
    DuplicateEventId,
    EvidentSourceError,
    InvalidEvents,
    InvalidEventSource,
    InvalidExtension,
    InvalidTimestamp,
    InvalidType,
    InvalidValue,
)
from evidentsource_core.domain.events import Event, ProspectiveEvent
from evidentsource_core.domain.extensions import Extensions, StringExtension, TimestampExtension
from evidentsource_core.domain.identifiers import RECORDEDTIME_KEY, SEQUENCE_KEY
from evidentsource_core.domain.revision import MAX_REVISION
from evidentsource_core.reference._history import Committed
from evidentsource_core.reference._records import Record
from evidentsource_core.times import parse_rfc3339

__all__ = ["as_prospective", "recorded_time", "restored"]


def restored(
    latest: Committed,
    events: Iterable[object],
    revision: int | None,
    revision_timestamp: datetime | None,
) -> Committed:
    """``latest`` with these events behind it; it stands at ``revision``, or at the last event.

    Nothing is written where anything is refused.
    """
    records = _records(events, latest)
    end, recorded_at = _place(records, latest)
    if revision is not None and revision < end:
        raise InvalidValue("revision", f"{revision} lies before that of the last event, {end}")
    if revision_timestamp is not None and revision_timestamp < recorded_at:
        reason = f"{revision_timestamp} lies before the last event or the creation, {recorded_at}"
        raise InvalidValue("revision_timestamp", reason)
    latest.log.append(records)
    return Committed(
        latest.log,
        len(latest.log.records),
        end if revision is None else revision,
        recorded_at if revision_timestamp is None else revision_timestamp,
    )


def as_prospective(event: Event) -> ProspectiveEvent:
    """The event as it was before it was stored.

    Raises:
        InvalidEventSource: its source names no stream.
    """
    stream = event.stream()
    if stream is None:
        raise InvalidEventSource(event.source)
    assigned = (SEQUENCE_KEY, RECORDEDTIME_KEY)
    return ProspectiveEvent(
        id=event.id,
        stream=stream,
        event_type=event.event_type,
        subject=event.subject,
        data=event.data,
        time=event.time,
        datacontenttype=event.datacontenttype,
        dataschema=event.dataschema,
        extensions=Extensions({k: v for k, v in event.extensions.items() if k not in assigned}),
    )


def recorded_time(event: Event) -> datetime | None:
    """When the event's ``recordedtime`` says it was recorded, if it has one.

    Raises:
        InvalidTimestamp: it is no RFC 3339 time.
        InvalidExtension: it is neither a text nor a timestamp.
    """
    value = event.extension(RECORDEDTIME_KEY)
    if value is None or isinstance(value, TimestampExtension):
        return None if value is None else value.value
    if isinstance(value, StringExtension):
        return parse_rfc3339(value.value, RECORDEDTIME_KEY)
    raise InvalidExtension(RECORDEDTIME_KEY, "is neither a text nor a timestamp")


def _place(records: list[Record], latest: Committed) -> tuple[int, datetime]:
    """The revision and recorded time that the next record has to follow."""
    if not records:
        return latest.revision, latest.revision_timestamp
    return records[-1].revision, records[-1].recorded_at


def _records(events: Iterable[object], latest: Committed) -> list[Record]:
    records: list[Record] = []
    problems: list[EvidentSourceError] = []
    seen: set[tuple[str, str]] = set()
    for index, event in enumerate(events):
        path = f"events[{index}]"
        if not isinstance(event, Event):
            problems.append(InvalidType(path, "Event", event))
            continue
        record, found = _record(event, *_place(records, latest))
        if record is not None:
            key = (record.stream, event.id)
            if key in seen or latest.log.find(*key) is not None:
                found.append(DuplicateEventId(*key))
            seen.add(key)
            records.append(record)
        problems += [at(path, problem) for problem in found]
    if problems:
        raise InvalidEvents(problems)
    return records


def _record(
    event: Event, after: int, not_before: datetime
) -> tuple[Record | None, list[EvidentSourceError]]:
    """The record of a stored event, or what keeps it from following that revision and time."""
    problems: list[EvidentSourceError] = []
    try:
        problems += as_prospective(event).problems()
    except InvalidEventSource as error:
        problems.append(error)
    revision = event.revision()
    if revision is None or not 1 <= revision <= MAX_REVISION:
        problems.append(InvalidExtension(SEQUENCE_KEY, "holds no revision; a stored event has one"))
    elif revision <= after:
        reason = f"{revision} does not lie behind {after}, the revision before it"
        problems.append(InvalidExtension(SEQUENCE_KEY, reason))
    recorded_at = None
    try:
        recorded_at = recorded_time(event)
        if recorded_at is None:
            reason = "is missing; a stored event has one"
            problems.append(InvalidExtension(RECORDEDTIME_KEY, reason))
        elif recorded_at < not_before:
            reason = f"lies before {not_before}, when the revision before it was recorded"
            problems.append(InvalidExtension(RECORDEDTIME_KEY, reason))
    except (InvalidTimestamp, InvalidExtension) as error:
        problems.append(error)
    stream = event.stream()
    if problems or stream is None or revision is None or recorded_at is None:
        return None, problems
    return Record(event, stream, revision, recorded_at), problems
