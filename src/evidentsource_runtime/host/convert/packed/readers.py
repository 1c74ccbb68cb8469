"""From a component's memory to values: one closure for each type, made once.

A reader takes the address of a value; of a result it gives whichever side there is. What becomes of
records and of the cases of variants is said by makers, so that the same walk gives values of the
domain, or values that show where a fault is.
Nothing that is read here is freed or changed.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol, TypeAlias

from evidentsource_runtime.host.convert.abi import MEMORY
from evidentsource_runtime.host.convert.contract import (
    BYTES,
    TEXT,
    Cases,
    Fields,
    Many,
    Maybe,
    Names,
    Outcome,
    Plain,
    Row,
    Shape,
    Whole,
)
from evidentsource_runtime.host.convert.packed.layout import (
    ENTRY_SIZE,
    ENTRY_VALUE,
    NUMBERS,
    PAYLOAD,
    PAYLOAD_DATA,
    VALUE_SIZE,
)
from evidentsource_runtime.host.convert.shapes import Contract

Reader: TypeAlias = Callable[[int], Any]


class Makers(Protocol):
    """Says what becomes of records and cases."""

    def record(self, name: str, fields: Sequence[str], /) -> Callable[..., Any]:
        """What is made of the fields of that record, in the order of the contract."""

    def case(self, variant: str, name: str, /) -> Callable[[Any], Any]:
        """What is made of the payload of that case."""


_one_word: Final = struct.Struct("<Q").unpack_from
_two_words: Final = struct.Struct("<QQ").unpack_from
_three_words: Final = struct.Struct("<QQQ").unpack_from
_CHUNK: Final = 2048 * VALUE_SIZE
"""Few enough cells to stay in the processor's cache between the two steps of reading them."""


def read_text(address: int) -> str:
    """A text."""
    size, data = _two_words(MEMORY, address + PAYLOAD)
    return str(MEMORY[data : data + size], "utf-8")


def read_bytes(address: int) -> bytes:
    """A ``list<u8>``, of which each element is a value."""
    count, start = _two_words(MEMORY, address + PAYLOAD)
    end = start + count * VALUE_SIZE
    return b"".join(
        [
            MEMORY[at : min(at + _CHUNK, end)].tobytes()[PAYLOAD::VALUE_SIZE]
            for at in range(start, end, _CHUNK)
        ]
    )


def decision_sizes(address: int) -> tuple[int, int] | None:
    """How many events and conditions an outcome has; None for a refusal."""
    if not _read_bool(address):
        return None
    (pair,) = _one_word(MEMORY, address + PAYLOAD_DATA)
    (lists,) = _one_word(MEMORY, pair + PAYLOAD_DATA)
    (events,) = _one_word(MEMORY, lists + PAYLOAD)
    (conditions,) = _one_word(MEMORY, lists + VALUE_SIZE + PAYLOAD)
    return events, conditions


def _read_bool(address: int) -> bool:
    return MEMORY[address + PAYLOAD] != 0


class Readers:
    """Makes the readers of one component.

    Args:
        contract: its contract.
        makers: what becomes of its records and cases.
    """

    def __init__(self, contract: Contract, makers: Makers) -> None:
        self._contract = contract
        self._makers = makers

    def of(self, shape: Shape, key: str) -> Reader:
        """The reader of a shape; ``key`` is what its width is kept under, where it is a number."""
        if isinstance(shape, Whole):
            return _number(NUMBERS[self._contract.widths[key].name][1])
        if shape == TEXT:
            return read_text
        if shape == BYTES:
            return read_bytes
        match shape:
            case Plain(name="bool"):
                return _read_bool
            case Many(element=element):
                return _list(self.of(element, key))
            case Maybe(payload=payload):
                return _option(self.of(payload, key))
            case Row(elements=elements):
                return _tuple(
                    *(self.of(part, f"{key}.{index}") for index, part in enumerate(elements))
                )
            case Fields(name=name, fields=fields):
                return self._record(name, fields)
            case Cases(name=name, cases=cases):
                return self._variant(name, cases)
            case Names(names=names):
                return _enum({name.encode(): name for name in names})
            case Outcome(ok=ok, err=err):
                return _result(self.of(ok, key), self.of(err, key))
            case _:
                raise NotImplementedError(f"a {type(shape).__name__} is read elsewhere")

    def _record(self, name: str, fields: Mapping[str, Shape]) -> Reader:
        order = self._contract.orders[name]
        make = self._makers.record(name, tuple(fields))
        parts = [
            (self.of(shape, f"{name}.{field}"), order.index(field) * ENTRY_SIZE + ENTRY_VALUE)
            for field, shape in fields.items()
        ]

        def read(address: int) -> Any:
            (data,) = _one_word(MEMORY, address + PAYLOAD_DATA)
            return make(*[read_part(data + offset) for read_part, offset in parts])

        return read

    def _variant(self, name: str, cases: Mapping[str, Shape]) -> Reader:
        known = {
            case.encode(): (
                self._makers.case(name, case),
                self.of(shape, f"{name}.{case}"),
            )
            for case, shape in cases.items()
        }

        def read(address: int) -> Any:
            size, tag, payload = _three_words(MEMORY, address + PAYLOAD)
            make, read_payload = known[MEMORY[tag : tag + size].tobytes()]
            return make(read_payload(payload))

        return read


def _number(code: str) -> Reader:
    unpack = struct.Struct(f"<{code}").unpack_from

    def read(address: int) -> int:
        number: int = unpack(MEMORY, address + PAYLOAD)[0]
        return number

    return read


def _list(element: Reader) -> Reader:
    def read(address: int) -> list[Any]:
        count, start = _two_words(MEMORY, address + PAYLOAD)
        return [element(at) for at in range(start, start + count * VALUE_SIZE, VALUE_SIZE)]

    return read


def _tuple(*parts: Reader) -> Reader:
    placed = [(read, index * VALUE_SIZE) for index, read in enumerate(parts)]

    def read(address: int) -> tuple[Any, ...]:
        (data,) = _one_word(MEMORY, address + PAYLOAD_DATA)
        return tuple([read_part(data + offset) for read_part, offset in placed])

    return read


def _option(payload: Reader) -> Reader:
    def read(address: int) -> Any:
        (some,) = _one_word(MEMORY, address + PAYLOAD)
        return payload(some) if some else None

    return read


def _enum(names: Mapping[bytes, str]) -> Reader:
    def read(address: int) -> str:
        size, data = _two_words(MEMORY, address + PAYLOAD)
        return names[MEMORY[data : data + size].tobytes()]

    return read


def _result(ok: Reader, err: Reader) -> Reader:
    def read(address: int) -> Any:
        (side,) = _one_word(MEMORY, address + PAYLOAD_DATA)
        return (ok if _read_bool(address) else err)(side)

    return read
