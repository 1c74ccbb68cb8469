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
from evidentsource_runtime.store.preparing import Prepared
from evidentsource_runtime.store.writing import Writer

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
        run: Callable[[], T],
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
        self._woken: Lock | None = None

    def attempt(self) -> None:
        """Run it, and keep what comes of it. What might have left something written goes on up."""
        self._error = None
        try:
            self._result = self.run()
        except EvidentSourceError as error:
            if self.atomic:
                raise
            self._error = error

    def fail(self, error: BaseException) -> None:
        """The verdict is this error."""
        self._error = error
        self.decided = True

    def queue(self) -> None:
        """Make ready to wait, before anybody can see it."""
        self._woken = Lock()
        self._woken.acquire()

    def wait(self) -> None:
        """Wait for the verdict, or to be the one who writes."""
        if self._woken is not None:
            self._woken.acquire()

    def wake(self) -> None:
        """End the waiting."""
        if self._woken is not None and self._woken.locked():
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
        self._lock = Lock()  # guards the next three
        self._free = Condition(self._lock)
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
            if self._led:
                mine.queue()
            else:
                self._led = mine.leads = True
            self._waiting.append(mine)
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
            self._free.wait_for(lambda: not self._led)
        with faults(self._path):
            self._db.close()
        return True

    def _lead(self, mine: Work[object]) -> None:
        """Write what waits."""
        with self._lock:
            group = self._waiting[:MOST_TOGETHER]
        error = self._commit(group)
        if error is not None:
            self._each_alone(group, error)
        if self._pages < self._tried:
            self._tried = 0  # the log was begun anew
        if self._pages >= self._tried + CHECKPOINT_PAGES:
            for work in group:
                if work is not mine:
                    work.wake()
            self._checkpoint()

    def _leave(self, mine: Work[object]) -> None:
        """Wait and write no more; a writer leaves what it has not decided to the next one.

        This also runs where the thread was interrupted, wherever that was.
        """
        with self._lock:
            waiting = self._waiting
            if len(waiting) == 1 and mine.leads and waiting[0] is mine:
                self._waiting = []
                self._led = mine.leads = False
                if self._closed:
                    self._free.notify_all()
                return
            if not mine.leads:
                self._waiting = [work for work in waiting if work is not mine]
                return
            left = self._waiting = [
                work for work in waiting if not work.decided and work is not mine
            ]
            mine.leads = False
            self._led = bool(left)
            if left:
                # First of all, so that the disk has its next work before everybody goes on.
                left[0].leads = True
                left[0].wake()
            elif self._closed:
                self._free.notify_all()
        for work in waiting:
            if work.decided and work is not mine:
                work.wake()

    def _each_alone(self, group: list[Work[object]], error: BaseException) -> None:
        """Nothing of a group was written: find out whose fault it is."""
        if len(group) == 1:
            group[0].fail(error)
            return
        for work in group:
            alone = self._commit([work])
            if alone is not None:
                work.fail(alone)

    def _commit(
        self, group: list[Work[object]], *, carefully: bool = False
    ) -> BaseException | None:
        """Write all of it and make it durable; the error where nothing of it was written."""
        committing = False
        db, writer = self._db, self._writer
        prepared = [work.prepared for work in group if work.prepared is not None]
        try:
            db.execute("BEGIN IMMEDIATE")
            writer.begin(prepared, carefully=carefully)
            for work in group:
                if work.prepared is None:
                    writer.flush()
                work.attempt()
            writer.flush()
            committing = True
            db.execute("COMMIT")
        except apsw.Error as error:
            self._undo()
            if isinstance(error, apsw.ConstraintError) and not carefully:
                # Most likely an event's id that is used already: whose, is found out then.
                return self._commit(group, carefully=True)
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
        """Carry the log over into the file, once those whose work is in it have their answers."""
        self._tried = self._pages
        try:
            self._db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        except apsw.Error as error:
            # What is in the log is safe there; it only grows until this succeeds.
            _log.warning("%s: the log could not be carried over: %s", self._path, error)
