"""CloudEvents: as a client proposes them, and as they are stored."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from evidentsource_core.domain.errors import InvalidEventSource, InvalidExtension
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
    UriExtension,
    UriRefExtension,
)
from evidentsource_core.domain.identifiers import stream_of
from evidentsource_core.times import parse_rfc3339
from evidentsource_runtime.server.protobuf.generated.cloudevents_pb2 import CloudEvent
from evidentsource_runtime.server.protobuf.moments import moment_from, put_moment
from evidentsource_runtime.server.service.errors import InvalidRequest, reading

__all__ = ["event_from", "event_to", "prospective_from", "prospective_to"]

SPEC_VERSION = "1.0"

_EXTENSIONS: dict[str, Any] = {
    "ce_boolean": BooleanExtension,
    "ce_integer": IntegerExtension,
    "ce_string": StringExtension,
    "ce_bytes": BinaryExtension,
    "ce_uri": UriExtension,
    "ce_uri_ref": UriRefExtension,
}
_ATTRIBUTES = ("subject", "time", "datacontenttype", "dataschema")
"""What the contract carries among the extension attributes, though the event has fields for it."""
_FIELDS = {kind: field for field, kind in _EXTENSIONS.items()}


def prospective_from(message: CloudEvent, field: str, database: str) -> ProspectiveEvent:
    """An event that a client proposes.

    Args:
        message: the event; its source is the bare name of the stream, or the stream's URI.
        field: the path to it, for errors.
        database: the database that it is meant for; a URI may name no other.

    Raises:
        InvalidRequest: something of it cannot be kept. The rules for names are not asked here, so
            that a transaction is refused with every problem of every event at once.
    """
    stream = _stream_from(message.source, f"{field}.source", database)
    return ProspectiveEvent(message.id, stream, message.type, **_common_from(message, field))


def event_from(message: CloudEvent, field: str) -> Event:
    """A stored event, as a client reads it."""
    return Event(message.id, message.source, message.type, **_common_from(message, field))


def prospective_to(event: ProspectiveEvent) -> CloudEvent:
    """The message of an event that is proposed.

    Raises:
        InvalidExtension: an extension attribute would take the place of one of the event's own.
    """
    return _message(event, event.stream)


def event_to(event: Event) -> CloudEvent:
    """The message of a stored event."""
    return _message(event, event.source)


# --- in ----------------------------------------------------------------------------------------


def _stream_from(source: str, field: str, database: str) -> str:
    stream = stream_of(source)
    if stream is None:
        problem = InvalidEventSource(source)
        reason = f"{source!r} names no stream; give the stream's name, or its whole URI"
        raise InvalidRequest(field, reason, problem)
    path, found, _ = source.rpartition("/streams/")
    if found and "/db/" in path and path.rpartition("/db/")[2] != database:
        problem = InvalidEventSource(source)
        reason = f"{source!r} is a stream of another database than {database!r}"
        raise InvalidRequest(field, reason, problem)
    return stream


def _common_from(message: CloudEvent, field: str) -> dict[str, Any]:
    if message.spec_version != SPEC_VERSION:
        reason = f"{message.spec_version!r} is none that is known here; set it to {SPEC_VERSION!r}"
        raise InvalidRequest(f"{field}.spec_version", reason)
    values: dict[str, Any] = {"data": _data_from(message, field)}
    extensions: dict[str, ExtensionValue] = {}
    for name, value in message.attributes.items():
        path = f'{field}.attributes["{name}"]'
        if name == "time":
            values["time"] = _time_from(value, path)
        elif name in _ATTRIBUTES:
            values[name] = _text_from(value, path, uri=name == "dataschema")
        else:
            extensions[name] = _extension_from(value, path)
    return values | {"extensions": extensions}


def _data_from(message: CloudEvent, field: str) -> EventData | None:
    kind = message.WhichOneof("data")
    if kind == "text_data":
        return StringEventData(message.text_data)
    if kind == "binary_data":
        return BinaryEventData(message.binary_data)
    if kind == "proto_data":
        raise InvalidRequest(f"{field}.proto_data", "is not kept; send its bytes as binary_data")
    return None


def _time_from(value: CloudEvent.CloudEventAttributeValue, path: str) -> datetime:
    kind = value.WhichOneof("attr")
    if kind == "ce_timestamp":
        return moment_from(value.ce_timestamp, path)
    if kind == "ce_string":
        with reading(path):
            return parse_rfc3339(value.ce_string, path)
    raise InvalidRequest(path, f"must be ce_timestamp, got {kind or 'nothing'}")


def _text_from(value: CloudEvent.CloudEventAttributeValue, path: str, *, uri: bool) -> str:
    kind = value.WhichOneof("attr")
    known = ("ce_uri", "ce_uri_ref", "ce_string") if uri else ("ce_string",)
    if kind not in known:
        raise InvalidRequest(path, f"must be {known[0]}, got {kind or 'nothing'}")
    text: str = getattr(value, kind)
    return text


def _extension_from(value: CloudEvent.CloudEventAttributeValue, path: str) -> ExtensionValue:
    kind = value.WhichOneof("attr")
    if kind is None:
        raise InvalidRequest(path, "has no value; set one of the ce_ fields")
    if kind == "ce_timestamp":
        return TimestampExtension(moment_from(value.ce_timestamp, path))
    extension: ExtensionValue = _EXTENSIONS[kind](getattr(value, kind))
    return extension


# --- out ---------------------------------------------------------------------------------------


def _message(event: Event | ProspectiveEvent, source: str) -> CloudEvent:
    message = CloudEvent(
        id=event.id, source=source, spec_version=SPEC_VERSION, type=event.event_type
    )
    attributes = message.attributes
    for name, value in event.extensions.items():
        if name in _ATTRIBUTES:
            raise InvalidExtension(name, "CloudEvents defines it itself; set the event's own field")
        if isinstance(value, TimestampExtension):
            put_moment(attributes[name].ce_timestamp, value.value)
        else:
            setattr(attributes[name], _FIELDS[type(value)], value.value)
    if event.subject is not None:
        attributes["subject"].ce_string = event.subject
    if event.time is not None:
        put_moment(attributes["time"].ce_timestamp, event.time)
    if event.datacontenttype is not None:
        attributes["datacontenttype"].ce_string = event.datacontenttype
    if event.dataschema is not None:
        attributes["dataschema"].ce_uri = event.dataschema
    if isinstance(event.data, StringEventData):
        message.text_data = event.data.data
    elif event.data is not None:
        message.binary_data = event.data.data
    return message
