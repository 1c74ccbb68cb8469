"""Opening the file: what it is, whether it may be opened so, and how a connection is set up."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final, Literal, TypeAlias
from urllib.parse import quote

import apsw

from evidentsource_runtime.store.errors import ForeignFile, StoreIOError, StoreNotFound
from evidentsource_runtime.store.faults import BUSY_SECONDS
from evidentsource_runtime.store.schema import APPLICATION_ID, Module, check_versions, versions

Mode: TypeAlias = Literal["write", "read"]
Synchronous: TypeAlias = Literal["FULL", "NORMAL"]

_HEADER: Final = 100
_MAGIC: Final = b"SQLite format 3\x00"
_CACHE_KIB: Final = 32 * 1024
"""Of the writer, which mostly comes back to the pages that it has just written."""
SMALL_CACHE_KIB: Final = 16 * 1024
LARGE_CACHE_KIB: Final = 128 * 1024
"""Of the connections that read: one has a large one, which whoever reads alone always gets."""


def look_at(path: str) -> bool:
    """Whether the file has content, which is then seen to be a store's.

    Raises:
        ForeignFile: it is something else.
        StoreIOError: it cannot be read.
    """
    file = Path(path)
    try:
        if not file.exists():
            return False
        if not file.is_file():
            raise ForeignFile(path, "it is no file")
        with file.open("rb") as opened:
            header = opened.read(_HEADER)
    except OSError as error:
        reason = f"it cannot be read: {error.strerror}"
        raise StoreIOError(path, reason, "look at its rights") from error
    if not header:
        return False
    if not header.startswith(_MAGIC):
        raise ForeignFile(path, "it is no SQLite file")
    application = int.from_bytes(header[68:72], "big")
    # A new file has its mark in the log beside it until the first checkpoint.
    if application not in {0, APPLICATION_ID}:
        raise ForeignFile(path, "it is an SQLite file of another application")
    return True


def connect_writer(path: str, vfs: str | None, synchronous: Synchronous) -> apsw.Connection:
    """The connection that writes. The file is made where there is none."""
    db = apsw.Connection(path, vfs=vfs)
    try:
        _check_application(path, db)
        db.set_busy_timeout(int(BUSY_SECONDS * 1000))
        db.pragma("journal_mode", "wal")
        db.pragma("synchronous", synchronous)
        _keep_plans(db)
        db.pragma("cache_size", -_CACHE_KIB)
        # Done by the writer's thread once its callers have their answers.
        db.wal_autocheckpoint(0)
    except BaseException:
        db.close()
        raise
    return db


def connect_reader(path: str, vfs: str | None, cache_kib: int = SMALL_CACHE_KIB) -> apsw.Connection:
    """A connection that only reads.

    Where the folder cannot be written either, SQLite needs the files of another program that has
    the store open; without these nobody writes it, and it is read as it lies there.
    """
    flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
    name = f"file:{quote(str(Path(path).absolute()))}"
    db = apsw.Connection(f"{name}?mode=ro", flags=flags, vfs=vfs)
    try:
        try:
            db.set_busy_timeout(int(BUSY_SECONDS * 1000))
            db.pragma("query_only", True)
            db.execute("SELECT 1 FROM sqlite_schema").fetchall()
        except (apsw.CantOpenError, apsw.ReadOnlyError):
            log = Path(f"{path}-wal")
            if log.exists() and log.stat().st_size:
                raise
            db.close()
            db = apsw.Connection(f"{name}?immutable=1", flags=flags, vfs=vfs)
        db.pragma("cache_size", -cache_kib)
        _keep_plans(db)
    except BaseException:
        db.close()
        raise
    return db


def _keep_plans(db: apsw.Connection) -> None:
    # Without it SQLite looks at the values that are bound while it plans, and prepares the statement
    # anew for others, which takes as long as reading twenty events.
    db.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)


def check_readable(path: str, db: apsw.Connection, modules: Iterable[Module]) -> None:
    """Refuse a file that cannot be read as it is.

    Raises:
        ForeignFile, NewerStore, OlderStore: see there.
        StoreNotFound: the file is empty.
    """
    if not _check_application(path, db):
        raise StoreNotFound(path, "the file is empty")
    check_versions(path, versions(db), modules)


def _check_application(path: str, db: apsw.Connection) -> bool:
    """Whether the file is a store; an empty one is not."""
    if db.pragma("application_id") == APPLICATION_ID:
        return True
    if db.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchall():
        raise ForeignFile(path, "it is an SQLite file of another application")
    return False
