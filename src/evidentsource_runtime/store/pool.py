"""Connections for reading: each is used by one thread at a time, and kept for the next.

One of them has a large cache, and is given out whenever it is free: whoever reads alone finds there what
it has read before.
"""

from __future__ import annotations

import base64
import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from types import TracebackType
from typing import Any

import apsw

from evidentsource_core.domain.flat_selectors import Program, holds
from evidentsource_runtime.store.connecting import LARGE_CACHE_KIB, SMALL_CACHE_KIB
from evidentsource_runtime.store.errors import StoreClosed, StoreForked
from evidentsource_runtime.store.faults import translated

KEPT = 8
"""Idle connections that are kept."""


class Pool:
    """Gives out reading connections.

    Args:
        path: the file, for errors.
        connect: opens one, with a cache of so many KiB.
    """

    def __init__(self, path: str, connect: Callable[[int], apsw.Connection]) -> None:
        self.path = path
        self._connect = connect
        self._idle: list[apsw.Connection] = []
        self._large: apsw.Connection | None = None
        self._lock = Lock()
        self._closed = False
        self._process = os.getpid()
        self._programs: dict[int, Program] = {}
        self._numbers = itertools.count(1)

    def connection(self) -> Lease:
        """A connection, for as long as a block runs.

        Raises:
            StoreClosed: the pool was closed.
            StoreForked: the store was opened in a parent of this process.
            StoreError: what SQLite raised inside.
        """
        return Lease(self)

    @contextmanager
    def snapshot(self) -> Iterator[apsw.Connection]:
        """A connection that sees one state of the file, whatever is committed meanwhile."""
        with self.connection() as db:
            db.execute("BEGIN")
            try:
                yield db
            finally:
                db.execute("ROLLBACK")

    @contextmanager
    def program(self, program: Program) -> Iterator[int]:
        """A number by which the SQL function ``selects`` knows a selector."""
        number = next(self._numbers)
        self._programs[number] = program
        try:
            yield number
        finally:
            del self._programs[number]

    def prepare(self, db: apsw.Connection) -> None:
        """Give a connection the SQL functions ``selects`` and ``base64``."""
        db.create_scalar_function("selects", self._selects, 4)
        db.create_scalar_function("base64", _base64, 1, deterministic=True)

    def _selects(self, *values: Any) -> bool:
        number, stream, subject, event_type = values
        return holds(self._programs[number], stream, subject, event_type)

    def take(self) -> apsw.Connection:
        """A connection that nobody else uses."""
        if os.getpid() != self._process:
            raise StoreForked(self.path)
        with self._lock:
            if self._closed:
                raise StoreClosed(self.path)
            if self._idle:
                return self._idle.pop()
            large = self._large is None
        db = self._connect(LARGE_CACHE_KIB if large else SMALL_CACHE_KIB)
        self.prepare(db)
        if large:
            self._large = db
        return db

    def give_back(self, db: apsw.Connection) -> None:
        """Let the next one use a connection."""
        with self._lock:
            if not self._closed and len(self._idle) < KEPT:
                # The next one gets the one with the large cache, if that is there.
                self._idle.insert(len(self._idle) if db is self._large else 0, db)
                return
            if db is self._large:
                self._large = None
        db.close()

    def close(self) -> None:
        """Close what is idle; what is in use is closed when it comes back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for db in idle:
            db.close()


class Lease:
    """A connection of a pool while a block runs; written out since it is on the way of every read."""

    __slots__ = ("_db", "_pool")

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def __enter__(self) -> apsw.Connection:
        try:
            self._db = self._pool.take()
        except apsw.Error as error:
            raise translated(self._pool.path, error) from error
        return self._db

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._pool.give_back(self._db)
        if isinstance(exc, apsw.Error):
            raise translated(self._pool.path, exc) from exc


def _base64(*values: Any) -> str:
    (data,) = values
    return base64.b64encode(data).decode()
