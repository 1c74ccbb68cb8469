"""The outermost layer of a component's binary format, as the component model defines it.

Only what stands at the top level is read: the preamble, the sections, and in them the names of
imports, exports and custom sections. Nested components and core modules are skipped over as bytes,
so a component of 20 MB is read in a few milliseconds; compiling one to ask the same takes ten
seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from evidentsource_runtime.problems import Problem, ProblemError

MAGIC = b"\0asm"
COMPONENT_LAYER = b"\x01\x00"
CUSTOM, IMPORTS, EXPORTS = 0, 10, 11

_SORTS = {0x01: "func", 0x02: "value", 0x03: "type", 0x04: "component", 0x05: "instance"}


class NotAComponent(ProblemError):
    """The file is no WebAssembly component, or a damaged one."""

    code = "not-a-component"


@dataclass(frozen=True, slots=True)
class Extern:
    """One import or export at a component's top level.

    Args:
        name: as it stands in the file, such as "wasi:io/streams@0.2.9" or "evolve".
        kind: "func", "instance", "type", "component", "value" or "core module".
    """

    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Section:
    """A section at the top level: its id, and where its content starts and ends in the file."""

    id: int
    start: int
    end: int


class Reader:
    """Reads the numbers and strings of the binary format, and never past the end."""

    def __init__(self, data: bytes, path: Path | None, start: int = 0, end: int | None = None):
        self.data = data
        self.path = path
        self.at = start
        self.end = len(data) if end is None else end

    def take(self, size: int) -> bytes:
        """Return the next `size` bytes."""
        if self.at + size > self.end:
            raise damaged(self.path)
        taken = self.data[self.at : self.at + size]
        self.at += size
        return taken

    def byte(self) -> int:
        """Return the next byte."""
        return self.take(1)[0]

    def u32(self) -> int:
        """Return an unsigned number in LEB128, at most 32 bits."""
        value = 0
        for shift in range(0, 35, 7):
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        raise damaged(self.path)

    def string(self) -> str:
        """Return a string: its length in bytes, then UTF-8."""
        try:
            return self.take(self.u32()).decode("utf-8")
        except UnicodeDecodeError as error:
            raise damaged(self.path) from error


def sections(data: bytes, path: Path | None = None) -> Iterator[Section]:
    """Yield the sections at the top level of a component.

    Args:
        data: the whole file.
        path: where the bytes came from, for the error.

    Raises:
        NotAComponent: the file is empty, no WebAssembly, a core module, or cut off.

    Example:
        >>> list(sections(MAGIC + bytes([13, 0, 1, 0]) + bytes([0, 2, 1, 65])))
        [Section(id=0, start=10, end=12)]
    """
    check_preamble(data, path)
    reader = Reader(data, path, 8)
    while reader.at < len(data):
        kind, size = reader.byte(), reader.u32()
        start = reader.at
        reader.take(size)
        yield Section(kind, start, start + size)


def check_preamble(data: bytes, path: Path | None) -> None:
    """Refuse what does not begin like a component, and say what it is instead."""
    if not data:
        raise _not_a_component("empty-file", "the file is empty", path)
    if data[:4] != MAGIC:
        raise _not_a_component("not-a-component", "the file is no WebAssembly", path)
    if data[6:8] == b"\x00\x00":
        raise _not_a_component(
            "core-module", "the file is a core WebAssembly module, not a component", path
        )
    if data[6:8] != COMPONENT_LAYER:
        raise damaged(path)


def imports(data: bytes, section: Section, path: Path | None = None) -> Iterator[Extern]:
    """Yield the imports in an import section."""
    reader = Reader(data, path, section.start, section.end)
    for _ in range(reader.u32()):
        name = _extern_name(reader)
        yield Extern(name, _description(reader))


def exports(data: bytes, section: Section, path: Path | None = None) -> Iterator[Extern]:
    """Yield the exports in an export section."""
    reader = Reader(data, path, section.start, section.end)
    for _ in range(reader.u32()):
        name = _extern_name(reader)
        kind = _sort(reader)
        reader.u32()
        if reader.byte() == 0x01:
            _description(reader)
        yield Extern(name, kind)


def damaged(path: Path | None) -> NotAComponent:
    """Return the error for a file that begins like a component and does not go on like one."""
    return _not_a_component("damaged-component", "the component is cut off or damaged", path)


def _not_a_component(code: str, message: str, path: Path | None) -> NotAComponent:
    hint = "build it with `evidentsource build`"
    if code == "damaged-component":
        hint = "copy or build it again"
    return NotAComponent(Problem(code, message, path, hint=hint))


def _extern_name(reader: Reader) -> str:
    if reader.byte() > 0x01:
        raise damaged(reader.path)
    return reader.string()


def _sort(reader: Reader) -> str:
    code = reader.byte()
    if code == 0x00:
        # Of the core sorts only modules cross a component's boundary.
        reader.byte()
        return "core module"
    return _known_sort(reader, code)


def _description(reader: Reader) -> str:
    code = reader.byte()
    if code == 0x00:
        reader.byte()
        reader.u32()
        return "core module"
    if code in {0x02, 0x03}:
        # A bound: equal to a known index, or (for a type) any resource.
        if reader.byte() == 0x00:
            reader.u32()
        return _known_sort(reader, code)
    reader.u32()
    return _known_sort(reader, code)


def _known_sort(reader: Reader, code: int) -> str:
    try:
        return _SORTS[code]
    except KeyError:
        raise damaged(reader.path) from None
