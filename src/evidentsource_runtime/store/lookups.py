"""Single things: an event, a transaction, a revision's time, the values of an attribute."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice, takewhile
from typing import Final

import apsw

from evidentsource_core.domain.errors import DatabaseAccessError, DuplicateTransactionId
from evidentsource_core.domain.events import Event
from evidentsource_core.rules import TransactionResult
from evidentsource_runtime.store.fetching import fetch, fetch_one
from evidentsource_runtime.store.interface import Head, TransactionRecord
from evidentsource_runtime.store.pool import Pool
from evidentsource_runtime.store.reading import PAGE, events_of
from evidentsource_runtime.store.rows import moment
from evidentsource_runtime.store.terms import Span, after_prefix, in_span

_PAGE: Final = 500


def recorded_at(db: apsw.Connection, revision: int) -> int | None:
    """When the transaction that has this revision was recorded, in microseconds since 1970."""
    found = fetch_one(
        db, "SELECT recorded_us FROM tx WHERE revision >= ? ORDER BY revision LIMIT 1", (revision,)
    )
    return None if found is None else found[0]


def at_time(db: apsw.Connection, micros: int) -> Head | None:
    """The last revision that was recorded by then, if one was."""
    # Recorded times never go back, so that the order of revisions is theirs as well.
    first, behind = 0, fetch_one(db, "SELECT coalesce(max(revision), 0) FROM tx")[0]
    while first < behind:
        middle = (first + behind + 1) // 2
        sql = "SELECT basis, revision, recorded_us FROM tx WHERE revision >= ? ORDER BY revision LIMIT 1"
        basis, revision, recorded = fetch_one(db, sql, (middle,))
        if recorded <= micros:
            first = revision
        else:
            behind = basis
    if first == 0:
        return None
    sql = "SELECT recorded_us FROM tx WHERE revision = ?"
    return Head(first, moment(fetch_one(db, sql, (first,))[0]))


def event_revision(db: apsw.Connection, stream: int, event_id: str, upto: int) -> int | None:
    """The revision of an event, if it is there."""
    found = fetch_one(
        db,
        "SELECT revision FROM event WHERE stream = ? AND id = ? AND revision <= ?",
        (stream, event_id, upto),
    )
    return None if found is None else found[0]


def events_at(
    pool: Pool, path: str, source: str, wanted: Iterable[int], latest: int
) -> Iterator[Event]:
    """The events of these revisions, in the order asked.

    Raises:
        DatabaseAccessError: there is no event of a revision; those before it have been given.
    """
    asked = iter(wanted)
    while page := list(islice(asked, PAGE)):
        known = list(takewhile(lambda revision: _is_there(revision, latest), page))
        yield from events_of(pool, path, source, known)
        if len(known) < len(page):
            reason = f"there is no event of revision {page[len(known)]!r}; the last is {latest}"
            raise DatabaseAccessError.invalid_revision(reason)


def _is_there(revision: object, latest: int) -> bool:
    return type(revision) is int and 1 <= revision <= latest


def transaction_events(
    pool: Pool, path: str, source: str, record: TransactionRecord
) -> TransactionResult:
    """A transaction with its events."""
    wanted = list(range(record.basis + 1, record.revision + 1))
    found = tuple(events_of(pool, path, source, wanted))
    return TransactionResult(record.id, record.basis, record.revision, record.timestamp, found)


def log(pool: Pool, first: int, last: int, *, reverse: bool) -> Iterator[TransactionRecord]:
    """The transactions whose last events have revisions from ``first`` to ``last``."""
    order = "DESC" if reverse else "ASC"
    sql = (
        "SELECT id, basis, revision, recorded_us FROM tx "
        f"WHERE revision >= ? AND revision <= ? ORDER BY revision {order} LIMIT {_PAGE}"
    )
    while first <= last:
        with pool.connection() as db:
            found = fetch(db, sql, (first, last))
        for name, basis, revision, recorded in found:
            yield TransactionRecord(name, basis, revision, moment(recorded))
        if len(found) < _PAGE:
            return
        if reverse:
            last = found[-1][2] - 1
        else:
            first = found[-1][2] + 1


def keys(pool: Pool, table: str, column: int, prefix: str, upto: int) -> Iterator[str]:
    """The values of an attribute that start so and that an event up to a revision has."""
    where, values = in_span("value", Span(column, prefix, after_prefix(prefix)))
    sql = (
        f"SELECT value FROM {table} WHERE {where} AND value > ? AND first <= ? "
        f"ORDER BY value LIMIT {_PAGE}"
    )
    last = ""
    while True:
        with pool.connection() as db:
            found = fetch(db, sql, (*values, last, upto))
        for (last,) in found:
            yield last
        if len(found) < _PAGE:
            return


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
