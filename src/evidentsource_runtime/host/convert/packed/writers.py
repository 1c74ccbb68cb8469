"""From plain Python values to a component's memory layout: one closure for each type, made once.

A writer places what a value points to on a :class:`.sheet.Sheet` and gives the value's own 32 bytes.
It takes ``str``, ``bytes`` and ``int`` for what they are, None or a value for an option, a sequence
for a list or tuple, a dict (names in snake case) for a record, and wasmtime's own object for a
resource.

Nothing is checked here: :class:`..lower.Lower` has done that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, Final, TypeAlias

from wasmtime.component import ResourceAny

from evidentsource_runtime.host.convert import abi
from evidentsource_runtime.host.convert.contract import (
    BYTES,
    CLOUDEVENT,
    TEXT,
    Fields,
    Handle,
    Many,
    Maybe,
    Row,
    Shape,
    Whole,
)
from evidentsource_runtime.host.convert.packed.layout import (
    LIST,
    MASK,
    NUMBERS,
    OPTION,
    RECORD,
    RESOURCE,
    SCALAR,
    TUPLE,
    VECTOR,
)
from evidentsource_runtime.host.convert.packed.names import Names
from evidentsource_runtime.host.convert.packed.sheet import Sheet
from evidentsource_runtime.host.convert.shapes import Contract

Writer: TypeAlias = Callable[[Sheet, Any], bytes]

EVENTS: Final[Many] = Many(CLOUDEVENT)
_NONE = SCALAR.pack(OPTION, 0)


class Writers:
    """Makes the writers of one component.

    Args:
        contract: its contract.
        names: where the names of fields are kept.
        events: the writer of lists of events, which come in such numbers that they have their own.
    """

    def __init__(self, contract: Contract, names: Names, events: Writer) -> None:
        self._contract = contract
        self._names = names
        self._events = events

    def of(self, shape: Shape, key: str) -> Writer:
        """The writer of a shape; ``key`` is what its width is kept under, where it is a number.

        Raises:
            NotImplementedError: no host gives a component a value of that shape.
        """
        if isinstance(shape, Whole):
            return _number(NUMBERS[self._contract.widths[key].name][0])
        if shape == TEXT:
            return Sheet.text
        if shape == BYTES:
            return _write_bytes
        if shape == EVENTS:
            return self._events
        match shape:
            case Many(element=element):
                return _list(self.of(element, key))
            case Maybe(payload=payload):
                return _option(self.of(payload, key))
            case Row(elements=elements):
                return _tuple([self.of(part, f"{key}.{i}") for i, part in enumerate(elements)])
            case Fields(name=name, fields=fields):
                return self._record(name, fields)
            case Handle():
                return _write_resource
            case _:
                raise NotImplementedError(f"no host gives a component a {type(shape).__name__}")

    def _record(self, name: str, fields: Mapping[str, Shape]) -> Writer:
        order = self._contract.orders[name]
        prefixes = [self._names[field] for field in order]
        writers = [self.of(fields[field], f"{name}.{field}") for field in order]
        values = itemgetter(*(field.replace("-", "_") for field in order))
        size = len(order)

        def write(sheet: Sheet, value: dict[str, Any]) -> bytes:
            parts: list[bytes] = []
            for prefix, writer, part in zip(prefixes, writers, values(value), strict=True):
                parts += (prefix, writer(sheet, part))
            return VECTOR.pack(RECORD, size, sheet.place(b"".join(parts)))

        return write


def _write_bytes(sheet: Sheet, value: bytes) -> bytes:
    return VECTOR.pack(LIST, len(value), sheet.bytes_list(value))


def _number(kind: int) -> Writer:
    return lambda _sheet, value: SCALAR.pack(kind, value & MASK)


def _list(element: Writer) -> Writer:
    def write(sheet: Sheet, value: Sequence[Any]) -> bytes:
        elements = b"".join([element(sheet, part) for part in value])
        return VECTOR.pack(LIST, len(value), sheet.place(elements))

    return write


def _tuple(writers: Sequence[Writer]) -> Writer:
    def write(sheet: Sheet, value: Sequence[Any]) -> bytes:
        elements = [writer(sheet, part) for writer, part in zip(writers, value, strict=True)]
        return VECTOR.pack(TUPLE, len(elements), sheet.place(b"".join(elements)))

    return write


def _option(payload: Writer) -> Writer:
    def write(sheet: Sheet, value: Any) -> bytes:
        return _NONE if value is None else SCALAR.pack(OPTION, sheet.place(payload(sheet, value)))

    return write


def _write_resource(sheet: Sheet, value: ResourceAny) -> bytes:
    sheet.keep(value)
    return SCALAR.pack(RESOURCE, abi.resource_address(value))
