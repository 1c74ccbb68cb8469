"""The database for ``await``: the same calls in worker threads, by anyio, on asyncio or trio."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, TypeGuard

import anyio
from anyio.lowlevel import checkpoint_if_cancelled

from evidentsource_core.domain.constraints import AppendCondition
from evidentsource_core.domain.definitions import StateViewDefinition
from evidentsource_core.domain.errors import DatabaseAccessError, InvalidType, TransactionError
from evidentsource_core.domain.events import ProspectiveEvent, Transaction, TransactionSummary
from evidentsource_core.domain.identifiers import DatabaseName, StateChangeName
from evidentsource_core.domain.state_change import Command, CommandRequest
from evidentsource_core.rules import TransactionResult
from evidentsource_runtime.database.async_snapshots import AsyncSnapshot, in_thread, stream
from evidentsource_runtime.database.following import Tail
from evidentsource_runtime.database.loops import running_loop, waker
from evidentsource_runtime.database.snapshots import Snapshot
from evidentsource_runtime.store import EventStore, Head, StoreClosed, TransactionRecord

if TYPE_CHECKING:
    from evidentsource_runtime.database.database import Database

__all__ = ["AsyncDatabase", "AsyncFollower"]


class AsyncDatabase:
    """A :class:`Database` by the protocol ``DatabaseConnection`` of ``evidentsource_core.protocols``.

    >>> import tempfile, evidentsource_runtime
    >>> folder = tempfile.TemporaryDirectory()
    >>> async def main() -> None:
    ...     async with evidentsource_runtime.open(f"{folder.name}/bank.db") as db:
    ...         after = await db.transact([ProspectiveEvent("e-1", "accounts", "account.opened")])
    ...         print(after.revision, [each.revision async for each in db.log()])
    >>> anyio.run(main)
    1 [1]
    >>> folder.cleanup()

    Args:
        database: the database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def database(self) -> Database:
        """The same without ``await``."""
        return self._database

    @property
    def name(self) -> DatabaseName:
        """The name."""
        return DatabaseName(self._database.name)

    @property
    def created_at(self) -> datetime:
        """When it was created, in UTC."""
        return self._database.created_at

    # --- reading -------------------------------------------------------------------------------

    def local_database(self) -> AsyncSnapshot:
        """The latest revision, which an embedded database knows without asking anyone."""
        return self._at(self._database.latest())

    async def latest_database(self) -> AsyncSnapshot:
        """The latest revision there is."""
        return self._at(await in_thread(self._database.latest))

    async def database_at_revision(self, revision: int) -> AsyncSnapshot:
        """That revision, as soon as it exists."""
        with suppress(DatabaseAccessError):
            return self._at(await in_thread(self._database.at_revision, revision))
        async with self.follow(None) as follower:
            while True:
                with suppress(DatabaseAccessError):
                    return self._at(await in_thread(self._database.at_revision, revision))
                await anext(follower)

    async def database_at_timestamp(self, revision_timestamp: datetime) -> AsyncSnapshot:
        """What had been recorded by then.

        Raises:
            DatabaseAccessError: the database was created later.
        """
        found = await in_thread(self._database.at_time, revision_timestamp)
        if found is None:
            created = self.created_at.isoformat()
            raise DatabaseAccessError.invalid_revision(f"the database was created at {created}")
        return self._at(found)

    def _at(self, snapshot: Snapshot) -> AsyncSnapshot:
        return AsyncSnapshot(snapshot, self._definition)

    def _definition(self, name: str, version: int) -> StateViewDefinition | None:
        return self._database.state_view(name, version)

    def log(self) -> AsyncIterator[TransactionSummary]:
        """Every transaction, oldest first."""
        return self.log_from(0)

    def log_from(self, from_revision: int) -> AsyncIterator[TransactionSummary]:
        """Every transaction committed at or after a revision."""
        store = self._database.store
        return stream(lambda: (each.summary for each in store.log(from_revision)))

    def log_detail(self) -> AsyncIterator[Transaction]:
        """Every transaction with its events."""
        return self.log_detail_from(0)

    def log_detail_from(self, from_revision: int) -> AsyncIterator[Transaction]:
        """Every transaction committed at or after a revision, with its events."""
        return stream(lambda: map(_transaction, self._database.log(from_revision)))

    def follow(self, after: int | None = 0) -> AsyncFollower:
        """Every transaction behind a revision, and then each new one as it is committed.

        Args:
            after: 0 for all there are, None for those that are committed from now on.
        """
        store = self._database.store
        follower = AsyncFollower(store, store.head().revision if after is None else after)
        self._database.ends_with(follower)
        return follower

    # --- writing -------------------------------------------------------------------------------

    async def transact(
        self,
        events: Iterable[ProspectiveEvent],
        constraints: Iterable[AppendCondition] | None = None,
    ) -> AsyncSnapshot:
        """Commit events if every constraint holds; the database after it."""
        return await self._transact(events, constraints, None)

    async def transact_with_id(
        self,
        transaction_id: str,
        events: Iterable[ProspectiveEvent],
        constraints: Iterable[AppendCondition] | None = None,
    ) -> AsyncSnapshot:
        """The same with an id: committed again, it changes nothing."""
        return await self._transact(events, constraints, transaction_id)

    async def _transact(
        self,
        events: Iterable[ProspectiveEvent],
        constraints: Iterable[AppendCondition] | None,
        transaction_id: str | None,
    ) -> AsyncSnapshot:
        conditions = () if constraints is None else constraints
        if _is_small(events, conditions):
            committed = await self._submitted(events, conditions, transaction_id)
            if committed is not None:
                return self._at(self._database.after(committed))
        result = await in_thread(
            self._database.transact, events, conditions, transaction_id=transaction_id
        )
        return self._at(self._database.after(result))

    async def _submitted(
        self,
        events: Iterable[ProspectiveEvent],
        conditions: Iterable[AppendCondition],
        transaction_id: str | None,
    ) -> TransactionRecord | None:
        """Commit without a thread that waits; None where the transaction itself is to be refused."""
        await checkpoint_if_cancelled()
        loop, store = running_loop(), self._database.store
        batch, verdict = loop.batch(store), loop.verdict()
        try:
            outcome = store.submit(
                events,
                conditions,
                transaction_id=transaction_id,
                post=batch.post,
                told=verdict.tell,
                held=True,
            )
        except TransactionError:
            return None  # who says so knows what the file has to say of it, too
        batch.begun()
        await verdict.wait()
        return outcome()

    async def execute_state_change(
        self,
        name: StateChangeName | str,
        version: int | None,
        request: object,
        *,
        last_seen_revision: int | None = None,
        transaction_id: str | None = None,
        headers: Iterable[tuple[str, str]] = (),
        principal: Mapping[str, Any] | None = None,
    ) -> AsyncSnapshot:
        """Run a state change and commit what it decides; the database after it.

        The arguments and the errors are those of ``Database.execute``.
        """
        if not isinstance(request, (Command, CommandRequest)):
            raise InvalidType("request", "Command or CommandRequest", request)
        result = await in_thread(
            self._database.execute,
            name,
            version,
            request,
            last_seen_revision=last_seen_revision,
            transaction_id=transaction_id,
            headers=headers,
            principal=principal,
        )
        if result.transaction is None:
            return self._at(await in_thread(self._database.at_revision, result.revision))
        return self._at(self._database.after(result.transaction))

    # --- copies --------------------------------------------------------------------------------

    async def backup(self, path: str | os.PathLike[str]) -> Head:
        """Copy the database into another file; see ``Database.backup``."""
        return await in_thread(self._database.backup, path)

    # --- the end -------------------------------------------------------------------------------

    async def aclose(self) -> None:
        """Close the database."""
        await in_thread(self._database.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with anyio.CancelScope(shield=True):
            await self.aclose()

    def __repr__(self) -> str:
        return f"<AsyncDatabase of {self._database!r}>"


class AsyncFollower(AsyncIterator[TransactionResult]):
    """Every transaction behind a revision, oldest first, and then each as it is committed.

    It keeps no thread while it waits. It ends when it is closed or the database is.

    Args:
        store: has the transactions.
        after: the revision behind which they lie.
    """

    def __init__(self, store: EventStore, after: int) -> None:
        self._waiting: deque[TransactionResult] = deque()
        self._position = after
        self._news = anyio.Event()
        self._wake = waker()
        self._tail = Tail(store, after, self._told)

    @property
    def position(self) -> int:
        """The revision of the last transaction that was given."""
        return self._position

    def _told(self) -> None:
        # The loop may be over before the database is closed.
        with suppress(RuntimeError):
            self._wake(self._news.set)

    async def __anext__(self) -> TransactionResult:
        while not self._waiting:
            self._news = anyio.Event()
            if self._tail.closed:
                raise StopAsyncIteration
            try:
                self._waiting.extend(await in_thread(self._tail.take))
            except StoreClosed:
                self.close()
            if not self._waiting and not self._tail.closed:
                await self._news.wait()
        transaction = self._waiting.popleft()
        self._position = transaction.revision
        return transaction

    def close(self) -> None:
        """End it; any thread may."""
        self._tail.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


_FEW: Final = 16
_SMALL: Final = 64 * 1024


def _is_small(events: object, conditions: object) -> bool:
    """Whether a transaction is looked through so quickly that an event loop may do it."""
    if not (_are_few(events) and _are_few(conditions)):
        return False
    size = 0
    for event in events:
        if isinstance(event, ProspectiveEvent) and event.data is not None:
            size += len(event.data.data)
    return size <= _SMALL


def _are_few(some: object) -> TypeGuard[Sequence[object]]:
    return isinstance(some, (list, tuple)) and len(some) <= _FEW


def _transaction(result: TransactionResult) -> Transaction:
    count = result.revision - result.basis
    return Transaction(result.events, TransactionSummary(result.revision, count, result.id))
