"""Databases as a whole: created, deleted, listed, and looked at as they stand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

from evidentsource_core.domain.errors import DatabaseNotFound
from evidentsource_core.domain.identifiers import DatabaseName
from evidentsource_runtime.server.access.principals import Principal, Role
from evidentsource_runtime.server.service.hosted import (
    Hosted,
    HostedDatabases,
    state_at,
    states_after,
)
from evidentsource_runtime.server.service.queue import CommandQueue
from evidentsource_runtime.server.service.values import DatabaseState
from evidentsource_runtime.server.service.workers import Workers

__all__ = ["DatabaseCalls"]


class DatabaseCalls:
    """What can be asked of databases as a whole.

    Every call takes the caller first, and raises ``PermissionDenied`` where it may not ask.

    Args:
        hosted: the databases.
        workers: where blocking work is done.
        queue: has what is to be done later.
    """

    def __init__(self, hosted: HostedDatabases, workers: Workers, queue: CommandQueue) -> None:
        self._hosted = hosted
        self._workers = workers
        self._queue = queue

    async def create(self, caller: Principal, name: str) -> DatabaseState:
        """Make a database; its state, at revision 0.

        Raises:
            InvalidDatabaseName: none can have that name.
            DatabaseAlreadyExists: one has it.
        """
        caller.require_creator("create a database")
        DatabaseName(name)
        return await self._state(await self._hosted.create(name))

    async def delete(self, caller: Principal, name: str) -> DatabaseState:
        """Delete a database for good; its last state.

        Raises:
            DatabaseNotFound: there is none of that name.
        """
        caller.require_creator(f"delete database {name!r}")
        state = await self._hosted.delete(name)
        await self._queue.forget(name)
        return state

    async def catalog(self, caller: Principal) -> AsyncIterator[str]:
        """The names of the databases that the caller may see, in order."""
        for name in await self._hosted.names():
            if caller.grants.database_creator or caller.grants.sees(name):
                yield name

    async def latest(self, caller: Principal, name: str) -> DatabaseState:
        """A database as its file has it now.

        Raises:
            DatabaseNotFound: there is none of that name.
        """
        hosted = await self.readable(caller, name)
        return await self._state(hosted)

    async def cached(self, caller: Principal, name: str) -> DatabaseState:
        """A database as this server last heard of it, which may be a moment ago.

        Raises:
            DatabaseNotFound: there is none of that name.
        """
        hosted = await self.readable(caller, name)
        return await self._workers.run(state_at, hosted.store, hosted.pulse.head)

    async def at_revision(self, caller: Principal, name: str, revision: int) -> DatabaseState:
        """A database at a revision, as soon as that exists: it waits as long as it takes.

        Raises:
            DatabaseNotFound: there is none of that name, or it was deleted meanwhile.
            ServerStopping: the server stops before that.
        """
        hosted = await self.readable(caller, name)
        if revision > 0:
            await hosted.pulse.after(revision - 1)
        return await self._workers.run(_at_revision, hosted, revision)

    async def at_time(self, caller: Principal, name: str, recorded: datetime) -> DatabaseState:
        """A database as it was recorded at a time.

        Raises:
            DatabaseNotFound: there is none of that name, or there was none then.
        """
        hosted = await self.readable(caller, name)
        state = await self._workers.run(_at_time, hosted, recorded)
        if state is None:
            # The same for a database that came later as for one that never was.
            raise DatabaseNotFound(name)
        return state

    async def updates(self, caller: Principal, name: str) -> AsyncIterator[DatabaseState]:
        """A database as it is now, and then after each transaction. It ends with the database.

        Raises:
            DatabaseNotFound: there is none of that name, or it was deleted meanwhile.
            ServerStopping: the server stops.
        """
        hosted = await self.readable(caller, name)
        now = await self._state(hosted)
        yield now
        async for state in states_after(hosted, self._workers, now.revision):
            yield state

    async def readable(self, caller: Principal, name: str) -> Hosted:
        """A database that the caller may read. Whether it exists is told to nobody else."""
        caller.require(Role.READER, name, f"read database {name!r}")
        return await self._hosted.get(name)

    async def _state(self, hosted: Hosted) -> DatabaseState:
        return await self._workers.run(lambda: state_at(hosted.store, hosted.store.head()))


def _at_revision(hosted: Hosted, revision: int) -> DatabaseState:
    return state_at(hosted.store, hosted.store.at_revision(revision))


def _at_time(hosted: Hosted, recorded: datetime) -> DatabaseState | None:
    head = hosted.store.at_time(recorded)
    return None if head is None else state_at(hosted.store, head)
