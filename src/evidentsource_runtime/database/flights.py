"""One at a time for each key: who comes second waits, and finds what the first has made."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Iterator
from contextlib import contextmanager

__all__ = ["Flights"]


class Flights:
    """Locks by key, there as long as somebody needs them.

    >>> flights = Flights()
    >>> with flights.one("account-summary"):
    ...     len(flights)
    1
    >>> len(flights)
    0
    """

    def __init__(self) -> None:
        self._locks: dict[Hashable, tuple[threading.Lock, int]] = {}
        self._guard = threading.Lock()

    def __len__(self) -> int:
        return len(self._locks)

    @contextmanager
    def one(self, key: Hashable) -> Iterator[None]:
        """Be the only one with this key."""
        with self._guard:
            lock, waiting = self._locks.get(key, (threading.Lock(), 0))
            self._locks[key] = (lock, waiting + 1)
        try:
            with lock:
                yield
        finally:
            with self._guard:
                lock, waiting = self._locks[key]
                if waiting == 1:
                    del self._locks[key]
                else:
                    self._locks[key] = (lock, waiting - 1)
