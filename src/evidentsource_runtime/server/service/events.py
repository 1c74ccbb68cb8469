"""Events and transactions, read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import datetime

from evidentsource_core.domain.events import Event
from evidentsource_core.domain.identifiers import EventId, StreamName
from evidentsource_core.domain.queries import QueryOptions
from evidentsource_core.domain.selectors import EventSelector
from evidentsource_runtime.database import Database, Trace
from evidentsource_runtime.server.access.principals import Principal
from evidentsource_runtime.server.service import abouts
from evidentsource_runtime.server.service.databases import DatabaseCalls
from evidentsource_runtime.server.service.errors import (
    EventNotFound,
    InvalidRequest,
    TransactionNotFound,
)
from evidentsource_runtime.server.service.hosted import Hosted
from evidentsource_runtime.server.service.queue import CommandQueue
from evidentsource_runtime.server.service.values import Committed, Summary
from evidentsource_runtime.server.service.workers import Workers
from evidentsource_runtime.store import Index

__all__ = ["MOST_REVISIONS", "EventCalls"]

MOST_REVISIONS = 10_000
"""Events that one request may name by their revisions; as many as a transaction may have."""


class EventCalls:
    """What can be read of a database's events and transactions.

    Args:
        databases: opens what may be read.
        workers: where blocking work is done.
        queue: knows what was accepted and not committed yet.
    """

    def __init__(self, databases: DatabaseCalls, workers: Workers, queue: CommandQueue) -> None:
        self._databases = databases
        self._workers = workers
        self._queue = queue

    async def query(
        self,
        caller: Principal,
        name: str,
        selector: EventSelector,
        options: QueryOptions | None = None,
        *,
        revision: int | None = None,
        effective_at: datetime | None = None,
    ) -> AsyncIterator[Event]:
        """The selected events, read a little ahead of whoever takes them.

        Args:
            caller: who asks.
            name: the database.
            selector: which events.
            options: range, direction and limit.
            revision: the revision to read at, 0 for the empty database; None for the latest.
            effective_at: only what had taken effect by then.

        Raises:
            DatabaseNotFound: there is no such database.
            DatabaseAccessError: it does not reach that revision.
        """
        hosted = await self._databases.readable(caller, name)

        def make() -> Iterator[Event]:
            at = hosted.store.head().revision if revision is None else revision
            # The store asks when the first event is taken; here it is asked at once.
            hosted.store.at_revision(at)
            return hosted.store.query(selector, options, revision=at, effective_at=effective_at)

        async for event in self._workers.stream(make, _weight):
            yield event

    async def by_id(
        self,
        caller: Principal,
        name: str,
        stream: str,
        event_id: str,
        *,
        revision: int | None = None,
    ) -> Event:
        """The event of an id in a stream, as it is known at a revision; None for the latest.

        Raises:
            EventNotFound: there is none, or it came after that revision.
            DatabaseAccessError: the database does not reach that revision.
        """
        hosted = await self._databases.readable(caller, name)
        StreamName(stream), EventId(event_id)

        def find() -> Event | None:
            if revision is not None:
                hosted.store.at_revision(revision)
            return hosted.store.event(stream, event_id)

        event = await self._workers.run(find)
        if event is None or (revision is not None and (event.revision() or 0) > revision):
            raise EventNotFound(name, stream, event_id, revision)
        return event

    async def by_revisions(
        self, caller: Principal, name: str, revisions: Iterable[int]
    ) -> tuple[Event, ...]:
        """The events of these revisions, in the order asked.

        Raises:
            InvalidRequest: they are more than one request may name.
            DatabaseAccessError: one of them does not exist.
        """
        wanted = tuple(revisions)
        if len(wanted) > MOST_REVISIONS:
            reason = f"{len(wanted):,} are more than {MOST_REVISIONS:,}; ask in several requests"
            raise InvalidRequest("event_revisions", reason)
        hosted = await self._databases.readable(caller, name)
        return await self._workers.run(lambda: tuple(hosted.store.events_at(wanted)))

    async def keys(
        self,
        caller: Principal,
        name: str,
        index: Index,
        *,
        prefix: str = "",
        revision: int | None = None,
    ) -> AsyncIterator[str]:
        """Every stream, subject or type, once each, in the order of its characters.

        Raises:
            DatabaseAccessError: the database does not reach that revision.
        """
        hosted = await self._databases.readable(caller, name)

        def make() -> Iterator[str]:
            if revision is not None:
                hosted.store.at_revision(revision)
            return hosted.store.keys(index, prefix, revision=revision)

        async for key in self._workers.stream(make):
            yield key

    async def log(
        self, caller: Principal, name: str, from_revision: int = 0
    ) -> AsyncIterator[Summary]:
        """The transactions committed at or after a revision, oldest first, without their events."""
        hosted = await self._databases.readable(caller, name)

        def make() -> Iterator[Summary]:
            found = abouts.logged(hosted.database, hosted.store.log(from_revision))
            return (summary for summary, _ in found)

        async for summary in self._workers.stream(make):
            yield summary

    async def log_detail(
        self, caller: Principal, name: str, from_revision: int = 0
    ) -> AsyncIterator[Committed]:
        """The same with their events."""
        hosted = await self._databases.readable(caller, name)

        def make() -> Iterator[Committed]:
            # One by one: a transaction may have many events, large ones among them.
            found = hosted.store.log(from_revision, detail=True)
            return (abouts.committed(hosted.database, result) for result in found)

        async for committed in self._workers.stream(make, _transaction_weight):
            yield committed

    async def transaction(self, caller: Principal, name: str, transaction_id: str) -> Committed:
        """The transaction of an id, with its events: also one that was accepted to be done later.

        Raises:
            TransactionNotFound: there is none of that id.
            TransactionPending: it was accepted and not done yet.
            TransactionFailed: it was accepted, and refused when its turn came.
        """
        hosted = await self._databases.readable(caller, name)
        found = await self._workers.run(_transaction, hosted, transaction_id)
        if found is None:
            await self._queue.check(name, transaction_id)
            # It may have been committed between the two looks.
            found = await self._workers.run(_transaction, hosted, transaction_id)
        if found is None:
            raise TransactionNotFound(name, transaction_id)
        return found

    async def trace(self, caller: Principal, name: str, transaction_id: str) -> Trace:
        """Why a transaction was committed: what was asked, by whom, and what had been read.

        Raises:
            TransactionNotFound, TransactionPending, TransactionFailed: as in :meth:`transaction`.
        """
        await self.transaction(caller, name, transaction_id)
        hosted = await self._databases.readable(caller, name)
        found = await self._workers.run(hosted.database.trace, transaction_id)
        if found is None:
            raise TransactionNotFound(name, transaction_id)
        return found


def _transaction(hosted: Hosted, transaction_id: str) -> Committed | None:
    database: Database = hosted.database
    found = database.transaction(transaction_id)
    return None if found is None else abouts.committed(database, found)


def _weight(event: Event) -> int:
    data = event.data
    return 500 + (0 if data is None else len(data.data))


def _transaction_weight(committed: Committed) -> int:
    return sum(map(_weight, committed.events))
