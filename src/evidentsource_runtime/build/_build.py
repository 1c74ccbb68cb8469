"""One build from beginning to end: find, check, stage, hash, build or take from the cache, write."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import evidentsource_functions
from evidentsource_functions import lane as lane_of_views
from evidentsource_runtime.artifact import BuildFacts, read_component, with_facts
from evidentsource_runtime.build import cache
from evidentsource_runtime.build.closure import Closure, collect
from evidentsource_runtime.build.componentize import Progress, componentize, tool_version
from evidentsource_runtime.build.dependencies import Dependency, find_dependencies
from evidentsource_runtime.build.entry import entry_source
from evidentsource_runtime.build.errors import BuildError, OutputError
from evidentsource_runtime.build.impure import impure_calls
from evidentsource_runtime.build.preflight import check_imports, late_imports
from evidentsource_runtime.build.staging import Staged, relative_origins, shared_places, stage
from evidentsource_runtime.build.target import find_target
from evidentsource_runtime.build.wit import Contract, read_contract
from evidentsource_runtime.build.world import find_world, takes_lane
from evidentsource_runtime.problems import Problem

_HASH_FORMAT = 1


@dataclass(frozen=True, slots=True)
class BuildResult:
    """A component that stands where it was asked for.

    Args:
        path: the component's file.
        size: in bytes.
        exports: the names of the functions that the component exports.
        input_hash: SHA-256 over everything that went in, as 64 hexadecimal digits.
        cached: whether it had been built before.
        seconds: how long it took.
        world: "state-view" or "state-change".
        module: the user's module, dotted.
        warnings: what may surprise; in a pure build, calls that will raise.
    """

    path: Path
    size: int
    exports: tuple[str, ...]
    input_hash: str
    cached: bool
    seconds: float
    world: str
    module: str
    warnings: tuple[Problem, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return everything as JSON values."""
        return {
            "path": str(self.path),
            "size": self.size,
            "world": self.world,
            "module": self.module,
            "exports": list(self.exports),
            "input_hash": self.input_hash,
            "cached": self.cached,
            "seconds": round(self.seconds, 3),
            "warnings": [warning.as_json() for warning in self.warnings],
        }


@dataclass(frozen=True)
class _Plan:
    """Everything that decides what a build makes."""

    closure: Closure
    world: str
    pure: bool
    staged: Staged
    wit_files: dict[str, str]
    wit_package: str
    dependencies: tuple[Dependency, ...]
    contract_only: bool = False

    def input_hash(self) -> str:
        inputs = {
            "format": _HASH_FORMAT,
            "tool": tool_version(),
            "world": self.world,
            "pure": self.pure,
            "module": self.closure.target.module,
            "wit": self.wit_files,
            "contract_only": self.contract_only,
            "files": self.staged.digests(),
        }
        return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()

    def facts(self, input_hash: str) -> BuildFacts:
        return BuildFacts(
            input_hash=input_hash,
            world=self.world,
            module=self.closure.target.module,
            pure=self.pure,
            sdk_version=evidentsource_functions.__version__,
            componentize_py_version=tool_version(),
            wit_package=self.wit_package,
            dependencies={each.name: each.version for each in self.dependencies},
            sources=relative_origins(self.staged, self.closure.target.project),
            contract_only=self.contract_only,
        )


def build(
    module_or_file: str | os.PathLike[str],
    *,
    output: str | os.PathLike[str] | None = None,
    wit: str | os.PathLike[str] | None = None,
    world: str | None = None,
    pure: bool = False,
    contract_only: bool = False,
    force: bool = False,
    reproducible: bool = False,
    dependencies: Iterable[str] = (),
    directory: Path | None = None,
    progress: Progress | None = None,
) -> BuildResult:
    """Make a component out of a module that has a `WitWorld`.

    The module is not run here: what it exports and imports is read from its source. Only the
    user's modules that it leads to, the SDK and the named dependencies are part of the build. The
    same inputs are built once; after that the component comes from the cache.

    Args:
        module_or_file: "orders.view", "orders/view.py", or a package's folder.
        output: where the component is written, as a whole or not at all; `NAME.wasm` in the
            directory where left out.
        wit: another `decider.wit`, a file or a folder; the SDK's own where left out.
        world: the world's name, where it does not show from the source.
        pure: whether to take clock, randomness and files away: reading them raises
            `evidentsource_functions.wasm.pure.ImpureCall`.
        contract_only: whether to export what the contract has and nothing else. Otherwise a state
            view of the SDK's adapter also takes batches of events as text, which is many times
            faster where the host knows it; `docs/lane.md` has it.
        force: whether to build even what is in the cache.
        reproducible: whether to fill a base component made before, which takes a moment and gives
            the same bytes for the same input; the modules are then imported at the first call of
            each instance. `docs/instant.md` has the differences.
        dependencies: distributions to build in, by name; the installed versions are taken.
        directory: where relative paths and modules are looked for; the current directory where
            left out.
        progress: called several times a second while it builds, with what is done and the
            seconds since it began.

    Raises:
        BuildError: with code, message, file, line and hint; nothing was written.

    Example:
        >>> build("nowhere.py")
        Traceback (most recent call last):
        ...
        evidentsource_runtime.build.errors.TargetNotFound: there is no file nowhere.py
          hint: check the path; it is taken from the current directory
    """
    if reproducible:
        _refuse_filled(contract_only=contract_only)
        # The room above this one, which knows hosts too: it is entered when asked for.
        from evidentsource_runtime.instant.reproducible import (  # noqa: PLC0415
            build_reproducible,
        )

        return build_reproducible(
            module_or_file,
            output=output,
            wit=wit,
            world=world,
            pure=pure,
            dependencies=dependencies,
            directory=directory,
            progress=progress,
        )
    started = time.monotonic()
    base = directory or Path.cwd()
    found = find_dependencies(dependencies)
    closure = collect(find_target(module_or_file, base), shared_places(found))
    check_imports(closure)
    chosen = find_world(closure, world)
    contract = read_contract(None if wit is None else base / wit, chosen)
    late = late_imports(closure)
    wit_files, explained = _world_files(
        contract, chosen, pure=pure, lane=takes_lane(closure) and not contract_only
    )
    entry = entry_source(closure.target.module, late, explained=explained, pure=pure)
    plan = _Plan(
        closure=closure,
        world=chosen,
        pure=pure,
        staged=stage(closure, found, entry),
        wit_files=wit_files,
        wit_package=contract.package,
        contract_only=contract_only,
        dependencies=found,
    )
    path = base / (output or f"{closure.target.module.rpartition('.')[2]}.wasm")
    check_output(path)
    input_hash = plan.input_hash()
    component, was_cached = _component(plan, input_hash, late, progress, force=force)
    write_output(path, with_facts(component, plan.facts(input_hash)))
    made = read_component(path)
    return BuildResult(
        path=path,
        size=made.size,
        exports=tuple(extern.name for extern in made.exports if extern.kind == "func"),
        input_hash=input_hash,
        cached=was_cached,
        seconds=time.monotonic() - started,
        world=chosen,
        module=closure.target.module,
        warnings=tuple(impure_calls(closure)) if pure else (),
    )


def _world_files(
    contract: Contract, world: str, *, pure: bool, lane: bool
) -> tuple[dict[str, str], bool]:
    """The contract's files with what this component exports beside it; whether that explains."""
    if lane and not contract.exports(lane_of_views.EXPORT):
        # Its answers say in words why a fold failed, so a pure component needs nothing else.
        return contract.with_exports(world, lane_of_views.WIT), False
    explained = pure and world == "state-view"
    return contract.with_explanation() if explained else contract.files, explained


def _refuse_filled(*, contract_only: bool) -> None:
    if contract_only:
        message = "a reproducible component always exports more than the contract has"
        hint = "leave one of reproducible and contract-only out"
        raise BuildError(Problem("usage", message, hint=hint))


def _component(
    plan: _Plan,
    input_hash: str,
    late: dict[str, tuple[Path, int]],
    progress: Progress | None,
    *,
    force: bool,
) -> tuple[bytes, bool]:
    kept = None if force else cache.cached(input_hash)
    if kept is not None:
        return kept, True
    with cache.building(input_hash):
        # Another process may have built it while this one waited.
        kept = None if force else cache.cached(input_hash)
        if kept is not None:
            return kept, True
        with tempfile.TemporaryDirectory(prefix="evidentsource-build-") as name:
            folder = Path(name)
            plan.staged.write(folder)
            for relative, text in plan.wit_files.items():
                target = folder / "wit" / relative
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text, encoding="utf-8")
            component = componentize(
                folder,
                world=plan.world,
                pure=plan.pure,
                origins=plan.staged.origins,
                late=late,
                progress=progress,
            )
        cache.keep(input_hash, component)
        return component, False


def check_output(path: Path) -> None:
    """Refuse a path that a component cannot be written to, before anything is built.

    Raises:
        OutputError: it is a directory.
    """
    if path.is_dir():
        hint = f"name a file in it, such as {path / 'component.wasm'}"
        raise OutputError(Problem("output-is-a-directory", "a directory", path, hint=hint))


def write_output(path: Path, component: bytes) -> None:
    """Write a component as a whole, or not at all.

    Raises:
        OutputError: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        cache.write_atomically(path, component)
    except OSError as error:
        message = f"the component cannot be written: {error.strerror or error}"
        raise OutputError(Problem("unwritable-output", message, path)) from error
