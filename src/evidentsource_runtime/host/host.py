"""The host: where components are loaded."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from pathlib import Path

from evidentsource_core.domain.errors import InvalidType
from evidentsource_runtime.cachedir import CacheDirectoryError, cache_directory
from evidentsource_runtime.host.cache import CompiledCache
from evidentsource_runtime.host.components import (
    StateChangeComponent,
    StateViewComponent,
    checked_batch_size,
)
from evidentsource_runtime.host.convert.shapes import World
from evidentsource_runtime.host.convert.stock import StockCodec
from evidentsource_runtime.host.engine import make_engine
from evidentsource_runtime.host.errors import ComponentError, ComponentLoadError
from evidentsource_runtime.host.instances import Instance, Template
from evidentsource_runtime.host.loading import Loaded, Progress, Source, load
from evidentsource_runtime.host.output import DEFAULT_CAP
from evidentsource_runtime.host.trace import SourceMap

DEFAULT_CONTENT_LIMIT = 2 * 1024 * 1024
"""Bytes of one value: the content of a view, a command's body, an event's binary payload. wasmtime
itself ends a call with somewhat more, in words that nobody understands."""
DEFAULT_BATCH_SIZE = 500

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
        content_limit: the most bytes of one value that crosses the boundary; wasmtime has a limit of
            its own between 2.5 and 3 MB.
        output_limit: bytes kept, of each call, of what the component prints to each of its streams.
        source_roots: directories in which the source files of components lie, for tracebacks of
            components that do not say so themselves.
        progress: told, about four times a second, while a component is compiled.

    A host may be used from several threads; with the present conversion, the calls of one process
    into components take turns.

    Raises:
        CacheDirectoryError: ``cache_dir`` cannot be used, or is not safe to.
    """

    def __init__(
        self,
        cache_dir: str | os.PathLike[str] | None = None,
        *,
        batch_size: int = DEFAULT_BATCH_SIZE,
        content_limit: int = DEFAULT_CONTENT_LIMIT,
        output_limit: int = DEFAULT_CAP,
        source_roots: Iterable[str | os.PathLike[str]] = (),
        progress: Progress | None = None,
    ) -> None:
        self._engine = make_engine()
        self._cache = _default_cache() if cache_dir is None else CompiledCache(Path(cache_dir))
        self._batch_size = checked_batch_size(batch_size)
        self._content_limit = content_limit
        self._output_limit = output_limit
        if isinstance(source_roots, (str, os.PathLike)):
            raise InvalidType("source_roots", "a list of directories", source_roots)
        self._source_roots = tuple(Path(root) for root in source_roots)
        self._progress = progress

    def load(
        self, source: Source, *, name: str | None = None
    ) -> StateViewComponent | StateChangeComponent:
        """Load a component: from the cache in milliseconds, or compiled in some seconds.

        Args:
            source: its path, or its bytes.
            name: what to call it in messages and logs; by default after its file.

        Returns:
            The kind of component that it is, by what it exports.

        Raises:
            ComponentLoadError: it cannot be read, is no component, or is one of another world.
        """
        loaded = load(source, name, self._engine, self._cache, self._progress)
        codec = StockCodec(loaded.name, loaded.contract, self._content_limit)
        template = Template(
            loaded, self._engine, codec, self._source_map(loaded), self._output_limit
        )
        # Whatever cannot be linked or started is told here, not at the first call.
        try:
            Instance(template).close()
        except ComponentError as error:
            raise ComponentLoadError(
                loaded.name,
                f"it cannot be started: {error.reason}",
                guest_traceback=error.guest_traceback,
            ) from error
        if loaded.contract.world is World.STATE_VIEW:
            return StateViewComponent(loaded, template, self._batch_size)
        return StateChangeComponent(loaded, template)

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


def _default_cache() -> CompiledCache | None:
    try:
        return CompiledCache(cache_directory("compiled"))
    except CacheDirectoryError as error:
        _log.warning("components are compiled at every load: %s", error)
        return None
