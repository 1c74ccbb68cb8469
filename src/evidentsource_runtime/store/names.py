"""The numbers that stand for streams, subjects and types in the tables."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

import apsw

from evidentsource_core.domain.flat_selectors import STREAM, SUBJECT, TYPE
from evidentsource_runtime.store.fetching import fetch, fetch_one, insert

if TYPE_CHECKING:
    from evidentsource_runtime.store.preparing import Prepared

COLUMNS: Final = {STREAM: "stream", SUBJECT: "subject", TYPE: "type"}
"""Each attribute's column in ``event``, which is also the name of the table of its values."""

NO_SUBJECT: Final = 0
_REMEMBERED: Final = 200_000
_Numbers = dict[str | None, int]


class Names:
    """Finds the number of a value, and gives new values theirs.

    Reading threads and the one writer share it. What the writer adds shows to readers once it is
    committed; numbers are never used for another value after that.
    """

    def __init__(self, db: apsw.Connection) -> None:
        self._known: tuple[_Numbers, ...] = tuple({} for _ in COLUMNS)
        self.held = self._known
        """Of each column, the numbers that the writer goes by: readers may begin anew meanwhile."""
        self._added: dict[int, _Numbers] = {column: {} for column in COLUMNS}
        self._rows: dict[int, list[tuple[int, str, int]]] = {column: [] for column in COLUMNS}
        self._last: dict[int, int] = {}
        self.adds = False
        """Whether there are numbers that were not committed yet."""
        self.reload(db)

    def find(self, db: apsw.Connection, column: int, value: str | None) -> int | None:
        """The number of a committed value; None for one that no event has."""
        if value is None:
            return NO_SUBJECT
        number = self._known[column].get(value)
        if number is None:
            found = fetch_one(db, f"SELECT id FROM {COLUMNS[column]} WHERE value = ?", (value,))
            if found is None:
                return None
            number = found[0]
            self._remember(column, {value: number})
        return number

    def _remember(self, column: int, numbers: _Numbers) -> None:
        known = self._known[column]
        if len(known) >= _REMEMBERED:
            known = {}
            before = self._known
            self._known = (*before[:column], known, *before[column + 1 :])
        known.update(numbers)

    # --- for the writer ------------------------------------------------------------------------

    def begin(self, db: apsw.Connection, group: Iterable[Prepared]) -> None:
        """Look up all names of a group: those that :attr:`held` has not then are new."""
        self.held = streams, subjects, types = self._known
        wanted: list[tuple[int, str]] = []
        for each in group:
            for event in each.columns:
                if event.stream not in streams:
                    wanted.append((STREAM, event.stream))
                if event.subject not in subjects and event.subject is not None:
                    wanted.append((SUBJECT, event.subject))
                if event.event_type not in types:
                    wanted.append((TYPE, event.event_type))
        if wanted:
            self._look_up(db, wanted)

    def _look_up(self, db: apsw.Connection, wanted: list[tuple[int, str]]) -> None:
        for column, sql in _NUMBERS.items():
            values = {value for of, value in wanted if of == column}
            if values:
                self.held[column].update(fetch(db, sql, (json.dumps(list(values)),)))

    def add(self, column: int, value: str | None, revision: int) -> int:
        """The number of a value that is not held: a new one, whose first event has that revision."""
        if value is None:
            return NO_SUBJECT
        number = self._added[column].get(value)
        if number is None:
            number = self._last[column] = self._last[column] + 1
            self._added[column][value] = number
            self._rows[column].append((number, value, revision))
            self.adds = True
        return number

    def pending(self, db: apsw.Connection, column: int, value: str | None) -> int | None:
        """As :meth:`find`, with what the writer has added."""
        if value is not None and (number := self._added[column].get(value)) is not None:
            return number
        return self.find(db, column, value)

    def flush(self, db: apsw.Connection) -> None:
        """Write what was added."""
        for column, rows in self._rows.items():
            insert(db, f"{COLUMNS[column]} (id, value, first)", rows)
            rows.clear()

    def commit(self) -> None:
        """What was added is committed."""
        self.adds = False
        for column, added in self._added.items():
            self._remember(column, added)
            added.clear()

    def reload(self, db: apsw.Connection) -> None:
        """Forget what was added, and take the last numbers from the file."""
        self.adds = False
        for column, table in COLUMNS.items():
            self._added[column].clear()
            self._rows[column].clear()
            self._last[column] = fetch_one(db, f"SELECT coalesce(max(id), 0) FROM {table}")[0]


_NUMBERS: Final = {
    column: f"SELECT value, id FROM {table} WHERE value IN (SELECT value FROM json_each(?))"
    for column, table in COLUMNS.items()
}
