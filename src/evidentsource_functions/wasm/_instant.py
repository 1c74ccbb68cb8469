"""The guest's end of instant components: a program that comes when the component runs.

A base component holds the SDK, modules of the standard library and no program. One is handed over
through the export :data:`LOAD`, or stands in the slot (:mod:`._slot`) that a build has filled. A
program is JSON, ``{"entry": name, "modules": {name: {"path", "source", "package"}}}``, or what
:data:`PACK` made of that: the modules compiled by this very interpreter.
"""

from __future__ import annotations

import base64
import json
import marshal
import sys
import traceback
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.machinery import BuiltinImporter, FrozenImporter, ModuleSpec
from pkgutil import iter_modules
from types import CodeType, ModuleType
from typing import Any

from evidentsource_functions.wasm import _slot

LOAD = "evidentsource-load-v1"
"""The export that takes a program, and returns the traceback where it cannot be imported."""
PACK = "evidentsource-pack-v1"
"""The export that compiles a program: its modules' bytecode, compressed, as base64."""

WIT = f"""
    /// Take a program, JSON or what {PACK} returned, and import it; the traceback where that fails.
    export {LOAD}: func(program: string) -> option<string>;
    /// Compile a program that can be imported, given as JSON.
    export {PACK}: func(program: string) -> string;
"""
"""What a world says to have the exports."""

_slot_of_component = _slot.noise() if sys.platform == "wasi" else bytearray()
_absent: frozenset[str] = frozenset()
_world: Any = None
"""The program's ``WitWorld()``, once it is there. The runtime makes a :class:`Base` for each call."""


class BaseLacksModule(Exception):
    """A module of the standard library that an ordinary build would have, and the base has not.

    No ImportError, so that code which does without the module does not take another way here than
    in the component that is built.
    """


@dataclass(frozen=True, slots=True)
class Module:
    """One module of a program."""

    name: str
    path: str
    package: bool
    code: CodeType | str

    def compiled(self) -> CodeType:
        """Its bytecode."""
        if isinstance(self.code, str):
            return compile(self.code, self.path, "exec", dont_inherit=True)
        return self.code


def prepare(lacking: Iterable[str]) -> None:
    """Note, while the base is built, which modules of the standard library it leaves out.

    Args:
        lacking: modules that no component has.
    """
    global _absent  # noqa: PLW0603 - set once, while the base is built
    known = set(sys.stdlib_module_names) | {
        f"{package}.{found.name}"
        for package in sys.stdlib_module_names & sys.modules.keys()
        for found in iter_modules(getattr(sys.modules[package], "__path__", ()))
    }
    without = set(lacking)
    _absent = frozenset(
        name
        for name in known - sys.modules.keys()
        if name not in without
        and name.partition(".")[0] not in without
        and BuiltinImporter.find_spec(name) is None
        and FrozenImporter.find_spec(name) is None
    )


class Base:
    """What a base component exports: the contract's functions, once a program is there."""

    def evolve(self, state_view: Any, events: Any) -> Any:
        """The program's ``evolve``."""
        return _program().evolve(state_view, events)

    def decide(self, db: Any, command: Any, state_change_metadata: Any) -> Any:
        """The program's ``decide``."""
        return _program().decide(db, command, state_change_metadata)

    def evidentsource_fold_v1(self, header: str, contents: list[Any], batches: list[str]) -> Any:
        """The program's end of the lane (:mod:`evidentsource_functions.lane`)."""
        program = _program()
        if not hasattr(program, "evidentsource_fold_v1"):
            # Written against the contract alone, so its evolve is what must be called.
            return []
        return program.evidentsource_fold_v1(header, contents, batches)

    def explain_evolve(self, state_view: Any, events: Any) -> str | None:
        """The traceback of a call of ``evolve`` that would trap."""
        try:
            self.evolve(state_view, events)
        except BaseException:  # noqa: BLE001 - whatever it is, it is what was asked for
            return traceback.format_exc()
        return None

    def evidentsource_load_v1(self, program: str) -> str | None:
        """Import a program; the traceback where that fails."""
        modules: dict[str, Module] = {}
        try:
            entry, modules = _read(program)
            _export(entry, modules)
        except BaseException as error:  # noqa: BLE001 - SystemExit too is an answer here
            return _words(error, modules)
        return None

    def evidentsource_pack_v1(self, program: str) -> str:
        """Compile a program that can be imported."""
        entry, modules = _read(program)
        rows = [
            (each.name, each.path, each.package, each.compiled())
            for _, each in sorted(modules.items())
        ]
        return base64.b64encode(zlib.compress(marshal.dumps((entry, rows)), 9)).decode()


def _read(program: str) -> tuple[str, dict[str, Module]]:
    if not program.startswith("{"):
        return _unpacked(base64.b64decode(program))
    facts = json.loads(program)
    return facts["entry"], {
        name: Module(name, each["path"], each["package"], each["source"])
        for name, each in facts["modules"].items()
    }


def _unpacked(packed: bytes) -> tuple[str, dict[str, Module]]:
    entry, rows = marshal.loads(zlib.decompress(packed))  # noqa: S302 - what PACK made
    return entry, {row[0]: Module(*row) for row in rows}


def _program() -> Any:
    if _world is None:
        content = _slot.content(_slot_of_component)
        if content is None:
            raise RuntimeError("this is a base component, and no program was put into it")
        _export(*_unpacked(content))
    return _world


def _export(entry: str, modules: dict[str, Module]) -> None:
    global _world  # noqa: PLW0603 - a component has one program
    finder = _Finder(modules)
    sys.meta_path.insert(0, finder)
    try:
        _world = import_module(entry).WitWorld()
    finally:
        # As in a component that is built, what is not loaded by now cannot be imported any more.
        sys.meta_path.remove(finder)


class _Finder:
    """Finds and runs the modules of a program."""

    def __init__(self, modules: dict[str, Module]) -> None:
        self._modules = modules

    def find_spec(self, name: str, _path: Any = None, _target: Any = None) -> ModuleSpec | None:
        module = self._modules.get(name)
        if module is None:
            if name in _absent:
                raise BaseLacksModule(name)
            return None
        spec = ModuleSpec(name, self, origin=module.path, is_package=module.package)  # type: ignore[arg-type]
        spec.has_location = bool(module.path)
        if spec.submodule_search_locations is not None and module.path:
            spec.submodule_search_locations.append(module.path.rpartition("/")[0])
        return spec

    def create_module(self, _spec: ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        exec(self._modules[module.__name__].compiled(), module.__dict__)  # noqa: S102 - a loader


def _words(error: BaseException, modules: dict[str, Module]) -> str:
    """The traceback without the frames of the import system and of this module."""
    told = traceback.TracebackException.from_exception(error)
    paths = {module.path for module in modules.values()}
    for each in _chain(told):
        each.stack[:] = [
            frame
            for frame in each.stack
            if frame.filename in paths
            or not (frame.filename == __file__ or "importlib" in frame.filename)
        ]
    return "".join(told.format())


def _chain(told: traceback.TracebackException) -> Iterator[traceback.TracebackException]:
    yield told
    for other in (told.__cause__, told.__context__):
        if other is not None:
            yield from _chain(other)
