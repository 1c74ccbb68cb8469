"""Keeping the index up: entries are written many at once, and move from smaller tables to larger ones.

An entry of a random value belongs to a random page of its table: written one by one, each would
change a page of its own, at every commit. So events get their entries some hundreds at once, in a
small table. What that one has too many moves on to one that is sixteen times as large, a piece in
the order of its values at a time, which belongs to few pages of the next: a log-structured merge
tree, whose levels are SQLite's B-trees (O'Neil, Cheng, Gawlick, O'Neil: The log-structured
merge-tree, 1996).

Each move is a part of some transaction of events: an entry is in one table at any time, and nothing
is done beside it that a crash could leave half done.
"""

from __future__ import annotations

from typing import Final

import apsw

from evidentsource_runtime.store.entries import BLOCK, COLUMN, LEVELS, TABLES, entries_of
from evidentsource_runtime.store.fetching import fetch, fetch_one

FRESH_EVENTS: Final = 512
"""From so many on, events without entries get theirs: every query looks through those that have none."""
MOST: Final = {1: 16 * 1024, 2: 256 * 1024, 3: 4 * 1024 * 1024}
"""Entries of each level but the last: some three or four for each event."""
_PIECE: Final = 256
"""Entries that are moved at once at least."""

Place = tuple[int, int, int]
_START: Final[Place] = (-1, 0, 0)


class Upkeep:
    """Gives events their entries, and moves entries on; the writer's own.

    Args:
        db: the writer's connection, within a transaction whenever something is written.
    """

    def __init__(self, db: apsw.Connection) -> None:
        self._db = db
        self.reload()

    def reload(self) -> None:
        """Take everything from the file: after a start, and when a commit was undone."""
        self._reach(fetch_one(self._db, "SELECT indexed FROM store")[0])
        found = fetch(self._db, "SELECT number, entries, kind, value, revision FROM level")
        self._entries = {number: entries for number, entries, *_ in found}
        self._places: dict[int, Place] = {number: tuple(place) for number, _, *place in found}

    def _reach(self, indexed: int) -> None:
        self._indexed = indexed
        self.due = indexed + FRESH_EVENTS
        """The revision from which on there is something to be done."""

    def written(self, revision: int) -> None:
        """The events up to this revision are written: give them entries, if it is time to."""
        if revision < self.due:
            return
        upto = revision // BLOCK * BLOCK
        self._db.execute(_ENTER, (self._indexed, upto))
        added = self._db.changes()
        self._db.execute("UPDATE store SET indexed = ?", (upto,))
        self._reach(upto)
        for level in LEVELS:
            self._entries[level] += added
            excess = self._entries[level] - MOST.get(level, self._entries[level])
            if excess < _PIECE:
                break
            added = self._move(level, excess)
            self._entries[level] -= added
        rows = [(self._entries[level], *self._places[level], level) for level in LEVELS]
        self._db.executemany(_KEEP, rows)

    def _move(self, level: int, count: int) -> int:
        """Move so many entries on, behind those that were moved last; fewer at the end of the table."""
        place, db = self._places[level], self._db
        found = fetch_one(db, _NTH[level], (*place, count - 1))
        if found is None:
            db.execute(_MOVE_REST[level], place)
            db.execute(_DROP_REST[level], place)
            self._places[level] = _START
        else:
            db.execute(_MOVE[level], (*place, *found))
            db.execute(_DROP[level], (*place, *found))
            self._places[level] = found
        return db.changes()


_ENTRY: Final = "kind, value, revision"
# To undo no more than itself, a statement of many rows would keep a copy of every page that it changes.
_INSERT: Final = "INSERT OR ROLLBACK"

_NEW: Final = "revision > ?1 AND revision <= ?2"
_ENTER: Final = (
    f"{_INSERT} INTO {TABLES[1]} ({_ENTRY}) "
    f"{' UNION ALL '.join(entries_of(kind, _NEW) for kind in COLUMN)} ORDER BY 1, 2, 3"
)
_KEEP: Final = "UPDATE level SET entries = ?, kind = ?, value = ?, revision = ? WHERE number = ?"
_BEHIND: Final = f"({_ENTRY}) > (?1, ?2, ?3)"
_BETWEEN: Final = f"{_BEHIND} AND ({_ENTRY}) <= (?4, ?5, ?6)"
_NTH: Final = {
    level: f"SELECT {_ENTRY} FROM {TABLES[level]} WHERE {_BEHIND} ORDER BY {_ENTRY} LIMIT 1 OFFSET ?4"
    for level in MOST
}


def _moves(where: str) -> dict[int, str]:
    return {
        level: f"{_INSERT} INTO {TABLES[level + 1]} ({_ENTRY}) "
        f"SELECT {_ENTRY} FROM {TABLES[level]} WHERE {where} ORDER BY {_ENTRY}"
        for level in MOST
    }


def _drops(where: str) -> dict[int, str]:
    return {level: f"DELETE FROM {TABLES[level]} WHERE {where}" for level in MOST}


_MOVE, _MOVE_REST = _moves(_BETWEEN), _moves(_BEHIND)
_DROP, _DROP_REST = _drops(_BETWEEN), _drops(_BEHIND)
