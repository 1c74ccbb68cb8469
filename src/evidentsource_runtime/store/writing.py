"""One transaction into the tables, by the platform's rules. Runs on the writer's thread only."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

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
from evidentsource_runtime.store.fetching import fetch, fetch_one, insert
from evidentsource_runtime.store.interface import TransactionRecord
from evidentsource_runtime.store.names import Names
from evidentsource_runtime.store.pool import Pool
from evidentsource_runtime.store.reading import asked, highest
from evidentsource_runtime.store.rows import Columns, moment
from evidentsource_runtime.store.stored import Row

Also = Callable[[apsw.Connection, TransactionRecord], None]
"""What else is written with a transaction, in the same commit."""

_OPTIONS = QueryOptions()
_MOST_PENDING: Final = 64
"""Rows that are kept back at most while conditions are checked, each of which looks at all of them."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A transaction that nothing speaks against, apart from what the database has.

    Args:
        id: its id.
        made_id: whether that was made for it just now, so that nothing can have it yet.
        events: its events.
        columns: those of each.
        texts: the text of these.
        conditions: what has to hold.
        fingerprint: tells whether another one of this id asks for the same.
        also: what else is written with it.
    """

    id: str
    made_id: bool
    events: Sequence[ProspectiveEvent]
    columns: Sequence[Columns]
    texts: Sequence[str]
    conditions: Sequence[AppendCondition]
    fingerprint: bytes
    also: Also | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a prepared transaction.

    Args:
        record: it, or the one that had its id before.
        rows: those of its events; None where it had been committed before.
    """

    record: TransactionRecord
    rows: list[Row] | None


class Writer:
    """Writes transactions on one connection, between a BEGIN and a COMMIT that are not its own.

    Rows are kept back and written together, since each statement costs the interpreter's lock;
    what is asked of the database meanwhile is answered with them in mind.

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
        self._rows = Rows()
        self._known: dict[str, tuple[TransactionRecord, bytes]] = {}
        self._taken: set[tuple[str, str]] = set()
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
        self._rows = Rows()
        self._revision, self._recorded = last_revision(self._db)

    def prefetch(self, group: Sequence[Prepared]) -> None:
        """Ask at once what :meth:`write` will want to know of each of the group."""
        self._known = self._transactions([each.id for each in group if not each.made_id])
        events = [event for prepared in group for event in prepared.events]
        db, names = self._db, self._names
        names.prefetch(db, STREAM, {event.stream for event in events})
        names.prefetch(
            db, SUBJECT, {event.subject for event in events if event.subject is not None}
        )
        names.prefetch(db, TYPE, {event.event_type for event in events})
        self._taken = self._ids_of(events)

    def _transactions(self, ids: list[str]) -> dict[str, tuple[TransactionRecord, bytes]]:
        if not ids:
            return {}
        found = fetch(self._db, _TRANSACTIONS, (json.dumps(ids),))
        return {
            name: (TransactionRecord(name, basis, revision, moment(recorded)), known)
            for name, basis, revision, recorded, known in found
        }

    def _ids_of(self, events: Sequence[ProspectiveEvent]) -> set[tuple[str, str]]:
        """The streams and ids of those whose stream has their id already."""
        numbers: dict[str, int | None] = {}
        wanted: list[tuple[int, str, str]] = []
        for event in events:
            stream = event.stream
            if stream not in numbers:
                numbers[stream] = self._names.known(STREAM, stream)
            number = numbers[stream]
            if number is not None:
                wanted.append((number, event.id, stream))
        if len(wanted) == 1:
            number, event_id, stream = wanted[0]
            return {(stream, event_id)} if is_taken(self._db, number, event_id) else set()
        return set(fetch(self._db, _TAKEN, (json.dumps(wanted),))) if wanted else set()

    def write(self, prepared: Prepared) -> Written:
        """Write a transaction that was prefetched, or find that it had been written.

        Raises:
            DuplicateTransactionId, InvalidEvents, ConstraintViolations: refused; nothing of it was
                written.
        """
        before = self._known.get(prepared.id)
        if before is not None:
            if before[1] != prepared.fingerprint:
                raise DuplicateTransactionId(prepared.id)
            return Written(before[0], None)
        self._check_ids(prepared.events)
        check_holds(prepared.conditions, self._highest)
        written = self._insert(prepared)
        if prepared.also is not None:
            self.flush()
            prepared.also(self._db, written.record)
        return written

    def flush(self) -> None:
        """Write the rows that were kept back."""
        self._names.flush(self._db)
        self._rows.flush(self._db)

    def commit(self) -> None:
        """What was written is committed."""
        self._names.commit()

    def _highest(self, selector: EventSelector) -> int:
        if len(self._rows.events) > _MOST_PENDING:
            self.flush()
        for revision, event in reversed(self._rows.events):
            if selector.matches_prospective(event):
                return revision
        query = asked(selector, _OPTIONS, self._revision)
        return highest(self._db, self._pool, self._names.pending, query)

    def _check_ids(self, events: Sequence[ProspectiveEvent]) -> None:
        problems: list[EvidentSourceError] = [
            at(f"events[{index}]", DuplicateEventId(event.stream, event.id))
            for index, event in enumerate(events)
            if (event.stream, event.id) in self._taken
        ]
        if problems:
            raise InvalidEvents(problems)

    def _insert(self, prepared: Prepared) -> Written:
        basis = self._revision
        revision = basis + len(prepared.events)
        recorded = max(self._now(), self._recorded)
        recorded_at = moment(recorded)
        stamp = f"{recorded_at.isoformat(timespec='microseconds')[: -len('+00:00')]}Z"
        rows = self._insert_events(prepared, basis, recorded, stamp)
        checksum = zlib.crc32("".join(prepared.texts).encode())
        self._rows.transactions.append(
            (revision, basis, prepared.id, recorded, stamp, prepared.fingerprint, checksum)
        )
        record = TransactionRecord(prepared.id, basis, revision, recorded_at)
        self._known[prepared.id] = (record, prepared.fingerprint)
        self._revision, self._recorded = revision, recorded
        return Written(record, rows)

    def _insert_events(
        self, prepared: Prepared, basis: int, recorded: int, stamp: str
    ) -> list[Row]:
        number, into = self._names.number, self._rows.kept
        last = basis + len(prepared.events)
        rows: list[Row] = []
        for revision, each in enumerate(prepared.columns, basis + 1):
            event_id, stream, kind, subject, time, *others = each
            micros, finer = (recorded, 0) if time is None else time
            timed = int(time is not None)
            numbers = (
                number(STREAM, stream, revision),
                number(SUBJECT, subject, revision),
                number(TYPE, kind, revision),
            )
            into.append((revision, last, *numbers, micros, finer, timed, event_id, *others))
            rows.append(
                (event_id, stream, kind, subject, *others, micros, finer, timed, revision, stamp)
            )
            self._taken.add((stream, event_id))
        self._rows.events += enumerate(prepared.events, basis + 1)
        return rows


@dataclass(slots=True)
class Rows:
    """Rows that are kept back, and the events that they are of."""

    kept: list[tuple[Any, ...]] = field(default_factory=list)
    transactions: list[tuple[Any, ...]] = field(default_factory=list)
    events: list[tuple[int, ProspectiveEvent]] = field(default_factory=list)

    def flush(self, db: apsw.Connection) -> None:
        """Write all of them."""
        if not self.transactions:
            return
        insert(db, _EVENT, self.kept)
        insert(db, _TX, self.transactions)
        for rows in (self.kept, self.transactions, self.events):
            rows.clear()


_EVENT = (
    "event (revision, tx, stream, subject, type, effective_us, effective_ns, timed, "
    "id, data, datacontenttype, dataschema, extensions)"
)
_TX = "tx (revision, basis, id, recorded_us, recorded, fingerprint, checksum)"
_TRANSACTIONS = (
    "SELECT id, basis, revision, recorded_us, fingerprint FROM tx "
    "WHERE id IN (SELECT value FROM json_each(?))"
)
_TAKEN = (
    "SELECT k.value ->> 2, i.id FROM json_each(?) AS k "
    "CROSS JOIN event AS i INDEXED BY event_by_id ON i.stream = k.value ->> 0 AND i.id = k.value ->> 1"
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
    sql = "SELECT 1 FROM event WHERE stream = ? AND id = ?"
    return fetch_one(db, sql, (stream, event_id)) is not None
