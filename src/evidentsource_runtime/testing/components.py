"""The components of the rules that are tested: each is made once in a process."""

from __future__ import annotations

import functools
import hashlib
import logging
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Self, TypeAlias

from evidentsource_functions.testing import RuleSource
from evidentsource_runtime.build import build
from evidentsource_runtime.build.cache import building
from evidentsource_runtime.host import (
    CompileProgress,
    Host,
    StateChangeComponent,
    StateViewComponent,
)

Component: TypeAlias = StateViewComponent | StateChangeComponent

_PATIENCE = 2.0
"""Seconds that may pass before somebody who waits is told for what."""
_log = logging.getLogger("evidentsource.testing")


class Components:
    """Makes components out of modules and keeps them.

    Processes that want the same component at once, as those of pytest-xdist do, wait for each
    other; builds and compiled forms come from the cache of the machine.

    Args:
        folder: where built components are written; a temporary one where left out, until
            :meth:`close`.
        tell: told, in a line, what takes long.

    >>> with Components() as components:
    ...     components.built(RuleSource("no_such_module", Path.cwd()))
    Traceback (most recent call last):
    ...
    evidentsource_runtime.build.errors.TargetNotFound: there is no module no_such_module in ...
    """

    def __init__(
        self, folder: Path | None = None, *, tell: Callable[[str], None] = _log.info
    ) -> None:
        self._own = None if folder else tempfile.TemporaryDirectory(prefix="evidentsource-")
        self._folder = Path(self._own.name) if self._own else folder or Path()
        self._tell = tell
        self._told: set[str] = set()
        self._made: dict[tuple[str, RuleSource], Component] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove the files that were written."""
        if self._own is not None:
            self._own.cleanup()

    def tell(self, tell: Callable[[str], None]) -> Callable[[str], None]:
        """Tell somebody else what takes long; who was told before."""
        before, self._tell = self._tell, tell
        return before

    @functools.cached_property
    def host(self) -> Host:
        """The host that they run in."""
        return Host(progress=self._compiling)

    def built(self, source: RuleSource) -> Component:
        """The component that would be shipped.

        Raises:
            BuildError: the module cannot become a component, with file, line and hint.
            ComponentLoadError: it cannot be run here.
        """
        return self._once("built", source, self._build)

    def from_source(self, source: RuleSource) -> Component:
        """The module's source, run in the sandbox without a build.

        Raises:
            BuildError: the module cannot become a component, with file, line and hint.
            ComponentLoadError: the base component cannot be run here.
        """
        return self._once("source", source, self._load_source)

    def _once(
        self, kind: str, source: RuleSource, make: Callable[[RuleSource], Component]
    ) -> Component:
        with self._lock:
            if (kind, source) not in self._made:
                self._made[kind, source] = make(source)
            return self._made[kind, source]

    def _build(self, source: RuleSource) -> Component:
        def told(_what: str, seconds: float) -> None:
            if seconds > _PATIENCE:
                self._once_told(f"building {source.module}, once for this source ...")

        digest = hashlib.sha256(repr(source).encode()).hexdigest()[:16]
        result = build(
            source.module,
            output=self._folder / f"{digest}.wasm",
            directory=source.directory,
            pure=source.pure,
            dependencies=source.dependencies,
            wit=source.wit,
            progress=told,
        )
        # Whoever else built it just now compiles it too: one does it, the others wait.
        with building(result.input_hash):
            return self.host.load(result.path, name=source.module)

    def _load_source(self, source: RuleSource) -> Component:
        return self.host.load_source(
            source.module,
            directory=source.directory,
            pure=source.pure,
            dependencies=source.dependencies,
            wit=source.wit,
        )

    def _compiling(self, progress: CompileProgress) -> None:
        if not progress.done:
            self._once_told(f"preparing {progress.component} for this machine, once ...")

    def _once_told(self, line: str) -> None:
        if line not in self._told:
            self._told.add(line)
            self._tell(line)


@functools.cache
def session_components() -> Components:
    """The components of this process."""
    return Components()
