"""Followers: every transaction from a revision on, and then each new one; none missed, none twice."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice
from types import TracebackType
from typing import Final, Self

from evidentsource_core.domain.revision import check_revision
from evidentsource_core.rules import TransactionResult
from evidentsource_runtime.store import EventStore, Head, StoreClosed

__all__ = ["Follower", "Tail"]

PAGE: Final = 100
"""Transactions that are read at once."""


class Tail:
    """The transactions behind a revision, as they come to be; asked by one reader.

    Args:
        store: has them.
        after: the revision behind which they lie.
        told: called when there may be more, from another thread; it must return at once.
    """

    def __init__(self, store: EventStore, after: int, told: Callable[[], None]) -> None:
        self._store = store
        self.at = check_revision(after, "after")
        self._told = told
        self._closed = False
        self._end = store.subscribe(self._heard)

    @property
    def closed(self) -> bool:
        """Whether it was ended."""
        return self._closed

    def take(self) -> list[TransactionResult]:
        """The next ones, as many as there are now, or a page of them."""
        if self._closed or self._store.head().revision <= self.at:
            return []
        found = list(islice(self._store.log(self.at + 1, detail=True), PAGE))
        if found:
            self.at = found[-1].revision
        return found

    def _heard(self, _head: Head) -> None:
        self._told()

    def close(self) -> None:
        """End it. Whoever waits is told."""
        if not self._closed:
            self._closed = True
            self._end()
            self._told()


class Follower(Iterator[TransactionResult]):
    """Gives every transaction behind a revision, oldest first, and waits for the next one.

    It ends when it is closed, by any thread, or when the database is. To go on later, or in another
    process, begin after ``position``: no transaction is missed and none comes twice.

    >>> import tempfile, evidentsource_runtime
    >>> from evidentsource_core import ProspectiveEvent
    >>> folder = tempfile.TemporaryDirectory()
    >>> with evidentsource_runtime.open(f"{folder.name}/bank.db") as db:
    ...     _ = db.transact([ProspectiveEvent("e-1", "accounts", "account.opened")])
    ...     with db.follow() as follower:
    ...         (next(follower).revision, follower.get(timeout=0))
    (1, None)
    >>> folder.cleanup()
    """

    def __init__(self, store: EventStore, after: int) -> None:
        self._changed = threading.Condition()
        self._news = 0
        self._waiting: deque[TransactionResult] = deque()
        self._position = after
        self._tail = Tail(store, after, self._wake)

    @property
    def position(self) -> int:
        """The revision of the last transaction that was given."""
        return self._position

    def get(self, timeout: float | None = None) -> TransactionResult | None:
        """The next transaction.

        Args:
            timeout: seconds to wait at most; None for as long as it takes.

        Returns:
            None where the time ran out, or the follower was closed.
        """
        until = None if timeout is None else time.monotonic() + timeout
        while not self._waiting:
            news = self._news
            if self._tail.closed:
                return None
            try:
                self._waiting.extend(self._tail.take())
            except StoreClosed:
                self.close()
                return None
            if not self._waiting and not self._wait(news, until):
                return None
        transaction = self._waiting.popleft()
        self._position = transaction.revision
        return transaction

    def _wait(self, news: int, until: float | None) -> bool:
        left = None if until is None else max(0.0, until - time.monotonic())
        with self._changed:
            return self._changed.wait_for(lambda: self._news > news, left)

    def _wake(self) -> None:
        with self._changed:
            self._news += 1
            self._changed.notify_all()

    def __next__(self) -> TransactionResult:
        found = self.get()
        if found is None:
            raise StopIteration
        return found

    def close(self) -> None:
        """End it: whoever waits for the next transaction is told that there is none."""
        self._waiting.clear()
        self._tail.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
