"""The compiled form of a component that is a base component with a filled slot.

Compiling takes seconds, and such components differ from one base in a few bytes of their initial
memory only. So the base is compiled once, and those bytes are exchanged in a copy of its compiled
form. The hazard: a compiled form is native code. So it is taken from our own cache alone, under the
digest of the very base that the component at hand is made of; the base is what remains of the
component when the slot is emptied, so nothing that the component says of itself is believed; and
bytes are exchanged only in the section that holds initial memory, where they are data.
"""

from __future__ import annotations

import hashlib
import logging
import struct
from collections.abc import Callable
from typing import TypeAlias

from wasmtime import Engine
from wasmtime.component import Component

from evidentsource_runtime.artifact import slot
from evidentsource_runtime.host.cache import CompiledCache

CompileBase: TypeAlias = Callable[[str, bytes], object]
"""Sees to it that the component of this digest and these bytes is in the cache, compiled."""

_DATA_SECTION = b".rodata.wasm"
_ELF_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_SECTION_HEADER = struct.Struct("<IIQQQQIIQQ")

_log = logging.getLogger("evidentsource.host")


def patched(
    data: bytes,
    key_of: Callable[[str], str],
    key: str,
    engine: Engine,
    cache: CompiledCache,
    compile_base: CompileBase,
) -> Component | None:
    """The component's compiled form, made of its base's; None where it is to be compiled itself.

    Args:
        data: the component's bytes.
        key_of: the cache's key for a component's digest.
        key: the component's own key.
        engine: what it is loaded for.
        cache: where compiled components are kept.
        compile_base: called where the base is not there yet.
    """
    found = slot.split(data)
    if found is None:
        return None
    digest = hashlib.sha256(found.base).hexdigest()
    compiled = cache.read(key_of(digest))
    if compiled is None:
        compile_base(digest, found.base)
        compiled = cache.read(key_of(digest))
    if compiled is None:
        return None
    try:
        start = slot.empty_slot(compiled)
        _require_data(compiled, start)
        cache.store_compiled(key, slot.fill(compiled, found.content))
    except (ValueError, struct.error) as error:
        _log.warning("a component is compiled, and not made of its base: %s", error)
        return None
    return cache.load(engine, key)


def _require_data(compiled: bytes, start: int) -> None:
    """Refuse a place outside of the section that holds the initial memory (wasmtime writes ELF)."""
    facts = _ELF_HEADER.unpack_from(compiled)
    offset, size, count, names_at = facts[6], facts[11], facts[12], facts[13]
    headers = [_SECTION_HEADER.unpack_from(compiled, offset + n * size) for n in range(count)]
    names = headers[names_at][4]
    for name, _, _, _, where, length, *_ in headers:
        at = names + name
        if compiled[at : at + len(_DATA_SECTION) + 1] != _DATA_SECTION + b"\0":
            continue
        if where <= start and start + slot.SIZE <= where + length:
            return
    raise ValueError("the slot is not in the initial memory")
