"""Single things: an event, a transaction, a revision's time, the values of an attribute."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice, takewhile
from typing import Final

import apsw

from evidentsource_core.domain.errors import DatabaseAccessError, DuplicateTransactionId
from evidentsource_core.domain.events import Event
from evidentsource_core.rules import TransactionResult
from evidentsource_runtime.store.entries import EVENT_KEY, TRANSACTION_KEY, of_value
from evidentsource_runtime.store.fetching import fetch, fetch_one
from evidentsource_runtime.store.interface import Head, TransactionRecord
from evidentsource_runtime.store.keys import Keys
from evidentsource_runtime.store.pool import Pool
from evidentsource_runtime.store.reading import PAGE, events_of
from evidentsource_runtime.store.rows import moment
from evidentsource_runtime.store.stored import RECORDED_AT
from evidentsource_runtime.store.terms import Span, after_prefix, in_span

_PAGE: Final = 500


def recorded_at(db: apsw.Connection, revision: int) -> int | None:
    """When the transaction that has this revision was recorded, in microseconds since 1970."""
    found = fetch_one(db, f"SELECT {_RECORDED} FROM event AS t WHERE revision = ?", (revision,))
    return None if found is None else found[0]


_RECORDED: Final = RECORDED_AT.format(event="t")
_TRANSACTION_OF: Final = (
    "FROM event AS e CROSS JOIN event AS t ON t.revision = e.tx WHERE e.revision = ?"
)
_LATEST: Final = "SELECT coalesce(max(revision), 0) FROM event"


def at_time(db: apsw.Connection, micros: int) -> Head | None:
    """The last revision that was recorded by then, if one was."""
    # Recorded times never go back, so that the order of revisions is theirs as well.
    first, behind, known = 0, fetch_one(db, _LATEST)[0], 0
    while first < behind:
        middle = (first + behind + 1) // 2
        sql = f"SELECT t.basis, t.revision, {_RECORDED} {_TRANSACTION_OF}"
        basis, revision, recorded = fetch_one(db, sql, (middle,))
        if recorded <= micros:
            first, known = revision, recorded
        else:
            behind = basis
    return None if first == 0 else Head(first, moment(known))


_EVENT: Final = of_value(EVENT_KEY, "e.revision", "e.stream = ?2 AND e.id = ?3")


def event_revision(db: apsw.Connection, stream: int, event_id: str, key: int) -> int | None:
    """The revision of an event, if it is there.

    Args:
        db: a connection.
        stream: the stream's number.
        event_id: the event's id.
        key: the key of both.
    """
    found = fetch_one(db, _EVENT, (key, stream, event_id))
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
    sql = _LOG_BACK if reverse else _LOG
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


# From one transaction to the next, however many events lie between.
_RECORDS: Final = (
    f"SELECT t.tx_id, t.basis, t.revision, {_RECORDED} FROM n CROSS JOIN event AS t "
    f"ON t.revision = n.revision LIMIT {_PAGE}"
)
_LOG: Final = f"""
WITH RECURSIVE n (revision) AS (
    SELECT tx FROM event WHERE revision = max(?1, 1) AND tx <= ?2
    UNION ALL
    SELECT e.tx FROM n CROSS JOIN event AS e ON e.revision = n.revision + 1 WHERE e.tx <= ?2
) {_RECORDS}"""
_LOG_BACK: Final = f"""
WITH RECURSIVE n (revision) AS (
    SELECT CASE WHEN t.revision <= ?2 THEN t.revision ELSE t.basis END
    FROM event AS e CROSS JOIN event AS t ON t.revision = e.tx
    WHERE e.revision = min(?2, ({_LATEST})) AND (t.revision <= ?2 OR t.basis >= max(?1, 1))
    UNION ALL
    SELECT e.basis FROM n CROSS JOIN event AS e ON e.revision = n.revision
    WHERE e.basis >= max(?1, 1)
) {_RECORDS}"""


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
    found = fetch_one(
        db, f"SELECT revision, {_RECORDED} FROM event AS t ORDER BY revision DESC LIMIT 1"
    )
    if found is None:
        return 0, fetch_one(db, "SELECT created_us FROM store")[0]
    return found[0], found[1]


_FOUND: Final = of_value(
    TRANSACTION_KEY,
    f"e.basis, e.revision, {RECORDED_AT.format(event='e')}, e.fingerprint",
    "e.tx_id = ?2",
)


def find_transaction(
    db: apsw.Connection, keys: Keys, transaction_id: str, fingerprint: bytes | None = None
) -> TransactionRecord | None:
    """The transaction of that id.

    Raises:
        DuplicateTransactionId: its fingerprint is another than the one given.
    """
    found = fetch_one(db, _FOUND, (keys.of_transaction(transaction_id), transaction_id))
    if found is None:
        return None
    basis, revision, recorded, known = found
    if fingerprint is not None and known != fingerprint:
        raise DuplicateTransactionId(transaction_id)
    return TransactionRecord(transaction_id, basis, revision, moment(recorded))
