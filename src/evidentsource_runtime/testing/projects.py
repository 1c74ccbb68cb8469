"""The rules of a project, as its manifest names them."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Any

from evidentsource_core import StateViewDefinition
from evidentsource_functions import create_state_view_handler
from evidentsource_functions.errors import InvalidDefinition
from evidentsource_functions.state_change import _annotated_command_type
from evidentsource_functions.testing import (
    ChangeRule,
    Database,
    RuleBook,
    RuleSource,
    Scenarios,
    ViewRule,
    current_level,
)
from evidentsource_functions.wasm import StateChangeAdapter, StateViewAdapter
from evidentsource_runtime.build import ComponentSpec, Manifest, ManifestError, read_manifest
from evidentsource_runtime.build.target import find_target, project_of
from evidentsource_runtime.problems import Problem


def project_scenarios(
    directory: str | os.PathLike[str] | None = None, *, stream: str | None = None
) -> Scenarios[Any]:
    """Scenarios of every rule that a project's ``[tool.evidentsource]`` names.

    The names, selectors and versions are those that are published; nothing is said twice. Annotate
    the variable, and a type checker knows the commands:

        bank: Scenarios[Deposit | Withdraw] = project_scenarios(stream="accounts")

    Args:
        directory: a folder in the project; the current directory where left out.
        stream: the stream of events that name none.

    Raises:
        ManifestError: there is no project, or its manifest is wrong.
        BuildError: a module that it names is not there.
        InvalidDefinition: a module has no ``WitWorld`` of the SDK.
    """
    return Scenarios.of(project_rules(directory, stream=stream))


def project_database(
    directory: str | os.PathLike[str] | None = None,
    *,
    clock: Callable[[], datetime] | None = None,
) -> Database:
    """A database into which every rule of a project is published: in memory, or where the level has it.

    Args:
        directory: a folder in the project; the current directory where left out.
        clock: what tells the time of what happens in it; by default it stands at the beginning of
            2024.

    Raises:
        ManifestError, BuildError, InvalidDefinition: as :func:`project_scenarios`.
        LevelUnavailable: the level of the test cannot run them here.
    """
    book = project_rules(directory)
    elsewhere: Database | None = current_level().database(book, clock)
    if elsewhere is not None:
        return elsewhere
    database = Database.in_memory(book.database, clock=clock)
    database.publish(book)
    return database


def project_rules(
    directory: str | os.PathLike[str] | None = None, *, stream: str | None = None
) -> RuleBook:
    """The rules of a project, in the order of its manifest; the arguments as above."""
    base = Path.cwd() if directory is None else Path(directory).absolute()
    folder = project_of(base)
    if folder is None:
        message = f"there is no pyproject.toml in {base} or above it"
        hint = "name the project's folder"
        raise ManifestError(Problem("no-project", message, hint=hint))
    manifest = read_manifest(folder / "pyproject.toml")
    book = RuleBook(manifest.database, stream)
    for spec in manifest.components:
        world = _world(spec, folder)
        source = _source(spec, manifest, folder)
        if isinstance(spec.definition, StateViewDefinition):
            state_class = world.state_view_type
            evolve = create_state_view_handler(state_class)
            book = book.with_view(ViewRule(spec.definition, evolve, state_class, source))
        else:
            rule = world._rule()  # noqa: SLF001 - the adapter's own way to its rule
            kind = world.command_type or _annotated_command_type(rule)
            book = book.with_change(ChangeRule(spec.definition, world.decide, kind, source, rule))
    return book


def _source(spec: ComponentSpec, manifest: Manifest, folder: Path) -> RuleSource:
    wit = None if manifest.wit is None else folder / manifest.wit
    return RuleSource(spec.module, folder, spec.pure, spec.dependencies, wit)


def _world(spec: ComponentSpec, folder: Path) -> Any:
    """The ``WitWorld`` of a component's module, in this process."""
    module = _imported(spec.module, folder)
    world = getattr(module, "WitWorld", None)
    is_view = isinstance(spec.definition, StateViewDefinition)
    adapter = StateViewAdapter if is_view else StateChangeAdapter
    if not isinstance(world, type) or not issubclass(world, adapter):
        raise InvalidDefinition(
            f"{spec.module}, the module of {spec.name}, has no WitWorld that derives from "
            f"{adapter.__name__}; without one it cannot run natively"
        )
    return world()


def _imported(name: str, folder: Path) -> ModuleType:
    """The module, as the tests themselves know it: one file should not become two modules."""
    target = find_target(name, folder)
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if file is not None and Path(file) == target.file:
            return module
    root = target.file.parent
    while (root / "__init__.py").is_file():
        root = root.parent
    if root != target.file.parent and _is_on_path(root):
        parts = target.file.relative_to(root).with_suffix("").parts
        return importlib.import_module(".".join(parts).removesuffix(".__init__"))
    if not _is_on_path(target.roots[0]):
        sys.path.insert(0, str(target.roots[0]))
    return importlib.import_module(target.module)


def _is_on_path(folder: Path) -> bool:
    return any(Path(entry or ".").resolve() == folder for entry in sys.path)
