"""The guest's side of the lane's format: from the text of a batch to events.

The rows of a batch are read by those who made them, or by :func:`checked_rows` first.
"""

from __future__ import annotations

import base64
import json
from datetime import datetime, timedelta
from itertools import chain, repeat
from typing import Any, ClassVar

from evidentsource_core.domain.errors import EvidentSourceError
from evidentsource_core.domain.event_data import text_data
from evidentsource_core.domain.events import BinaryEventData, Event, EventData, StringEventData
from evidentsource_core.domain.extensions import (
    CONTEXT_ATTRIBUTES,
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
from evidentsource_core.domain.identifiers import check_text
from evidentsource_core.times import EPOCH, MAX_SECONDS, MIN_SECONDS, from_parts
from evidentsource_functions._lazy import LazyEvent, all_fields, make_events, set_each

_decode = json.JSONDecoder().decode

Row = list[Any]


class UnreadableBatch(EvidentSourceError):
    """A text is no batch of the lane; ``field`` is the path to what is wrong with it."""

    code: ClassVar[str] = "unreadable-batch"

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


def decode_batch(batch: str, source: str, count: int | None = None) -> list[Event]:
    """The events of a batch. Each field is decoded when it is first read.

    Args:
        batch: its text.
        source: what the sources of its events start with.
        count: how many events it should have, where it has to be looked into first.

    Raises:
        UnreadableBatch: it was looked into, and is no such batch.
    """
    rows = _decode(batch) if count is None else checked_rows(batch, source, count)
    return _events(rows, source)


def _events(rows: list[Row], source: str) -> list[Event]:
    events = make_events(RowEvent, rows)
    set_each(_set_prefix, events, repeat(source))
    return list[Event](events)


class RowEvent(LazyEvent):
    """An event in a row of a batch."""

    __slots__ = ("_prefix",)
    _raw: Row
    _prefix: str

    # Reading these costs no more than a slot does, so nothing is kept of them.
    id = property(lambda event: event._raw[0])  # noqa: SLF001 - its own
    event_type = property(lambda event: event._raw[2])  # noqa: SLF001
    subject = property(lambda event: event._raw[3])  # noqa: SLF001
    datacontenttype = property(lambda event: event._raw[6])  # noqa: SLF001
    dataschema = property(lambda event: event._raw[7])  # noqa: SLF001

    def data_as_string(self) -> str | None:
        """The payload as text, without making more of it."""
        data = self._raw[5]
        return data if type(data) is str else Event.data_as_string(self)


_set_prefix = RowEvent.__dict__["_prefix"].__set__


def _read_source(event: RowEvent) -> str:
    stream = event._raw[1]  # noqa: SLF001 - the class's own readers, kept apart as a table
    source: str = event._prefix + stream if type(stream) is str else stream[0]  # noqa: SLF001
    return source


def _read_data(event: RowEvent) -> EventData | None:
    data = event._raw[5]  # noqa: SLF001
    if data is None:
        return None
    return text_data(data) if type(data) is str else BinaryEventData(_bytes(data[0]))


def _read_time(event: RowEvent) -> datetime | None:
    time = event._raw[4]  # noqa: SLF001
    if time is None:
        return None
    if type(time) is int:
        return EPOCH + timedelta(microseconds=time)
    seconds, nanoseconds = time
    return from_parts(seconds, nanoseconds)


def _read_extensions(event: RowEvent) -> Extensions:
    values = event._raw[8]  # noqa: SLF001
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
        seconds, nanoseconds = rest
        return TimestampExtension(from_parts(seconds, nanoseconds))
    (text,) = rest
    if kind == "x":
        return BinaryExtension(_bytes(text))
    if kind not in ("u", "r"):
        raise ValueError(f"{kind!r} is no kind of an attribute")
    return UriExtension(text) if kind == "u" else UriRefExtension(text)


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


RowEvent.readers = {
    "source": _read_source,
    "data": _read_data,
    "time": _read_time,
    "extensions": _read_extensions,
}


_NULL = type(None)
_PLAIN: tuple[set[Any], ...] = (
    *({str}, {str}, {str}, {str, _NULL}, {int, _NULL}),
    *({str, _NULL}, {str, _NULL}, {str, _NULL}, {dict, _NULL}),
)
_RANGE = range(MIN_SECONDS * 1_000_000, (MAX_SECONDS + 1) * 1_000_000)


def checked_rows(batch: str, source: str, count: int) -> list[Row]:
    """The rows of a batch that somebody else wrote.

    Args:
        batch: its text.
        source: what the sources of its events start with.
        count: how many events it should have.

    Raises:
        UnreadableBatch: it has a row that is no event, or not that many.

    >>> checked_rows('[["e-1","accounts",5,null,null,null,null,null,null]]', "https://h/s/", 1)
    Traceback (most recent call last):
    ...
    evidentsource_functions._lane_rows.UnreadableBatch: events[0].type: must be text, got int
    """
    try:
        rows = _decode(batch)
    except (ValueError, RecursionError) as error:
        raise UnreadableBatch("events", f"the batch is no JSON: {error}") from None
    if type(rows) is not list:
        raise UnreadableBatch("events", f"must be a list, got {type(rows).__name__}")
    if len(rows) != count:
        raise UnreadableBatch("events", f"has {len(rows)} events where {count} were announced")
    # Half a surrogate can only come out of an escape, and what is no plain batch is looked at again.
    if rows and ("\\ud" in batch or "\\uD" in batch or not _is_plain(rows)):
        for index, row in enumerate(rows):
            _check_row(row, source, f"events[{index}]")
    return rows


def _is_plain(rows: list[Any]) -> bool:
    """Whether all rows have nothing but text and whole microseconds, where an event may have it."""
    if set(map(type, rows)) != {list} or set(map(len, rows)) != {len(_PLAIN)}:
        return False
    columns = list(zip(*rows, strict=True))
    for column, kinds in zip(columns, _PLAIN, strict=True):
        if not kinds.issuperset(map(type, column)):
            return False
    times = [time for time in columns[4] if time is not None]
    if times and not (min(times) in _RANGE and max(times) in _RANGE):
        return False
    extensions = [values for values in columns[8] if values]
    names = set(chain.from_iterable(extensions))
    values = map(type, chain.from_iterable(map(dict.values, extensions)))
    return not names & CONTEXT_ATTRIBUTES and {str}.issuperset(values)


def _check_row(row: Any, source: str, path: str) -> None:
    if type(row) is not list or len(row) != len(_PLAIN):
        raise UnreadableBatch(path, f"must be a list of {len(_PLAIN)} values")
    for index, name in ((0, "id"), (2, "type")):
        if type(row[index]) is not str:
            raise UnreadableBatch(
                f"{path}.{name}", f"must be text, got {type(row[index]).__name__}"
            )
    if type(row[8]) not in (dict, _NULL):
        raise UnreadableBatch(
            f"{path}.extensions", f"must be an object, got {type(row[8]).__name__}"
        )
    (event,) = _events([row], source)
    for name in ("source", "data", "time", "extensions"):
        try:
            getattr(event, name)
        except Exception as error:  # noqa: BLE001 - whatever it is, that field is no such value
            raise UnreadableBatch(f"{path}.{name}", _reason(error)) from None
    for name in event.extensions:
        if name in CONTEXT_ATTRIBUTES:
            reason = "CloudEvents defines this name; no extension may have it"
            raise UnreadableBatch(f"{path}.extensions.{name}", reason)
    try:
        # What was read without being checked, because it mostly was before it was stored.
        if isinstance(event.data, StringEventData):
            StringEventData(event.data.data)
        for name in event.extensions:
            check_text("Event", "extensions", name)
        Event(*all_fields(event))
    except EvidentSourceError as error:
        raise UnreadableBatch(path, str(error)) from None


def _reason(error: Exception) -> str:
    if isinstance(error, EvidentSourceError):
        return str(error)
    return f"is no such value ({type(error).__name__}: {error})"
