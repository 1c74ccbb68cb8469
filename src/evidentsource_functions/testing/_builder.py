"""Events for tests, built step by step."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, time
from typing import Any

from evidentsource_core import (
    BinaryEventData,
    Event,
    EventData,
    EventId,
    EventSubject,
    EventType,
    Extensions,
    ExtensionValue,
    InvalidEvents,
    InvalidType,
    InvalidValue,
    ProspectiveEvent,
    StreamName,
    StringEventData,
)
from evidentsource_core.jsontext import dumps
from evidentsource_core.times import parse_rfc3339, require_aware
from evidentsource_functions.structure import unstructure

STORED_SOURCE = "https://test.local/db/test/streams"
"""The streams that :meth:`EventBuilder.build_stored` takes its events from."""


class EventBuilder:
    """Builds events for tests. Each method changes the builder and returns it.

    What is built does not change any more, whatever the builder does later. Each value is checked
    when it is given, and the error names it.

    Args:
        event_type: what happened, say ``account.opened``.

    >>> event = (
    ...     EventBuilder("account.opened").stream("accounts").subject("a-1").data({"owner": "Ann"})
    ... ).build()
    >>> (event.data_as_json(), event.datacontenttype)
    ({'owner': 'Ann'}, 'application/json')
    """

    # The published package has it under the name TestEventBuilder too, which pytest would collect.
    __test__ = False

    def __init__(self, event_type: str) -> None:
        self._event_type = EventType(event_type).value
        self._id: str | None = None
        self._stream: str | None = None
        self._subject: str | None = None
        self._data: EventData | None = None
        self._content_type: str | None = None
        self._schema: str | None = None
        self._time: datetime | None = None
        self._extensions: dict[str, ExtensionValue] = {}

    def id(self, event_id: str) -> EventBuilder:
        """Set the id. Without one, every event that is built gets its own."""
        self._id = EventId(event_id).value
        return self

    def subject(self, subject: str | None) -> EventBuilder:
        """Set the subject; None for none."""
        self._subject = None if subject is None else EventSubject(subject).value
        return self

    def stream(self, stream: str) -> EventBuilder:
        """Set the stream, which every event needs."""
        self._stream = StreamName(stream).value
        return self

    def data(self, data: Any, content_type: str | None = None) -> EventBuilder:
        """Set the payload.

        Args:
            data: a ``str`` or ``bytes`` is the payload as it is, None is no payload, anything else
                is written as JSON.
            content_type: by default ``text/plain`` for text, ``application/octet-stream`` for
                bytes, ``application/json`` for the rest.

        Raises:
            SerializationFailed: a value has no form in JSON; the message names the path to it.
        """
        payload, default = _payload(data)
        self._data = payload
        self._content_type = default if content_type is None else content_type
        return self

    def dataschema(self, schema: str | None) -> EventBuilder:
        """Set the URI of the payload's schema."""
        self._schema = schema
        return self

    def date(self, date: Any) -> EventBuilder:
        """Set the effective time.

        Args:
            date: a ``date``, or its ISO 8601 text, stands for midnight in UTC. A ``datetime``, or
                an RFC 3339 text, keeps its time of day; it needs a time zone.

        Raises:
            InvalidTimestamp: it has no time zone, or the text is neither.
            InvalidType: it is none of these.
        """
        self._time = as_moment(date, "date")
        return self

    def timestamp(self, dt: datetime) -> EventBuilder:
        """Set the effective time; it needs a time zone."""
        self._time = require_aware("timestamp", dt)
        return self

    def extension(self, key: str, value: Any) -> EventBuilder:
        """Add an extension attribute.

        Args:
            key: its name: lower-case letters and digits.
            value: a ``str``, ``int``, ``bool``, ``bytes`` or ``datetime``, or an extension value
                such as ``UriExtension``.

        Raises:
            InvalidExtension: CloudEvents has no such name or no type for the value.
        """
        added = Extensions({key: value})
        for problem in added.problems():
            raise problem
        self._extensions[key] = added[key]
        return self

    def build(self) -> ProspectiveEvent:
        """The event before it is stored.

        Raises:
            InvalidValue: the stream is not set.
            InvalidEvents: an attribute is one that only a database assigns.
        """
        event = self._prospective(self._extensions)
        problems = list(event.problems())
        if problems:
            raise InvalidEvents(problems)
        return event

    def build_stored(self) -> Event:
        """The event as a query gives it, of a database named ``test``.

        ``sequence`` and ``recordedtime`` are those that were added as extensions, if any;
        :meth:`MockDatabase.insert_event` completes them.

        Raises:
            InvalidValue: the stream is not set.
        """
        event = self._prospective({})
        return Event(
            id=event.id,
            source=f"{STORED_SOURCE}/{event.stream}",
            event_type=event.event_type,
            subject=event.subject,
            data=event.data,
            time=event.time,
            datacontenttype=event.datacontenttype,
            dataschema=event.dataschema,
            extensions=Extensions(self._extensions),
        )

    def unnamed(self) -> list[str]:
        """The parts that nobody set, and that a build makes up or leaves out.

        >>> EventBuilder("account.opened").id("e-1").unnamed()
        ['time', 'dataschema', 'extensions']
        """
        parts = {
            "id": self._id,
            "time": self._time,
            "dataschema": self._schema,
            "extensions": self._extensions or None,
        }
        return [name for name, value in parts.items() if value is None]

    def _prospective(self, extensions: dict[str, ExtensionValue]) -> ProspectiveEvent:
        if self._stream is None:
            raise InvalidValue(
                "EventBuilder.stream", "is not set", "call .stream(name) before building"
            )
        return ProspectiveEvent(
            id=str(uuid.uuid4()) if self._id is None else self._id,
            stream=self._stream,
            event_type=self._event_type,
            subject=self._subject,
            data=self._data,
            time=self._time,
            datacontenttype=self._content_type,
            dataschema=self._schema,
            extensions=Extensions(extensions),
        )


TestEventBuilder = EventBuilder


def create_prospective_event(
    event_type: str,
    subject: str | None = None,
    data: Any = None,
    stream: str = "test-stream",
) -> ProspectiveEvent:
    """An event before it is stored, in one call; the arguments are those of :class:`EventBuilder`.

    >>> create_prospective_event("account.opened", "a-1", {"owner": "Ann"}).stream
    'test-stream'
    """
    return EventBuilder(event_type).stream(stream).subject(subject).data(data).build()


def create_stored_event(
    event_type: str,
    subject: str | None = None,
    data: Any = None,
    stream: str = "test-stream",
) -> Event:
    """An event as a query gives it, in one call; the arguments are those of :class:`EventBuilder`.

    >>> create_stored_event("account.opened", "a-1").stream()
    'test-stream'
    """
    return EventBuilder(event_type).stream(stream).subject(subject).data(data).build_stored()


test_event = create_prospective_event
test_stored_event = create_stored_event
# Both names look like tests; pytest collects no function that says it is none.
for _function in (test_event, test_stored_event):
    setattr(_function, "__test__", False)  # noqa: B010 - a function's type has no such attribute


def _payload(data: Any) -> tuple[EventData | None, str | None]:
    """The payload that a value stands for, and its usual content type."""
    if data is None:
        return None, None
    if isinstance(data, str):
        data = StringEventData(data)
    if isinstance(data, (bytes, bytearray, memoryview)):
        data = BinaryEventData(bytes(data))
    if isinstance(data, StringEventData):
        return data, "text/plain"
    if isinstance(data, BinaryEventData):
        return data, "application/octet-stream"
    return StringEventData(dumps(unstructure(data)).decode()), "application/json"


def as_moment(value: Any, field: str) -> datetime:
    """A time with a zone, its RFC 3339 text, or a day, which stands for midnight in UTC.

    Raises:
        InvalidTimestamp: it has no time zone, or the text is neither.
        InvalidType: it is none of these.
    """
    if isinstance(value, str):
        try:
            value = date.fromisoformat(value)
        except ValueError:
            return parse_rfc3339(value, field)
    if isinstance(value, datetime):
        return require_aware(field, value)
    if isinstance(value, date):
        return datetime.combine(value, time(tzinfo=UTC))
    raise InvalidType(field, "a date, a datetime or their text", value)
