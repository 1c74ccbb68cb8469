"""Group commit: what waits at one moment is written by one of those who wait, and shares one sync.

Each piece of work has its own verdict. Nobody is told anything before the sync is done. Where a
commit of several fails, each is tried again alone, so that none fails for another's reason.

The thread that finds nobody writing writes at once, for itself and whoever came meanwhile; then it
makes the first of those who came later the next. A writer alone so never waits for another thread.
Work that no thread waits for, an event loop's, is written by a thread of its own, the *committer*.

Those whose work is safe are told while the disk has the next work: told before, they would all want
the interpreter, for which whoever writes next would have to wait.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from threading import Condition, Lock, Thread
from typing import Final, TypeVar

import apsw

from evidentsource_runtime.store.errors import CommitUncertain, StoreClosed, StoreForked
from evidentsource_runtime.store.faults import faults, translated
from evidentsource_runtime.store.work import Work, are_brief, tell
from evidentsource_runtime.store.writing import Writer

MOST_TOGETHER: Final = 256
"""Pieces of work that share one commit at most."""
CHECKPOINT_PAGES: Final = 2000
"""Pages in the log from which on they are carried over into the file, once many have been."""
FIRST_PAGES: Final = 256
"""The same at first: a commit that makes the log's file grow takes twice as long as one that does not."""
_GROWTH: Final = 16
"""Of so many pages written one may make it grow."""
_SLOW_GROWTH: Final = 64
"""The same of small commits, of whose time that is a larger part."""
_SMALL: Final = 4
"""Pages that a small commit changes at most."""

LOOK_EVERY: Final = 8
"""Commits from one look at the length of the log to the next, if they have fewer events than the next."""
_LOOK_EVENTS: Final = 256
_NOBODY: Final[tuple[Work[object], ...]] = ()

T = TypeVar("T")
_log = logging.getLogger("evidentsource.store")


class GroupCommit:
    """Writes, one group of work after the other.

    Args:
        path: the file, for errors.
        db: the connection; used by one thread at a time.
        writer: what is told when a commit was made or undone.
        committed: called after each commit, before anyone is told of it, with the latest revision and
            the microseconds since 1970 at which that was recorded.
    """

    def __init__(
        self, path: str, db: apsw.Connection, writer: Writer, committed: Callable[[int, int], None]
    ) -> None:
        self._path = path
        self._db = db
        self._cursor = db.cursor()
        self._writer = writer
        self._committed = committed
        self._lock = Lock()  # guards the next five
        self._free = Condition(self._lock)
        self._waiting: list[Work[object]] = []
        self._held: list[Work[object]] = []
        self._led = False
        self._closed = False
        self._committer: Thread | None = None
        self._turn = Lock()  # released when it is the committer's turn
        self._turn.acquire()
        self._answered: Sequence[Work[object]] = _NOBODY  # of whoever leads
        self._written_now: list[Work[object]] = []  # all decided, in the order in which they came
        self._process = os.getpid()
        self._carried = self._looked = self._written()
        self._room = 0.0  # pages by which the log may be longer than at first
        self._commits = 0  # since somebody looked how long the log is
        self._look_at = 0  # the revision from which on somebody has to

    def do(self, work: Work[T]) -> T:
        """Have something written; what it returns, once that is safe.

        Raises:
            StoreClosed: the store was closed.
            StoreForked: it was opened in a parent of this process.
            StoreError: it could not be written.
        """
        mine: Work[object] = work  # type: ignore[assignment]  # its result goes to this caller only
        if os.getpid() != self._process:
            raise StoreForked(self._path)
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

    def submit(self, work: Work[T], *, held: bool = False) -> None:
        """Have something written without waiting for it: its ``post`` brings the verdict.

        Args:
            work: what is to be written.
            held: whether it is kept until :meth:`release`, with others that come at once.

        Raises:
            StoreClosed: the store was closed.
            StoreForked: it was opened in a parent of this process.
        """
        mine: Work[object] = work  # type: ignore[assignment]  # as above
        if os.getpid() != self._process:
            raise StoreForked(self._path)
        with self._lock:
            if self._closed:
                raise StoreClosed(self._path)
            if self._committer is None:
                self._committer = Thread(
                    target=self._serve, name="evidentsource-committer", daemon=True
                )
                self._committer.start()
            self._held.append(mine)
            if not held:
                self._release()

    def release(self) -> None:
        """Have everything written that was held, in one commit if it can be."""
        if os.getpid() != self._process:
            raise StoreForked(self._path)
        with self._lock:
            self._release()

    def _release(self) -> None:
        if not self._held:
            return
        self._waiting += self._held
        self._held.clear()
        if not self._led:
            self._led = True
            self._turn.release()

    def close(self) -> bool:
        """Finish what waits, and close the connection.

        Returns:
            Whether this call did it: it may be closed any number of times.
        """
        with self._lock:
            if self._closed:
                return False
            self._closed = True
            self._release()
            self._free.wait_for(lambda: not self._led)
        if self._committer is not None:
            self._turn.release()
            self._committer.join()
        with faults(self._path):
            self._db.close()
        return True

    # --- whose turn it is ----------------------------------------------------------------------

    def _serve(self) -> None:
        """The committer: writes what waits whenever it is its turn, until the store is closed."""
        while True:
            self._turn.acquire()
            with self._lock:
                if not self._waiting:
                    return
            self._lead(None)
            self._pass_on(None)

    def _lead(self, mine: Work[object] | None) -> None:
        """Write what waits."""
        group = self._waiting[:MOST_TOGETHER]
        try:
            error = self._commit(group)
        except BaseException as interrupted:
            if mine is not None:
                raise
            error = interrupted
        if error is not None:
            self._each_alone(group, error, mine)
        self._written_now = group
        self._commits += 1
        if (
            self._commits >= LOOK_EVERY or self._writer.revision >= self._look_at
        ) and self._is_long():
            with self._lock:
                answered = self._take_decided(mine)
            tell(answered)
            self._checkpoint()

    def _leave(self, mine: Work[object]) -> None:
        """Wait and write no more; a writer leaves what it has not decided to the next one.

        This also runs where the thread was interrupted, wherever that was.
        """
        if not mine.leads:
            with self._lock:
                if not mine.leads:
                    self._waiting = [work for work in self._waiting if work is not mine]
                    return
        with self._lock:
            if self._waiting == [mine] and not self._answered and not self._closed:
                # A writer that is alone has nobody to tell, and nobody who would go on.
                self._waiting.clear()
                self._led = mine.leads = False
                return
        self._pass_on(mine)

    def _pass_on(self, mine: Work[object] | None) -> None:
        """Let the next one write, if there is one, and tell those whose work is decided."""
        self._tell()
        with self._lock:
            answered = self._take_decided(mine)
            if mine is not None:
                mine.leads = False
            if self._waiting:
                # First of all, so that the disk has its next work before everybody goes on.
                self._answered = answered
                self._hand_over(self._waiting[0])
                return
            self._led = False
            if self._closed:
                self._free.notify_all()
        tell(answered)

    def _hand_over(self, work: Work[object]) -> None:
        if work.post is not None:
            self._turn.release()
            return
        work.leads = True
        work.wake()

    def _take_decided(self, mine: Work[object] | None) -> Sequence[Work[object]]:
        """Take out of the queue whoever waits no more; those of them who are to be told of it."""
        waiting, written = self._waiting, self._written_now
        self._written_now = []
        if waiting[: len(written)] == written and (mine is None or mine in written[:1]):
            # As it nearly always is, unless somebody was interrupted.
            self._waiting = waiting[len(written) :]
            return written if mine is None else written[1:]
        self._waiting = [work for work in waiting if not work.decided and work is not mine]
        return [work for work in waiting if work.decided and work is not mine]

    def _tell(self) -> None:
        # Forgotten afterwards: where this is interrupted, the next one tells them again.
        tell(self._answered)
        self._answered = _NOBODY

    # --- writing -------------------------------------------------------------------------------

    def _each_alone(
        self, group: list[Work[object]], error: BaseException, mine: Work[object] | None
    ) -> None:
        """Nothing of a group was written: find out whose fault it is."""
        group = [work for work in group if not work.decided]
        if len(group) == 1:
            group[0].fail(error)
            return
        for work in group:
            try:
                alone = self._commit([work])
            except BaseException as interrupted:
                if mine is not None:
                    raise
                alone = interrupted
            if alone is not None:
                work.fail(alone)

    def _commit(self, group: list[Work[object]]) -> BaseException | None:
        """Write all of it and make it durable; the error where nothing of it was written."""
        committing = False
        run, writer = self._cursor.execute, self._writer
        prepared = [work.prepared for work in group if work.prepared is not None]
        if self._answered and not are_brief(group, prepared):
            self._tell()
        try:
            run("BEGIN IMMEDIATE")
            writer.begin(prepared)
            for work in group:
                if work.prepared is None:
                    writer.flush()
                work.attempt(writer)
            writer.flush()
            if self._answered:
                self._tell()
            committing = True
            run("COMMIT")
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
        writer = self._writer
        writer.commit()
        self._committed(writer.revision, writer.recorded)

    def _undo(self) -> None:
        try:
            if self._db.in_transaction:
                self._cursor.execute("ROLLBACK")
            self._writer.reload()
        except apsw.Error as error:
            # The next commit meets the same fault and tells its caller.
            _log.warning("%s: a failed commit could not be cleared away: %s", self._path, error)

    def _is_long(self) -> bool:
        written = self._written()
        pages = written - self._looked
        are_small = pages <= self._commits * _SMALL
        self._room += pages / (_SLOW_GROWTH if are_small else _GROWTH)
        self._looked = written
        self._commits, self._look_at = 0, self._writer.revision + _LOOK_EVENTS
        return written >= self._carried + min(CHECKPOINT_PAGES, FIRST_PAGES + self._room)

    def _written(self) -> int:
        """Pages written into the log so far; a hook would tell, too, but interrupt each commit."""
        pages, _ = self._db.status(apsw.SQLITE_DBSTATUS_CACHE_WRITE)
        return pages

    def _checkpoint(self) -> None:
        """Carry the log over into the file, once those whose work is in it have their answers."""
        self._carried = self._written()
        try:
            self._db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        except apsw.Error as error:
            # What is in the log is safe there; it only grows until this succeeds.
            _log.warning("%s: the log could not be carried over: %s", self._path, error)
