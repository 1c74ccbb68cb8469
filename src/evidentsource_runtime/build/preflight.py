"""What can be said about the sources before ten seconds are spent on building them."""

from __future__ import annotations

import ast
import difflib
import importlib.machinery
import importlib.metadata
import importlib.util
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from evidentsource_runtime.build.closure import Closure, with_parents
from evidentsource_runtime.build.errors import PreflightFailed
from evidentsource_runtime.build.guest import (
    AT_START,
    BUILTIN,
    COMPANIONS,
    PROVIDED,
    is_standard,
    reason_it_lacks,
)
from evidentsource_runtime.build.source import Import, Source, parse
from evidentsource_runtime.problems import Problem

NATIVE_SUFFIXES = (".so", ".pyd", ".dylib")
_TOP = "import it at the top of a module, so that it becomes part of the component"


def check_imports(closure: Closure, provided: frozenset[str] = PROVIDED) -> None:
    """Refuse imports of the user's modules that cannot work in a component.

    Args:
        closure: the target's modules.
        provided: top-level names that are there already, and not checked.

    Raises:
        PreflightFailed: with every problem, in the order of the files.
    """
    problems = [
        problem
        for source in closure.user_sources()
        for statement in source.imports
        if statement.module.partition(".")[0] not in provided
        and (problem := _problem(closure, source, statement)) is not None
    ]
    if problems:
        raise PreflightFailed(*problems)


def late_imports(closure: Closure) -> dict[str, tuple[Path, int]]:
    """Return what functions of the user's modules import, each with file and line.

    Whether these modules are loaded at the end of the build is seen for certain inside of it.
    """
    return {
        name: (source.file, statement.line)
        for source in closure.user_sources()
        for statement in source.imports
        if statement.function and not statement.guarded
        for name in [statement.module]
    }


def _problem(closure: Closure, source: Source, statement: Import) -> Problem | None:
    module = statement.module
    top_name = module.partition(".")[0]
    if statement.guarded:
        return None
    if module.startswith("."):
        return _at(
            source,
            statement,
            "relative-import",
            f"the relative import {module!r} needs a package around the file",
            "put an __init__.py beside it, or import by the module's own name",
        )
    if top_name == "evidentsource_runtime":
        return _at(
            source,
            statement,
            "not-in-a-component",
            "evidentsource_runtime builds and runs components, and cannot be part of one",
            "import from evidentsource_functions or evidentsource_core",
        )
    if is_standard(top_name):
        return _standard(closure, source, statement)
    if module in closure.sources or module in closure.namespaces:
        return _late(closure, source, statement)
    return _not_found(closure, source, statement)


def _standard(closure: Closure, source: Source, statement: Import) -> Problem | None:
    module = statement.module
    top_name = module.partition(".")[0]
    for shadow in (f"{top_name}.py", f"{top_name}/__init__.py"):
        file = closure.target.roots[0] / shadow
        if file.is_file():
            message = f"{shadow} has the name of a module of Python, which a component finds first"
            return _at(source, statement, "shadowed-module", message, f"rename {shadow}")
    reason = reason_it_lacks(module)
    if reason is not None:
        message = f"a component has no module {module}"
        return _at(source, statement, "guest-lacks-module", message, reason)
    return _late(closure, source, statement)


def _late(closure: Closure, source: Source, statement: Import) -> Problem | None:
    if not statement.function:
        return None
    submodules = [f"{statement.module}.{name}" for name in statement.names]
    for module in (statement.module, *(name for name in submodules if name in closure.sources)):
        if not _is_loaded(closure, module):
            message = (
                f"{module} is imported inside of {statement.function} only; what is not imported "
                "when a component is built cannot be imported when it runs"
            )
            return _at(source, statement, "late-import", message, _TOP)
    return None


def _is_loaded(closure: Closure, module: str) -> bool:
    if module in closure.loaded | BUILTIN | AT_START:
        return True
    standard = is_standard(module.partition(".")[0])
    return standard and module in _loaded_by_python(frozenset(closure.loaded))


def _not_found(closure: Closure, source: Source, statement: Import) -> Problem:
    module = statement.module
    top_name = module.partition(".")[0]
    native = _native_file(closure, module)
    if native is not None:
        message = (
            f"{module} is a native extension ({native.name}), and a component runs Python only"
        )
        hint = "use pure Python: the standard library, dataclasses, attrs or cattrs"
        return _at(source, statement, "native-extension", message, hint)
    distributions = importlib.metadata.packages_distributions().get(top_name)
    if distributions and not _is_users(closure, top_name):
        message = f"{module} is installed here, and is not part of the build"
        hint = f"name it: --dependency {distributions[0]}, or dependencies = [...] in [tool.evidentsource]"
        natives = _native_files_of(distributions[0])
        if natives:
            message = (
                f"{module} is a native extension ({natives[0]}), and a component runs Python only"
            )
            hint = "use pure Python: the standard library, dataclasses, attrs or cattrs"
            return _at(source, statement, "native-extension", message, hint)
        return _at(source, statement, "undeclared-dependency", message, hint)
    close = difflib.get_close_matches(module, [*closure.sources, *PROVIDED], 1)
    hint = (
        f"did you mean {close[0]}?"
        if close
        else "check the name, or install and name it with --dependency"
    )
    return _at(source, statement, "missing-module", f"there is no module {module}", hint)


def _is_users(closure: Closure, top_name: str) -> bool:
    return any(name.partition(".")[0] == top_name for name in closure.sources)


def _native_file(closure: Closure, module: str) -> Path | None:
    for root in closure.target.roots:
        stem = root.joinpath(*module.split("."))
        for suffix in importlib.machinery.EXTENSION_SUFFIXES:
            if stem.with_name(stem.name + suffix).is_file():
                return stem.with_name(stem.name + suffix)
    return None


def _native_files_of(distribution: str) -> list[str]:
    files = importlib.metadata.files(distribution) or []
    stems = {os.fspath(file)[: -len(".py")] for file in files if file.suffix == ".py"}
    return [
        file.name
        for file in files
        if file.suffix in NATIVE_SUFFIXES and os.fspath(file).partition(".")[0] not in stems
    ]


@cache
def _loaded_by_python(names: frozenset[str]) -> frozenset[str]:
    """Return what is loaded when these modules are, as far as this Python's own sources show.

    Versions differ in such details; what is missed or added here is seen when the component is
    built.
    """
    loaded: set[str] = set()
    pending = list(names)
    while pending:
        for name in with_parents(pending.pop()):
            if name in loaded or not is_standard(name.partition(".")[0]):
                continue
            loaded.add(name)
            pending += COMPANIONS.get(name, "").split()
            pending += _top_imports(name)
    return frozenset(loaded)


def _top_imports(module: str) -> Iterator[str]:
    root = Path(os.__file__).parent
    stem = root.joinpath(*module.split("."))
    file = stem / "__init__.py" if stem.is_dir() else stem.with_suffix(".py")
    if not file.is_file():
        return
    package = module if stem.is_dir() else module.rpartition(".")[0]
    for node in parse(file.read_bytes(), str(file)).body:
        for inner in (node, *getattr(node, "body", [])) if isinstance(node, ast.Try) else (node,):
            if isinstance(inner, ast.Import):
                yield from (alias.name for alias in inner.names)
            elif isinstance(inner, ast.ImportFrom):
                base = inner.module or ""
                if inner.level:
                    base = importlib.util.resolve_name("." * inner.level + base, package)
                yield base
                yield from (f"{base}.{alias.name}" for alias in inner.names if inner.level)


def _at(source: Source, statement: Import, code: str, message: str, hint: str) -> Problem:
    return Problem(code, message, source.file, statement.line, hint)
