"""One transaction into the tables, by the platform's rules. Runs on the writer's thread only."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import apsw

from evidentsource_core.domain.checks import at
from evidentsource_core.domain.constraints import AppendCondition
from evidentsource_core.domain.errors import (
    DuplicateEventId,
    DuplicateTransactionId,
    EvidentSourceError,
    InvalidEvents,
)
from evidentsource_core.domain.events import ProspectiveEvent
from evidentsource_core.domain.flat_selectors import STREAM, SUBJECT, TYPE
from evidentsource_core.domain.queries import QueryOptions
from evidentsource_core.domain.selectors import EventSelector
from evidentsource_core.rules import check_holds
from evidentsource_core.times import format_rfc3339
from evidentsource_runtime.store.fetching import fetch_one
from evidentsource_runtime.store.interface import TransactionRecord
from evidentsource_runtime.store.names import Names
from evidentsource_runtime.store.pool import Pool
from evidentsource_runtime.store.reading import asked, highest
from evidentsource_runtime.store.rows import close_row, microseconds, moment

Also = Callable[[apsw.Connection, TransactionRecord], None]
"""What else is written with a transaction, in the same commit."""

_OPTIONS = QueryOptions()
_EVENT = (
    "INSERT INTO event (revision, stream, subject, type, effective_us, effective_ns) "
    "VALUES (?, ?, ?, ?, ?, ?)"
)
_EVENT_ID = "INSERT INTO event_id (stream, id, revision) VALUES (?, ?, ?)"
_BODY = "INSERT INTO body (revision, lane) VALUES (?, ?)"
_TX = (
    "INSERT INTO tx (revision, basis, id, recorded_us, fingerprint, checksum) "
    "VALUES (?, ?, ?, ?, ?, ?)"
)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A transaction that nothing speaks against, apart from what the database has.

    Args:
        id: its id.
        events: its events.
        rows: the open row of each.
        conditions: what has to hold.
        fingerprint: tells whether another one of this id asks for the same.
        also: what else is written with it.
    """

    id: str
    events: Sequence[ProspectiveEvent]
    rows: Sequence[str]
    conditions: Sequence[AppendCondition]
    fingerprint: bytes
    also: Also | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a prepared transaction.

    Args:
        record: it, or the one that had its id before.
        rows: the stored rows of its events; None where it had been committed before.
    """

    record: TransactionRecord
    rows: Sequence[str] | None


class Writer:
    """Writes transactions on one connection, between a BEGIN and a COMMIT that are not its own.

    Args:
        db: the connection.
        names: the numbers of names.
        pool: has the function that checks what is too large for SQL.
        now: microseconds since 1970.
    """

    def __init__(
        self, db: apsw.Connection, names: Names, pool: Pool, now: Callable[[], int]
    ) -> None:
        self._db = db
        self._names = names
        self._pool = pool
        self._now = now
        self._revision, self._recorded = 0, 0
        self.reload()

    @property
    def revision(self) -> int:
        """The latest revision, that of what is not committed yet included."""
        return self._revision

    @property
    def recorded(self) -> int:
        """When that was recorded, in microseconds since 1970."""
        return self._recorded

    def reload(self) -> None:
        """Take the latest revision from the file: after a start, and when a commit was undone."""
        self._names.reload(self._db)
        self._revision, self._recorded = last_revision(self._db)

    def commit(self) -> None:
        """What was written is committed."""
        self._names.commit()

    def write(self, prepared: Prepared) -> Written:
        """Write a transaction, or find that it had been.

        Raises:
            DuplicateTransactionId, InvalidEvents, ConstraintViolations: refused; nothing of it was
                written.
        """
        before = find_transaction(self._db, prepared.id, prepared.fingerprint)
        if before is not None:
            return Written(before, None)
        self._check_ids(prepared.events)
        check_holds(prepared.conditions, self._highest)
        return self._insert(prepared)

    def _highest(self, selector: EventSelector) -> int:
        query = asked(selector, _OPTIONS, self._revision)
        return highest(self._db, self._pool, self._names.pending, query)

    def _check_ids(self, events: Sequence[ProspectiveEvent]) -> None:
        problems: list[EvidentSourceError] = [
            at(f"events[{index}]", DuplicateEventId(event.stream, event.id))
            for index, event in enumerate(events)
            if self._taken(event.stream, event.id)
        ]
        if problems:
            raise InvalidEvents(problems)

    def _taken(self, stream: str, event_id: str) -> bool:
        number = self._names.pending(self._db, STREAM, stream)
        return number is not None and is_taken(self._db, number, event_id)

    def _insert(self, prepared: Prepared) -> Written:
        basis = self._revision
        recorded = max(self._now(), self._recorded)
        stamp = format_rfc3339(moment(recorded))
        rows = [
            close_row(row, revision, stamp) for revision, row in enumerate(prepared.rows, basis + 1)
        ]
        revision = basis + len(rows)
        db = self._db
        found_by = list(self._found_by(prepared.events, basis, recorded))
        db.executemany(_EVENT, found_by)
        db.executemany(
            _EVENT_ID,
            [
                (columns[1], event.id, columns[0])
                for columns, event in zip(found_by, prepared.events, strict=True)
            ],
        )
        db.executemany(_BODY, enumerate(rows, basis + 1))
        checksum = zlib.crc32(",".join(rows).encode())
        db.execute(_TX, (revision, basis, prepared.id, recorded, prepared.fingerprint, checksum))
        record = TransactionRecord(prepared.id, basis, revision, moment(recorded))
        self._revision, self._recorded = revision, recorded
        if prepared.also is not None:
            prepared.also(db, record)
        return Written(record, rows)

    def _found_by(
        self, events: Sequence[ProspectiveEvent], basis: int, recorded: int
    ) -> Iterator[tuple[int, ...]]:
        number, db = self._names.number, self._db
        for revision, event in enumerate(events, basis + 1):
            effective = (recorded, 0) if event.time is None else microseconds(event.time)
            yield (
                revision,
                number(db, STREAM, event.stream, revision),
                number(db, SUBJECT, event.subject, revision),
                number(db, TYPE, event.event_type, revision),
                *effective,
            )


def last_revision(db: apsw.Connection) -> tuple[int, int]:
    """The latest revision and when it was recorded, in microseconds since 1970."""
    found = fetch_one(db, "SELECT revision, recorded_us FROM tx ORDER BY revision DESC LIMIT 1")
    if found is None:
        return 0, fetch_one(db, "SELECT created_us FROM store")[0]
    return found[0], found[1]


def find_transaction(
    db: apsw.Connection, transaction_id: str, fingerprint: bytes | None = None
) -> TransactionRecord | None:
    """The transaction of that id.

    Raises:
        DuplicateTransactionId: its fingerprint is another than the one given.
    """
    found = fetch_one(
        db,
        "SELECT basis, revision, recorded_us, fingerprint FROM tx WHERE id = ?",
        (transaction_id,),
    )
    if found is None:
        return None
    basis, revision, recorded, known = found
    if fingerprint is not None and known != fingerprint:
        raise DuplicateTransactionId(transaction_id)
    return TransactionRecord(transaction_id, basis, revision, moment(recorded))


def is_taken(db: apsw.Connection, stream: int, event_id: str) -> bool:
    """Whether the stream of that number has an event of that id."""
    sql = "SELECT 1 FROM event_id WHERE stream = ? AND id = ?"
    return fetch_one(db, sql, (stream, event_id)) is not None
