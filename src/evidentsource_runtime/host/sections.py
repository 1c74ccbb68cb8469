"""Reads the facts that the build keeps in a component: a custom section of JSON.

Source: the component model's binary format. After eight bytes of preamble come sections: an id, a
length, the content; a custom section has id 0 and starts with its name. Numbers are LEB128.
"""

from __future__ import annotations

import json
from typing import Any

PREAMBLE = b"\x00asm\x0d\x00\x01\x00"
"""The first bytes of every component."""

SECTION = "evidentsource"
_PREAMBLE_LENGTH = 8
_MAX_FACTS = 1 << 20
"""Bytes that the facts may have; a list of source files is far smaller."""


def read_facts(component: bytes) -> dict[str, Any]:
    r"""The build's facts, empty where there are none or they cannot be read.

    They come with the file, so they are worth as much as the file: good for messages, not for
    decisions.

    >>> body = b"\x0devidentsource" + b'{"sources": {}}'
    >>> read_facts(PREAMBLE + b"\x00" + bytes([len(body)]) + body)
    {'sources': {}}
    """
    try:
        content = _custom_section(component)
        facts = json.loads(content) if content is not None else {}
    except (IndexError, ValueError, RecursionError):
        return {}
    return facts if isinstance(facts, dict) else {}


def _custom_section(component: bytes) -> bytes | None:
    position = _PREAMBLE_LENGTH
    while position < len(component):
        kind = component[position]
        size, start = _number(component, position + 1)
        position = start + size
        if kind == 0:
            length, name = _number(component, start)
            if component[name : name + length] == SECTION.encode():
                content = component[name + length : position]
                return content if len(content) <= _MAX_FACTS else None
    return None


def _number(data: bytes, position: int) -> tuple[int, int]:
    """An unsigned LEB128 number of at most 32 bits, and the position behind it."""
    value = 0
    for shift in range(0, 35, 7):
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise ValueError("a number runs over 32 bits")
