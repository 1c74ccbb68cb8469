"""CloudEvents as JSON: the one place that turns events into JSON values and back.

The form is that of the JSON event format of CloudEvents 1.0.2. What it leaves open, or cannot say:

- A payload of bytes stands under ``data_base64``; text stands under ``data``, as a JSON value where the
  event says that it is JSON (or says nothing, and it is an object or an array), as a string otherwise.
  JSON comes back as the same value, with other white space perhaps.
- The format knows booleans, whole numbers and strings. Extensions that are bytes, times or URIs go
  out as strings, and strings come back.
- A ``source`` is the stream's URI, or on the way in its bare name too.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Final

from evidentsource_core.domain.errors import (
    DeserializationFailed,
    EvidentSourceError,
    InvalidValue,
)
from evidentsource_core.domain.events import (
    BinaryEventData,
    Event,
    EventData,
    ProspectiveEvent,
    StringEventData,
)
from evidentsource_core.domain.extensions import (
    BinaryExtension,
    BooleanExtension,
    ExtensionValue,
    IntegerExtension,
    StringExtension,
    TimestampExtension,
)
from evidentsource_core.domain.identifiers import RECORDEDTIME_KEY, SEQUENCE_KEY, stream_of
from evidentsource_core.domain.state_change import is_json
from evidentsource_core.jsontext import dumps, loads
from evidentsource_core.times import format_rfc3339, parse_rfc3339

__all__ = ["BATCH", "SPEC_VERSION", "STRUCTURED", "event_json", "prospective_event", "stream_name"]

STRUCTURED: Final = "application/cloudevents+json"
BATCH: Final = "application/cloudevents-batch+json"
SPEC_VERSION: Final = "1.0"
_TEXTS: Final = ("id", "source", "type", "subject", "datacontenttype", "dataschema", "time")
_NAMED: Final = frozenset({"specversion", *_TEXTS, "data", "data_base64"})
_MISSING: Final = object()


def event_json(event: Event | ProspectiveEvent) -> dict[str, Any]:
    """An event as JSON values.

    >>> event_json(ProspectiveEvent("e-1", "accounts", "opened", data='{"owner": "Ann"}'))
    {'specversion': '1.0', 'id': 'e-1', 'source': 'accounts', 'type': 'opened', 'data': {'owner': 'Ann'}}
    """
    source = event.source if isinstance(event, Event) else event.stream
    values: dict[str, Any] = {
        "specversion": SPEC_VERSION,
        "id": event.id,
        "source": source,
        "type": event.event_type,
        "subject": event.subject,
        "time": None if event.time is None else format_rfc3339(event.time),
        "datacontenttype": event.datacontenttype,
        "dataschema": event.dataschema,
    }
    values = {name: value for name, value in values.items() if value is not None}
    for name, extension in event.extensions.items():
        values[name] = extension_json(extension)
    return values | _data_json(event.data, event.datacontenttype)


def extension_json(extension: ExtensionValue) -> bool | int | str:
    """An extension as the JSON format has it.

    >>> extension_json(BinaryExtension(b"abc"))
    'YWJj'
    """
    if isinstance(extension, BinaryExtension):
        return base64.b64encode(extension.value).decode()
    if isinstance(extension, TimestampExtension):
        return format_rfc3339(extension.value)
    return extension.value


def _data_json(data: EventData | None, content_type: str | None) -> dict[str, Any]:
    if data is None:
        return {}
    if isinstance(data, BinaryEventData):
        return {"data_base64": base64.b64encode(data.data).decode()}
    if content_type is not None and not is_json(content_type):
        return {"data": data.data}
    try:
        value = loads(data.data)
    except DeserializationFailed:
        # It says that it is JSON and is none: as bytes it arrives as it is.
        kept = base64.b64encode(data.data.encode()).decode()
        return {"data": data.data} if content_type is None else {"data_base64": kept}
    if content_type is None and not isinstance(value, (dict, list)):
        return {"data": data.data}
    return {"data": value}


def prospective_event(
    values: object, field: str, database: str | None = None, *, stored: bool = False
) -> ProspectiveEvent:
    """The event of JSON values, as a client proposes it.

    Args:
        values: what a JSON reader returned.
        field: the path to it, for errors.
        database: the database that it is meant for; a URI in ``source`` may name no other.
        stored: whether it was read from a database, which has given it ``sequence`` and
            ``recordedtime``: those are left out.

    Raises:
        InvalidValue: a part of it cannot be kept; the error has the path to that part. The rules for
            names are not asked here, so that a transaction is refused with every problem at once.

    >>> given = {"specversion": "1.0", "id": "e-1", "source": "accounts", "type": "opened"}
    >>> prospective_event(given, "events[0]").stream
    'accounts'
    """
    if not isinstance(values, dict):
        raise InvalidValue(field, "must be an object, a CloudEvent")
    if values.get("specversion") != SPEC_VERSION:
        found = values.get("specversion")
        raise InvalidValue(f"{field}.specversion", f"is {found!r}; set it to {SPEC_VERSION!r}")
    texts = {name: _text(values, name, field) for name in _TEXTS}
    for name in ("id", "source", "type"):
        if texts[name] is None:
            raise InvalidValue(f"{field}.{name}", "is missing")
    when = texts["time"]
    try:
        return ProspectiveEvent(
            texts["id"] or "",
            stream_name(texts["source"] or "", f"{field}.source", database),
            texts["type"] or "",
            texts["subject"],
            _data(values, texts["datacontenttype"], field),
            None if when is None else parse_rfc3339(when, f"{field}.time"),
            texts["datacontenttype"],
            texts["dataschema"],
            dict(_extensions(values, field, stored=stored)),
        )
    except InvalidValue:
        raise
    except EvidentSourceError as error:
        raise InvalidValue(field, str(error)) from error


def stream_name(source: str, field: str, database: str | None = None) -> str:
    """The stream that a ``source`` names: its bare name, or its URI in that database.

    Raises:
        InvalidValue: it names none, or one of another database.
    """
    stream = stream_of(source)
    if stream is None:
        raise InvalidValue(field, f"{source!r} names no stream; give its name, or its whole URI")
    path, found, _ = source.rpartition("/streams/")
    if database and found and "/db/" in path and path.rpartition("/db/")[2] != database:
        raise InvalidValue(field, f"{source!r} is a stream of another database than {database!r}")
    return stream


def _text(values: Mapping[str, Any], name: str, field: str) -> str | None:
    value = values.get(name)
    if value is not None and not isinstance(value, str):
        raise InvalidValue(f"{field}.{name}", f"must be a string, got {type(value).__name__}")
    return value


def _data(values: Mapping[str, Any], content_type: str | None, field: str) -> EventData | None:
    encoded = values.get("data_base64")
    value = values.get("data", _MISSING)
    if encoded is not None:
        if value is not _MISSING:
            raise InvalidValue(f"{field}.data_base64", "and data are both there; send one of them")
        try:
            return BinaryEventData(base64.b64decode(encoded, validate=True))
        except (binascii.Error, TypeError, ValueError) as error:
            raise InvalidValue(f"{field}.data_base64", f"is no base64: {error}") from error
    if value is _MISSING or (value is None and content_type is None):
        return None
    if content_type is None and isinstance(value, str):
        return StringEventData(value)
    if content_type is None or is_json(content_type):
        return StringEventData(dumps(value).decode())
    if isinstance(value, str):
        return StringEventData(value)
    reason = f"must be a string where datacontenttype is {content_type!r}"
    raise InvalidValue(f"{field}.data", reason)


def _extensions(
    values: Mapping[str, Any], field: str, *, stored: bool
) -> list[tuple[str, ExtensionValue]]:
    found: list[tuple[str, ExtensionValue]] = []
    for name, value in values.items():
        if name in _NAMED or value is None or (stored and name in (SEQUENCE_KEY, RECORDEDTIME_KEY)):
            continue
        if isinstance(value, bool):
            found.append((name, BooleanExtension(value)))
        elif isinstance(value, int):
            found.append((name, _integer(value, f"{field}.{name}")))
        elif isinstance(value, str):
            found.append((name, StringExtension(value)))
        else:
            kind = type(value).__name__
            reason = f"an extension is true or false, a whole number or a string, not {kind}"
            raise InvalidValue(f"{field}.{name}", reason)
    return found


def _integer(value: int, field: str) -> IntegerExtension:
    try:
        return IntegerExtension(value)
    except InvalidValue as error:
        raise InvalidValue(field, error.reason, "send it as a string") from error
