"""What the next call needs, made while nobody waits: on one thread of the process.

A decision runs in an instance of its own. Making one and ending it is a good part of a short decision,
and neither has to happen while a caller waits for the answer.
"""

from __future__ import annotations

import logging
import os
import queue
import threading
from collections.abc import Callable

MOST = 4
"""Pieces of work that may wait; what comes beyond that is done by whoever brings it."""

_log = logging.getLogger("evidentsource.host")


class Ahead:
    """The thread. It starts with the first piece of work, and does them one after the other."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._work: queue.Queue[Callable[[], None]] = queue.Queue(MOST)
        self._thread: threading.Thread | None = None

    def takes(self, work: Callable[[], None]) -> bool:
        """Do ``work`` soon; or return False, where too much is waiting."""
        try:
            self._work.put_nowait(work)
        except queue.Full:
            return False
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="evidentsource-ahead", daemon=True
                )
                self._thread.start()
        return True

    def wait(self) -> None:
        """Wait until everything is done."""
        self._work.join()

    def _run(self) -> None:
        while True:
            work = self._work.get()
            try:
                work()
            except Exception as error:  # noqa: BLE001 - the call that needs it meets it again
                _log.debug("an instance could not be made ahead: %s", error)
            finally:
                del work
                self._work.task_done()


AHEAD = Ahead()
"""The one of this process."""

if hasattr(os, "register_at_fork"):
    # No thread but the one that forks lives on in the child.
    os.register_at_fork(after_in_child=AHEAD.__init__)  # type: ignore[misc]  # as new, under its name
