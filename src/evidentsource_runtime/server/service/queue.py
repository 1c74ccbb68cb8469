"""The queue of what was accepted to be done later. It is on the disk, and survives restarts.

What is in it is done in the order in which it came, one database beside the other. Everything in it
has a transaction id, so doing it again after a crash changes nothing. An outcome that is a committed
transaction is the database's to tell; of the others the refusal is kept for a while.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

import apsw

from evidentsource_core.domain.errors import DuplicateTransactionId
from evidentsource_runtime.server.service.errors import TransactionFailed, TransactionPending
from evidentsource_runtime.server.service.refusals import Kind, refusal_of
from evidentsource_runtime.server.service.values import Transport, Write
from evidentsource_runtime.server.service.workers import Workers

__all__ = ["Codec", "CommandQueue"]

KEEP_DAYS: Final = 7.0
"""Days for which a refusal is kept."""
RETRY: Final = (0.1, 0.5, 2.0, 10.0)
"""Seconds until what could not be tried is tried again; the last again and again."""
_AGAIN: Final = (Kind.UNAVAILABLE, Kind.UNCERTAIN, Kind.ABORTED, Kind.TIMEOUT)

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS command (
    id INTEGER PRIMARY KEY,
    database TEXT NOT NULL,
    transaction_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    transport TEXT,
    request BLOB NOT NULL,
    accepted REAL NOT NULL,
    refusal TEXT,
    UNIQUE (database, transaction_id)
) STRICT;
CREATE INDEX IF NOT EXISTS command_waiting ON command (id) WHERE refusal IS NULL;
"""
_log = logging.getLogger("evidentsource.server.queue")

Perform = Callable[[Write], Awaitable[object]]


class Codec(Protocol):
    """Requests as bytes, to be kept."""

    def encode(self, write: Write) -> tuple[str, bytes]:
        """The kind of request, and its bytes."""
        ...

    def decode(self, kind: str, content: bytes, transport: Transport | None) -> Write:
        """The request of these bytes."""
        ...


@dataclass(frozen=True, slots=True)
class _Waiting:
    id: int
    database: str
    write: Write


class CommandQueue:
    """What was accepted, and what was refused of it.

    Args:
        path: its file.
        codec: how requests are kept.
        workers: where blocking work is done.
        clock: seconds since 1970.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        codec: Codec,
        workers: Workers,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._codec = codec
        self._workers = workers
        self._clock = clock
        self._db = apsw.Connection(os.fspath(path))
        self._db.set_busy_timeout(5_000)
        self._db.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
        self._db.execute(_SCHEMA)
        # One connection, used by one thread at a time.
        self._turn = asyncio.Lock()
        self._perform: Perform | None = None
        self._lanes: dict[str, asyncio.Task[None]] = {}
        self._waiting: dict[str, list[_Waiting]] = {}

    # --- taking in -----------------------------------------------------------------------------

    async def put(self, write: Write) -> None:
        """Accept a request; it is on the disk when this returns.

        Raises:
            DuplicateTransactionId: its transaction id was accepted for another request.
        """
        async with self._turn:
            number = await self._workers.run(self._insert, write)
        if number is not None:
            self._add(_Waiting(number, write.database, write))

    def _insert(self, write: Write) -> int | None:
        kind, content = self._codec.encode(write)
        transport = write.about.origin.transport
        values = (
            write.database,
            write.transaction_id,
            kind,
            None if transport is None else transport.value,
            content,
            self._clock(),
        )
        columns = "database, transaction_id, kind, transport, request, accepted"
        sql = f"INSERT INTO command ({columns}) VALUES (?, ?, ?, ?, ?, ?) RETURNING id"  # noqa: S608 - from the text above
        try:
            number: int = self._one(sql, values)
        except apsw.ConstraintError:
            same = "SELECT kind = ? AND request = ? FROM command"
            where = "WHERE database = ? AND transaction_id = ?"
            if not self._one(f"{same} {where}", (kind, content, *values[:2])):
                raise DuplicateTransactionId(str(write.transaction_id)) from None
            return None
        return number

    # --- telling -------------------------------------------------------------------------------

    async def check(self, database: str, transaction_id: str) -> None:
        """Say why a transaction is not there, where it was accepted here.

        Raises:
            TransactionPending: it was not done yet.
            TransactionFailed: it was refused.
        """
        async with self._turn:
            row = await self._workers.run(self._find, database, transaction_id)
        if row is None:
            return
        if row[0] is None:
            raise TransactionPending(database, transaction_id)
        kept = json.loads(row[0])
        raise TransactionFailed(kept["code"], kept["kind"], kept["message"], kept["facts"])

    def _find(self, database: str, transaction_id: str) -> Any:
        sql = "SELECT refusal FROM command WHERE database = ? AND transaction_id = ?"
        return next(iter(self._db.execute(sql, (database, transaction_id)).fetchall()), None)

    @property
    def length(self) -> int:
        """How many wait for their turn."""
        return sum(map(len, self._waiting.values()))

    async def forget(self, database: str) -> None:
        """Drop everything of a database that was deleted."""
        lane = self._lanes.get(database)
        if lane is not None:
            lane.cancel()
            await asyncio.gather(lane, return_exceptions=True)
        self._waiting.pop(database, None)
        self._lanes.pop(database, None)
        await self._done("DELETE FROM command WHERE database = ?", (database,))

    # --- working -------------------------------------------------------------------------------

    async def start(self, perform: Perform) -> None:
        """Begin with what is there.

        Args:
            perform: does what a request asks for.
        """
        self._perform = perform
        async with self._turn:
            rows = await self._workers.run(self._load)
        for number, database, kind, transport, content in rows:
            origin = None if transport is None else Transport(transport)
            self._add(_Waiting(number, database, self._codec.decode(kind, content, origin)))

    def _load(self) -> list[Any]:
        oldest = self._clock() - KEEP_DAYS * 86_400
        self._db.execute(
            "DELETE FROM command WHERE refusal IS NOT NULL AND accepted < ?", (oldest,)
        )
        columns = "id, database, kind, transport, request"
        sql = f"SELECT {columns} FROM command WHERE refusal IS NULL ORDER BY id"  # noqa: S608 - from the text above
        return self._db.execute(sql).fetchall()

    def _add(self, waiting: _Waiting) -> None:
        self._waiting.setdefault(waiting.database, []).append(waiting)
        if self._perform is not None and waiting.database not in self._lanes:
            work = self._work(waiting.database)
            self._lanes[waiting.database] = asyncio.create_task(work, name="evidentsource-queue")

    def pause(self) -> None:
        """Take in, and do nothing more until the next start."""
        self._perform = None

    async def _work(self, database: str) -> None:
        """Do what waits for one database, and end when nothing does."""
        line = self._waiting[database]
        while line and (perform := self._perform) is not None:
            await self._do(perform, line[0])
            line.pop(0)
        del self._lanes[database]
        if not line:
            del self._waiting[database]

    async def _do(self, perform: Perform, waiting: _Waiting) -> None:
        tries = 0
        while True:
            try:
                await perform(waiting.write)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is the outcome
                refusal = refusal_of(error)
                if refusal.kind in _AGAIN:
                    await asyncio.sleep(RETRY[min(tries, len(RETRY) - 1)])
                    tries += 1
                    continue
                kept = {
                    "code": refusal.code,
                    "kind": refusal.kind.name,
                    "message": refusal.message,
                    "facts": dict(refusal.facts),
                }
                await self._done(
                    "UPDATE command SET refusal = ? WHERE id = ?", (json.dumps(kept), waiting.id)
                )
            else:
                await self._done("DELETE FROM command WHERE id = ?", (waiting.id,))
            return

    async def _done(self, sql: str, values: tuple[Any, ...]) -> None:
        async with self._turn:
            await self._workers.run(self._one, sql, values)

    def _one(self, sql: str, values: tuple[Any, ...]) -> Any:
        rows = self._db.execute(sql, values).fetchall()
        return rows[0][0] if rows else None

    # --- the end -------------------------------------------------------------------------------

    async def close(self) -> None:
        """Stop working; what waits is done after the next start."""
        self.pause()
        lanes = list(self._lanes.values())
        for lane in lanes:
            lane.cancel()
        await asyncio.gather(*lanes, return_exceptions=True)
        async with self._turn:
            await asyncio.to_thread(self._db.close)
