"""One event as the database keeps it, and what committing adds to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from evidentsource_core.domain.events import Event, ProspectiveEvent
from evidentsource_core.rules import stamped
from evidentsource_core.times import in_utc


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
