"""How wasmtime's C API lays a component's values out in memory.

A value takes 32 bytes: its kind, then what that kind holds. Vectors (texts, lists, records, tuples,
names) are a size and an address; options, variants and results hold the address of a value.

Source: ``wasmtime/component/val.h`` of wasmtime 50. :mod:`.check` holds these numbers against the
structures that wasmtime-py itself declares, before anything is packed.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Final

BOOL: Final = 0
S8: Final = 1
U8: Final = 2
S16: Final = 3
U16: Final = 4
S32: Final = 5
U32: Final = 6
S64: Final = 7
U64: Final = 8
STRING: Final = 12
LIST: Final = 13
RECORD: Final = 14
TUPLE: Final = 15
VARIANT: Final = 16
ENUM: Final = 17
OPTION: Final = 18
RESULT: Final = 19
RESOURCE: Final = 21

VALUE_SIZE: Final = 32
PAYLOAD: Final = 8
"""Where in a value its payload starts: a number, or the size of a vector."""
PAYLOAD_DATA: Final = 16
"""Where the address of a vector's data stands; the value of a result, too."""
VARIANT_VALUE: Final = 24
ENTRY_SIZE: Final = 48
"""A field of a record: the vector of its name, then its value."""
ENTRY_VALUE: Final = 16

WORD: Final = 8
MASK: Final = 2**64 - 1
"""Cuts a number to a word; a narrower one is the start of it, since both platforms of wasmtime-py
(x86-64 and 64-bit ARM) put the low byte first."""

NUMBERS: Final[Mapping[str, tuple[int, str]]] = {
    "s8": (S8, "b"),
    "u8": (U8, "B"),
    "s16": (S16, "h"),
    "u16": (U16, "H"),
    "s32": (S32, "i"),
    "u32": (U32, "I"),
    "s64": (S64, "q"),
    "u64": (U64, "Q"),
}
"""By its name in WIT, the kind of a whole number and its code in :mod:`struct`."""

SCALAR: Final[struct.Struct] = struct.Struct("<B7xQ16x")
"""Number, truth value, option or handle: kind, payload."""
VECTOR: Final[struct.Struct] = struct.Struct("<B7xQQ8x")
"""Text, list, record, tuple or enum: kind, size, address."""
CASE: Final[struct.Struct] = struct.Struct("<B7xQQQ")
"""Variant: kind, the name of the case by size and address, the address of its value."""
SIDE: Final[struct.Struct] = struct.Struct("<B7xB7xQ8x")
"""Result: kind, whether it is the good side, the address of its value."""
NAME: Final[struct.Struct] = struct.Struct("<QQ")
"""A name: size and address."""


def layout() -> dict[str, int]:
    """What this module says, under the names of :func:`..abi.declared_layout`."""
    vectors = ("string", "enumeration", "list", "record", "tuple")
    words = ("boolean", "s8", "u8", "s16", "u16", "s32", "u32", "s64", "u64", "option", "resource")
    return {
        "value": VALUE_SIZE,
        "kind": 0,
        "payload": PAYLOAD,
        "entry": ENTRY_SIZE,
        "entry.name": 0,
        "entry.value": ENTRY_VALUE,
        "variant.tag": PAYLOAD,
        "variant.value": VARIANT_VALUE,
        "result.is-ok": PAYLOAD,
        "result.value": PAYLOAD_DATA,
        **{f"{name}.size": PAYLOAD for name in vectors},
        **{f"{name}.data": PAYLOAD_DATA for name in vectors},
        **dict.fromkeys(words, PAYLOAD),
        **{name.upper(): kind for name, (kind, _) in NUMBERS.items()},
        "BOOL": BOOL,
        "STRING": STRING,
        "LIST": LIST,
        "RECORD": RECORD,
        "TUPLE": TUPLE,
        "VARIANT": VARIANT,
        "ENUM": ENUM,
        "OPTION": OPTION,
        "RESULT": RESULT,
        "RESOURCE": RESOURCE,
    }
