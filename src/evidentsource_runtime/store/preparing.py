"""What is known of a transaction before its turn comes: done by the thread that asks for it."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias

import apsw

from evidentsource_core.domain.checks import check_events, items
from evidentsource_core.domain.constraints import AppendCondition
from evidentsource_core.domain.errors import InvalidType, InvalidValue
from evidentsource_core.domain.events import ProspectiveEvent, is_sound
from evidentsource_core.domain.flat_selectors import STREAM
from evidentsource_core.rules import Limits, check_conditions, check_transaction_id
from evidentsource_runtime.store.interface import TransactionRecord
from evidentsource_runtime.store.keys import Keys
from evidentsource_runtime.store.lookups import event_revision, find_transaction
from evidentsource_runtime.store.names import Names
from evidentsource_runtime.store.rows import Columns, checksum, columns, fingerprint, made

_NO_FINGERPRINT = b""


class Asked(NamedTuple):
    """A transaction as it was asked for, not looked into yet."""

    id: str
    made_id: bool
    events: tuple[object, ...]
    conditions: tuple[object, ...]
    fingerprint: bytes | None


Ends: TypeAlias = tuple[int, str, bytes, int]


class Prepared(NamedTuple):
    """A transaction that nothing speaks against, apart from what the database has.

    Args:
        id: its id.
        made_id: whether that was made for it just now, so that nothing can have it yet.
        columns: those of each of its events.
        keys: those of their ids.
        conditions: what has to hold.
        ends: what the row of its last event has besides: the key of its id, the id itself, the
            fingerprint, which tells whether another one of this id asks for the same, and the checksum
            of its events.
    """

    id: str
    made_id: bool
    columns: Sequence[Columns]
    keys: Sequence[int]
    conditions: Sequence[AppendCondition]
    ends: Ends

    @property
    def key(self) -> int:
        """The key of its id."""
        return self.ends[0]

    @property
    def fingerprint(self) -> bytes:
        """What tells whether another one of this id asks for the same."""
        return self.ends[2]


def asked(
    events: Iterable[object],
    conditions: Iterable[object],
    transaction_id: str | None,
    given_fingerprint: bytes | None,
) -> Asked:
    """The transaction, with a new id where none is given."""
    wanted = tuple(events if type(events) is list else items("events", events))
    bounds = _NONE if conditions is _NONE else tuple(items("conditions", conditions))
    if given_fingerprint is not None:
        _check_fingerprint(given_fingerprint)
    made_id = transaction_id is None
    name = new_id() if transaction_id is None else check_transaction_id(transaction_id)
    return made(Asked, (name, made_id, wanted, bounds, given_fingerprint))


_NONE: Final = ()


def new_id() -> str:
    """An id that nothing has: a UUID of version 7 (RFC 9562), milliseconds and 72 random bits.

    One that begins with the time goes to the end of the index of ids, whose last page is at hand,
    where a random one goes to any page of it.

    >>> import uuid
    >>> uuid.UUID(new_id()).version, uuid.UUID(new_id()).variant
    (7, 'specified in RFC 4122')
    """
    try:
        first, second, third = _RANDOM.pop()
    except IndexError:
        first, second, third = _more_random()
    return f"{_of_now(time.time_ns() // 1_000_000)}{first}-a{second}-{third}"


_AT_ONCE: Final = 256
_PARTS: Final = re.compile("(.{3})(.{3})(.{12})")
_RANDOM: list[tuple[str, str, str]] = []
# Of a process's own: one that was forked would give out the same.
os.register_at_fork(after_in_child=_RANDOM.clear)


def _more_random() -> tuple[str, str, str]:
    # Many at once: each time the system is asked lets other threads have the interpreter.
    mine, *others = _PARTS.findall(os.urandom(9 * _AT_ONCE).hex())
    _RANDOM.extend(others)
    return mine  # type: ignore[no-any-return]  # of the three groups of the pattern


@lru_cache(maxsize=1)
def _of_now(milliseconds: int) -> str:
    digits = f"{milliseconds:012x}"
    return f"{digits[:8]}-{digits[8:]}-7"


def _check_fingerprint(value: object) -> None:
    if not isinstance(value, bytes):
        raise InvalidType("fingerprint", "bytes or None", value)
    if not 1 <= len(value) <= 64:
        raise InvalidValue("fingerprint", f"has {len(value)} bytes; it has 1 to 64")


def _none_is_taken(_stream: str, _event_id: str) -> bool:
    # Ids that are used twice among the events themselves are found all the same.
    return False


def prepared(asked: Asked, limits: Limits, keys: Keys) -> Prepared:
    """The transaction, if nothing in itself speaks against it.

    Args:
        asked: what was asked for.
        limits: the most that it may have.
        keys: makes the keys of ids.

    Raises:
        EmptyTransaction, TransactionTooLarge, InvalidEvents, InvalidConstraints: see
            ``EventStore.transact``.
    """
    name, made_id, wanted, bounds, known = asked
    if not 0 < len(wanted) <= limits.max_events:
        limits.check_count(wanted)
    events: tuple[ProspectiveEvent, ...] = wanted  # type: ignore[assignment]  # if it is sound
    checked, of_event = False, keys.of_event
    kept: list[Columns] = []
    of_events: list[int] = []
    texts: list[str] = []
    # One loop of Python's own: a call of a function from a loop in C takes longer than it saves.
    for event in events:
        if not checked and not is_sound(event):
            # Every problem of every event is looked for only where there may be one.
            check_events(wanted, _none_is_taken)
            checked = True
        each = columns(event)
        kept.append(each)
        of_events.append(of_event(each.stream, each.id))
        texts.append(each.text())
    if len(of_events) > 1 and len(set(of_events)) < len(of_events):
        check_events(wanted, _none_is_taken)
    text = "".join(texts).encode()
    # The text of an event has more bytes than the event counts for, so few need to be measured.
    if len(text) > limits.max_bytes:
        limits.check_size(events)
    conditions = check_conditions(bounds) if bounds else ()
    if known is None:
        known = fingerprint(events, text, conditions)
    ends = (keys.of_transaction(name), name, known, checksum(text))
    return made(Prepared, (name, made_id, kept, of_events, conditions, ends))


def refused(
    asked: Asked, limits: Limits, db: apsw.Connection, names: Names, keys: Keys
) -> TransactionRecord | None:
    """Refuse what :func:`prepared` refused, with everything that the database has to say of it.

    Returns:
        The transaction that was committed with this id and fingerprint, after all.

    Raises:
        DuplicateTransactionId: the id was used with other content.
        InvalidEvents: with ids that were used before among the problems.
    """
    before = find_transaction(db, keys, asked.id, asked.fingerprint or _NO_FINGERPRINT)
    if before is not None:
        return before

    def taken(stream: str, event_id: str) -> bool:
        number = names.find(db, STREAM, stream)
        key = keys.of_event(stream, event_id)
        return number is not None and event_revision(db, number, event_id, key) is not None

    limits.check_count(asked.events)
    check_events(asked.events, taken)
    return None
