"""One event as the database keeps it, and what committing adds to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from evidentsource_core.domain.events import Event, ProspectiveEvent
from evidentsource_core.domain.extensions import Extensions, StringExtension
from evidentsource_core.domain.identifiers import RECORDEDTIME_KEY, SEQUENCE_KEY
from evidentsource_core.times import format_rfc3339, in_utc


@dataclass(frozen=True, slots=True)
class Record:
    """A stored event with its place in both times."""

    event: Event
    stream: str
    revision: int
    recorded_at: datetime

    @property
    def effective_at(self) -> datetime:
        """When it took effect: its own ``time``, or when it was recorded if it names none."""
        return self.recorded_at if self.event.time is None else self.event.time

    @property
    def effective_order(self) -> tuple[datetime, int]:
        """Its place in the order of effective time."""
        return (self.effective_at, self.revision)


def sequence_text(revision: int) -> str:
    """The ``sequence`` attribute: 20 digits, so that texts sort as the revisions do.

    >>> sequence_text(7)
    '00000000000000000007'
    """
    return f"{revision:020d}"


def stamped(extensions: Extensions, revision: int, recorded_at: datetime) -> Extensions:
    """An event's own extension attributes, and behind them the two that the database assigns."""
    assigned = {
        SEQUENCE_KEY: StringExtension(sequence_text(revision)),
        RECORDEDTIME_KEY: StringExtension(format_rfc3339(recorded_at)),
    }
    own = {name: value for name, value in extensions.items() if name not in assigned}
    return Extensions(own | assigned)


def store(event: ProspectiveEvent, streams: str, revision: int, recorded_at: datetime) -> Record:
    """The record that committing ``event`` makes; ``streams`` is the URI of all streams.

    The time is kept in UTC: it is an instant, and how it was written must not reach a view's bytes.
    """
    stored = Event(
        id=event.id,
        source=f"{streams}/{event.stream}",
        event_type=event.event_type,
        subject=event.subject,
        data=event.data,
        time=None if event.time is None else in_utc(event.time),
        datacontenttype=event.datacontenttype,
        dataschema=event.dataschema,
        extensions=stamped(event.extensions, revision, recorded_at),
    )
    return Record(stored, event.stream, revision, recorded_at)
