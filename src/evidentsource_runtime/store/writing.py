"""Transactions into the tables, by the platform's rules. Runs on the writer's thread only."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, Final, NamedTuple

import apsw

from evidentsource_core.domain.checks import at
from evidentsource_core.domain.constraints import AppendCondition
from evidentsource_core.domain.errors import (
    ConstraintViolations,
    DuplicateEventId,
    DuplicateTransactionId,
    EvidentSourceError,
    InvalidEvents,
)
from evidentsource_core.domain.events import Event, ProspectiveEvent
from evidentsource_core.domain.flat_selectors import holds
from evidentsource_core.domain.selectors import EventSelector
from evidentsource_core.rules import check_holds
from evidentsource_runtime.store.fetching import fetch, insert
from evidentsource_runtime.store.interface import TransactionRecord
from evidentsource_runtime.store.lookups import last_revision
from evidentsource_runtime.store.names import Names
from evidentsource_runtime.store.pool import Pool
from evidentsource_runtime.store.preparing import Prepared
from evidentsource_runtime.store.reading import NO_OPTIONS, asked, highest
from evidentsource_runtime.store.rows import DATA, TIME, Columns, Time
from evidentsource_runtime.store.stored import Row, stored_events

Also = Callable[[apsw.Connection, TransactionRecord], None]
"""What else is written with a transaction, in the same commit."""

_MOST_PENDING: Final = 64
"""Rows that are kept back at most while conditions are checked, each of which looks at all of them."""
_REMEMBERED: Final = 256
"""Of how many last events the writer remembers what selectors ask for."""


class Written(NamedTuple):
    """What became of a prepared transaction.

    Args:
        basis: the revision before its first event.
        revision: that of its last one.
        time: when it was recorded.
        before: whether it had been committed before, with the same id.
    """

    basis: int
    revision: int
    time: Time
    before: bool = False

    def events(self, prepared: Prepared, source: str) -> list[Event]:
        """Its events, as they are read; ``source`` is what their sources have before the stream."""
        recorded, stamp, revision = self.time.micros, self.time.stamp, self.basis
        rows: list[Row] = []
        for each in prepared.columns:
            revision += 1
            when = (recorded, 0, 0) if each.time is None else (*each.time, 1)
            rows.append((*each[:TIME], *each[DATA:], *when, revision, stamp))
        return stored_events(rows, source)


class Writer:
    """Writes transactions on one connection, between a BEGIN and a COMMIT that are not its own.

    Rows are kept back and written together, since each statement costs the interpreter's lock;
    what is asked of the database meanwhile is answered with them in mind.

    Whether an event's id is used already is not asked: the index says it when the rows are written,
    and whoever commits then begins again, *carefully*.

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
        self._revision = 0
        self._time = self._last = Time(0)
        self._known: dict[str, tuple[Written, bytes]] = {}
        self._taken: set[tuple[str, str]] = set()
        self._events: list[tuple[Any, ...]] = []
        self._pending: list[ProspectiveEvent] = []
        self._transactions: list[tuple[Any, ...]] = []
        self._recent: deque[tuple[str, str | None, str]] = deque(maxlen=_REMEMBERED)
        self.reload()

    @property
    def revision(self) -> int:
        """The latest revision, that of what is not committed yet included."""
        return self._revision

    @property
    def recorded(self) -> datetime:
        """When that was recorded, in UTC."""
        return self._last.moment

    def reload(self) -> None:
        """Take the latest revision from the file: after a start, and when a commit was undone."""
        self._names.reload(self._db)
        self._events, self._pending, self._transactions = [], [], []
        self._recent.clear()
        self._revision, recorded = last_revision(self._db)
        self._last = Time(recorded)

    def begin(self, group: Sequence[Prepared], *, carefully: bool = False) -> None:
        """Ask at once what :meth:`write` will want to know of each of the group.

        Args:
            group: all that is going to be written.
            carefully: whether to look for the ids of its events, too.
        """
        given = [each.id for each in group if not each.made_id]
        self._known = self._committed(given) if given else {}
        self._names.begin(self._db, group)
        self._taken = set()
        if carefully:
            self._taken.update(self._used(event for each in group for event in each.events))
        self._time = Time(max(self._now(), self._last.micros))

    def _committed(self, ids: list[str]) -> dict[str, tuple[Written, bytes]]:
        found = fetch(self._db, _TRANSACTIONS, (json.dumps(ids),))
        return {
            name: (Written(basis, revision, Time(recorded), True), known)
            for name, basis, revision, recorded, known in found
        }

    def _used(self, events: Iterable[ProspectiveEvent]) -> list[tuple[str, str]]:
        """The streams and ids of those whose stream has their id already."""
        number = self._names.of_stream
        wanted = [(number(event.stream), event.id, event.stream) for event in events]
        return fetch(self._db, _USED, (json.dumps(wanted),))

    def write(self, prepared: Prepared, also: Also | None = None) -> Written:
        """Write a transaction of the group, or find that it had been written.

        Args:
            prepared: the transaction.
            also: what else is written with it.

        Raises:
            DuplicateTransactionId, InvalidEvents, ConstraintViolations: refused; nothing of it was
                written.
        """
        if not prepared.made_id and (before := self._known.get(prepared.id)) is not None:
            if before[1] != prepared.fingerprint:
                raise DuplicateTransactionId(prepared.id)
            return before[0]
        taken = self._taken
        if taken and any((each.stream, each.id) in taken for each in prepared.columns):
            self._refuse_used(prepared.events)
        if prepared.conditions:
            self._check_conditions(prepared)
        written = self._insert(prepared)
        if also is not None:
            self.flush()
            moment = self._time.moment
            also(self._db, TransactionRecord(prepared.id, written.basis, written.revision, moment))
        return written

    def flush(self) -> None:
        """Write the rows that were kept back."""
        if self._transactions:
            self._names.flush(self._db)
            insert(self._db, _EVENT, self._events)
            insert(self._db, _TX, self._transactions)
            self._events, self._pending, self._transactions = [], [], []

    def commit(self) -> None:
        """What was written is committed."""
        self._names.commit()

    def _check_conditions(self, prepared: Prepared) -> None:
        if all(map(self._unchanged_lately, prepared.conditions)):
            return
        try:
            check_holds(prepared.conditions, self._highest)
        except ConstraintViolations:
            # An id that is used already is said before that.
            self._refuse_used(prepared.events)
            raise

    def _unchanged_lately(self, condition: AppendCondition) -> bool:
        """Whether it holds for certain: only something new could break it, and nothing new does.

        Whoever decides says what may not have changed since it looked, which is mostly a moment ago.
        """
        bound = condition.max_revision()
        if bound is None or condition.min_revision() is not None:
            return False
        since = self._revision - bound
        if since > len(self._recent):
            return False
        program = condition.selector._program()  # noqa: SLF001 - kept there since it is asked for often
        return not any(
            holds(program, *event) for event in islice(reversed(self._recent), max(0, since))
        )

    def _refuse_used(self, events: Sequence[ProspectiveEvent]) -> None:
        """Refuse ids that are used already, if there are any."""
        taken = self._taken.union(self._used(events))
        problems: list[EvidentSourceError] = [
            at(f"events[{index}]", DuplicateEventId(event.stream, event.id))
            for index, event in enumerate(events)
            if (event.stream, event.id) in taken
        ]
        if problems:
            raise InvalidEvents(problems)

    def _highest(self, selector: EventSelector) -> int:
        if len(self._pending) > _MOST_PENDING:
            self.flush()
        for back, event in enumerate(reversed(self._pending)):
            if selector.matches_prospective(event):
                return self._revision - back
        query = asked(selector, NO_OPTIONS, self._revision)
        return highest(self._db, self._pool, self._names.pending, query)

    def _insert(self, prepared: Prepared) -> Written:
        name, made_id, events, columns, checksum, _, fingerprint = prepared
        basis, time = self._revision, self._time
        revision = basis + len(columns)
        self._insert_events(columns, basis, time.micros)
        self._pending += events
        self._transactions.append(
            (revision, basis, name, time.micros, time.stamp, fingerprint, checksum)
        )
        if not made_id:
            self._known[name] = (Written(basis, revision, time, True), fingerprint)
        self._revision, self._last = revision, time
        return Written(basis, revision, time)

    def _insert_events(self, columns: Sequence[Columns], basis: int, recorded: int) -> None:
        numbers, into, taken = self._names.numbers, self._events, self._taken
        recent = self._recent.append
        revision, last = basis, basis + len(columns)
        for event_id, stream, kind, subject, time, *others in columns:
            revision += 1
            recent((stream, subject, kind))
            when = (recorded, 0, 0) if time is None else (*time, 1)
            named = numbers(stream, subject, kind, revision)
            into.append((revision, last, *named, *when, event_id, *others))
            taken.add((stream, event_id))


_EVENT = (
    "event (revision, tx, stream, subject, type, effective_us, effective_ns, timed, "
    "id, data, datacontenttype, dataschema, extensions)"
)
_TX = "tx (revision, basis, id, recorded_us, recorded, fingerprint, checksum)"
_TRANSACTIONS = (
    "SELECT id, basis, revision, recorded_us, fingerprint FROM tx "
    "WHERE id IN (SELECT value FROM json_each(?))"
)
_USED = (
    "SELECT k.value ->> 2, i.id FROM json_each(?) AS k "
    "CROSS JOIN event AS i INDEXED BY event_by_id ON i.stream = k.value ->> 0 AND i.id = k.value ->> 1"
)
