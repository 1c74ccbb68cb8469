"""The lane: a batch of events as one JSON text, beside the contract's own way.

Lifting a list of records into Python objects costs more than folding them. A component that this
SDK builds therefore also exports :data:`EXPORT`, which takes whole batches as text that one call
decodes in C, for many contents at once, and tells of a failure in words, which the contract's
``evolve`` cannot. A host that does not know the export ignores it.

Version 1. A batch is a JSON array with one array for each event::

    [id, stream, type, subject, time, data, datacontenttype, dataschema, extensions]

- ``stream`` is the name of the stream when the source is the header's ``source`` and that name;
  ``[source]`` is any other source as it is.
- ``time`` is null, whole microseconds since 1970, or ``[seconds, nanoseconds]`` where it is finer.
- ``data`` is null, a text, or ``[base64]`` for bytes.
- ``extensions`` is null or an object: text, true, false and whole numbers stand for themselves;
  ``["x", base64]`` is binary, ``["u", text]`` a URI, ``["r", text]`` a URI reference and
  ``["t", seconds, nanoseconds]`` a timestamp.

A store can write it with the JSON functions of its database, without touching single events.

>>> from evidentsource_core import Event
>>> batch = encode_batch([Event("e-1", "https://h/s/accounts", "opened", data="{}")], "https://h/s/")
>>> batch
'[["e-1","accounts","opened",null,null,"{}",null,null,null]]'
>>> decode_batch(batch, "https://h/s/")[0].source
'https://h/s/accounts'
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from evidentsource_core.domain.events import (
    BinaryEventData,
    Event,
    EventData,
    StringEventData,
)
from evidentsource_core.domain.extensions import (
    NO_EXTENSIONS,
    BinaryExtension,
    BooleanExtension,
    Extensions,
    ExtensionValue,
    IntegerExtension,
    StringExtension,
    TimestampExtension,
    UriExtension,
    UriRefExtension,
)
from evidentsource_core.times import EPOCH, from_parts, to_parts

EXPORT = "evidentsource-fold-v1"
"""The name of the export; another version of the format gets another name."""

WIT = f"""
    /// Fold many contents of one view, each with its own batch of events, as text.
    /// The header and the batches are JSON; a content is text or bytes, or neither where there is
    /// none yet; each answer is a text, bytes, a failure in words, or nothing where there is none.
    export {EXPORT}: func(
        header: string,
        contents: list<tuple<option<string>, option<list<u8>>>>,
        batches: list<string>,
    ) -> list<tuple<option<string>, option<list<u8>>, option<string>>>;
"""
"""What a world says to have the export."""

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_decode = json.JSONDecoder().decode


def encode_batch(events: Iterable[Event], source: str) -> str:
    """Events as the text of a batch; ``source`` is what their sources start with."""
    return _encode([_row(event, source) for event in events])


def _row(event: Event, source: str) -> list[Any]:
    stream = event.source.removeprefix(source)
    known = len(stream) < len(event.source) and "/" not in stream
    return [
        event.id,
        stream if known else [event.source],
        event.event_type,
        event.subject,
        None if event.time is None else _time(event.time),
        _data(event.data),
        event.datacontenttype,
        event.dataschema,
        {name: _extension(value) for name, value in event.extensions.items()} or None,
    ]


def _time(moment: datetime) -> int | list[int]:
    seconds, nanos = to_parts(moment)
    micros, finer = divmod(nanos, 1000)
    return [seconds, nanos] if finer else seconds * 1_000_000 + micros


def _data(data: EventData | None) -> Any:
    if isinstance(data, BinaryEventData):
        return [_base64(data.data)]
    return None if data is None else data.data


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _extension(value: ExtensionValue) -> Any:
    if isinstance(value, BinaryExtension):
        return ["x", _base64(value.value)]
    if isinstance(value, UriExtension):
        return ["u", value.value]
    if isinstance(value, UriRefExtension):
        return ["r", value.value]
    if isinstance(value, TimestampExtension):
        return ["t", *to_parts(value.value)]
    return value.value


def decode_batch(batch: str, source: str) -> list[Event]:
    """The events of a batch. Each field is decoded when it is first read, and then kept."""
    rows = _decode(batch)
    events: list[Event] = []
    for row in rows:
        event = _new(_RowEvent)
        _set_row(event, row)
        _set_prefix(event, source)
        events.append(event)
    return events


class _RowEvent(Event):
    """An event that decodes a field of its row the first time it is read."""

    __slots__ = ("_prefix", "_row")

    def __getattr__(self, name: str) -> Any:
        # Only called for a slot that is still empty.
        read = _READERS.get(name)
        if read is None:
            raise AttributeError(f"'Event' object has no attribute {name!r}")
        value = read(self)
        _SLOTS[name](self, value)
        return value

    def __reduce__(self) -> Any:
        return (Event, _fields(self))

    def __repr__(self) -> str:
        return repr(Event(*_fields(self)))


def _fields(event: Event) -> tuple[Any, ...]:
    return tuple(getattr(event, name) for name in _READERS)


def _read_source(event: Any) -> str:
    stream = event._row[1]  # noqa: SLF001 - the class's own readers, kept apart as a table
    source: str = event._prefix + stream if type(stream) is str else stream[0]  # noqa: SLF001
    return source


def _read_data(event: Any) -> EventData | None:
    data = event._row[5]  # noqa: SLF001
    if data is None:
        return None
    if type(data) is str:
        payload = _new_data(StringEventData)
        _set_data(payload, data)
        return payload
    return BinaryEventData(base64.b64decode(data[0]))


def _read_time(event: Any) -> datetime | None:
    time = event._row[4]  # noqa: SLF001
    if time is None:
        return None
    return EPOCH + timedelta(microseconds=time) if type(time) is int else from_parts(*time)


def _read_extensions(event: Any) -> Extensions:
    values = event._row[8]  # noqa: SLF001
    if not values:
        return NO_EXTENSIONS
    return Extensions({name: _lift_extension(value) for name, value in values.items()})


def _lift_extension(value: Any) -> ExtensionValue:
    if type(value) is str:
        return StringExtension(value)
    if type(value) is bool:
        return BooleanExtension(value)
    if type(value) is int:
        return IntegerExtension(value)
    kind, *rest = value
    if kind == "t":
        return TimestampExtension(from_parts(*rest))
    if kind == "x":
        return BinaryExtension(base64.b64decode(rest[0]))
    return UriExtension(rest[0]) if kind == "u" else UriRefExtension(rest[0])


def _column(index: int) -> Callable[[Any], Any]:
    return lambda event: event._row[index]  # noqa: SLF001 - the class's own readers


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "id": _column(0),
    "source": _read_source,
    "event_type": _column(2),
    "subject": _column(3),
    "data": _read_data,
    "time": _read_time,
    "datacontenttype": _column(6),
    "dataschema": _column(7),
    "extensions": _read_extensions,
}
"""How each field of an event is read out of its row, in the order of the constructor."""

# The slots' own setters: an Event is immutable to everybody else, and its constructor would check
# again what was checked when the event was stored.
_SLOTS = {name: getattr(Event, name).__set__ for name in _READERS}
_set_row = _RowEvent.__dict__["_row"].__set__
_set_prefix = _RowEvent.__dict__["_prefix"].__set__
_set_data = StringEventData.__dict__["data"].__set__
_new: Callable[[type[_RowEvent]], _RowEvent] = object.__new__
_new_data: Callable[[type[StringEventData]], StringEventData] = object.__new__
