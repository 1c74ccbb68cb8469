"""The databases that are open, each with those who wait for its next revision."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime

from evidentsource_core.domain.errors import DatabaseNotFound, EvidentSourceError
from evidentsource_runtime.database import Database
from evidentsource_runtime.server.service.errors import ServerStopping
from evidentsource_runtime.server.service.folder import DatabaseFolder
from evidentsource_runtime.server.service.values import DatabaseState
from evidentsource_runtime.server.service.workers import Workers
from evidentsource_runtime.store import EventStore, Head

__all__ = ["Hosted", "HostedDatabases", "Pulse", "state_at"]


class Pulse:
    """The latest revision, for any number of tasks that wait for the next one. None takes a thread.

    Args:
        store: tells of commits.
        loop: the loop that the tasks are on.
    """

    def __init__(self, store: EventStore, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._changed = asyncio.Event()
        self._ended: Callable[[], EvidentSourceError] | None = None
        self.head = store.head()
        self._end = store.subscribe(self._told)
        # Read again, since a commit may fall between the two.
        self._told(store.head())

    def _told(self, head: Head) -> None:
        try:
            self._loop.call_soon_threadsafe(self._wake, head)
        except RuntimeError:
            # The loop is closed, and nobody waits on it any more.
            return

    def _wake(self, head: Head) -> None:
        if head.revision > self.head.revision:
            self.head = head
            self._signal()

    def _signal(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def after(self, revision: int) -> Head:
        """The latest revision, as soon as it lies after ``revision``.

        Raises:
            EvidentSourceError: why there will be no more of them.
        """
        while True:
            if self._ended is not None:
                raise self._ended()
            if self.head.revision > revision:
                return self.head
            await self._changed.wait()

    def end(self, reason: Callable[[], EvidentSourceError]) -> None:
        """There will be no more; whoever waits is told why, each by an error of its own."""
        self._end()
        self._ended = reason
        self._signal()


class Hosted:
    """A database that is open."""

    def __init__(self, database: Database, pulse: Pulse) -> None:
        self.database = database
        self.pulse = pulse

    @property
    def store(self) -> EventStore:
        """Its events."""
        return self.database.store


class HostedDatabases:
    """Opens databases when they are first asked for, and keeps them open.

    Args:
        folder: has them.
        workers: where they are opened.
    """

    def __init__(self, folder: DatabaseFolder, workers: Workers) -> None:
        self._folder = folder
        self._workers = workers
        self._open: dict[str, Hosted] = {}
        self._turns: dict[str, asyncio.Lock] = {}
        self._stopping = False

    @property
    def stopping(self) -> bool:
        """Whether they are about to be closed."""
        return self._stopping

    async def names(self) -> list[str]:
        """The names of all databases, in order."""
        return await self._workers.run(self._folder.names)

    async def get(self, name: str) -> Hosted:
        """A database.

        Raises:
            DatabaseNotFound: there is none of that name.
            InvalidDatabaseName: none can have it.
        """
        found = self._open.get(name)
        return found or await self._enter(name, self._folder.open)

    async def create(self, name: str) -> Hosted:
        """A new database.

        Raises:
            DatabaseAlreadyExists: there is one of that name.
        """
        return await self._enter(name, self._folder.create)

    async def delete(self, name: str) -> DatabaseState:
        """Delete a database; those who wait for it are told. Its last state."""
        hosted = await self.get(name)
        async with self._turn(name):
            if self._open.pop(name, None) is not hosted:
                raise DatabaseNotFound(name)
            hosted.pulse.end(lambda: DatabaseNotFound(name))
            state = await self._workers.run(state_at, hosted.store, hosted.store.head())
            await self._workers.run(hosted.database.close)
            await self._workers.run(self._folder.delete, name)
        return state

    async def _enter(self, name: str, enter: Callable[[str], Database]) -> Hosted:
        async with self._turn(name):
            if self._stopping:
                raise ServerStopping
            found = self._open.get(name)
            if found is not None and enter == self._folder.open:
                return found
            database = await self._workers.run(enter, name)
            pulse = await self._workers.run(Pulse, database.store, asyncio.get_running_loop())
            hosted = self._open[name] = Hosted(database, pulse)
        return hosted

    def _turn(self, name: str) -> asyncio.Lock:
        # Names that do not exist are asked for too; their locks go when nobody holds them.
        for idle in [each for each, lock in self._turns.items() if not lock.locked()]:
            if idle not in self._open and len(self._turns) > len(self._open) + 100:
                del self._turns[idle]
        return self._turns.setdefault(name, asyncio.Lock())

    def end_waits(self) -> None:
        """Tell everybody who waits that the server stops."""
        self._stopping = True
        for hosted in self._open.values():
            hosted.pulse.end(ServerStopping)

    async def close(self) -> None:
        """Close every database, and let go of the folder."""
        self.end_waits()
        for hosted in self._open.values():
            await asyncio.to_thread(hosted.database.close)
        self._open.clear()
        self._folder.close()


def state_at(store: EventStore, head: Head) -> DatabaseState:
    """A database at a revision that it has."""
    record = next(store.log(head.revision), None) if head.revision else None
    return DatabaseState(
        store.name,
        store.created_at,
        0 if record is None else record.basis,
        head.revision,
        head.timestamp,
    )


async def states_after(
    hosted: Hosted, workers: Workers, revision: int
) -> AsyncIterator[DatabaseState]:
    """The state after each transaction behind a revision, as they are committed. It does not end.

    Nothing is kept for a reader that is slow: what it has not seen is read when it asks.
    """
    created: datetime = hosted.store.created_at
    while True:
        head = await hosted.pulse.after(revision)
        first, last = revision + 1, head.revision
        async for record in workers.stream(lambda a=first, b=last: hosted.store.log(a, b)):  # type: ignore[misc]  # a lambda's defaults have no types
            yield DatabaseState(
                hosted.store.name, created, record.basis, record.revision, record.timestamp
            )
        revision = head.revision
