"""Who gathers: a thread of the store's own, from when there is something to gather and nobody writes."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from typing import Final

from evidentsource_runtime.store.errors import StoreClosed, StoreError
from evidentsource_runtime.store.gathering import Step
from evidentsource_runtime.store.ways import LARGEST

LOOK_EVERY: Final = 1.0
"""Seconds without a commit from which on nobody is taken to write."""
BUSY_LOOKS: Final = 10
"""Looks after which a step is taken though somebody writes, so that it is done at some time."""

_log = logging.getLogger("evidentsource.store")


class Gatherer:
    """Takes the steps of :mod:`gathering` while the store is idle.

    Args:
        path: the file.
        latest: gives the latest revision.
        due_at: gives the revision from which on there is something to gather.
        step: takes one step, of a new pass where none is under way.
    """

    def __init__(
        self,
        path: str,
        latest: Callable[[], int],
        due_at: Callable[[], int],
        step: Callable[[], Step],
    ) -> None:
        self._path = path
        self._latest = latest
        self._due_at = due_at
        self._step = step
        self._wanted, self._ended = Event(), Event()
        self._thread: Thread | None = None
        self.due = LARGEST
        """The revision at which :meth:`wake` is to be called."""

    def wake(self) -> None:
        """There is something to gather. Called by whoever commits, so that it must not fail."""
        self.due = LARGEST
        self._wanted.set()
        if self._thread is None:
            thread = Thread(target=self._serve, name="evidentsource-gatherer", daemon=True)
            try:
                thread.start()
            except RuntimeError as error:
                _log.warning("%s: events are not gathered: %s", self._path, error)
                return
            self._thread = thread

    def close(self) -> None:
        """Gather no more."""
        self.due = LARGEST
        self._ended.set()
        self._wanted.set()
        if self._thread is not None:
            self._thread.join()

    def _serve(self) -> None:
        try:
            while not self._ended.is_set():
                self._wanted.wait()
                self._wanted.clear()
                self._gather()
        except StoreClosed:
            return
        except StoreError as error:
            # Nothing depends on it. It goes on when the store is opened again.
            _log.warning("%s: events are no longer gathered: %s", self._path, error)

    def _gather(self) -> None:
        """Take the steps of one pass."""
        looks, before = 0, -1
        while not self._ended.wait(LOOK_EVERY):
            looks, latest = looks + 1, self._latest()
            idle, before = latest == before, latest
            if not idle and looks % BUSY_LOOKS:
                continue
            if not self._has_room():
                _log.warning(
                    "%s: events are not gathered, since the disk is nearly full", self._path
                )
                return
            if self._steps(latest, idle=idle):
                self.due = self._due_at()
                return

    def _steps(self, latest: int, *, idle: bool) -> bool:
        """Take one step, or several until somebody writes; whether the pass is at its end."""
        while True:
            start = time.perf_counter()
            if self._step().done:
                return True
            # Half of the time is for others.
            if self._ended.wait(time.perf_counter() - start) or not idle:
                return False
            if self._latest() != latest:
                return False

    def _has_room(self) -> bool:
        """Whether the file could grow to twice its size, so that no event wants for what copies take."""
        try:
            free = shutil.disk_usage(Path(self._path).absolute().parent).free
            return free > Path(self._path).stat().st_size
        except OSError:
            return False
