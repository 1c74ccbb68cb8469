"""Packs the attributes of a batch of events: all of them in one table, in the order of the events.

Each attribute is a row of 96 bytes: its key, the case of its value, and the value. Most of a row is
the same for all attributes of one name and kind, so that is made once, as the *head* of the row, and
the table of a batch is its heads joined.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from evidentsource_core.domain.extensions import (
    CONTEXT_ATTRIBUTES,
    BinaryExtension,
    BooleanExtension,
    IntegerExtension,
    StringExtension,
    TimestampExtension,
    UriExtension,
    UriRefExtension,
)
from evidentsource_core.times import EPOCH, MAX_SECONDS, MIN_SECONDS, to_parts
from evidentsource_runtime.host.convert.packed.layout import (
    BOOL,
    ENTRY_SIZE,
    ENTRY_VALUE,
    LIST,
    MASK,
    NUMBERS,
    PAYLOAD,
    PAYLOAD_DATA,
    RECORD,
    SCALAR,
    STRING,
    TUPLE,
    VALUE_SIZE,
    VARIANT_VALUE,
    VECTOR,
)
from evidentsource_runtime.host.convert.packed.names import Names
from evidentsource_runtime.host.convert.packed.sheet import Rows, Sheet
from evidentsource_runtime.host.convert.shapes import Contract

_KINDS: Final[dict[type[Any], str]] = {
    StringExtension: "string",
    UriExtension: "uri",
    UriRefExtension: "uri-ref",
    BooleanExtension: "boolean",
    IntegerExtension: "integer",
    BinaryExtension: "binary",
    TimestampExtension: "timestamp",
}
_TEXTS: Final = ("string", "uri", "uri-ref")
_SECONDS_A_DAY: Final = 86_400

# In a row: the key, the case, the value.
_CASE: Final = VALUE_SIZE
_VALUE: Final = 2 * VALUE_SIZE


class Unfit(Exception):
    """Something does not fit; :class:`..lower.Lower` says what."""


class _Heads(dict[str, bytes]):
    """Heads of one kind by name, made when a name first turns up."""

    def __init__(self, writer: AttributeWriter, sheet: Sheet, kind: str) -> None:
        super().__init__()
        self._writer = writer
        self._sheet = sheet
        self._kind = kind

    def __missing__(self, name: str) -> bytes:
        if name in CONTEXT_ATTRIBUTES:
            raise Unfit
        head = self[name] = self._writer.head(self._sheet.text(name), self._kind)
        return head


class Attributes(dict[type[Any], tuple[_Heads, list[tuple[int, Any]] | None]]):
    """The attributes of a batch, as they come.

    By the class of a value it gives the heads of that kind, and the list that takes the value with
    the number of its row; no list where the value is a text, which goes to ``texts``.

    Attributes:
        heads: for each attribute, its head.
        texts: for each attribute, its value, or an empty text where that is none.
        rest: values that are no texts, by kind.
    """

    def __init__(self, writer: AttributeWriter, sheet: Sheet) -> None:
        super().__init__()
        self._writer = writer
        self._sheet = sheet
        self.heads: list[bytes] = []
        self.texts: list[str] = []
        self.rest: dict[str, list[tuple[int, Any]]] = {
            kind: [] for kind in _KINDS.values() if kind not in _TEXTS
        }

    def __missing__(self, cls: type[Any]) -> tuple[_Heads, list[tuple[int, Any]] | None]:
        kind = next(kind for known, kind in _KINDS.items() if issubclass(cls, known))
        lane = self[cls] = (_Heads(self._writer, self._sheet, kind), self.rest.get(kind))
        return lane


class AttributeWriter:
    """Writes the attributes of events for one component.

    Args:
        contract: the component's contract.
        names: where names are kept.
        content_limit: the most bytes that one value may have.

    Attributes:
        subject, time, datacontenttype, dataschema: the heads of those attributes.
    """

    def __init__(self, contract: Contract, names: Names, content_limit: int) -> None:
        self._names = names
        self._limit = content_limit
        self._times = _TimeWriter(contract, names)
        self._integer = contract.widths["cloudevent-attribute-value.integer"]
        self._open = {
            **dict.fromkeys(_TEXTS, VECTOR.pack(STRING, 0, 0)),
            "boolean": SCALAR.pack(BOOL, 0),
            "integer": SCALAR.pack(NUMBERS[self._integer.name][0], 0),
            "binary": VECTOR.pack(LIST, 0, 0),
            "timestamp": VECTOR.pack(RECORD, 2, 0),
        }
        self.subject = self.head(names.text("subject"), "string")
        self.time = self.head(names.text("time"), "timestamp")
        self.datacontenttype = self.head(names.text("datacontenttype"), "string")
        self.dataschema = self.head(names.text("dataschema"), "uri")

    def head(self, key: bytes, kind: str) -> bytes:
        """The row of an attribute of that kind, its value still open; ``key`` is a value itself."""
        return key + self._names.case(kind) + self._open[kind]

    def write(self, sheet: Sheet, attributes: Attributes) -> int:
        """Where the elements of all lists of attributes lie, one list right behind the other."""
        if not attributes.heads:
            return sheet.place(b"")
        rows = Rows(sheet, bytearray().join(attributes.heads), len(self.subject))
        rows.fill(_CASE + VARIANT_VALUE, rows.addresses(_VALUE))
        rows.fill_texts(_VALUE, attributes.texts)
        rest = attributes.rest
        for row, flag in rest["boolean"]:
            rows.put(row, _VALUE + PAYLOAD, flag)
        for row, number in rest["integer"]:
            if not self._integer.low <= number <= self._integer.high:
                raise Unfit
            rows.put(row, _VALUE + PAYLOAD, number & MASK)
        write_binaries(sheet, rows, _VALUE, rest["binary"], self._limit)
        if rest["timestamp"]:
            self._times.write(sheet, rows, rest["timestamp"])
        return rows.elements(TUPLE, 2)


class _TimeWriter:
    """Writes points in time: each a record of two numbers."""

    def __init__(self, contract: Contract, names: Names) -> None:
        order = contract.orders["datetime"]
        self._seconds = contract.widths["datetime.seconds"]
        self._nanoseconds = contract.widths["datetime.nanoseconds"]
        kinds = {"seconds": self._seconds.name, "nanoseconds": self._nanoseconds.name}
        self._template = b"".join(
            names[field] + SCALAR.pack(NUMBERS[kinds[field]][0], 0) for field in order
        )
        self._at = {
            field: index * ENTRY_SIZE + ENTRY_VALUE + PAYLOAD for index, field in enumerate(order)
        }

    def write(self, sheet: Sheet, rows: Rows, times: Sequence[tuple[int, datetime]]) -> None:
        """Write the times of those rows."""
        seconds, nanoseconds = _parts([moment for _, moment in times])
        low, high = max(MIN_SECONDS, self._seconds.low), min(MAX_SECONDS, self._seconds.high)
        if min(seconds) < low or max(seconds) > high or max(nanoseconds) > self._nanoseconds.high:
            raise Unfit
        records = sheet.rows(self._template, len(times))
        records.fill(self._at["seconds"], seconds, "q")
        records.fill(self._at["nanoseconds"], nanoseconds)
        for (row, _), address in zip(times, records.addresses(), strict=True):
            rows.put(row, _VALUE + PAYLOAD, 2)
            rows.put(row, _VALUE + PAYLOAD_DATA, address)


def _parts(moments: Sequence[datetime]) -> tuple[list[int], list[int]]:
    seconds: list[int] = []
    nanoseconds: list[int] = []
    for moment in moments:
        if type(moment) is datetime:
            since = moment - EPOCH
            seconds.append(since.days * _SECONDS_A_DAY + since.seconds)
            nanoseconds.append(since.microseconds * 1000)
        else:
            whole, rest = to_parts(moment)
            seconds.append(whole)
            nanoseconds.append(rest)
    return seconds, nanoseconds


def write_binaries(
    sheet: Sheet, rows: Rows, offset: int, binaries: Sequence[tuple[int, bytes]], limit: int
) -> None:
    """Write the ``list<u8>`` whose value stands at ``offset`` of those rows."""
    for _, content in binaries:
        if type(content) is not bytes or len(content) > limit:
            raise Unfit
    address = sheet.bytes_list(b"".join([content for _, content in binaries]))
    for row, content in binaries:
        rows.put(row, offset + PAYLOAD, len(content))
        rows.put(row, offset + PAYLOAD_DATA, address)
        address += VALUE_SIZE * len(content)
