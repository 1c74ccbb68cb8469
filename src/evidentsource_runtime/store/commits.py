"""Group commit: what waits at one moment is written by one of those who wait, and shares one sync.

Each piece of work has its own verdict. Nobody is told anything before the sync is done. Where a
commit of several fails, each is tried again alone, so that none fails for another's reason.

The thread that finds nobody writing writes at once, for itself and whoever came meanwhile; then it
makes the first of those who came later the next. A writer alone so never waits for another thread.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from threading import Condition, Lock
from typing import Final, Generic, TypeVar

import apsw

from evidentsource_core.domain.errors import EvidentSourceError
from evidentsource_runtime.store.errors import CommitUncertain, StoreClosed, StoreForked
from evidentsource_runtime.store.faults import faults, translated
from evidentsource_runtime.store.writing import Prepared, Writer

MOST_TOGETHER: Final = 256
"""Pieces of work that share one commit at most."""
CHECKPOINT_PAGES: Final = 8000
"""Pages in the log from which on they are carried over into the file."""

T = TypeVar("T")
_log = logging.getLogger("evidentsource.store")


class Work(Generic[T]):
    """Something to be written, and its verdict.

    Args:
        run: writes it; a refusal that it raises leaves nothing written.
        atomic: whether ``run`` may fail after it has written something. The whole commit is undone
            then, and tried again without it.
        prepared: the transaction that it writes, if that is what it does.
    """

    __slots__ = ("_error", "_result", "_woken", "atomic", "decided", "leads", "prepared", "run")

    def __init__(
        self,
        run: Callable[[apsw.Connection], T],
        *,
        atomic: bool = False,
        prepared: Prepared | None = None,
    ) -> None:
        self.run = run
        self.prepared = prepared
        self.atomic = atomic
        self.decided = False
        self.leads = False
        self._error: BaseException | None = None
        self._result: T | None = None
        self._woken = Lock()
        self._woken.acquire()

    def attempt(self, db: apsw.Connection) -> None:
        """Run it, and keep what comes of it. What might have left something written goes on up."""
        self._error = None
        try:
            self._result = self.run(db)
        except EvidentSourceError as error:
            if self.atomic:
                raise
            self._error = error

    def fail(self, error: BaseException) -> None:
        """The verdict is this error."""
        self._error = error
        self.decided = True

    def wait(self) -> None:
        """Wait for the verdict, or to be the one who writes."""
        self._woken.acquire()

    def wake(self) -> None:
        """End the waiting."""
        if self._woken.locked():
            self._woken.release()

    def result(self) -> T:
        """What was decided."""
        if self._error is not None:
            raise self._error
        return self._result  # type: ignore[return-value]  # a verdict without error has a result


class GroupCommit:
    """Writes, one group of work after the other.

    Args:
        path: the file, for errors.
        db: the connection; used by one thread at a time.
        writer: what is told when a commit was made or undone.
        committed: called after each commit, before anyone is told of it.
    """

    def __init__(
        self, path: str, db: apsw.Connection, writer: Writer, committed: Callable[[], None]
    ) -> None:
        self._path = path
        self._db = db
        self._writer = writer
        self._committed = committed
        self._lock = Condition(Lock())  # guards the next three
        self._waiting: list[Work[object]] = []
        self._led = False
        self._closed = False
        self._process = os.getpid()
        self._pages = self._tried = 0
        db.set_wal_hook(self._wrote)

    def do(self, work: Work[T]) -> T:
        """Have something written; what it returns, once that is safe.

        Raises:
            StoreClosed: the store was closed.
            StoreForked: it was opened in a parent of this process.
            StoreError: it could not be written.
        """
        if os.getpid() != self._process:
            raise StoreForked(self._path)
        mine: Work[object] = work  # type: ignore[assignment]  # its result goes to this caller only
        with self._lock:
            if self._closed:
                raise StoreClosed(self._path)
            self._waiting.append(mine)
            mine.leads = not self._led
            self._led = True
        try:
            if not mine.leads:
                mine.wait()
            if mine.leads:
                self._lead(mine)
        finally:
            if mine.leads or not mine.decided:
                self._leave(mine)
        return work.result()

    def close(self) -> bool:
        """Finish what waits, and close the connection.

        Returns:
            Whether this call did it: it may be closed any number of times.
        """
        with self._lock:
            if self._closed:
                return False
            self._closed = True
            self._lock.wait_for(lambda: not self._led)
        with faults(self._path):
            self._db.close()
        return True

    def _lead(self, mine: Work[object]) -> None:
        """Write what waits, and tell those whose it is."""
        with self._lock:
            group = self._waiting[:MOST_TOGETHER]
        self._commit_all(group)
        for work in group:
            if work is not mine:
                work.wake()
        self._checkpoint()

    def _leave(self, mine: Work[object]) -> None:
        """Wait and write no more; a writer leaves what it has not decided to the next one.

        This also runs where the thread was interrupted, wherever that was.
        """
        with self._lock:
            if not mine.leads:
                self._waiting = [work for work in self._waiting if work is not mine]
                return
            for work in self._waiting:
                if work.decided and work is not mine:
                    work.wake()
            self._waiting = [
                work for work in self._waiting if not work.decided and work is not mine
            ]
            mine.leads = False
            self._led = bool(self._waiting)
            if self._led:
                self._waiting[0].leads = True
                self._waiting[0].wake()
            else:
                self._lock.notify_all()

    def _commit_all(self, group: list[Work[object]]) -> None:
        error = self._commit(group)
        if error is None:
            return
        if len(group) == 1:
            group[0].fail(error)
            return
        for work in group:
            alone = self._commit([work])
            if alone is not None:
                work.fail(alone)

    def _commit(self, group: list[Work[object]]) -> BaseException | None:
        """Write all of it and make it durable; the error where nothing of it was written."""
        committing = False
        try:
            self._db.execute("BEGIN IMMEDIATE")
            self._writer.prefetch([work.prepared for work in group if work.prepared is not None])
            for work in group:
                if work.prepared is None:
                    self._writer.flush()
                work.attempt(self._db)
            self._writer.flush()
            committing = True
            self._db.execute("COMMIT")
        except apsw.Error as error:
            self._undo()
            uncertain = committing and isinstance(error, apsw.IOError)
            found = (
                CommitUncertain(self._path, str(error))
                if uncertain
                else translated(self._path, error)
            )
            found.__cause__ = error
            return found
        except Exception as error:  # noqa: BLE001 - it is the caller's, who waits for it
            self._undo()
            return error
        except BaseException:
            # This thread was interrupted: the work of the others is left to the next writer.
            if committing and not self._db.in_transaction:
                self._made(group)
            else:
                self._undo()
            raise
        self._made(group)
        return None

    def _made(self, group: list[Work[object]]) -> None:
        for work in group:
            work.decided = True
        self._writer.commit()
        self._committed()

    def _undo(self) -> None:
        try:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            self._writer.reload()
        except apsw.Error as error:
            # The next commit meets the same fault and tells its caller.
            _log.warning("%s: a failed commit could not be cleared away: %s", self._path, error)

    def _wrote(self, _db: apsw.Connection, _name: str, pages: int) -> int:
        self._pages = pages
        return apsw.SQLITE_OK

    def _checkpoint(self) -> None:
        """Carry the log over into the file where it has grown, once its callers have their answers."""
        if self._pages < self._tried:
            self._tried = 0  # the log was begun anew
        if self._pages < self._tried + CHECKPOINT_PAGES:
            return
        self._tried = self._pages
        try:
            self._db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        except apsw.Error as error:
            # What is in the log is safe there; it only grows until this succeeds.
            _log.warning("%s: the log could not be carried over: %s", self._path, error)
