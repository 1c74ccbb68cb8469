"""A user's program as text: the module that was named, and every module that it leads to."""

from __future__ import annotations

import hashlib
import json
import os
import tokenize
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import evidentsource_functions
from evidentsource_runtime.artifact import BuildFacts
from evidentsource_runtime.build.closure import Closure, collect
from evidentsource_runtime.build.componentize import tool_version
from evidentsource_runtime.build.dependencies import Dependency, find_dependencies
from evidentsource_runtime.build.errors import PreflightFailed
from evidentsource_runtime.build.guest import PROVIDED
from evidentsource_runtime.build.impure import impure_calls
from evidentsource_runtime.build.preflight import check_imports
from evidentsource_runtime.build.staging import SDK_PACKAGES, guest_path, shared_places
from evidentsource_runtime.build.target import Target, find_target
from evidentsource_runtime.build.wit import read_contract
from evidentsource_runtime.build.world import find_world
from evidentsource_runtime.instant.base import Base
from evidentsource_runtime.problems import Problem

_IN_BASE = PROVIDED | frozenset(SDK_PACKAGES)


@dataclass(frozen=True, slots=True)
class ModuleText:
    """One module of a program.

    Args:
        path: of its file, as the guest knows it.
        source: its text.
        package: whether it is a package.
    """

    path: str
    source: str
    package: bool


@dataclass(frozen=True)
class Program:
    """What is handed to a base component.

    Args:
        target: what the user named.
        base: the base component that it needs.
        modules: each module by its dotted name.
        files: the user's file for each path that the guest knows.
        dependencies: the distributions that modules come from.
        warnings: what may surprise; in a pure program, calls that will raise.
    """

    target: Target
    base: Base
    modules: dict[str, ModuleText]
    files: dict[str, Path]
    dependencies: tuple[Dependency, ...]
    warnings: tuple[Problem, ...]

    @cached_property
    def text(self) -> str:
        """The program as JSON, the same for the same sources."""
        modules = {
            name: {"path": each.path, "source": each.source, "package": each.package}
            for name, each in sorted(self.modules.items())
        }
        facts = {"entry": self.target.module, "modules": modules}
        return json.dumps(facts, separators=(",", ":"))

    @cached_property
    def input_hash(self) -> str:
        """SHA-256 over everything that it is made of, its base included."""
        return hashlib.sha256(f"{self.base.key}|{self.text}".encode()).hexdigest()

    def facts(self, base_digest: str = "") -> BuildFacts:
        """Return what a component of this program says of itself."""
        project = self.target.project
        return BuildFacts(
            input_hash=self.input_hash,
            world=self.base.world,
            module=self.target.module,
            pure=self.base.pure,
            sdk_version=evidentsource_functions.__version__,
            componentize_py_version=tool_version(),
            wit_package=self.base.contract.package,
            dependencies={each.name: each.version for each in self.dependencies},
            sources={
                inside: file.relative_to(project).as_posix()
                if file.is_relative_to(project)
                else file.name
                for inside, file in sorted(self.files.items())
            },
            base=base_digest,
        )


def gather(
    module_or_path: str | os.PathLike[str],
    *,
    directory: Path | None = None,
    dependencies: Iterable[str] = (),
    wit: str | os.PathLike[str] | None = None,
    world: str | None = None,
    pure: bool = False,
    own_paths: bool = False,
) -> Program:
    """Gather a user's program, and check it like a build does.

    Args:
        module_or_path: "orders.view", "orders/view.py", or a package's folder.
        directory: where relative paths and modules are looked for; the current directory where
            left out.
        dependencies: distributions that the program may use.
        wit: another `decider.wit`; the SDK's own where left out.
        world: the world's name, where it does not show from the source.
        pure: whether clock, randomness and files are taken away.
        own_paths: whether the guest knows the user's modules by the user's own paths, and not by
            those of a built component.

    Raises:
        BuildError: what a build would say as well.
    """
    folder = directory or Path.cwd()
    found = find_dependencies(dependencies)
    target = find_target(module_or_path, folder)
    closure = _checked(target, found)
    chosen = find_world(closure, world)
    contract = read_contract(None if wit is None else folder / wit, chosen)
    modules: dict[str, ModuleText] = {
        name: ModuleText("", "", package=True) for name in sorted(closure.namespaces)
    }
    files: dict[str, Path] = {}
    for source in closure.sources.values():
        path = guest_path(source.module, source.file, source.owner)
        if source.owner == "user":
            path = str(source.file) if own_paths else path
            files[path] = source.file
        package = source.file.name == "__init__.py"
        modules[source.module] = ModuleText(path, _text(source.file), package)
    return Program(
        target,
        Base(chosen, pure, contract),
        modules,
        files,
        found,
        tuple(impure_calls(closure)) if pure else (),
    )


def _checked(target: Target, dependencies: tuple[Dependency, ...]) -> Closure:
    """The modules of a program without those of the SDK, which the base has."""
    places = shared_places(dependencies)
    closure = collect(target, places, _IN_BASE)
    try:
        check_imports(closure, _IN_BASE)
    except PreflightFailed:
        # What a function imports may be loaded by the SDK; a build's own check knows all of it.
        check_imports(collect(target, places))
    return closure


def _text(file: Path) -> str:
    try:
        with tokenize.open(file) as stream:
            return stream.read()
    except (OSError, UnicodeDecodeError, SyntaxError) as error:
        message = f"the file cannot be read: {error}"
        raise PreflightFailed(Problem("unreadable-file", message, file)) from error
