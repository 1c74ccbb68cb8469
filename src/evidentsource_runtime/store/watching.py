"""Who waits for new revisions: in this process by a signal, in another by looking."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from threading import Condition, Event, Lock, Thread
from typing import Final

from evidentsource_runtime.store.errors import StoreClosed, StoreError
from evidentsource_runtime.store.interface import Head
from evidentsource_runtime.store.rows import microseconds, moment

LOOK_EVERY: Final = 0.02
"""Seconds between two looks at a file that another process writes."""

Told = Callable[[Head], None]
_log = logging.getLogger("evidentsource.store")


class Watch:
    """The latest revision that is known here, and those who want to know of the next.

    Args:
        path: the file, for errors.
        head: the latest revision.
    """

    def __init__(self, path: str, head: Head) -> None:
        self._path = path
        self._latest = (head.revision, microseconds(head.timestamp)[0])
        self._lock = Lock()
        self._changed = Condition(self._lock)
        self._waiting = 0
        self._closed = False
        self._told: dict[object, Told] = {}

    @property
    def head(self) -> Head:
        """The latest revision that is known."""
        revision, recorded = self._latest
        return Head(revision, moment(recorded))

    @property
    def revision(self) -> int:
        """The same without its time."""
        return self._latest[0]

    def announce(self, revision: int, recorded: int) -> None:
        """There is a new revision, recorded so many microseconds after 1970."""
        if revision <= self._latest[0]:
            return
        self._latest = (revision, recorded)
        # Whoever begins to wait after this look finds the revision there.
        if not self._waiting and not self._told:
            return
        with self._lock:
            self._changed.notify_all()
            told = list(self._told.values())
        head = Head(revision, moment(recorded))
        for tell in told:
            try:
                tell(head)
            except Exception:  # noqa: BLE001 - whatever it is, it is theirs
                # A commit is not undone because somebody who is told of it fails.
                _log.exception("%s: a subscriber failed at revision %s", self._path, revision)

    def wait(self, after: int, timeout: float | None) -> Head:
        """The head as soon as it lies after a revision, or when the time has run out.

        Raises:
            StoreClosed: it was closed meanwhile.
        """
        with self._lock:
            self._waiting += 1
            try:
                self._changed.wait_for(lambda: self._closed or self._latest[0] > after, timeout)
            finally:
                self._waiting -= 1
            if self._closed:
                raise StoreClosed(self._path)
            return self.head

    def subscribe(self, told: Told) -> Callable[[], None]:
        """Have a function called with each new head; returns what ends that."""
        key = object()
        with self._lock:
            self._told[key] = told

        def end() -> None:
            with self._lock:
                self._told.pop(key, None)

        return end

    def close(self) -> None:
        """Wake whoever waits."""
        with self._lock:
            self._closed = True
            self._told.clear()
            self._changed.notify_all()


class Lookout:
    """Looks at a file that another process writes, from the first time that somebody waits.

    Args:
        watch: is told.
        look: gives the head, if it may have changed since the last look.
    """

    def __init__(self, watch: Watch, look: Callable[[], Head | None]) -> None:
        self._watch = watch
        self._look = look
        self._ended = Event()
        self._thread: Thread | None = None
        self._starting = Condition()

    def start(self) -> None:
        """Look from now on."""
        with self._starting:
            if self._thread is None and not self._ended.is_set():
                self._thread = Thread(target=self._serve, name="evidentsource-lookout", daemon=True)
                self._thread.start()

    def _serve(self) -> None:
        while not self._ended.wait(LOOK_EVERY):
            try:
                head = self._look()
            except StoreClosed:
                return
            except StoreError as error:
                _log.warning("looking for new revisions: %s", error)
                time.sleep(LOOK_EVERY)
                continue
            if head is not None:
                self._watch.announce(head.revision, microseconds(head.timestamp)[0])

    def close(self) -> None:
        """Look no more."""
        with self._starting:
            self._ended.set()
        if self._thread is not None:
            self._thread.join()
