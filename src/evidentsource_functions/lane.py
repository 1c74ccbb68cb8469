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

The header is a JSON object: ``database``, ``name``, ``version``, ``revision``, ``timestamp`` as
``[seconds, nanoseconds]``, ``content_type`` and ``content_schema`` of the view; ``source``;
``modified``, for each batch ``[revision, seconds, nanoseconds]`` of the last event in its content;
and ``counts``, for each batch null, or the number of its events where whoever hands it over has not
looked into it, so that the guest does.

There is one answer for each batch. No answers at all mean that the program is one whose ``evolve``
must be called, after all.

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
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from json.encoder import encode_basestring
from typing import Any

from evidentsource_core.domain.errors import InvalidType, InvalidValue
from evidentsource_core.domain.events import BinaryEventData, Event, EventData, StringEventData
from evidentsource_core.domain.extensions import (
    BinaryExtension,
    Extensions,
    ExtensionValue,
    StringExtension,
    TimestampExtension,
    UriExtension,
    UriRefExtension,
)
from evidentsource_core.times import EPOCH, to_parts
from evidentsource_functions._lane_rows import UnreadableBatch, checked_rows, decode_batch

__all__ = [
    "EXPORT",
    "WIT",
    "EncodedEvents",
    "UnreadableBatch",
    "checked_rows",
    "decode_batch",
    "encode_batch",
    "source_prefix",
]

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


@dataclass(frozen=True, slots=True)
class EncodedEvents:
    """A batch that is text already, as a store writes it.

    Args:
        text: the batch.
        count: how many events it has.
        source: what the source of an event starts with, before the name of its stream.

    Raises:
        InvalidType: one of them is of another type.
        InvalidValue: ``count`` is negative.

    >>> EncodedEvents('[["e-1","accounts","opened",null,null,null,null,null,null]]', 1, "https://h/s/")
    EncodedEvents(text='[["e-1"...', count=1, source='https://h/s/')
    """

    text: str
    count: int
    source: str

    def __post_init__(self) -> None:
        for name, kind in (("text", str), ("count", int), ("source", str)):
            value = getattr(self, name)
            if not isinstance(value, kind) or isinstance(value, bool):
                raise InvalidType(f"EncodedEvents.{name}", kind.__name__, value)
        if self.count < 0:
            raise InvalidValue("EncodedEvents.count", f"must not be negative, got {self.count}")

    def __repr__(self) -> str:
        start = self.text if len(self.text) <= 8 else f"{self.text[:7]}..."
        return f"EncodedEvents(text={start!r}, count={self.count}, source={self.source!r})"

    def __len__(self) -> int:
        return self.count

    def decoded(self) -> list[Event]:
        """The events.

        Raises:
            UnreadableBatch: it is no batch of that many events.
        """
        return decode_batch(self.text, self.source, self.count)


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_text = encode_basestring
_NULL = "null"


def source_prefix(source: str) -> str:
    """What the sources of all events of one database start with, told from one of them.

    >>> source_prefix("https://host/db/bank/streams/accounts")
    'https://host/db/bank/streams/'
    """
    head, slash, _ = source.rpartition("/")
    return head + slash


def encode_batch(events: Iterable[Event], source: str) -> str:
    """Events as the text of a batch; ``source`` is what their sources start with."""
    streams = _Streams(source)
    return f"[{','.join([_row(event, streams) for event in events])}]"


# JSON text piece by piece, which takes half the time of building lists to be encoded.
def _row(event: Event, streams: _Streams) -> str:
    subject, media_type, schema = event.subject, event.datacontenttype, event.dataschema
    data = event.data
    return (
        f"[{_text(event.id)},{streams[event.source]},{_text(event.event_type)},"
        f"{_NULL if subject is None else _text(subject)},"
        f"{_time(event.time)},"
        f"{_text(data.data) if type(data) is StringEventData else _encode(_data(data))},"
        f"{_NULL if media_type is None else _text(media_type)},"
        f"{_NULL if schema is None else _text(schema)},"
        f"{_extensions(event.extensions) if event.extensions else _NULL}]"
    )


class _Streams(dict[str, str]):
    """The column for each source, of which a batch has few."""

    def __init__(self, prefix: str) -> None:
        super().__init__()
        self._prefix = prefix

    def __missing__(self, source: str) -> str:
        stream = source.removeprefix(self._prefix)
        known = len(stream) < len(source) and "/" not in stream
        column = self[source] = _encode(stream if known else [source])
        return column


def _time(moment: datetime | None) -> str:
    if moment is None:
        return _NULL
    if type(moment) is datetime and moment.tzinfo is UTC:
        since = moment - EPOCH
        return str((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds)
    seconds, nanos = to_parts(moment)
    micros, finer = divmod(nanos, 1000)
    return f"[{seconds},{nanos}]" if finer else str(seconds * 1_000_000 + micros)


def _data(data: EventData | None) -> Any:
    if isinstance(data, BinaryEventData):
        return [_base64(data.data)]
    return None if data is None else data.data


def _extensions(extensions: Extensions) -> str:
    pairs = [
        f"{_text(name)}:"
        f"{_text(value.value) if type(value) is StringExtension else _encode(_extension(value))}"
        for name, value in extensions.items()
    ]
    return f"{{{','.join(pairs)}}}"


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
