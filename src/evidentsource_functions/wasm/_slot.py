"""The slot: room in a base component's memory image that a build can fill with a program.

It is an array of seeded noise, made while the base is built, so that it stands once and whole in the
component's file and in its compiled form, and can be found and overwritten in both::

    magic (8 bytes) | length of the content (4) | CRC-32 of it (4) | content | noise to the end

The last bytes always stay noise: by them a filled slot is found again. Numbers are little-endian.

>>> content(filled(b"a program")[:SIZE])
b'a program'
>>> content(noise()) is None
True
"""

from __future__ import annotations

import hashlib
import struct
import zlib

SIZE = 256 * 1024
"""Bytes of the whole slot."""
MAGIC = b"evs-slt1"
TAIL = 64
"""Bytes at the end that stay noise."""

_HEAD = struct.Struct("<8sII")
CAPACITY = SIZE - _HEAD.size - TAIL
"""Bytes that the content may have."""

_SEED = b"evidentsource slot 1:"


def noise() -> bytearray:
    """The empty slot.

    It is filled in place and in small steps, so that no second copy of it is left in the memory.
    """
    slot = bytearray(SIZE)
    for start in range(0, SIZE, 32):
        slot[start : start + 32] = hashlib.sha256(_SEED + start.to_bytes(4, "little")).digest()
    return slot


def filled(content: bytes) -> bytes:
    """The slot with a content.

    Raises:
        ValueError: it has more than :data:`CAPACITY` bytes.
    """
    if len(content) > CAPACITY:
        raise ValueError(f"{len(content):,} bytes do not fit into {CAPACITY:,}")
    slot = noise()
    head = _HEAD.pack(MAGIC, len(content), zlib.crc32(content))
    slot[: len(head) + len(content)] = head + content
    return bytes(slot)


def content(slot: bytes | bytearray) -> bytes | None:
    """What a slot was filled with; None where it is empty.

    Raises:
        ValueError: it was filled with something that is damaged.
    """
    magic, length, checksum = _HEAD.unpack_from(slot)
    if magic != MAGIC:
        return None
    found = bytes(memoryview(slot)[_HEAD.size : _HEAD.size + length])
    if length > CAPACITY or zlib.crc32(found) != checksum:
        raise ValueError("the slot's content is damaged")
    return found
