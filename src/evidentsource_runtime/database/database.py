"""The embedded database: a store of events with the views and changes that are published in it."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self

from evidentsource_core.domain.constraints import AppendCondition
from evidentsource_core.domain.events import Event, ProspectiveEvent
from evidentsource_core.domain.identifiers import StateChangeName
from evidentsource_core.domain.state_change import Command, CommandRequest
from evidentsource_core.reference import StateChangeResult
from evidentsource_core.rules import Limits, TransactionResult, check_transaction_id
from evidentsource_core.times import in_utc
from evidentsource_runtime.database import executing
from evidentsource_runtime.database.catalog import Catalog
from evidentsource_runtime.database.following import Follower
from evidentsource_runtime.database.kept import KeptStates
from evidentsource_runtime.database.publishing import Publishing
from evidentsource_runtime.database.snapshots import Home, Snapshot
from evidentsource_runtime.database.tables import MODULE
from evidentsource_runtime.database.traces import Trace, checked_principal, kept_headers
from evidentsource_runtime.database.views import Point, Views
from evidentsource_runtime.database.worker import EagerWorker
from evidentsource_runtime.host import Host
from evidentsource_runtime.store import Head, SqliteStore, TransactionRecord

if TYPE_CHECKING:
    from evidentsource_runtime.database.asynchronous import AsyncDatabase

__all__ = ["Database"]

_NO_LIMITS = Limits()


class Ended(Protocol):
    """What can be closed."""

    def close(self) -> None:
        """Let go of everything."""
        ...


class Database(Publishing):
    """One database in one file; :func:`evidentsource_runtime.open` opens it.

    Any number of threads may use one. It reads through snapshots (:meth:`latest`,
    :meth:`at_revision`, :meth:`at_time`), which never change, and writes through :meth:`transact`
    and :meth:`execute`; whatever is written is on the disk when the call returns.

    Args:
        store: the file, with the tables of ``database.tables`` beside its events.
        writes: whether it may be written.
        host: what runs components; one is made when it is first needed.
        clock: tells when a command came, with a time zone.
        eager: the names of views that are folded after each commit; True for all.

    >>> import tempfile, evidentsource_runtime
    >>> from evidentsource_core import ProspectiveEvent, Selector
    >>> folder = tempfile.TemporaryDirectory()
    >>> with evidentsource_runtime.open(f"{folder.name}/bank.db") as db:
    ...     opened = ProspectiveEvent("e-1", "accounts", "account.opened", subject="a-1")
    ...     revision = db.transact([opened]).revision
    >>> with evidentsource_runtime.open(f"{folder.name}/bank.db") as db:
    ...     [event.id for event in db.latest().query_events(Selector.stream("accounts"))]
    ['e-1']
    >>> folder.cleanup()
    """

    def __init__(
        self,
        store: SqliteStore,
        *,
        writes: bool = True,
        host: Host | None = None,
        clock: Callable[[], datetime] | None = None,
        eager: bool | Iterable[str] = False,
    ) -> None:
        self._clock = clock or _system_clock
        kept = KeptStates(store, writes=writes)
        catalog = Catalog(store, host, self._now, lambda view: kept.drop([view]))
        views = Views(store, catalog.views, kept)
        super().__init__(store, catalog, kept, EagerWorker(store, views, eager))
        self._home = Home(store, catalog.views, views)
        self._followers: weakref.WeakSet[Ended] = weakref.WeakSet()
        self._closed = False

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        *,
        name: str | None = None,
        source_host: str | None = None,
        mode: Literal["write", "read"] = "write",
        create: bool = True,
        limits: Limits = _NO_LIMITS,
        clock: Callable[[], datetime] | None = None,
        host: Host | None = None,
        eager: bool | Iterable[str] = False,
        gather: bool = True,
    ) -> Self:
        """Open a file; see :func:`evidentsource_runtime.open`."""
        store = SqliteStore.open(
            path,
            name=name,
            host=source_host,
            mode=mode,
            create=create,
            limits=limits,
            clock=clock,
            modules=(MODULE,),
            gather=gather,
        )
        try:
            return cls(store, writes=mode == "write", host=host, clock=clock, eager=eager)
        except BaseException:
            store.close()
            raise

    # --- what it is ----------------------------------------------------------------------------

    @property
    def path(self) -> str:
        """The file, as it was named."""
        return self._store.path

    @property
    def name(self) -> str:
        """The name."""
        return self._store.name

    @property
    def created_at(self) -> datetime:
        """When it was created, in UTC."""
        return self._store.created_at

    @property
    def streams(self) -> str:
        """The URI under which the streams of its events stand."""
        return self._store.streams

    @property
    def store(self) -> SqliteStore:
        """The store below, for what has no place here: keys, counts, events by revision."""
        return self._store

    @cached_property
    def asynchronous(self) -> AsyncDatabase:
        """The same for ``await``; ``async with`` gives it too."""
        from evidentsource_runtime.database.asynchronous import AsyncDatabase  # noqa: PLC0415

        return AsyncDatabase(self)

    # --- reading -------------------------------------------------------------------------------

    def latest(self) -> Snapshot:
        """The database as it is now."""
        return Snapshot(self._home, Point(self._store.head()))

    def at_revision(self, revision: int) -> Snapshot:
        """The database at a revision.

        Raises:
            DatabaseAccessError: there is no such revision yet.
        """
        return Snapshot(self._home, Point(self._store.at_revision(revision)))

    def after(self, transaction: TransactionRecord | TransactionResult) -> Snapshot:
        """The database as a transaction has left it, without a look at the file."""
        return Snapshot(self._home, Point(Head(transaction.revision, transaction.timestamp)))

    def at_time(self, recorded: datetime) -> Snapshot | None:
        """The database as it was recorded at a time; None before it was created."""
        head = self._store.at_time(recorded)
        return None if head is None else Snapshot(self._home, Point(head))

    def wait(self, revision: int, timeout: float | None = None) -> Snapshot | None:
        """The database at a revision, as soon as that exists.

        Args:
            revision: the revision.
            timeout: seconds to wait at most; None for as long as it takes.

        Returns:
            None where the time ran out.
        """
        head: Head = self._store.head()
        if head.revision < revision:
            head = self._store.wait(revision - 1, timeout)
        return None if head.revision < revision else self.at_revision(revision)

    def log(
        self, from_revision: int = 0, to_revision: int | None = None, *, reverse: bool = False
    ) -> Iterator[TransactionResult]:
        """Every transaction with its events, from one revision to another, oldest first."""
        return self._store.log(from_revision, to_revision, reverse=reverse, detail=True)

    def transaction(self, transaction_id: str) -> TransactionResult | None:
        """The transaction of that id, if there is one."""
        return self._store.transaction(transaction_id)

    def event(self, stream: str, event_id: str) -> Event | None:
        """The event of that id in that stream, if there is one."""
        return self._store.event(stream, event_id)

    def trace(self, transaction_id: str) -> Trace | None:
        """Why the transaction of that id was committed; None if there is no such transaction."""
        found = self._store.transaction(transaction_id)
        if found is None:
            return None
        with self._store.read() as db:
            sql = "SELECT trace FROM database_trace WHERE revision = ?"
            rows: list[Any] = db.execute(sql, (found.revision,)).fetchall()
        if not rows:
            return Trace(transaction_id, found.revision)
        return Trace.from_text(rows[0][0], transaction_id, found.revision)

    def follow(self, after: int | None = 0) -> Follower:
        """Every transaction behind a revision, and then each new one as it is committed.

        Args:
            after: 0 for all there are, None for those that are committed from now on.
        """
        follower = Follower(self._store, self._store.head().revision if after is None else after)
        self.ends_with(follower)
        return follower

    def ends_with(self, follower: Ended) -> None:
        """Have something closed before the database is, if it is still there then."""
        self._followers.add(follower)

    # --- writing -------------------------------------------------------------------------------

    def transact(
        self,
        events: Iterable[ProspectiveEvent],
        conditions: Iterable[AppendCondition] = (),
        *,
        transaction_id: str | None = None,
        headers: Iterable[tuple[str, str]] = (),
        principal: Mapping[str, Any] | None = None,
    ) -> TransactionResult:
        """Commit events, all or none, if every append condition holds. When it returns, they are safe.

        Args:
            events: at least one, in the order in which they are stored.
            conditions: each is checked by itself against the latest revision.
            transaction_id: committed again with the same events and conditions, it gives the
                result of the first time and writes nothing. None makes a new one.
            headers: what came with it; goes into its trace.
            principal: who asks, as JSON values; goes into its trace.

        Raises:
            EmptyTransaction, TransactionTooLarge: too few or too many events, too many bytes.
            InvalidEvents: with every problem of every event, ids used before among them.
            InvalidConstraints: a condition is none.
            ConstraintViolations: with every condition that does not hold, in words.
            InvalidTransactionId: the id breaks the rule of event ids.
            DuplicateTransactionId: the id was used with other content.
            StoreError: the file cannot be written now.
        """
        given = kept_headers(headers)
        also = None
        if given or principal is not None:
            trace = Trace("", 0, headers=given, principal=checked_principal(principal))
            also = executing.trace_writer(trace)
        return self._store.transact(events, conditions, transaction_id=transaction_id, also=also)

    def execute(
        self,
        name: str | StateChangeName,
        version: int | None,
        request: Command | CommandRequest,
        *,
        last_seen_revision: int | None = None,
        transaction_id: str | None = None,
        received_at: datetime | None = None,
        headers: Iterable[tuple[str, str]] = (),
        principal: Mapping[str, Any] | None = None,
        attempts: int = executing.ATTEMPTS,
    ) -> StateChangeResult:
        """Run a state change and commit what it decides, as one transaction with its conditions.

        Whatever the decision raises goes to the caller, and nothing is written.

        Args:
            name: the state change.
            version: its version; None for the latest.
            request: the command.
            last_seen_revision: the revision to decide on; None for the latest, on which it is
                decided again where a condition has ceased to hold meanwhile.
            transaction_id: executed again with the same state change, version and command, it
                gives the result of the first time and decides nothing. None makes a new one. An
                execution that wrote nothing leaves the id unused.
            received_at: when the command arrived; now by default.
            headers: what came with it, behind the request's own headers.
            principal: who asks, as JSON values; goes into the transaction's trace.
            attempts: decisions that it may take.

        Raises:
            StateChangeNotFound: it was never published.
            StateChangeError: the state change refused, for the reason it gives.
            StateChangeExecutionError: the decision is not (events, conditions).
            ComponentError: the component failed, or took more than it may.
            CodeNotAttached: its code is not in the file and was not attached.
            DatabaseAccessError: ``last_seen_revision`` does not exist yet.
            TransactionError, StoreError: as in :meth:`transact`.
        """
        given = executing.Request(
            str(name),
            version,
            executing.command_of(request),
            executing.headers_of(request, headers),
            transaction_id,
            last_seen_revision,
            self._now() if received_at is None else received_at,
            checked_principal(principal),
            attempts,
        )
        change = self._change(given.name, version)
        if transaction_id is not None:
            check_transaction_id(transaction_id)
            before = self._store.transaction(transaction_id, fingerprint=given.fingerprint)
            if before is not None:
                return StateChangeResult(before.revision, before)
        program = self._catalog.changes.program(change)
        return executing.Execution(self._store, self._home, change, program, given).run()

    # --- copies --------------------------------------------------------------------------------

    def backup(self, path: str | os.PathLike[str]) -> Head:
        """Copy the database into another file, as it is now, and tell where the copy stands.

        It has all that is published here, and every trace; writers go on meanwhile. It is checked and
        synced before it gets its name, which no other file may have; a failure leaves none.

        Raises:
            TargetExists: there is a file of that name.
            DamagedStore: the file is not as it was written.
            StoreError: it could not be read, or the copy not be written.
        """
        return self._store.backup(path)

    # --- the end -------------------------------------------------------------------------------

    def close(self) -> None:
        """End its followers and its worker, keep what views have come to, and let go of the file."""
        if self._closed:
            return
        self._closed = True
        for follower in list(self._followers):
            follower.close()
        self._worker.close()
        self._kept.close()
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    async def __aenter__(self) -> AsyncDatabase:
        return await self.asynchronous.__aenter__()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.asynchronous.__aexit__(exc_type, exc, traceback)

    def __repr__(self) -> str:
        state = "closed" if self._closed else f"at revision {self._store.head().revision}"
        return f"<Database {self.name} in {self.path}, {state}>"

    def _now(self) -> datetime:
        return in_utc(self._clock())


def _system_clock() -> datetime:
    return datetime.now(UTC)
