"""The distributions that a build may use: those that it names, and what they require.

They are taken from the environment that the build runs in, file by file as each distribution's own
record lists them, so nothing else of that environment comes along.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from evidentsource_runtime.build.errors import DependencyError
from evidentsource_runtime.build.preflight import NATIVE_SUFFIXES
from evidentsource_runtime.problems import Problem

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class Dependency:
    """A distribution that goes into a component.

    Args:
        name: as the distribution calls itself.
        version: the installed one.
        root: the folder that its files are relative to.
        files: the path of each file that is taken, relative to the root.
    """

    name: str
    version: str
    root: Path
    files: tuple[str, ...]

    @property
    def top_names(self) -> frozenset[str]:
        """The top-level names that can be imported from it."""
        return frozenset(
            file.partition("/")[0].removesuffix(".py")
            for file in self.files
            if file.endswith(".py")
        )


def find_dependencies(names: Iterable[str]) -> tuple[Dependency, ...]:
    """Find the named distributions and everything that they require, sorted by name.

    Args:
        names: distributions as an installer knows them, such as "cattrs".

    Raises:
        DependencyError: one is not installed, is installed in editable mode, or holds native
            extensions without Python beside them.
    """
    found: dict[str, Dependency] = {}
    pending = [(name, "") for name in names]
    while pending:
        name, wanted_by = pending.pop()
        key = _normal(name)
        if key in found:
            continue
        distribution = _distribution(name, wanted_by)
        found[key] = _dependency(distribution)
        pending += [(required, name) for required in _required(distribution)]
    return tuple(found[key] for key in sorted(found))


def _distribution(name: str, wanted_by: str) -> importlib.metadata.Distribution:
    if _NAME.fullmatch(name) is None:
        hint = "name the distribution alone, such as cattrs; the installed version is taken"
        raise _error("bad-dependency", f"{name!r} is no name of a distribution", hint)
    try:
        return importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        needed = f" (required by {wanted_by})" if wanted_by else ""
        message = f"the dependency {name}{needed} is not installed where the build runs"
        raise _error("missing-dependency", message, f"install it: pip install {name}") from None


def _dependency(distribution: importlib.metadata.Distribution) -> Dependency:
    name = distribution.metadata["Name"]
    recorded = [file for file in distribution.files or [] if _belongs(os.fspath(file))]
    stems = {os.fspath(file).removesuffix(".py") for file in recorded if file.suffix == ".py"}
    for file in recorded:
        # A distribution may bring compiled twins of its modules; the Python ones do without them.
        if file.suffix in NATIVE_SUFFIXES and os.fspath(file).partition(".")[0] not in stems:
            message = f"the dependency {name} holds a native extension ({file.name})"
            hint = "use a distribution in pure Python; a component cannot load native code"
            raise _error("native-extension", message, hint)
    taken = tuple(
        sorted(file.as_posix() for file in recorded if file.suffix not in NATIVE_SUFFIXES)
    )
    if not any(file.endswith(".py") for file in taken):
        message = f"the dependency {name} has no modules of its own in this environment"
        hint = "an editable installation has none: install it without -e"
        raise _error("empty-dependency", message, hint)
    return Dependency(name, distribution.version, Path(str(distribution.locate_file(""))), taken)


def _belongs(path: str) -> bool:
    parts = Path(path).parts
    return (
        ".." not in parts
        and "__pycache__" not in parts
        and not Path(path).is_absolute()
        and not parts[0].endswith((".dist-info", ".egg-info", ".pth", ".data"))
    )


def _required(distribution: importlib.metadata.Distribution) -> Iterator[str]:
    for requirement in distribution.requires or []:
        match = _NAME.match(requirement)
        marker = requirement.partition(";")[2]
        if match is None or "extra" in marker:
            continue
        # A condition on the environment was decided when the distribution was installed: what was
        # not needed is not there.
        if marker and not _is_installed(match.group()):
            continue
        yield match.group()


def _is_installed(name: str) -> bool:
    try:
        importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _error(code: str, message: str, hint: str) -> DependencyError:
    return DependencyError(Problem(code, message, hint=hint))
