"""The slot of a base component in files: in the component itself, and in its compiled form.

What the slot is, :mod:`evidentsource_functions.wasm._slot` says.
"""

from __future__ import annotations

from dataclasses import dataclass

from evidentsource_functions.wasm import _slot
from evidentsource_runtime.artifact.binary import CUSTOM, NotAComponent, Reader, sections
from evidentsource_runtime.artifact.facts import FACTS_SECTION

SIZE = _slot.SIZE
"""Bytes of the whole slot."""
CAPACITY = _slot.CAPACITY
"""Bytes that a program may have."""

_EMPTY = bytes(_slot.noise())
_HEAD, _TAIL = _EMPTY[:64], _EMPTY[-_slot.TAIL :]


@dataclass(frozen=True, slots=True)
class Filled:
    """A component that is a base component with a filled slot.

    Args:
        base: the base component: the same bytes, the slot empty, and without the facts of a build.
        content: what the slot was filled with.
    """

    base: bytes
    content: bytes


def fill(file: bytes, content: bytes) -> bytes:
    """Return a file with its empty slot filled.

    Args:
        file: a base component, or its compiled form.
        content: at most `CAPACITY` bytes.

    Raises:
        ValueError: the file has no empty slot, or more than one; or the content is too long.

    Example:
        >>> filled = fill(b"before" + _EMPTY + b"after", b"a program")
        >>> split(filled) == Filled(b"before" + _EMPTY + b"after", b"a program")
        True
    """
    start = empty_slot(file)
    return file[:start] + _slot.filled(content) + file[start + _slot.SIZE :]


def empty_slot(file: bytes) -> int:
    """Return where the empty slot of a file starts.

    Raises:
        ValueError: there is none, or more than one.
    """
    start = file.find(_HEAD)
    if start < 0 or file[start : start + _slot.SIZE] != _EMPTY:
        raise ValueError("the file has no empty slot")
    if file.find(_HEAD, start + 1) >= 0:
        raise ValueError("the file has more than one slot")
    return start


def split(component: bytes) -> Filled | None:
    """Take a component apart into a base component and what its slot was filled with.

    Returns:
        None where the component has no slot that is filled, whole and undamaged.
    """
    bare = _without_facts(component)
    tail = bare.find(_TAIL)
    start = tail + len(_TAIL) - _slot.SIZE
    if tail < 0 or start < 0 or bare.find(_TAIL, tail + 1) >= 0:
        return None
    try:
        content = _slot.content(bare[start : start + _slot.SIZE])
    except ValueError:
        return None
    if content is None or _slot.filled(content) != bare[start : start + _slot.SIZE]:
        return None
    return Filled(bare[:start] + _EMPTY + bare[start + _slot.SIZE :], content)


def _without_facts(component: bytes) -> bytes:
    """The component as it was before the facts of its build were appended."""
    end = 0
    try:
        for section in sections(component):
            if section.id == CUSTOM and section.end == len(component):
                reader = Reader(component, None, section.start, section.end)
                return component[:end] if reader.string() == FACTS_SECTION else component
            end = section.end
    except NotAComponent:
        pass
    return component
