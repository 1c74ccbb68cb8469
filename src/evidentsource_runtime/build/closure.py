"""Every module that a build needs: the user's module, and what it leads to.

The user's own modules, the SDK and the named dependencies are followed; the standard library is
not, since the guest has its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from evidentsource_runtime.build.errors import PreflightFailed
from evidentsource_runtime.build.guest import PROVIDED, is_standard
from evidentsource_runtime.build.source import Import, Source, read_source
from evidentsource_runtime.build.target import Target, module_file


@dataclass(frozen=True, slots=True)
class Place:
    """A folder that modules are looked for in, and whose they are."""

    root: Path
    owner: str


@dataclass
class Closure:
    """The modules of a build.

    Args:
        target: what the user named.
        sources: every module that some import statement leads to, by dotted name.
        loaded: the dotted names of everything that is imported at the top, and so is loaded
            when the component is built; the standard library's included.
        namespaces: packages without an `__init__.py`.
    """

    target: Target
    sources: dict[str, Source] = field(default_factory=dict)
    loaded: set[str] = field(default_factory=set)
    namespaces: set[str] = field(default_factory=set)

    def user_sources(self) -> Iterator[Source]:
        """Yield the user's own modules."""
        return (source for source in self.sources.values() if source.owner == "user")


def collect(
    target: Target, shared: Mapping[str, Place], provided: frozenset[str] = PROVIDED
) -> Closure:
    """Follow the imports of the target.

    Args:
        target: the module to start from.
        shared: where the packages of the SDK and of the named dependencies stand, by their
            top-level name.
        provided: top-level names that are there already, and not looked for.

    Raises:
        PreflightFailed: one of the user's modules cannot be read or parsed.
    """
    closure = Closure(target)
    finder = _Finder(closure, shared, provided)
    finder.add(target.module)
    finder.reach(target.module)
    return closure


class _Finder:
    def __init__(
        self, closure: Closure, shared: Mapping[str, Place], provided: frozenset[str]
    ) -> None:
        self.closure = closure
        self.shared = shared
        self.provided = provided

    def add(self, module: str) -> None:
        """Add a module, the packages around it, and what they import."""
        pending = [module]
        while pending:
            for name in with_parents(pending.pop()):
                source = None if name in self.closure.sources else self._read(name)
                if source is not None:
                    self.closure.sources[name] = source
                    pending += [found for each in source.imports for found in self.modules_of(each)]

    def modules_of(self, statement: Import) -> list[str]:
        """Return the modules that an import statement loads: the module, and submodules of it."""
        inner = [f"{statement.module}.{name}" for name in statement.names if name != "*"]
        return [statement.module, *(name for name in inner if self._locate(name) is not None)]

    def reach(self, module: str) -> None:
        """Mark what is loaded when the module is imported."""
        pending = [module]
        while pending:
            for name in with_parents(pending.pop()):
                if name in self.closure.loaded:
                    continue
                self.closure.loaded.add(name)
                source = self.closure.sources.get(name)
                for each in () if source is None else source.imports:
                    if not each.function:
                        pending += self.modules_of(each)
                        pending += [
                            f"{each.module}.{n}" for n in each.names if is_standard_package(each)
                        ]

    def _read(self, module: str) -> Source | None:
        found = self._locate(module)
        if found is None:
            return None
        file, owner = found
        try:
            return read_source(module, file, owner)
        except PreflightFailed:
            # A dependency may hold modules for newer Pythons, which it then does not import.
            if owner == "user":
                raise
            return None

    def _locate(self, module: str) -> tuple[Path, str] | None:
        if module in self.closure.sources:
            return self.closure.sources[module].file, self.closure.sources[module].owner
        top_name = module.partition(".")[0]
        if top_name in self.provided or not all(map(str.isidentifier, module.split("."))):
            return None
        place = self.shared.get(top_name)
        if place is not None:
            file = module_file(place.root, module)
            return None if file is None else (file, place.owner)
        if is_standard(top_name):
            return None
        for root in self.closure.target.roots:
            file = module_file(root, module)
            if file is not None:
                return file, "user"
            if root.joinpath(*module.split(".")).is_dir():
                self.closure.namespaces.add(module)
        return None


def is_standard_package(statement: Import) -> bool:
    """Return whether a statement takes names out of the standard library, some maybe modules."""
    return bool(statement.names) and is_standard(statement.module.partition(".")[0])


def with_parents(module: str) -> list[str]:
    """Return a dotted name and the packages around it, the outermost first.

    Example:
        >>> with_parents("a.b.c")
        ['a', 'a.b', 'a.b.c']
    """
    parts = module.split(".")
    return [".".join(parts[: length + 1]) for length in range(len(parts))]
