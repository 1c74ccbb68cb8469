"""The host: where components are loaded."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from evidentsource_core.domain.errors import InvalidType, InvalidValue
from evidentsource_runtime.cachedir import CacheDirectoryError, cache_directory
from evidentsource_runtime.host.cache import CompiledCache
from evidentsource_runtime.host.components import (
    StateChangeComponent,
    StateViewComponent,
    checked_batch_size,
)
from evidentsource_runtime.host.convert.choice import choose_codec
from evidentsource_runtime.host.convert.packed.sheet import Cells
from evidentsource_runtime.host.convert.shapes import World
from evidentsource_runtime.host.deterministic import Deterministic
from evidentsource_runtime.host.engines import Engines
from evidentsource_runtime.host.errors import (
    ComponentError,
    ComponentLimitError,
    ComponentLoadError,
)
from evidentsource_runtime.host.instances import Prepare, Template
from evidentsource_runtime.host.limits import Limits
from evidentsource_runtime.host.loading import Bases, Loaded, Progress, Source, load
from evidentsource_runtime.host.output import DEFAULT_CAP
from evidentsource_runtime.host.progress import TERMINAL
from evidentsource_runtime.host.trace import SourceMap

DEFAULT_BATCH_SIZE = 500
DEFAULT_LIMITS = Limits()

_log = logging.getLogger("evidentsource.host")


class Host:
    """Loads components and gives them what they need to run: and no more than that.

    A component has no files, no environment, no arguments and no network. What it prints goes to the
    logger ``evidentsource.component.NAME``.

    Args:
        cache_dir: where compiled components are kept. By default that is the user's own cache
            directory, or ``compiled`` below the directory in ``EVIDENTSOURCE_CACHE_DIR``. Nobody
            else may be able to write there.
        batch_size: how many events a view is given at once.
        limits: what one call of a component may take: time, memory, sizes.
        lane: whether batches of events go as text to views that take them so, which gives the same
            and is many times faster; by the contract alone otherwise.
        deterministic: what components take for the time and for chance, so that a decision can be
            repeated exactly; both are live by default.
        output_limit: bytes kept, of each call, of what the component prints to each of its streams.
        source_roots: directories in which the source files of components lie, for tracebacks of
            components that do not say so themselves.
        progress: told, about four times a second, while a component is compiled; by default a
            person at a terminal is, and nobody where it is None.

    A host may be used from several threads, and calls on several threads run in parallel. Where the
    packed codec does not work, which the logger ``evidentsource.host`` tells, they take turns instead;
    the environment variable ``EVIDENTSOURCE_CODEC`` (``packed`` or ``stock``) forces one.

    Raises:
        CacheDirectoryError: ``cache_dir`` cannot be used, or is not safe to.
    """

    def __init__(
        self,
        cache_dir: str | os.PathLike[str] | None = None,
        *,
        batch_size: int = DEFAULT_BATCH_SIZE,
        limits: Limits = DEFAULT_LIMITS,
        lane: bool = True,
        deterministic: Deterministic | None = None,
        output_limit: int = DEFAULT_CAP,
        source_roots: Iterable[str | os.PathLike[str]] = (),
        progress: Progress | None = TERMINAL,
    ) -> None:
        self._cache = _default_cache() if cache_dir is None else CompiledCache(Path(cache_dir))
        self._batch_size = checked_batch_size(batch_size)
        self._limits = limits
        self._lane = lane
        self._deterministic = deterministic
        self._output_limit = output_limit
        self._cells = Cells(limits.content_bytes)
        if isinstance(source_roots, (str, os.PathLike)):
            raise InvalidType("source_roots", "a list of directories", source_roots)
        self._source_roots = tuple(Path(root) for root in source_roots)
        self._progress = progress
        self._lock = threading.Lock()
        self._rooms: dict[int, Bases] = {}
        self._bases = self._room(limits)

    def load(
        self,
        source: Source,
        *,
        name: str | None = None,
        limits: Limits | None = None,
        lane: bool | None = None,
        ahead: int = 0,
    ) -> StateViewComponent | StateChangeComponent:
        """Load a component: from the cache in milliseconds, or compiled in some seconds.

        Args:
            source: its path, or its bytes.
            name: what to call it in messages and logs; by default after its file.
            limits: what one call of it may take; the host's limits by default.
            lane: whether batches of events may go to it as text; the host's choice by default.
            ahead: how many instances of a state change are kept ready for the next decisions, made
                on another thread after the first one; that answers sooner where decisions come one
                by one, and takes a second processor for a moment.

        Returns:
            The kind of component that it is, by what it exports.

        Raises:
            ComponentLoadError: it cannot be read, is no component, or is one of another world.
            ComponentLimitError: it takes more than it may already to start.
            InvalidType: ``ahead`` is no whole number.
            InvalidValue: ``ahead`` is negative.
        """
        _check_ahead(ahead)
        engine = self._room(limits or self._limits).engines.alone
        loaded = load(source, name, engine, self._cache, self._progress)
        sources = self._source_map(loaded)
        return self._start(loaded, sources, limits=limits, lane=lane, most_ahead=ahead)

    def load_source(
        self,
        module_or_path: str | os.PathLike[str],
        *,
        directory: str | os.PathLike[str] | None = None,
        dependencies: Iterable[str] = (),
        wit: str | os.PathLike[str] | None = None,
        world: str | None = None,
        pure: bool = False,
        name: str | None = None,
        limits: Limits | None = None,
        lane: bool | None = None,
    ) -> StateViewComponent | StateChangeComponent:
        """Run a user's modules in the sandbox without building them: in milliseconds after an edit.

        They are handed as text to a base component that holds the SDK. That is built once for each
        version of the SDK and each contract, and compiled once on each machine, which together take
        about a minute; ``progress`` is told. Results, errors and limits are those of the component
        that a build would make; what must differ stands in ``docs/instant.md``.

        Args:
            module_or_path: "orders.view", "orders/view.py", or a package's folder.
            directory: where relative paths and modules are looked for; the current directory where
                left out.
            dependencies: distributions in pure Python that the modules may use, by name.
            wit: another ``decider.wit``; the SDK's own where left out.
            world: the world's name, where it does not show from the source.
            pure: whether to take clock, randomness and files away, already from the import on.
            name: what to call it in messages and logs; by default after its module.
            limits: what one call of it may take; the host's limits by default.
            lane: whether batches of events may go to it as text; the host's choice by default.

        Raises:
            BuildError: the modules cannot become a component, with file, line and hint; or they
                cannot be imported, with the guest's traceback.
            ComponentLoadError: the base component cannot be run here.
        """
        # The room above this one, which knows builds and hosts: it is entered when asked for.
        from evidentsource_runtime.instant.loading import load_program  # noqa: PLC0415

        return load_program(
            partial(self._start, ahead=True, limits=limits, lane=lane),
            self._room(limits or self._limits),
            module_or_path,
            name=name,
            directory=None if directory is None else Path(directory),
            dependencies=dependencies,
            wit=wit,
            world=world,
            pure=pure,
        )

    def _start(
        self,
        loaded: Loaded,
        sources: SourceMap,
        prepare: Prepare | None = None,
        *,
        ahead: bool = False,
        limits: Limits | None = None,
        lane: bool | None = None,
        most_ahead: int = 0,
    ) -> StateViewComponent | StateChangeComponent:
        limits = limits or self._limits
        engines = self._room(limits).engines
        codec = choose_codec(loaded.name, loaded.contract, limits, self._cells)
        template = Template(
            loaded,
            engines,
            codec,
            sources,
            self._output_limit,
            limits,
            self._deterministic,
            prepare,
            most_ahead,
        )
        # Whatever cannot be linked or started is told here, not at the first call.
        try:
            instance = template.first()
        except ComponentLimitError:
            raise
        except ComponentError as error:
            raise ComponentLoadError(
                loaded.name,
                f"it cannot be started: {error.reason}",
                guest_traceback=error.guest_traceback,
            ) from error
        # Where a program was imported for it, it is worth keeping; otherwise the memory is.
        if ahead:
            template.keep_ahead(instance)
        else:
            instance.close()
        if loaded.contract.world is World.STATE_VIEW:
            allowed = self._lane if lane is None else lane
            return StateViewComponent(loaded, template, self._batch_size, lane=allowed)
        return StateChangeComponent(loaded, template)

    def _room(self, limits: Limits) -> Bases:
        """The engines for these limits and their base components; the stack is a matter of engines."""
        with self._lock:
            if limits.stack_bytes not in self._rooms:
                engines = Engines(limits.stack_bytes)
                self._rooms[limits.stack_bytes] = Bases(engines, self._cache, self._progress)
            return self._rooms[limits.stack_bytes]

    def _source_map(self, loaded: Loaded) -> SourceMap:
        sources = loaded.facts.sources if loaded.facts else None
        if loaded.path is None:
            return SourceMap(sources, roots=self._source_roots)
        path = loaded.path.absolute()
        return SourceMap(
            sources,
            # A component mostly stands somewhere in the project that it was built from.
            projects=path.parents,
            roots=self._source_roots,
            built_at=path.stat().st_mtime,
        )


def _check_ahead(ahead: int) -> None:
    if isinstance(ahead, bool) or not isinstance(ahead, int):
        raise InvalidType("ahead", "int", ahead)
    if ahead < 0:
        raise InvalidValue("ahead", f"must be 0 instances or more, got {ahead}")


def _default_cache() -> CompiledCache | None:
    try:
        return CompiledCache(cache_directory("compiled"))
    except CacheDirectoryError as error:
        _log.warning("components are compiled at every load: %s", error)
        return None
