"""Events in HTTP messages: structured, batched and binary.

Source: the HTTP protocol binding of CloudEvents 1.0.2. In binary mode the attributes are headers that
begin with ``ce-``, their values percent-encoded, and the body is the payload.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote, unquote

from starlette.responses import Response

from evidentsource_core.domain.events import Event, ProspectiveEvent, StringEventData
from evidentsource_core.domain.state_change import is_json, media_type
from evidentsource_core.times import format_rfc3339
from evidentsource_runtime.cloudevents import (
    BATCH,
    SPEC_VERSION,
    STRUCTURED,
    extension_json,
    prospective_event,
)
from evidentsource_runtime.server.http.asking import Ask
from evidentsource_runtime.server.service import InvalidRequest

__all__ = ["event_response", "events_from", "is_events"]

PREFIX: Final = "ce-"
_PLAIN: Final = "".join(chr(c) for c in range(0x21, 0x7F) if chr(c) not in '"%')


def is_events(ask: Ask) -> bool:
    """Whether a request's body is one or more CloudEvents."""
    return _media(ask) in {STRUCTURED, BATCH} or ask.header("ce-specversion") is not None


def _media(ask: Ask) -> str:
    return media_type(ask.header("content-type") or "application/octet-stream")


async def events_from(ask: Ask, database: str) -> tuple[ProspectiveEvent, ...]:
    """The events of a request, in whichever mode they came.

    Raises:
        InvalidRequest, InvalidValue: they are none; the error has the path to the part at fault.
    """
    media = _media(ask)
    if media == BATCH:
        values = await ask.json()
        if not isinstance(values, list):
            raise InvalidRequest("body", "must be an array of CloudEvents")
        return tuple(
            prospective_event(each, f"events[{index}]", database)
            for index, each in enumerate(values)
        )
    if media == STRUCTURED:
        values = await ask.json()
        return (prospective_event(values, "event", database),)
    return (_binary(ask, await ask.request.body(), database),)


def _binary(ask: Ask, content: bytes, database: str) -> ProspectiveEvent:
    values: dict[str, Any] = {
        name.removeprefix(PREFIX): unquote(value)
        for name, value in ask.request.headers.items()
        if name.startswith(PREFIX)
    }
    if "datacontenttype" in values:
        raise InvalidRequest("ce-datacontenttype", "stands in Content-Type in binary mode")
    content_type = ask.header("content-type")
    event = prospective_event(values, "ce", database)
    return ProspectiveEvent(
        event.id,
        event.stream,
        event.event_type,
        event.subject,
        _payload(content, content_type),
        event.time,
        content_type,
        event.dataschema,
        event.extensions,
    )


def _payload(content: bytes, content_type: str | None) -> str | bytes | None:
    """Text where its type says that it is text; an empty body is no payload."""
    if not content:
        return None
    if content_type and (is_json(content_type) or media_type(content_type).startswith("text/")):
        try:
            return content.decode()
        except UnicodeDecodeError:
            return content
    return content


def event_response(event: Event) -> Response:
    """A stored event in binary mode."""
    values: dict[str, Any] = {
        "specversion": SPEC_VERSION,
        "id": event.id,
        "source": event.source,
        "type": event.event_type,
        "subject": event.subject,
        "time": None if event.time is None else format_rfc3339(event.time),
        "dataschema": event.dataschema,
        **{name: extension_json(value) for name, value in event.extensions.items()},
    }
    headers = {
        f"{PREFIX}{name}": quote(_text(value), safe=_PLAIN)
        for name, value in values.items()
        if value is not None
    }
    data = event.data
    if data is not None:
        plain = "text/plain; charset=utf-8" if isinstance(data, StringEventData) else None
        media = event.datacontenttype or plain or "application/octet-stream"
        headers["content-type"] = media
    return Response(b"" if data is None else data.as_bytes(), 200, headers)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
