"""Asking a connection: its rows as plain tuples, whose types the statement says and no checker knows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import chain
from typing import Any, Final

import apsw


def fetch(db: apsw.Connection, sql: str, values: Sequence[Any] = ()) -> list[Any]:
    """Every row, read at once so that no statement stays open.

    >>> fetch(apsw.Connection(":memory:"), "SELECT ? + 1, 'a'", (1,))
    [(2, 'a')]
    """
    return db.execute(sql, values).fetchall()


def fetch_one(db: apsw.Connection, sql: str, values: Sequence[Any] = ()) -> Any:
    """The first row, None where there is none.

    >>> fetch_one(apsw.Connection(":memory:"), "SELECT 1 WHERE 0") is None
    True
    """
    found = db.execute(sql, values).fetchall()
    return found[0] if found else None


_TOGETHER: Final = (64, 32, 16, 8, 4, 2, 1)
"""Rows in one statement: few sizes, so that each is prepared once and then found in the cache."""


def insert(db: apsw.Connection | apsw.Cursor, into: str, rows: Sequence[Sequence[Any]]) -> None:
    """Insert rows with as few statements as there need be.

    Each statement lets other threads have the interpreter, and has to wait for it again: with many
    threads at work that costs far more than the statement itself.

    A row that breaks a constraint undoes the whole transaction.

    >>> db = apsw.Connection(":memory:")
    >>> _ = db.execute("CREATE TABLE t (a, b)")
    >>> insert(db, "t (a, b)", [(n, str(n)) for n in range(75)])
    >>> fetch_one(db, "SELECT count(*), max(a) FROM t")
    (75, 74)
    """
    start = 0
    for size in _TOGETHER:
        while len(rows) - start >= size:
            values = list(chain.from_iterable(rows[start : start + size]))
            db.execute(insertion(into, len(values) // size, size), values)
            start += size


@cache
def insertion(into: str, width: int, rows: int = 1) -> str:
    """The statement that inserts so many rows, each of so many values."""
    # What breaks a constraint undoes the whole transaction. To undo no more than itself, a statement
    # of several rows would have to keep a copy of every page that it changes.
    row = f"({', '.join('?' * width)})"
    return f"INSERT OR ROLLBACK INTO {into} VALUES {', '.join([row] * rows)}"
