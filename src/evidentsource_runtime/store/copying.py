"""A store into another file, as it is at one moment, while it may be written."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Final

import apsw

from evidentsource_runtime.store.errors import DamagedStore, StoreIOError, TargetExists
from evidentsource_runtime.store.faults import faults
from evidentsource_runtime.store.interface import Head
from evidentsource_runtime.store.pool import Pool
from evidentsource_runtime.store.readable import ReadableStore
from evidentsource_runtime.store.verifying import verify

_PAGES: Final = 1000
"""Pages that are copied at once, between which other threads have their turn."""


def copy_to(target: Path, pool: Pool, open_copy: Callable[[Path], ReadableStore]) -> Head:
    """Copy a store into a file that is not there yet; a failure leaves no file.

    Args:
        target: the file to write.
        pool: the reading connections of what is copied.
        open_copy: opens the copy to read, to check it before it gets its name.
    """
    if os.path.lexists(target):
        raise TargetExists(str(target))
    part = target.with_name(f".{target.name}.{uuid.uuid4().hex}.part")
    try:
        _copy(part, pool)
        with open_copy(part) as copy:
            head = copy.head()
            problem = next(iter(verify(copy)), None)
        if problem is not None:
            raise DamagedStore(pool.path, f"no copy was made, since {problem}")
        _name(part, target)
    except OSError as error:
        reason = f"it cannot be written: {error.strerror}"
        raise StoreIOError(str(target), reason, "look at its folder and its rights") from error
    finally:
        for ending in ("", "-wal", "-shm", "-journal"):
            part.with_name(part.name + ending).unlink(missing_ok=True)
    return head


def _copy(part: Path, pool: Pool) -> None:
    with pool.snapshot() as source, faults(str(part)):
        # A transaction that has read is bound to its moment, so that no write begins the copy anew.
        source.execute("SELECT 1 FROM sqlite_schema").fetchall()
        db = apsw.Connection(str(part))
        try:
            with db.backup("main", source, "main") as running:
                while not running.done:
                    running.step(_PAGES)
            # The copy is one file, with nothing beside it.
            db.pragma("journal_mode", "delete")
        finally:
            db.close()


def _name(part: Path, target: Path) -> None:
    """Make what was copied durable under its name, and only where nobody took that meanwhile."""
    _sync(part)
    try:
        os.link(part, target)
    except FileExistsError as error:
        raise TargetExists(str(target)) from error
    except OSError:
        # A file system without hard links: a file that came meanwhile is not seen there.
        part.replace(target)
    _sync(target.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
