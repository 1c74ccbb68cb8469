"""From a user's program to what a host makes its component of."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wasmtime import Store, WasmtimeError
from wasmtime.component import Component, Instance

from evidentsource_functions.wasm import _instant
from evidentsource_runtime.build.componentize import import_problem
from evidentsource_runtime.build.errors import BuildError, ComponentizeFailed
from evidentsource_runtime.host.convert.shapes import Contract
from evidentsource_runtime.host.convert.stock import _invoke as invoke
from evidentsource_runtime.host.errors import ComponentLoadError
from evidentsource_runtime.host.instances import Prepare
from evidentsource_runtime.host.loading import Bases, Loaded
from evidentsource_runtime.host.trace import SourceMap, headline
from evidentsource_runtime.instant import packs
from evidentsource_runtime.instant.base import Base
from evidentsource_runtime.instant.sources import Program, gather
from evidentsource_runtime.problems import Problem

_LACKS = f"{_instant.__name__}.{_instant.BaseLacksModule.__name__}: "


@dataclass(frozen=True)
class Prepared:
    """A program, ready to be run by a host.

    Attributes:
        program: the sources.
        loaded: its base component, compiled.
        sources: leads paths in tracebacks back to the user's files.
        start: puts the program into a new instance of the base component.
    """

    program: Program
    loaded: Loaded
    sources: SourceMap
    start: Prepare


def prepare(
    module_or_path: str | os.PathLike[str],
    *,
    directory: Path | None,
    dependencies: Iterable[str],
    wit: str | os.PathLike[str] | None,
    world: str | None,
    pure: bool,
    name: str | None,
    bases: Bases,
) -> Prepared:
    """Gather a program and find its base component; the arguments are those of `Host.load_source`.

    Raises:
        BuildError: the program cannot become a component.
        ComponentLoadError: the base component cannot be compiled.
    """
    program = gather(
        module_or_path,
        directory=directory,
        dependencies=dependencies,
        wit=wit,
        world=world,
        pure=pure,
        # The guard of a pure component tells the user's lines by the paths of a built one.
        own_paths=not pure,
    )
    gathered_at = time.time()
    compiled, contract = compiled_base(program.base, bases)
    called = name or re.sub(r"[^\w.-]+", "_", program.target.module.rpartition(".")[2])
    loaded = Loaded(called, program.input_hash, compiled, contract, program.facts(), None)
    sources = SourceMap(
        {inside: str(file) for inside, file in program.files.items()},
        projects=(program.target.project,),
        built_at=gathered_at,
    )
    return Prepared(program, loaded, sources, _Start(called, program))


def compiled_base(base: Base, bases: Bases) -> tuple[Component, Contract]:
    """The base component, compiled."""

    def find(tell: Callable[[float], None]) -> tuple[str, Callable[[], bytes]]:
        facts, read = base.built(tell)
        return facts.digest, read

    return bases.get(f"base {base.world}", base.key, find)


def refusal(prepared: Prepared, error: ComponentLoadError) -> BuildError | ComponentLoadError:
    """What is wrong with the program, where that is why its component did not start."""
    cause = error.__cause__
    if not isinstance(cause, _NotImported):
        return error
    files = {str(file) for file in prepared.program.files.values()}
    return import_failure(prepared.sources.translate(cause.guest_traceback), files)


def import_failure(traceback: str, files: set[str]) -> ComponentizeFailed:
    """The error for a program that cannot be imported.

    Args:
        traceback: the guest's, with the paths of the user's files.
        files: those paths.
    """
    problem = import_problem(traceback, files)
    _, lacks, module = (headline(traceback) or "").partition(_LACKS)
    if lacks:
        message = f"an instant component has no module {module}, an ordinary one has"
        hint = "build it: evidentsource build without --reproducible, then Host().load"
        problem = Problem("base-lacks-module", message, problem.file, problem.line, hint)
    return ComponentizeFailed(problem, traceback)


class _NotImported(ComponentLoadError):
    """The program's modules could not be imported."""


class _Start:
    """Puts a program into new instances of its base component.

    The first one gets it as text, since somebody waits for its answer. The second one compiles it
    first, and from then on, and when the same program is loaded again, instances get its bytecode,
    which saves half of the time.
    """

    def __init__(self, name: str, program: Program) -> None:
        self._name = name
        self._program = program
        self._packed = packs.kept(program.input_hash)
        self._is_first = True

    def __call__(self, store: Store, instance: Instance) -> None:
        if self._packed is None and not self._is_first:
            packed = _call(store, instance, _instant.PACK, self._program.text)
            self._packed = packed
            packs.keep(self._program.input_hash, packed)
        self._is_first = False
        words = _call(store, instance, _instant.LOAD, self._packed or self._program.text)
        if words is not None:
            reason = f"its modules cannot be imported: {headline(words)}"
            raise _NotImported(self._name, reason, guest_traceback=words)


def _call(store: Store, instance: Instance, export: str, text: str) -> Any:
    func = instance.get_func(store, export)
    if func is None:
        raise WasmtimeError(f"the base component has no function {export}")
    return invoke(store, func, text)
