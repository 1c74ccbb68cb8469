"""Reading a component file: its world, its imports and exports, and the facts of its build."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evidentsource_functions.lane import EXPORT
from evidentsource_runtime.artifact.binary import (
    CUSTOM,
    EXPORTS,
    IMPORTS,
    Extern,
    NotAComponent,
    Reader,
    exports,
    imports,
    sections,
)
from evidentsource_runtime.artifact.facts import FACTS_SECTION, BuildFacts
from evidentsource_runtime.problems import Problem

WORLD_OF_EXPORT = {"evolve": "state-view", "decide": "state-change"}
LANES = {EXPORT: 1}
"""The versions of the lane, by the name of the export."""


@dataclass(frozen=True, slots=True)
class ComponentFile:
    """What a component file says about itself.

    Args:
        path: the file.
        size: in bytes.
        imports: in the order of the file; types that the world itself uses are left out.
        exports: in the order of the file.
        facts: of the build, where `evidentsource build` made the component.
    """

    path: Path
    size: int
    imports: tuple[Extern, ...]
    exports: tuple[Extern, ...]
    facts: BuildFacts | None = None

    @property
    def world(self) -> str | None:
        """The world by its name, "state-view" or "state-change"; None for any other."""
        worlds = {
            WORLD_OF_EXPORT[extern.name]
            for extern in self.exports
            if extern.kind == "func" and extern.name in WORLD_OF_EXPORT
        }
        return worlds.pop() if len(worlds) == 1 else None

    @property
    def lane(self) -> int | None:
        """The version of the lane, by which batches of events may come as text, where it has one."""
        versions = [LANES[each.name] for each in self.exports if each.name in LANES]
        return max(versions, default=None)

    def as_json(self) -> dict[str, Any]:
        """Return everything as JSON values."""
        facts = self.facts
        return {
            "path": str(self.path),
            "size": self.size,
            "world": self.world,
            "lane": self.lane,
            "imports": [extern.name for extern in self.imports],
            "exports": [extern.name for extern in self.exports],
            "input_hash": None if facts is None else facts.input_hash,
            "module": None if facts is None else facts.module,
            "pure": None if facts is None else facts.pure,
            "contract_only": None if facts is None else facts.contract_only,
            "sdk_version": None if facts is None else facts.sdk_version,
            "componentize_py_version": None if facts is None else facts.componentize_py_version,
            "wit_package": None if facts is None else facts.wit_package,
            "dependencies": None if facts is None else dict(facts.dependencies),
            "sources": None if facts is None else dict(facts.sources),
            "base": None if facts is None else facts.base or None,
        }


def read_component(path: str | os.PathLike[str]) -> ComponentFile:
    """Read what any component file says about itself, in milliseconds and without running it.

    Args:
        path: a component file, made by this SDK or by anything else.

    Raises:
        NotAComponent: there is no such file, or it is empty, no WebAssembly, a core module or
            damaged; the error's `code` says which.

    Example:
        >>> read_component("nowhere.wasm")
        Traceback (most recent call last):
        ...
        evidentsource_runtime.artifact.binary.NotAComponent: nowhere.wasm: there is no such file
          hint: ...
    """
    file = Path(path)
    data = _read(file)
    found_imports: list[Extern] = []
    found_exports: list[Extern] = []
    facts: BuildFacts | None = None
    for section in sections(data, file):
        if section.id == IMPORTS:
            found_imports += (e for e in imports(data, section, file) if e.kind != "type")
        elif section.id == EXPORTS:
            found_exports += exports(data, section, file)
        elif section.id == CUSTOM:
            reader = Reader(data, file, section.start, section.end)
            if reader.string() == FACTS_SECTION:
                facts = _facts(data[reader.at : section.end], file)
    return ComponentFile(file, len(data), tuple(found_imports), tuple(found_exports), facts)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        hint = "give the path of a .wasm file; `evidentsource build` makes one"
        raise NotAComponent(
            Problem("no-such-file", "there is no such file", file, hint=hint)
        ) from None
    except IsADirectoryError:
        hint = "give the path of a .wasm file in it"
        raise NotAComponent(Problem("is-a-directory", "a directory", file, hint=hint)) from None
    except OSError as error:
        message = f"the file cannot be read: {error.strerror or error}"
        raise NotAComponent(Problem("unreadable-file", message, file)) from error


def _facts(content: bytes, file: Path) -> BuildFacts:
    try:
        return BuildFacts.from_json(content.decode("utf-8"))
    except ValueError as error:
        message = f"the section {FACTS_SECTION} cannot be read: {error}"
        hint = "build the component again"
        raise NotAComponent(Problem("damaged-component", message, file, hint=hint)) from error
