"""Watch a project, and serve what changes: from source at once, as built when the build is done."""

from __future__ import annotations

import asyncio
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, TypeVar

from watchfiles import DefaultFilter, awatch

from evidentsource_core.domain.definitions import StateViewDefinition
from evidentsource_core.domain.errors import EvidentSourceError
from evidentsource_runtime.build import ComponentSpec, Manifest, build, read_manifest
from evidentsource_runtime.database import Database
from evidentsource_runtime.dev.memory import Memory
from evidentsource_runtime.dev.reports import Report, Tell
from evidentsource_runtime.host import Host
from evidentsource_runtime.instant.sources import gather
from evidentsource_runtime.problems import Problem, ProblemError
from evidentsource_runtime.server import Server

__all__ = ["DevLoop", "Level"]

T = TypeVar("T")
Level: TypeAlias = Literal["instant", "source", "component"]
_SETTLE: Final = 50
"""Milliseconds in which changes that come together count as one."""
_FOLDERS: Final = (*DefaultFilter.ignore_dirs, ".evidentsource", "dist", "build")


class DevLoop:
    """Keeps a server's database at what a project's files say.

    Args:
        server: serves.
        host: runs programs from source; the server's own.
        project: the folder of the project's ``pyproject.toml``.
        level: "instant" serves from source at once and as built when that is ready; "source" builds
            nothing; "component" serves built components only.
        tell: told of everything that happens; it must return at once.
    """

    def __init__(self, server: Server, host: Host, project: Path, level: Level, tell: Tell) -> None:
        self._server = server
        self._host = host
        self._project = project
        self._level = level
        self._tell = tell
        self._served: dict[tuple[str, str], str] = {}
        self._memory = Memory(project / ".evidentsource" / "built.json")
        self._builds: set[asyncio.Task[None]] = set()
        # Builds take the whole machine; the newest source is what somebody waits for.
        self._building = asyncio.Semaphore(1)

    async def run(self) -> None:
        """Serve what there is, and then whatever changes. It ends when it is cancelled."""
        try:
            await self.refresh()
            self._tell(Report("", "ready"))
            async for _ in self._changes():
                await self.refresh()
        finally:
            for task in self._builds:
                task.cancel()

    def _changes(self) -> AsyncIterator[Any]:
        return awatch(
            self._project,
            watch_filter=DefaultFilter(ignore_dirs=_FOLDERS),
            step=_SETTLE,
            debounce=_SETTLE * 4,
        )

    async def refresh(self) -> None:
        """Look at every component; serve those that are not what is served."""
        began = time.perf_counter()
        try:
            manifest = await asyncio.to_thread(read_manifest, self._project / "pyproject.toml")
            hosted = await self._server.service.hosted.get(manifest.database)
        except (ProblemError, EvidentSourceError) as error:
            self._fail("", error, began)
            return
        renewed: list[tuple[ComponentSpec, str]] = []
        # A change may read a view: so views come first, as the manifest has them.
        for spec in manifest.components:
            source = await self._renew(hosted.database, manifest, spec, began)
            if source is not None:
                renewed.append((spec, source))
        if self._level == "source":
            return
        # Only now, so that no build keeps somebody from seeing what was saved.
        for spec, source in renewed:
            task = asyncio.create_task(self._build(hosted.database, manifest, spec, source))
            self._builds.add(task)
            task.add_done_callback(self._builds.discard)

    async def _renew(
        self, database: Database, manifest: Manifest, spec: ComponentSpec, began: float
    ) -> str | None:
        """Serve a component from its source where that is new; what stands for that source then."""
        key = (spec.world, spec.name)
        try:
            source = await asyncio.to_thread(self._hash, manifest, spec)
            if self._served.get(key) == source:
                return None
            if self._memory.built(source) and self._is_built(database, spec, source):
                self._served[key] = source
                return None
            if self._level != "component":
                version = await asyncio.to_thread(self._from_source, database, manifest, spec)
                took = time.perf_counter() - began
                self._tell(Report(spec.name, "instant", version, source.partition(":")[0], took))
            self._served[key] = source
        except (ProblemError, EvidentSourceError) as error:
            self._fail(spec.name, error, began)
            return None
        return source

    def _hash(self, manifest: Manifest, spec: ComponentSpec) -> str:
        program = gather(
            spec.module,
            directory=self._project,
            dependencies=spec.dependencies,
            wit=None if manifest.wit is None else self._project / manifest.wit,
            world=spec.world,
            pure=spec.pure,
            own_paths=not spec.pure,
        )
        return f"{program.input_hash}:{hash_of(spec)}"

    def _is_built(self, database: Database, spec: ComponentSpec, source: str) -> bool:
        code = _code_of(database, spec)
        return code is not None and code.input_hash == self._memory.built(source)

    def _from_source(self, database: Database, manifest: Manifest, spec: ComponentSpec) -> int:
        code = self._host.load_source(
            spec.module,
            directory=self._project,
            dependencies=spec.dependencies,
            wit=None if manifest.wit is None else self._project / manifest.wit,
            world=spec.world,
            pure=spec.pure,
            name=spec.name,
        )
        return _publish(database, spec, code)

    async def _build(
        self, database: Database, manifest: Manifest, spec: ComponentSpec, source: str
    ) -> None:
        """Build it, and let it take over where the source is still the same."""
        began = time.perf_counter()
        key = (spec.world, spec.name)
        async with self._building:
            if self._served.get(key) != source:
                return
            try:
                input_hash, content = await _apart(lambda: self._built(manifest, spec))
                if self._served.get(key) != source:
                    return
                version = await asyncio.to_thread(_settle, database, spec, content)
            except (ProblemError, EvidentSourceError) as error:
                self._fail(spec.name, error, began)
                return
        self._memory.keep(source, input_hash)
        took = time.perf_counter() - began
        self._tell(Report(spec.name, "built", version, input_hash, took))

    def _built(self, manifest: Manifest, spec: ComponentSpec) -> tuple[str, bytes]:
        with tempfile.TemporaryDirectory(prefix="evidentsource-dev-") as folder:
            path = Path(folder, f"{spec.name}.wasm")
            result = build(
                spec.module,
                output=path,
                wit=manifest.wit,
                world=spec.world,
                pure=spec.pure,
                contract_only=spec.contract_only,
                dependencies=spec.dependencies,
                directory=self._project,
            )
            return result.input_hash, path.read_bytes()

    def _fail(self, name: str, error: Exception, began: float) -> None:
        if isinstance(error, ProblemError):
            problems = error.problems
        else:
            problems = (Problem(getattr(error, "code", "failed"), str(error)),)
        took = time.perf_counter() - began
        self._tell(Report(name, "failed", seconds=took, problems=tuple(problems)))


async def _apart(work: Callable[[], T]) -> T:
    """The result of long work, done in a thread that nobody waits for when the process ends."""
    loop = asyncio.get_running_loop()
    result: asyncio.Future[T] = loop.create_future()

    def settle(done: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(lambda: None if result.done() else done())

    def run() -> None:
        try:
            value = work()
        except BaseException as error:  # noqa: BLE001 - it is raised where the result is wanted
            problem = error
            settle(lambda: result.set_exception(problem))
        else:
            settle(lambda: result.set_result(value))

    threading.Thread(target=run, name="evidentsource-dev-build", daemon=True).start()
    return await result


def hash_of(spec: ComponentSpec) -> str:
    """What a component is published as, so that a change of the manifest alone is one too."""
    return repr(spec.definition)


def _code_of(database: Database, spec: ComponentSpec) -> Any:
    is_view = isinstance(spec.definition, StateViewDefinition)
    code = database.code_of_state_view if is_view else database.code_of_state_change
    return code(spec.name, None)


def _publish(database: Database, spec: ComponentSpec, code: Any) -> int:
    publish: Callable[..., Any] = (
        database.publish_state_view
        if isinstance(spec.definition, StateViewDefinition)
        else database.publish_state_change
    )
    version: int = publish(spec.definition, code, if_changed=True).version
    return version


def _settle(database: Database, spec: ComponentSpec, content: bytes) -> int:
    """Make a built component the code of the latest version, or of a new one where that is built."""
    code = _code_of(database, spec)
    if code is None or code.kind != "attached":
        return _publish(database, spec, content)
    if isinstance(spec.definition, StateViewDefinition):
        return database.settle_state_view(spec.name, content).version
    return database.settle_state_change(spec.name, content).version
