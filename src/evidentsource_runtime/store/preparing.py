"""What is known of a transaction before its turn comes: done by the thread that asks for it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

import apsw

from evidentsource_core.domain.checks import check_events, items
from evidentsource_core.domain.errors import InvalidType, InvalidValue
from evidentsource_core.domain.flat_selectors import STREAM
from evidentsource_core.rules import Limits, check_conditions, check_transaction_id
from evidentsource_runtime.store.interface import TransactionRecord
from evidentsource_runtime.store.names import Names
from evidentsource_runtime.store.rows import columns, fingerprint
from evidentsource_runtime.store.writing import Also, Prepared, find_transaction, is_taken

_NO_FINGERPRINT = b""


@dataclass(frozen=True, slots=True)
class Asked:
    """A transaction as it was asked for, not looked into yet."""

    id: str
    made_id: bool
    events: tuple[object, ...]
    conditions: tuple[object, ...]
    fingerprint: bytes | None
    also: Also | None

    @classmethod
    def of(
        cls,
        events: Iterable[object],
        conditions: Iterable[object],
        transaction_id: str | None,
        given_fingerprint: bytes | None,
        also: Also | None,
    ) -> Asked:
        """A new id where none is given."""
        wanted = (tuple(items("events", events)), tuple(items("conditions", conditions)))
        made_id = transaction_id is None
        name = str(uuid.uuid4()) if made_id else check_transaction_id(transaction_id)
        if given_fingerprint is not None:
            _check_fingerprint(given_fingerprint)
        return cls(name, made_id, *wanted, given_fingerprint, also)


def _check_fingerprint(value: object) -> None:
    if not isinstance(value, bytes):
        raise InvalidType("fingerprint", "bytes or None", value)
    if not 1 <= len(value) <= 64:
        raise InvalidValue("fingerprint", f"has {len(value)} bytes; it has 1 to 64")


def _none_is_taken(_stream: str, _event_id: str) -> bool:
    # Ids that are used twice among the events themselves are found all the same.
    return False


def prepared(asked: Asked, limits: Limits) -> Prepared:
    """The transaction, if nothing in itself speaks against it.

    Raises:
        EmptyTransaction, TransactionTooLarge, InvalidEvents, InvalidConstraints: see
            ``EventStore.transact``.
    """
    limits.check_count(asked.events)
    events = check_events(asked.events, _none_is_taken)
    kept = [columns(event) for event in events]
    texts = [each.text() for each in kept]
    # No value counts for more than four bytes a character of its text, so few need to be measured.
    if 4 * sum(map(len, texts)) > limits.max_bytes:
        limits.check_size(events)
    conditions = check_conditions(asked.conditions)
    known = asked.fingerprint
    if known is None:
        known = fingerprint(events, texts, conditions)
    return Prepared(asked.id, asked.made_id, events, kept, texts, conditions, known, asked.also)


def refused(
    asked: Asked, limits: Limits, db: apsw.Connection, names: Names
) -> TransactionRecord | None:
    """Refuse what :func:`prepared` refused, with everything that the database has to say of it.

    Returns:
        The transaction that was committed with this id and fingerprint, after all.

    Raises:
        DuplicateTransactionId: the id was used with other content.
        InvalidEvents: with ids that were used before among the problems.
    """
    before = find_transaction(db, asked.id, asked.fingerprint or _NO_FINGERPRINT)
    if before is not None:
        return before

    def taken(stream: str, event_id: str) -> bool:
        number = names.find(db, STREAM, stream)
        return number is not None and is_taken(db, number, event_id)

    limits.check_count(asked.events)
    check_events(asked.events, taken)
    return None
