"""Asking a connection: its rows as plain tuples, whose types the statement says and no checker knows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

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
