"""Group commit: one thread writes for all, and what waits at one moment shares one sync.

Each piece of work has its own verdict. Nobody is told anything before the sync is done. Where a
commit of several fails, each is tried again alone, so that none fails for another's reason.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Final, Generic, TypeVar

import apsw

from evidentsource_core.domain.errors import EvidentSourceError
from evidentsource_runtime.store.errors import CommitUncertain, StoreClosed
from evidentsource_runtime.store.faults import faults, translated
from evidentsource_runtime.store.writing import Writer

MOST_TOGETHER: Final = 256
"""Pieces of work that share one commit at most."""
CHECKPOINT_PAGES: Final = 2000
"""Pages in the log from which on they are carried over into the file."""

T = TypeVar("T")
_log = logging.getLogger("evidentsource.store")


class Work(Generic[T]):
    """Something to be written, and its verdict.

    Args:
        run: writes it; a refusal that it raises leaves nothing written.
        atomic: whether ``run`` may fail after it has written something. The whole commit is undone
            then, and tried again without it.
    """

    __slots__ = ("_done", "_error", "_result", "atomic", "run")

    def __init__(self, run: Callable[[apsw.Connection], T], *, atomic: bool = False) -> None:
        self.run = run
        self.atomic = atomic
        self._error: BaseException | None = None
        self._result: T | None = None
        self._done = Lock()
        self._done.acquire()

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

    def tell(self) -> None:
        """Let the caller have the verdict."""
        self._done.release()

    def result(self) -> T:
        """The verdict, once it is there."""
        self._done.acquire()
        self._done.release()
        if self._error is not None:
            raise self._error
        return self._result  # type: ignore[return-value]  # a verdict without error has a result


class GroupCommit:
    """The thread that writes.

    Args:
        path: the file, for errors.
        db: the connection; used by that thread alone from now on.
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
        self._queue: SimpleQueue[Work[object] | None] = SimpleQueue()
        self._lock = Lock()
        self._closed = False
        self._pages = self._tried = 0
        db.set_wal_hook(self._wrote)
        self._thread = Thread(target=self._serve, name="evidentsource-writer", daemon=True)
        self._thread.start()

    def do(self, work: Work[T]) -> T:
        """Have something written; what it returns, once that is safe.

        Raises:
            StoreClosed: the store was closed.
            StoreError: it could not be written.
        """
        with self._lock:
            if self._closed:
                raise StoreClosed(self._path)
            self._queue.put(work)  # type: ignore[arg-type]  # its result goes to this caller only
        return work.result()

    def close(self) -> bool:
        """End the thread when everything that waits is written, and close the connection.

        Returns:
            Whether this call did it: it may be closed any number of times.
        """
        with self._lock:
            first = not self._closed
            if first:
                self._closed = True
                self._queue.put(None)
        self._thread.join()
        return first

    def _serve(self) -> None:
        going = True
        while going:
            first = self._queue.get()
            group = [] if first is None else [first]
            going = first is not None
            try:
                while going and len(group) < MOST_TOGETHER:
                    further = self._queue.get_nowait()
                    if further is None:
                        going = False
                    else:
                        group.append(further)
            except Empty:
                pass
            self._commit_all(group)
            for work in group:
                work.tell()
            self._checkpoint()
        with faults(self._path):
            self._db.close()

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
            for work in group:
                work.attempt(self._db)
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
        except BaseException as error:  # noqa: BLE001 - it is the caller's, who waits for it
            self._undo()
            return error
        self._writer.commit()
        self._committed()
        return None

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
