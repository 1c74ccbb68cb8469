"""Transactions into the tables, by the platform's rules. Runs on the writer's thread only."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any, Final, NamedTuple

import apsw

from evidentsource_core.domain.checks import at
from evidentsource_core.domain.constraints import AppendCondition
from evidentsource_core.domain.errors import (
    DuplicateEventId,
    DuplicateTransactionId,
    EvidentSourceError,
    InvalidEvents,
)
from evidentsource_core.domain.events import Event
from evidentsource_core.domain.flat_selectors import STREAM, SUBJECT, TYPE, holds
from evidentsource_core.domain.selectors import EventSelector
from evidentsource_core.rules import check_holds
from evidentsource_runtime.store.entries import TRANSACTION_KEY, arms
from evidentsource_runtime.store.fetching import fetch, insert, insertion
from evidentsource_runtime.store.interface import TransactionRecord
from evidentsource_runtime.store.lookups import event_revision, last_revision
from evidentsource_runtime.store.merging import Upkeep
from evidentsource_runtime.store.names import Names
from evidentsource_runtime.store.pool import Pool
from evidentsource_runtime.store.preparing import Ends, Prepared
from evidentsource_runtime.store.reading import NO_OPTIONS, asked, highest
from evidentsource_runtime.store.rows import DATA, TIME, Columns, made, moment, stamp
from evidentsource_runtime.store.stored import RECORDED_AT, Row, stored_events
from evidentsource_runtime.store.taken import Taken

Also = Callable[[apsw.Connection, TransactionRecord], None]
"""What else is written with a transaction, in the same commit."""

_MOST_PENDING: Final = 64
"""Rows that are kept back at most while conditions are checked, each of which looks at all of them; not
more than are remembered."""
_REMEMBERED: Final = 256
"""Of how many last events the writer remembers what selectors ask for."""


class Written(NamedTuple):
    """What became of a prepared transaction.

    Args:
        basis: the revision before its first event.
        revision: that of its last one.
        recorded: when, in microseconds since 1970.
        before: whether it had been committed before, with the same id.
    """

    basis: int
    revision: int
    recorded: int
    before: bool = False

    def events(self, prepared: Prepared, source: str) -> list[Event]:
        """Its events, as they are read; ``source`` is what their sources have before the stream."""
        recorded, revision = self.recorded, self.basis
        rows: list[Row] = []
        for each in prepared.columns:
            revision += 1
            when = (recorded, 0, 0) if each.time is None else (*each.time, 1)
            rows.append((*each[:TIME], *each[DATA:], *when, revision, recorded))
        return stored_events(rows, source)


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
        self._cursor = db.cursor()
        """What runs statements without rows: each time a connection does, it makes a cursor."""
        self._names = names
        self._pool = pool
        self._now = now
        self.revision = 0
        """The latest revision, that of what is not committed yet included."""
        self.recorded = 0
        """When that was recorded, in microseconds since 1970."""
        self._now_us, self._stamp = 0, ""
        self._known: dict[str, tuple[Written, bytes]] = {}
        self._events: list[list[Any]] = []
        self._taken = Taken(db)
        self._upkeep = Upkeep(db)
        self._recent: deque[Columns] = deque(maxlen=_REMEMBERED)
        self.reload()

    def reload(self) -> None:
        """Take the latest revision from the file: after a start, and when a commit was undone."""
        self._names.reload(self._db)
        self._events.clear()
        self._recent.clear()
        self._upkeep.reload()
        self.revision, self.recorded = last_revision(self._db)

    def begin(self, group: Sequence[Prepared]) -> None:
        """Ask at once what :meth:`write` will want to know of each of the group: all of it."""
        given = []
        for each in group:
            if not each.made_id and self._taken.may_be_of_transaction(each.key):
                given.append((each.key, each.id))  # noqa: PERF401 - a list in brackets is a call
        self._known = self._written(given) if given else {}
        self._names.begin(self._db, group)
        self._taken.begin(group)
        self._now_us = max(self._now(), self.recorded)
        self._stamp = stamp(self._now_us)

    def _written(self, ids: list[tuple[int, str]]) -> dict[str, tuple[Written, bytes]]:
        found = fetch(self._db, _TRANSACTIONS, (json.dumps(ids),))
        return {
            name: (Written(basis, revision, recorded, True), known)
            for name, basis, revision, recorded, known in found
        }

    def write(self, prepared: Prepared, also: Also | None = None) -> Written:
        """Write a transaction of the group, or find that it had been written.

        Args:
            prepared: the transaction.
            also: what else is written with it.

        Raises:
            DuplicateTransactionId, InvalidEvents, ConstraintViolations: refused; nothing of it was
                written.
        """
        name, made_id, kept, keys, conditions, ends = prepared
        if not made_id and (before := self._known.get(name)) is not None:
            if before[1] != prepared.fingerprint:
                raise DuplicateTransactionId(name)
            return before[0]
        if self._taken.may_have(keys):
            self._refuse_used(prepared)
        if conditions and not all(map(self._unchanged_lately, conditions)):
            check_holds(conditions, self._highest)
        self._taken.add(keys, ends[0])
        written = self._insert(kept, keys, ends)
        if not made_id:
            self._known[name] = (written._replace(before=True), prepared.fingerprint)
        if also is not None:
            self.flush()
            basis, revision, recorded, _ = written
            also(self._db, TransactionRecord(name, basis, revision, moment(recorded)))
        return written

    def flush(self) -> None:
        """Write the rows that were kept back."""
        if self._events:
            if self._names.adds:
                self._names.flush(self._db)
            if len(self._events) == 1:
                self._cursor.execute(_ONE_EVENT, self._events[0])
            else:
                insert(self._cursor, _EVENT, self._events)
            self._events.clear()
            if self.revision >= self._upkeep.due:
                self._upkeep.written(self.revision)

    def commit(self) -> None:
        """What was written is committed."""
        if self._names.adds:
            self._names.commit()

    def _unchanged_lately(self, condition: AppendCondition) -> bool:
        """Whether it holds for certain: only something new could break it, and nothing new does.

        Whoever decides says what may not have changed since it looked, which is mostly a moment ago.
        """
        bound = condition.max_revision()
        if bound is None or condition.min_revision() is not None:
            return False
        since = self.revision - bound
        if since > len(self._recent):
            return False
        program = condition.selector._program()  # noqa: SLF001 - kept there since it is asked for often
        return not any(
            holds(program, event.stream, event.subject, event.event_type)
            for event in islice(reversed(self._recent), max(0, since))
        )

    def _refuse_used(self, prepared: Prepared) -> None:
        """Refuse ids that are used already, if there are any."""
        self.flush()
        problems: list[EvidentSourceError] = [
            at(f"events[{index}]", DuplicateEventId(each.stream, each.id))
            for index, (each, key) in enumerate(zip(prepared.columns, prepared.keys, strict=True))
            if self._taken.may_have((key,)) and self._is_used(each.stream, each.id, key)
        ]
        if problems:
            raise InvalidEvents(problems)

    def _is_used(self, stream: str, event_id: str, key: int) -> bool:
        number = self._names.pending(self._db, STREAM, stream)
        return number is not None and event_revision(self._db, number, event_id, key) is not None

    def _highest(self, selector: EventSelector) -> int:
        if len(self._events) > _MOST_PENDING:
            self.flush()
        program = selector._program()  # noqa: SLF001 - as above
        for back, event in enumerate(islice(reversed(self._recent), len(self._events))):
            if holds(program, event.stream, event.subject, event.event_type):
                return self.revision - back
        query = asked(selector, NO_OPTIONS, self.revision)
        return highest(self._db, self._pool, self._names.pending, query)

    def _insert(self, kept: Sequence[Columns], keys: Sequence[int], ends: Ends) -> Written:
        basis = revision = self.revision
        last = self.revision = basis + len(kept)
        recorded = self.recorded = self._now_us
        names, into = self._names, self._events
        streams, subjects, types = names.held
        for columns, key in zip(kept, keys, strict=True):
            event_id, stream, kind, subject, time, data, form, schema, extensions = columns
            revision += 1
            number = streams.get(stream) or names.add(STREAM, stream, revision)
            whom = subjects.get(subject) or names.add(SUBJECT, subject, revision)
            what = types.get(kind) or names.add(TYPE, kind, revision)
            when = (recorded, 0, 0, None) if time is None else (*time, 1, recorded)
            its = _NO_END if revision < last else (basis, self._stamp, *ends)
            payload = (event_id, form, schema, extensions, data)
            into.append([revision, last, number, whom, what, *when, key, *its, *payload])
        self._recent += kept
        return made(Written, (basis, last, recorded, False))


_NO_END: Final = (None,) * 6
_EVENT: Final = (
    "event (revision, tx, stream, subject, type, effective_us, effective_ns, timed, "
    "recorded_us, key, basis, recorded, tx_key, tx_id, fingerprint, checksum, "
    "id, datacontenttype, dataschema, extensions, data)"
)
_ONE_EVENT: Final = insertion(_EVENT, _EVENT.count(",") + 1)
_TRANSACTIONS: Final = " UNION ALL ".join(
    f"SELECT e.tx_id, e.basis, e.revision, {RECORDED_AT.format(event='e')}, e.fingerprint "
    f"FROM json_each(?1) AS k CROSS JOIN {arm.tables} CROSS JOIN event AS e ON e.revision = p.revision "
    f"WHERE {arm.where} AND {arm.value} = k.value ->> 0 AND e.tx_id = k.value ->> 1"
    for arm in arms(TRANSACTION_KEY)
)
