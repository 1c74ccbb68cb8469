"""Events as a test names them: what happened before, and what should happen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from evidentsource_core import (
    BinaryEventData,
    Event,
    EventData,
    EventSubject,
    EventType,
    EvidentSourceError,
    Extensions,
    InvalidEvents,
    InvalidType,
    InvalidValue,
    ProspectiveEvent,
    StreamName,
    StringEventData,
)
from evidentsource_core.domain.state_change import is_json
from evidentsource_core.jsontext import dumps, loads
from evidentsource_core.reference import as_prospective
from evidentsource_functions.structure import unstructure
from evidentsource_functions.testing._anything import ANYTHING, Anything
from evidentsource_functions.testing._builder import EventBuilder, as_moment

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class EventSpec:
    """An event of which a test names some parts; :func:`event` makes it.

    As something that happened, it gets what it does not name. As something that is expected, it
    matches whatever stands there: id, time, extensions and schema are :data:`ANYTHING` until they
    are named.

    Args:
        event_type: what happened.
        stream: where; None for the stream of the scenarios.
        subject: whom it happened to; None for nobody.
        payload: plain values as JSON has them, where ``structured``; otherwise the data itself.
        structured: whether the payload is compared as values; the order and layout of its text
            then do not matter.
        optional: whether no payload at all is as good as this one.
        content_type: the payload's media type; unnamed, a structured payload needs one of JSON.
    """

    event_type: str
    stream: str | None = None
    subject: str | None = None
    payload: Any = None
    structured: bool = True
    optional: bool = False
    id: Any = ANYTHING
    time: Any = ANYTHING
    content_type: Any = ANYTHING
    dataschema: Any = ANYTHING
    extensions: Any = ANYTHING

    def prospective(self, stream: str | None, event_id: str) -> ProspectiveEvent:
        """The event as it is committed.

        Args:
            stream: that of the scenarios, where the event names none.
            event_id: its id, where it names none.

        Raises:
            InvalidValue: there is no stream at all.
            InvalidEvents: it breaks the rules of events, with every problem.
        """
        content_type = self.content_type
        if isinstance(content_type, Anything):
            content_type = JSON if self.structured and self.payload is not None else None
        made = ProspectiveEvent(
            id=_named(self.id, event_id),
            stream=self.stream_in(stream),
            event_type=self.event_type,
            subject=self.subject,
            data=self._data(),
            time=_named(self.time, None),
            datacontenttype=content_type,
            dataschema=_named(self.dataschema, None),
            extensions=_named(self.extensions, Extensions()),
        )
        problems = list(made.problems())
        if problems:
            raise InvalidEvents(problems)
        return made

    def stream_in(self, default: str | None) -> str:
        """The stream, that of the scenarios where the event names none."""
        stream = default if self.stream is None else self.stream
        if stream is None:
            raise InvalidValue(
                f"event({self.event_type!r}).stream",
                "is not named",
                "write event(..., stream=...), or Scenarios(..., stream=...) for all of them",
            )
        return stream

    def _data(self) -> EventData | None:
        if self.payload is None or isinstance(self.payload, (StringEventData, BinaryEventData)):
            data: EventData | None = self.payload
            return data
        return StringEventData(dumps(self.payload).decode())


AnySpec: TypeAlias = EventSpec | EventBuilder | ProspectiveEvent | Event
"""An event in any of the forms that a scenario takes."""


def event(
    event_type: str,
    /,
    *,
    subject: str | None = None,
    stream: str | None = None,
    id: str | Anything = ANYTHING,  # noqa: A002 - CloudEvents' word
    time: datetime | str | Anything | None = ANYTHING,
    data: Any = ANYTHING,
    content_type: str | Anything | None = ANYTHING,
    dataschema: str | Anything | None = ANYTHING,
    extensions: Mapping[str, Any] | Anything = ANYTHING,
    **payload: Any,
) -> EventSpec:
    """An event, for ``given`` and ``then``.

    Args:
        event_type: what happened.
        subject: whom it happened to.
        stream: where; by default the stream of the scenarios.
        id: its id.
        time: when it took effect: a time with a zone, its RFC 3339 text, or a day; None for an
            event that says nothing of it.
        data: the payload as a whole, where it is not an object or has a field named like one of these
            arguments: ``str`` and ``bytes`` are it as it is, None is no payload, the rest is JSON.
        content_type: the payload's media type.
        dataschema: the URI of the payload's schema.
        extensions: all of its extension attributes.
        **payload: the fields of a JSON object, which is the payload.

    Raises:
        IdentifierError: the type, subject or stream is none; the message names it.
        InvalidType: both ``data`` and fields of a payload are given.

    >>> event("account.credited", subject="ann", amount=5).payload
    {'amount': 5}
    """
    if payload and not isinstance(data, Anything):
        raise InvalidType("data", f"left out beside the fields {', '.join(payload)}", data)
    values, structured = _payload(payload if isinstance(data, Anything) else data)
    return EventSpec(
        event_type=EventType(event_type).value,
        stream=None if stream is None else StreamName(stream).value,
        subject=None if subject is None else EventSubject(subject).value,
        payload=values,
        structured=structured,
        optional=isinstance(data, Anything) and not payload,
        id=id,
        time=time if time is None or isinstance(time, Anything) else as_moment(time, "time"),
        content_type=content_type,
        dataschema=dataschema,
        extensions=extensions if isinstance(extensions, Anything) else _extensions(extensions),
    )


_EVENT_HINTS: dict[type, str] = {
    list: "give them one by one: given(first, second), or given(*events)",
    tuple: "give them one by one: given(first, second), or given(*events)",
    dict: 'write event("TYPE", subject=..., FIELD=...)',
    str: 'write event("TYPE", subject=..., FIELD=...)',
}
"""What to write in place of what people write first."""


def as_spec(given: AnySpec | object) -> EventSpec:
    """An event in any form. One that was built already names all of its parts.

    Raises:
        InvalidType: it is no event.
    """
    if isinstance(given, EventSpec):
        return given
    if isinstance(given, EventBuilder):
        built = given.build()
        unnamed = dict.fromkeys(given.unnamed(), ANYTHING)
        return EventSpec(**(_parts(built) | unnamed))
    if isinstance(given, Event):
        given = as_prospective(given)
    if isinstance(given, ProspectiveEvent):
        return EventSpec(**_parts(given))
    known = "event(...), an EventBuilder, ProspectiveEvent or Event"
    raise InvalidType("event", known, given, _EVENT_HINTS.get(type(given)))


def structured_payload(made: ProspectiveEvent | Event) -> tuple[Any, bool]:
    """An event's payload as plain values and True; as it is and False, where it is no JSON."""
    if made.data is None or not is_json(made.datacontenttype):
        return made.data, made.data is None
    try:
        return loads(made.data.data), True
    except EvidentSourceError:
        return made.data, False


def _parts(built: ProspectiveEvent) -> dict[str, Any]:
    payload, structured = structured_payload(built)
    return {
        "event_type": built.event_type,
        "stream": built.stream,
        "subject": built.subject,
        "payload": payload,
        "structured": structured,
        "id": built.id,
        "time": built.time,
        "content_type": built.datacontenttype,
        "dataschema": built.dataschema,
        "extensions": built.extensions,
    }


def _payload(data: Any) -> tuple[Any, bool]:
    if isinstance(data, str):
        return StringEventData(data), False
    if isinstance(data, (bytes, bytearray, memoryview)):
        return BinaryEventData(bytes(data)), False
    if isinstance(data, (StringEventData, BinaryEventData)):
        return data, False
    return unstructure(data), True


def _extensions(extensions: Mapping[str, Any]) -> Extensions:
    made = Extensions(extensions)
    for problem in made.problems():
        raise problem
    return made


def _named(value: Any, default: Any) -> Any:
    return default if isinstance(value, Anything) else value
