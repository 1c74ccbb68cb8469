"""SQLite's result codes to this project's errors, with the file and the fix."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import apsw

from evidentsource_runtime.store.errors import (
    DamagedStore,
    ForeignFile,
    StoreBusy,
    StoreClosed,
    StoreError,
    StoreFull,
    StoreIOError,
    StoreReadOnly,
)

BUSY_SECONDS = 5.0
"""How long a request waits for another program's lock."""


def translated(path: str, error: apsw.Error) -> StoreError:
    """The store's error for one of SQLite's."""
    text = str(error)
    if isinstance(error, apsw.FullError):
        return StoreFull(path)
    if isinstance(error, apsw.NotADBError):
        return ForeignFile(path, "it is no SQLite file")
    if isinstance(error, apsw.CorruptError):
        return DamagedStore(path, text)
    if isinstance(error, apsw.ReadOnlyError):
        return StoreReadOnly(path, f"it cannot be written: {text}")
    if isinstance(error, apsw.CantOpenError):
        return StoreIOError(
            path, f"it cannot be opened: {text}", "look at its folder and its rights"
        )
    if isinstance(error, apsw.BusyError | apsw.LockedError):
        return StoreBusy(path, BUSY_SECONDS)
    if isinstance(error, apsw.ConnectionClosedError | apsw.CursorClosedError):
        return StoreClosed(path)
    if isinstance(error, apsw.IOError):
        return StoreIOError(
            path, f"the disk failed: {text}", "look after the disk; nothing is lost"
        )
    return StoreError(path, f"{type(error).__name__}: {text}")


@contextmanager
def faults(path: str) -> Iterator[None]:
    """Turn whatever SQLite raises inside into a :class:`StoreError` that names ``path``.

    >>> with faults("bank.db"):
    ...     raise apsw.FullError("database or disk is full")
    Traceback (most recent call last):
    ...
    evidentsource_runtime.store.errors.StoreFull: bank.db: the disk is full; make room ...
    """
    try:
        yield
    except apsw.Error as error:
        raise translated(path, error) from error
