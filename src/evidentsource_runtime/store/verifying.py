"""Looking through a whole store for anything that is not as it was written."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import apsw

from evidentsource_runtime.store import stored
from evidentsource_runtime.store.errors import StoreError
from evidentsource_runtime.store.fetching import fetch, fetch_one
from evidentsource_runtime.store.readable import ReadableStore
from evidentsource_runtime.store.rows import Columns
from evidentsource_runtime.store.stored import Row

_PAGE: Final = 200

Progress = Callable[[int, int], None]
"""Called with how many revisions were looked at, and how many there are."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is wrong with a store.

    Args:
        code: stable; programs match on it.
        message: what is wrong, in one line.
    """

    code: str
    message: str

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


def verify(store: ReadableStore, progress: Progress | None = None) -> Iterator[Fault]:
    """Everything that is wrong with a store; nothing where it is as it was written.

    SQLite's own structures are checked, that revisions have no gaps, that every event is found by
    every index, and that each transaction's rows have the checksum that they were written with.

    Args:
        store: an open store; it may be written meanwhile.
        progress: is told now and then how far it is.

    >>> import tempfile
    >>> from evidentsource_runtime.store import SqliteStore
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with SqliteStore.open(f"{folder}/bank.db") as store:
    ...         list(verify(store))
    []
    """
    upto = store.head().revision
    try:
        with store.read() as db:
            found = [*_structure(db), *_counts(db)]
        yield from found
        yield from _transactions(store, upto, progress or (lambda _done, _total: None))
    except StoreError as error:
        yield Fault(error.code, error.reason)


_ROWS: Final = (
    f"SELECT {stored.COLUMNS} FROM event AS e {stored.NAMES} "
    "WHERE e.revision > ? AND e.revision <= ? ORDER BY e.revision"
)


def _structure(db: apsw.Connection) -> Iterator[Fault]:
    for (line,) in fetch(db, "PRAGMA integrity_check(20)"):
        if line != "ok":
            yield Fault("damaged-structure", line)


def _counts(db: apsw.Connection) -> Iterator[Fault]:
    last = fetch_one(db, "SELECT coalesce(max(revision), 0) FROM tx")[0]
    sql = "SELECT count(*), coalesce(min(revision), 1), coalesce(max(revision), 0) FROM event"
    count, low, high = fetch_one(db, sql)
    if (count, low, high) != (last, 1, last):
        message = f"there are {count} events for the revisions {low} to {high}, not {last}"
        yield Fault("missing-events", message)
    for table in ("stream", "subject", "type"):
        sql = (
            f"SELECT count(*) FROM event AS e WHERE e.{table} <> 0 AND NOT EXISTS "
            f"(SELECT 1 FROM {table} AS n WHERE n.id = e.{table})"
        )
        (nameless,) = fetch_one(db, sql)
        if nameless:
            yield Fault("missing-names", f"{nameless} events have a {table} that has no name")


def _transactions(store: ReadableStore, upto: int, progress: Progress) -> Iterator[Fault]:
    basis = 0
    while basis < upto:
        with store.read() as db:
            found = fetch(
                db,
                "SELECT basis, revision, checksum FROM tx "
                f"WHERE revision > ? ORDER BY revision LIMIT {_PAGE}",
                (basis,),
            )
            faults = [fault for row in found for fault in _transaction(db, *row)]
        yield from faults
        for before, revision, *_ in found:
            if before != basis:
                yield Fault("gap", f"the transaction behind revision {basis} starts at {before}")
            basis = revision
        if not found:
            return
        progress(min(basis, upto), upto)


def _transaction(db: apsw.Connection, basis: int, revision: int, checksum: int) -> Iterator[Fault]:
    rows = fetch(db, _ROWS, (basis, revision))
    if zlib.crc32("".join(_text(row) for row in rows).encode()) != checksum:
        yield Fault(
            "changed-events",
            f"the events of the revisions {basis + 1} to {revision} are not as they were written",
        )


def _text(row: Row) -> str:
    time = (row[stored.MICROS], row[stored.FINER]) if row[stored.TIMED] else None
    return Columns._make((*row[: stored.DATA], time, *row[stored.DATA : stored.MICROS])).text()
