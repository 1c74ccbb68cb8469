"""The store in one SQLite file."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Self, TypeVar

import apsw

from evidentsource_core.domain.constraints import AppendCondition
from evidentsource_core.domain.errors import EvidentSourceError, InvalidValue
from evidentsource_core.domain.events import ProspectiveEvent
from evidentsource_core.rules import Limits, TransactionResult
from evidentsource_runtime.store import copying, gathering, preparing
from evidentsource_runtime.store.commits import GroupCommit
from evidentsource_runtime.store.connecting import Mode, Synchronous, connect_reader
from evidentsource_runtime.store.errors import StoreReadOnly
from evidentsource_runtime.store.faults import faults
from evidentsource_runtime.store.gatherer import Gatherer
from evidentsource_runtime.store.interface import Head, TransactionRecord
from evidentsource_runtime.store.lookups import last_revision
from evidentsource_runtime.store.names import Names
from evidentsource_runtime.store.opening import (
    Asked,
    Identity,
    Opened,
    open_to_read,
    open_to_write,
)
from evidentsource_runtime.store.pool import Pool
from evidentsource_runtime.store.readable import ReadableStore
from evidentsource_runtime.store.results import stored_result
from evidentsource_runtime.store.rows import microseconds, moment
from evidentsource_runtime.store.schema import Module
from evidentsource_runtime.store.watching import Lookout, Watch
from evidentsource_runtime.store.work import Post, Told, Work
from evidentsource_runtime.store.writing import Also, Writer, Written

T = TypeVar("T")
_NO_LIMITS = Limits()


class SqliteStore(ReadableStore):
    """One database's events in one SQLite file; open one with :meth:`open`.

    A transaction is on the disk when :meth:`transact` returns. One store writes a file at a time;
    any number may read it meanwhile, in any process.

    >>> import tempfile
    >>> from evidentsource_core import Constraint, ProspectiveEvent, Selector
    >>> folder = tempfile.TemporaryDirectory()
    >>> opened = ProspectiveEvent("e-1", "accounts", "account.opened", subject="a-1")
    >>> with SqliteStore.open(f"{folder.name}/bank.db") as store:
    ...     store.transact([opened], [Constraint.must_not_exist(Selector.subject("a-1"))]).revision
    1
    >>> with SqliteStore.open(f"{folder.name}/bank.db", mode="read") as store:
    ...     [event.id for event in store.query(Selector.stream("accounts"))]
    ['e-1']
    >>> folder.cleanup()
    """

    def __init__(
        self,
        asked: Asked,
        identity: Identity,
        opened: Opened | None,
        limits: Limits,
        clock: Callable[[], int],
        *,
        gather: bool,
    ) -> None:
        pool = Pool(asked.path, partial(connect_reader, asked.path, asked.vfs))
        self._limits = limits
        self._commits: GroupCommit | None = None
        self._lookout: Lookout | None = None
        if opened is None:
            with pool.connection() as db:
                super().__init__(asked.path, identity, pool, Names(db))
                self._watch = Watch(asked.path, _head(*last_revision(db)))
            self._lookout = Lookout(self._watch, self._looked)
            return
        super().__init__(asked.path, identity, pool, Names(opened.db))
        self._lock, self._db = opened.lock, opened.db
        pool.prepare(opened.db)
        self._writer = Writer(opened.db, self._names, self._pool, clock)
        self._watch = Watch(asked.path, _head(self._writer.revision, self._writer.recorded))
        self._commits = GroupCommit(asked.path, opened.db, self._writer, self._committed)
        self._gatherer = Gatherer(asked.path, self._latest, self._due_at, self._gather_on)
        if gather:
            self._gatherer.due = gathering.due_at(opened.db)
            self._committed(self._watch.revision, 0)

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        *,
        name: str | None = None,
        host: str | None = None,
        mode: Mode = "write",
        create: bool = True,
        limits: Limits = _NO_LIMITS,
        clock: Callable[[], datetime] | None = None,
        modules: Iterable[Module] = (),
        synchronous: Synchronous = "FULL",
        gather: bool = True,
        vfs: str | None = None,
    ) -> Self:
        """Open a file; where there is none, one is made for a new database.

        Args:
            path: the file. SQLite's own log lies beside it while it is open.
            name: the database's name. A new file's is the file's name without its ending by
                default; that of a file with events has to be the same.
            host: the host in the sources of its events, likewise; ``localhost`` by default.
            mode: ``"write"``, which one store has at a time, or ``"read"``.
            create: whether a file may be made.
            limits: the most that one transaction may have.
            clock: what tells the time of a commit, with a time zone; the system's by default.
                Where it goes back, commits keep the time of the one before.
            modules: tables to have beside the events; see ``store.schema``.
            synchronous: ``"NORMAL"`` waits for no disk. A power cut then undoes the last
                transactions, though none in the middle: for tests and imports.
            gather: whether the events of each subject are laid side by side once more while nobody
                writes, in a store of many events; see :meth:`gather`.
            vfs: the name of an SQLite VFS that was registered, for tests.

        Raises:
            StoreNotFound: there is no such file, and it is not to be made.
            StoreInUse: it is open for writing elsewhere.
            StoreReadOnly: the file or its folder cannot be written.
            ForeignFile: the file holds something else; nothing of it is changed.
            NewerStore, OlderStore: another release wrote it, and this one cannot open it so.
            WrongDatabase: it holds another database than the one named.
            InvalidDatabaseName: the name, or that of the file, breaks the rule of names.
        """
        if mode not in {"write", "read"}:
            raise InvalidValue("mode", f'{mode!r} is neither "write" nor "read"')
        if synchronous not in {"FULL", "NORMAL"}:
            raise InvalidValue("synchronous", f'{synchronous!r} is neither "FULL" nor "NORMAL"')
        asked = Asked(os.fspath(path), name, host, tuple(modules), vfs)
        now = _system_clock if clock is None else _microseconds_of(clock)
        if mode == "read":
            return cls(asked, open_to_read(asked), None, limits, now, gather=False)
        opened = open_to_write(asked, create=create, synchronous=synchronous, now=now)
        try:
            with faults(asked.path):
                return cls(asked, opened.identity, opened, limits, now, gather=gather)
        except BaseException:
            opened.db.close()
            opened.lock.release()
            raise

    # --- revisions -----------------------------------------------------------------------------

    def head(self) -> Head:
        """The latest revision; where another process writes, as the file has it now."""
        return self._watch.head if self._lookout is None else self._looked()

    def _latest(self) -> int:
        return self._watch.revision if self._lookout is None else self._looked().revision

    def wait(self, after: int, timeout: float | None = None) -> Head:
        """The latest revision, as soon as it lies after ``after``."""
        if self._lookout is not None:
            head = self.head()
            if head.revision > after:
                return head
            self._lookout.start()
        return self._watch.wait(after, timeout)

    def subscribe(self, told: Callable[[Head], None]) -> Callable[[], None]:
        """Have ``told`` called with the head after each commit; returns what ends that."""
        if self._lookout is not None:
            self._lookout.start()
        return self._watch.subscribe(told)

    def _looked(self) -> Head:
        with self._pool.connection() as db:
            return _head(*last_revision(db))

    # --- writing -------------------------------------------------------------------------------

    def transact(
        self,
        events: Iterable[ProspectiveEvent],
        conditions: Iterable[AppendCondition] = (),
        *,
        transaction_id: str | None = None,
        fingerprint: bytes | None = None,
        also: Also | None = None,
    ) -> TransactionResult:
        """Commit events, all or none, if every append condition holds. When it returns, they are safe.

        Args:
            events: see :meth:`EventStore.transact`.
            conditions: likewise.
            transaction_id: likewise.
            fingerprint: likewise.
            also: is called within the same commit with the connection and the transaction, to
                write into the tables of a module. It may be called more than once until the commit
                succeeds, so it must do nothing else; what it raises undoes the transaction and
                goes to the caller.
        """
        commits = self._commits or self._writable()
        asked = preparing.asked(events, conditions, transaction_id, fingerprint)
        try:
            prepared = preparing.prepared(asked, self._limits, self._identity.keys)
        except EvidentSourceError:
            with self._pool.connection() as db:
                before = preparing.refused(
                    asked, self._limits, db, self._names, self._identity.keys
                )
            if before is None:
                raise
            return self._with_events(before)
        work: Work[Written] = Work(None, prepared, also)
        written = commits.do(work)
        if written.before:
            return self._with_events(_record(prepared, written))
        return stored_result(prepared, written, self._source)

    def submit(
        self,
        events: Iterable[ProspectiveEvent],
        conditions: Iterable[AppendCondition] = (),
        *,
        transaction_id: str | None = None,
        fingerprint: bytes | None = None,
        post: Post,
        told: Told,
        held: bool = False,
    ) -> Callable[[], TransactionRecord]:
        """Begin to commit events without waiting for it, for a caller that must not: an event loop.

        Args:
            events: see :meth:`EventStore.transact`.
            conditions: likewise.
            transaction_id: likewise.
            fingerprint: likewise.
            post: is called by another thread once for each commit, with the ``told`` of all whose
                transactions it decided, and has them called where they are waited for.
            told: is called so, once this transaction is safe or refused.
            held: whether it is kept until :meth:`release` is called, or the store closed: for many that
                come at once, which then share a commit.

        Returns:
            What gives the outcome, or raises as :meth:`EventStore.transact` does; to be called after
            ``told`` was.

        Raises:
            TransactionError: something about the transaction itself speaks against it. What only the
                file can tell, whether ids are used already, is not among the problems.
            StoreError: the store was closed or is not open for writing.

        >>> import tempfile, threading
        >>> folder, safe = tempfile.TemporaryDirectory(), threading.Event()
        >>> with SqliteStore.open(f"{folder.name}/bank.db") as store:
        ...     opened = ProspectiveEvent("e-1", "accounts", "account.opened")
        ...     outcome = store.submit([opened], post=lambda all: all[0](), told=safe.set)
        ...     safe.wait(), outcome().revision
        (True, 1)
        >>> folder.cleanup()
        """
        commits = self._writable()
        asked = preparing.asked(events, conditions, transaction_id, fingerprint)
        prepared = preparing.prepared(asked, self._limits, self._identity.keys)
        work: Work[Written] = Work(None, prepared, None, post, told)
        commits.submit(work, held=held)
        return lambda: _record(prepared, work.result())

    def release(self) -> None:
        """Begin to commit whatever was submitted and held; see :meth:`submit`."""
        self._writable().release()

    def write(self, run: Callable[[apsw.Connection], T]) -> T:
        """Write into the tables of a module: one commit, and safe when this returns.

        Args:
            run: is given the writing connection. It may be called more than once until the commit
                succeeds, so it must do nothing else; what it raises undoes everything.
        """
        return self._writable().do(Work(partial(run, self._db)))

    def _writable(self) -> GroupCommit:
        if self._commits is None:
            raise StoreReadOnly(
                self._path, "it was opened to read only", 'open it with mode="write"'
            )
        return self._commits

    def _committed(self, revision: int, recorded: int) -> None:
        self._watch.announce(revision, recorded)
        if revision >= self._gatherer.due:
            self._gatherer.wake()

    # --- events side by side -------------------------------------------------------------------

    def gather(self, progress: gathering.Progress | None = None) -> int:
        """Lay the events of each subject side by side, so that its history is read from few places.

        A store of many events does so by itself while nobody writes, some milliseconds at a time, and
        again whenever it has grown by an eighth. This does it now. Copies are made of events that a
        subject has eight of at least, that lie apart and are small; they take nearly as much room as
        the events themselves. Others write and read meanwhile.

        Args:
            progress: is told after each step how many events were gone through, and of how many.

        Returns:
            How many events were copied.

        Raises:
            StoreError: the copies could not be written. What was gathered before stays so.

        >>> import tempfile
        >>> folder = tempfile.TemporaryDirectory()
        >>> with SqliteStore.open(f"{folder.name}/bank.db") as store:
        ...     store.gather()
        0
        >>> folder.cleanup()
        """
        self.write(gathering.begin)
        gathered = seen = 0
        total = self._latest()
        while True:
            taken = self.write(partial(gathering.step, self._path))
            gathered, seen = gathered + taken.gathered, seen + taken.entries
            if progress is not None:
                progress(total if taken.done else min(seen, total), total)
            if taken.done:
                return gathered

    def scatter(self) -> None:
        """Drop the copies that :meth:`gather` has made; the room that they had is used for new events.

        Open the store with ``gather=False`` where it is not to make them again.
        """
        self.write(gathering.scatter)

    def _gather_on(self) -> gathering.Step:
        return self.write(partial(gathering.go_on, self._path, self._latest()))

    def _due_at(self) -> int:
        with self._pool.connection() as db:
            return gathering.due_at(db)

    # --- copies --------------------------------------------------------------------------------

    def backup(self, target: str | os.PathLike[str]) -> Head:
        """Copy the store into another file, as it is at this moment; writers go on meanwhile.

        The copy has everything that is in the file, the tables of modules too. It is checked as a
        whole and synced before it gets its name; a failure leaves no file.

        Args:
            target: the file to write, which must not be there.

        Returns:
            Where the copy stands.

        Raises:
            TargetExists: there is a file of that name.
            DamagedStore: the store is not as it was written.
            StoreError: it could not be read, or the copy not be written.

        >>> import tempfile
        >>> folder = tempfile.TemporaryDirectory()
        >>> with SqliteStore.open(f"{folder.name}/bank.db") as store:
        ...     store.backup(f"{folder.name}/copy.db").revision
        0
        >>> folder.cleanup()
        """
        open_copy = partial(type(self).open, mode="read")
        return copying.copy_to(Path(target), self._pool, open_copy)

    # --- the end -------------------------------------------------------------------------------

    def close(self) -> None:
        """Finish what was begun, and let go of the file."""
        self._watch.close()
        if self._lookout is not None:
            self._lookout.close()
        self._pool.close()
        if self._commits is not None:
            self._gatherer.close()
            if self._commits.close():
                self._lock.release()


def _head(revision: int, recorded: int) -> Head:
    return Head(revision, moment(recorded))


def _record(prepared: preparing.Prepared, written: Written) -> TransactionRecord:
    recorded = moment(written.recorded)
    return TransactionRecord(prepared.id, written.basis, written.revision, recorded)


def _system_clock() -> int:
    return time.time_ns() // 1000


def _microseconds_of(clock: Callable[[], datetime]) -> Callable[[], int]:
    return lambda: microseconds(clock())[0]
