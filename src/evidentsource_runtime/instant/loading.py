"""From a user's program to what a host makes its component of."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeAlias

from wasmtime import Store, WasmtimeError
from wasmtime.component import Instance

from evidentsource_functions.wasm import _instant
from evidentsource_runtime.build.componentize import import_problem
from evidentsource_runtime.build.errors import ComponentizeFailed
from evidentsource_runtime.host.components import StateChangeComponent, StateViewComponent
from evidentsource_runtime.host.errors import ComponentLoadError
from evidentsource_runtime.host.instances import Prepare
from evidentsource_runtime.host.loading import Bases, Compiled, Loaded
from evidentsource_runtime.host.trace import SourceMap, headline
from evidentsource_runtime.instant import packs
from evidentsource_runtime.instant.base import Base
from evidentsource_runtime.instant.sources import Program, gather
from evidentsource_runtime.problems import Problem

AnyComponent: TypeAlias = StateViewComponent | StateChangeComponent

_LACKS = f"{_instant.__name__}.{_instant.BaseLacksModule.__name__}: "


StartComponent: TypeAlias = Callable[[Loaded, SourceMap, Prepare], AnyComponent]
"""How a host starts a component: what is loaded, how paths are led back, what an instance needs."""


def load_program(
    start: StartComponent,
    bases: Bases,
    module_or_path: str | os.PathLike[str],
    *,
    name: str | None,
    directory: Path | None,
    dependencies: Iterable[str],
    wit: str | os.PathLike[str] | None,
    world: str | None,
    pure: bool,
) -> AnyComponent:
    """Gather a program and run it; the arguments are those of `Host.load_source`.

    Raises:
        BuildError: the program cannot become a component, or cannot be imported.
        ComponentLoadError: the base component cannot be run here.
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
    called = name or re.sub(r"[^\w.-]+", "_", program.target.module.rpartition(".")[2])
    return start_program(program, called, start, bases, _Start(called, program))


def pack_program(program: Program, start: StartComponent, bases: Bases) -> str:
    """Import a program in the sandbox, and return its bytecode, as base64.

    The bytecode is made in an instance that nothing was imported into: it is the same whatever the
    program does.

    Raises:
        BuildError: the program cannot be imported.
        ComponentLoadError: the base component cannot be run here.
    """
    name = program.target.module
    made: list[str] = []

    def pack(store: Store, instance: Instance) -> None:
        made.append(_call(store, instance, _instant.PACK, program.text))

    start_program(program, name, start, bases, _Start(name, program))
    start_program(program, name, start, bases, pack)
    return made[0]


def start_program(
    program: Program, name: str, start: StartComponent, bases: Bases, prepare: Prepare
) -> AnyComponent:
    """Start a program's base component.

    Args:
        program: the sources.
        name: what it is called in messages and logs.
        start: the host's way to start a component.
        bases: the host's base components.
        prepare: what each new instance needs.

    Raises:
        BuildError: the program cannot be imported.
        ComponentLoadError: the base component cannot be run here.
    """
    gathered_at = time.time()
    compiled = _compiled_base(program.base, bases)
    loaded = Loaded(name, program.input_hash, compiled, program.facts(), None)
    sources = SourceMap(
        {inside: str(file) for inside, file in program.files.items()},
        projects=(program.target.project,),
        built_at=gathered_at,
    )
    try:
        return start(loaded, sources, prepare)
    except ComponentLoadError as error:
        cause = error.__cause__
        if not isinstance(cause, _NotImported):
            raise
        files = {str(file) for file in program.files.values()}
        raise import_failure(sources.translate(cause.guest_traceback), files) from None


def _compiled_base(base: Base, bases: Bases) -> Compiled:
    """The base component, compiled."""

    def find(tell: Callable[[float], None]) -> tuple[str, Callable[[], bytes]]:
        facts, read = base.built(tell)
        return facts.digest, read

    return bases.get(f"base {base.world}", base.key, find)


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
    # wasmtime-py's conversion of a text, either way, shares nothing between threads.
    answer = func(store, text)
    func.post_return(store)
    return answer
