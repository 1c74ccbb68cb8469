"""The numbers that stand for streams, subjects and types in the tables."""

from __future__ import annotations

import json
from typing import Final

import apsw

from evidentsource_core.domain.flat_selectors import STREAM, SUBJECT, TYPE
from evidentsource_runtime.store.fetching import fetch, fetch_one, insert

COLUMNS: Final = {STREAM: "stream", SUBJECT: "subject", TYPE: "type"}
"""Each attribute's column in ``event``, which is also the name of the table of its values."""

NO_SUBJECT: Final = 0
_REMEMBERED = 200_000


class Names:
    """Finds the number of a value, and gives new values theirs.

    Reading threads and the one writer share it. What the writer adds shows to readers once it is
    committed; numbers are never used for another value after that.
    """

    def __init__(self, db: apsw.Connection) -> None:
        self._known: dict[int, dict[str, int]] = {column: {} for column in COLUMNS}
        self._added: dict[int, dict[str, int]] = {column: {} for column in COLUMNS}
        self._rows: dict[int, list[tuple[int, str, int]]] = {column: [] for column in COLUMNS}
        self._last: dict[int, int] = {}
        self.reload(db)

    def find(self, db: apsw.Connection, column: int, value: str | None) -> int | None:
        """The number of a committed value; None for one that no event has."""
        if value is None:
            return NO_SUBJECT
        known = self._known[column]
        number = known.get(value)
        if number is None:
            found = fetch_one(db, f"SELECT id FROM {COLUMNS[column]} WHERE value = ?", (value,))
            if found is None:
                return None
            number = _remember(known, value, found[0])
        return number

    # --- for the writer ------------------------------------------------------------------------

    def prefetch(self, db: apsw.Connection, column: int, values: set[str]) -> None:
        """Look all of these up, so that :meth:`number` and :meth:`pending` need not."""
        known = self._known[column]
        if known.keys() >= values:
            return
        wanted = [value for value in values if value not in known]
        sql = f"SELECT value, id FROM {COLUMNS[column]} WHERE value IN (SELECT value FROM json_each(?))"
        for value, number in fetch(db, sql, (json.dumps(wanted),)):
            _remember(known, value, number)

    def known(self, column: int, value: str) -> int | None:
        """The number of a prefetched value; None for one that is new."""
        return self._known[column].get(value) or self._added[column].get(value)

    def number(self, column: int, value: str | None, revision: int) -> int:
        """The number of a prefetched value for the event of a revision; a new one if it is new."""
        if value is None:
            return NO_SUBJECT
        number = self.known(column, value)
        if number is None:
            number = self._last[column] = self._last[column] + 1
            self._added[column][value] = number
            self._rows[column].append((number, value, revision))
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
        for column, added in self._added.items():
            if added:
                for value, number in added.items():
                    _remember(self._known[column], value, number)
                added.clear()

    def reload(self, db: apsw.Connection) -> None:
        """Forget what was added, and take the last numbers from the file."""
        for column, table in COLUMNS.items():
            self._added[column].clear()
            self._rows[column].clear()
            self._last[column] = fetch_one(db, f"SELECT coalesce(max(id), 0) FROM {table}")[0]


def _remember(known: dict[str, int], value: str, number: int) -> int:
    if len(known) >= _REMEMBERED:
        known.clear()
    known[value] = number
    return number
