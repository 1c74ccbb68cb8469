"""The numbers that stand for streams, subjects and types in the tables."""

from __future__ import annotations

from typing import Final

import apsw

from evidentsource_core.domain.flat_selectors import STREAM, SUBJECT, TYPE
from evidentsource_runtime.store.fetching import fetch_one

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
        self._last: dict[int, int] = {}
        self.reload(db)

    def find(self, db: apsw.Connection, column: int, value: str | None) -> int | None:
        """The number of a committed value; None for one that no event has."""
        if value is None:
            return NO_SUBJECT
        known = self._known[column]
        number = known.get(value)
        if number is None:
            number = _stored(db, column, value)
            if number is not None:
                _remember(known, value, number)
        return number

    def number(self, db: apsw.Connection, column: int, value: str | None, revision: int) -> int:
        """The number of a value that the event of this revision has; a new one where it is new."""
        if value is None:
            return NO_SUBJECT
        known = self._known[column].get(value) or self._added[column].get(value)
        if known is not None:
            return known
        number = _stored(db, column, value)
        if number is None:
            number = self._last[column] = self._last[column] + 1
            table = COLUMNS[column]
            row = (number, value, revision)
            db.execute(f"INSERT INTO {table} (id, value, first) VALUES (?, ?, ?)", row)
        self._added[column][value] = number
        return number

    def pending(self, db: apsw.Connection, column: int, value: str | None) -> int | None:
        """As :meth:`find`, with what the writer has added."""
        if value is not None and (number := self._added[column].get(value)) is not None:
            return number
        return self.find(db, column, value)

    def commit(self) -> None:
        """What was added is committed."""
        for column, added in self._added.items():
            for value, number in added.items():
                _remember(self._known[column], value, number)
            added.clear()

    def reload(self, db: apsw.Connection) -> None:
        """Forget what was added, and take the last numbers from the file."""
        for column, table in COLUMNS.items():
            self._added[column].clear()
            self._last[column] = fetch_one(db, f"SELECT coalesce(max(id), 0) FROM {table}")[0]


def _stored(db: apsw.Connection, column: int, value: str) -> int | None:
    found = fetch_one(db, f"SELECT id FROM {COLUMNS[column]} WHERE value = ?", (value,))
    return None if found is None else found[0]


def _remember(known: dict[str, int], value: str, number: int) -> None:
    if len(known) >= _REMEMBERED:
        known.clear()
    known[value] = number
