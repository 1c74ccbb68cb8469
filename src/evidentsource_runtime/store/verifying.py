"""Looking through a whole store for anything that is not as it was written."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import apsw

from evidentsource_runtime.store import stored
from evidentsource_runtime.store.entries import COLUMN, FRESH, LEVELS, TABLES, entries_of
from evidentsource_runtime.store.errors import StoreError
from evidentsource_runtime.store.fetching import fetch, fetch_one
from evidentsource_runtime.store.keys import Keys
from evidentsource_runtime.store.readable import ReadableStore
from evidentsource_runtime.store.rows import Columns
from evidentsource_runtime.store.runs import COPIED, gathered_upto
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

    SQLite's own structures are checked, that revisions have no gaps, that the index leads to every event
    and to nothing else, that the runs of subjects have each event as it is and leave none out, and that
    each transaction's rows have the checksum that they were written with.

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
            found = [*_structure(db), *_counts(db), *_index(db), *_runs(db)]
        yield from found
        yield from _transactions(store, upto, progress or (lambda _done, _total: None))
    except StoreError as error:
        yield Fault(error.code, error.reason)


_ROWS: Final = (
    f"SELECT {stored.COLUMNS}, e.key, e.tx_key, e.tx_id FROM event AS e {stored.NAMES} "
    "WHERE e.revision > ? AND e.revision <= ? ORDER BY e.revision"
)


def _structure(db: apsw.Connection) -> Iterator[Fault]:
    for (line,) in fetch(db, "PRAGMA integrity_check(20)"):
        if line != "ok":
            yield Fault("damaged-structure", line)


def _counts(db: apsw.Connection) -> Iterator[Fault]:
    sql = "SELECT coalesce(max(revision), 0) FROM event WHERE basis IS NOT NULL"
    last = fetch_one(db, sql)[0]
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


def _index(db: apsw.Connection) -> Iterator[Fault]:
    """Whether the index has the entries that it should have, each in one place and in order."""
    for kind, column in COLUMN.items():
        wanted = f"SELECT * FROM ({entries_of(kind, f'revision <= {FRESH}')})"
        found = " UNION ALL ".join(
            f"SELECT kind, value, revision FROM {table} WHERE kind = {kind}"
            for table in TABLES.values()
        )
        (first, second) = (fetch_one(db, _SUM.format(entries=sql)) for sql in (wanted, found))
        if first != second:
            message = (
                f"the index of {column} has {second[0]} entries, not the {first[0]} of the events"
            )
            yield Fault("damaged-index", message)
    for level, further in combinations(LEVELS, 2):
        late = fetch_one(db, _LATE.format(table=TABLES[level], further=TABLES[further]))[0]
        if late:
            yield Fault("damaged-index", f"{late} entries of level {level} are out of order")


# Sums that do not depend on the order of the entries: to look for each one of them would take far longer.
_SUM: Final = (
    "WITH n (kind, value, revision) AS ({entries}) SELECT count(*), coalesce(sum("
    "(value % 2147483647 * 31 + revision % 2147483647 * 1000003) % 2147483647), 0) FROM n"
)
_LATE: Final = (
    "SELECT count(*) FROM {table} AS n WHERE n.revision <= (SELECT max(f.revision) FROM {further} AS f "
    "WHERE f.kind = n.kind AND f.value = n.value)"
)


def _runs(db: apsw.Connection) -> Iterator[Fault]:
    """Whether runs have what they should, as the events have it and in order."""
    for sql, what in _OF_RUNS.items():
        (count,) = fetch_one(db, sql)
        if count:
            yield Fault("damaged-runs", f"{count} {what}; dropping the runs loses nothing")


_COPIED: Final = ", ".join(f"{{table}}.{column}" for column in COPIED)
_IN_ORDER: Final = (
    "SELECT r.subject, r.last, r.first, r.count, g.subject AS whose, g.revision, lag(g.revision) "
    "OVER (PARTITION BY r.subject, r.last ORDER BY g.place) AS before FROM run AS r "
    "LEFT JOIN gathered AS g ON g.place >= r.place AND g.place < r.place + r.count"
)
_OF_RUNS: Final = {
    f"SELECT count(*) FROM gathered AS g LEFT JOIN event AS e ON e.revision = g.revision "
    f"WHERE ({_COPIED.format(table='g')}) IS NOT ({_COPIED.format(table='e')})": (
        "copies of events are not as the events"
    ),
    f"SELECT count(*) FROM (SELECT 1 FROM ({_IN_ORDER}) GROUP BY subject, last HAVING "
    "count(revision) <> count OR min(revision) IS NOT first OR max(revision) IS NOT last OR "
    "sum(whose <> subject OR revision <= before) > 0)": "runs are not in order",
    "SELECT abs((SELECT count(*) FROM event AS e WHERE "
    f"e.revision <= {gathered_upto('e.subject')}) - count(*)) "
    "+ abs(count(*) - count(DISTINCT revision)) "
    "+ abs(count(*) - (SELECT coalesce(sum(count), 0) FROM run)) FROM gathered": (
        "copies are missing or too many"
    ),
}


def _transactions(store: ReadableStore, upto: int, progress: Progress) -> Iterator[Fault]:
    basis = 0
    while basis < upto:
        with store.read() as db:
            found = fetch(
                db,
                "SELECT basis, revision, checksum FROM event "
                f"WHERE revision > ? AND basis IS NOT NULL ORDER BY revision LIMIT {_PAGE}",
                (basis,),
            )
            faults = [fault for row in found for fault in _transaction(db, store.keys_of_ids, *row)]
        yield from faults
        for before, revision, *_ in found:
            if before != basis:
                yield Fault("gap", f"the transaction behind revision {basis} starts at {before}")
            basis = revision
        if not found:
            return
        progress(min(basis, upto), upto)


def _transaction(
    db: apsw.Connection, keys: Keys, basis: int, revision: int, checksum: int
) -> Iterator[Fault]:
    rows = fetch(db, _ROWS, (basis, revision))
    which = f"the revisions {basis + 1} to {revision}"
    if zlib.crc32("".join(_text(row) for row in rows).encode()) != checksum:
        yield Fault("changed-events", f"the events of {which} are not as they were written")
    elif not all(_has_its_keys(row, keys) for row in rows):
        yield Fault("damaged-index", f"the keys of {which} are not those of their ids")


def _has_its_keys(row: Row, keys: Keys) -> bool:
    *_, key, tx_key, name = row
    if tx_key != (None if name is None else keys.of_transaction(name)):
        return False
    return keys.of_event(row[stored.STREAM], row[stored.ID]) == int(key)


def _text(row: Row) -> str:
    time = (row[stored.MICROS], row[stored.FINER]) if row[stored.TIMED] else None
    return Columns._make((*row[: stored.DATA], time, *row[stored.DATA : stored.MICROS])).text()
