"""The index: where the entries of an attribute's value are, and the SQL that reads them.

An entry says that an event has a value. Entries are kept in levels, each sixteen times as large as the
one before, and move on from one to the next many at once (:mod:`merging`); what was written last has none
yet, and is looked through. So the entries of a value are in the last levels first, and what was written
last comes last.

Streams and types are few: most of them are among any sixteen events that follow one another. Their entries
say that at least one of such a block has the value.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from evidentsource_core.domain.flat_selectors import STREAM, SUBJECT, TYPE

EVENT_KEY, TRANSACTION_KEY = 3, 4

COLUMN: Final = {
    STREAM: "stream",
    SUBJECT: "subject",
    TYPE: "type",
    EVENT_KEY: "key",
    TRANSACTION_KEY: "tx_key",
}
"""The column of ``event`` whose values the entries of a kind have."""

BLOCK: Final = 16
"""Revisions that an entry stands for where it stands for a block; the first is one more than a multiple."""
BLOCKS: Final = frozenset({STREAM, TYPE})
"""The kinds whose entries stand for blocks."""

LEVELS: Final = (1, 2, 3, 4)
TABLES: Final = {level: f"entry_{level}" for level in LEVELS}

FRESH: Final = "(SELECT indexed FROM store)"
"""The revision up to which events have entries: whole blocks."""


class Arm(NamedTuple):
    """One place where entries of a kind are: what stands behind FROM, and what in WHERE.

    Args:
        tables: the events that are led to are ``p`` there, which has a ``revision`` at least.
        where: which of them.
        value: the SQL for the value of an entry.
        entries: the name of the entries.
        counted: the tables without what leads from a block to its events.
        entered: ``where`` without it.
    """

    tables: str
    where: str
    value: str
    entries: str
    counted: str
    entered: str

    @property
    def backwards(self) -> str:
        """The SQL of the order against that of revisions, in which the index has those of one value."""
        return "p.revision DESC" if self.entries == "p" else "b.revision DESC, p.revision DESC"

    def within(self, after: str, upto: str) -> str:
        """The SQL for the revisions behind one up to another."""
        events = f"p.revision > {after} AND p.revision <= {upto}"
        return events if self.entries == "p" else f"{self.blocks_within(after, upto)} AND {events}"

    def blocks_within(self, after: str, upto: str) -> str:
        """The SQL for the blocks that have such revisions, or for the revisions where there are none."""
        back = "" if self.entries == "p" else f" - {BLOCK}"
        name = self.entries
        return f"{name}.revision > {after}{back} AND {name}.revision <= {upto}"


def arms(kind: int) -> tuple[Arm, ...]:
    """Where the entries of a kind are: those of one value have greater revisions in each that follows.

    >>> [arm.tables for arm in arms(SUBJECT)][-2:]
    ['entry_1 AS p', 'event AS p NOT INDEXED']
    """
    return _ARMS[kind]


def _arms(kind: int) -> tuple[Arm, ...]:
    kept = [_kept(kind, TABLES[level]) for level in reversed(LEVELS)]
    events, column = "event AS p NOT INDEXED", f"p.{COLUMN[kind]}"
    fresh = f"p.revision > {FRESH}"
    return (*kept, Arm(events, fresh, column, "p", events, fresh))


def _kept(kind: int, table: str) -> Arm:
    if kind not in BLOCKS:
        tables, where = f"{table} AS p", f"p.kind = {kind}"
        return Arm(tables, where, "p.value", "p", tables, where)
    events = (
        f"event AS p NOT INDEXED ON p.revision >= b.revision AND p.revision < b.revision + {BLOCK}"
    )
    blocks, entered = f"{table} AS b", f"b.kind = {kind}"
    where = f"{entered} AND p.{COLUMN[kind]} = b.value"
    return Arm(f"{blocks} CROSS JOIN {events}", where, "b.value", "b", blocks, entered)


_ARMS: Final = {kind: _arms(kind) for kind in COLUMN}


def of_value(kind: int, columns: str, where: str) -> str:
    """A statement for the events of one value, which is to be bound as ``?1``.

    Args:
        kind: of the value; none of :data:`BLOCKS`.
        columns: what is wanted of ``event AS e``.
        where: what it has to meet besides.
    """
    return " UNION ALL ".join(
        f"SELECT {columns} FROM {arm.tables} CROSS JOIN event AS e ON e.revision = p.revision "
        f"WHERE {arm.where} AND {arm.value} = ?1 AND {where}"
        for arm in arms(kind)
    )


def entries_of(kind: int, where: str) -> str:
    """A statement for the entries that events ought to have: kind, value and revision.

    Args:
        kind: of which.
        where: of which events; whole blocks.
    """
    column = COLUMN[kind]
    if kind in BLOCKS:
        block = f"(revision - 1) / {BLOCK} * {BLOCK} + 1"
        return f"SELECT DISTINCT {kind}, {column}, {block} AS revision FROM event WHERE {where}"
    found = f"SELECT {kind}, {column}, revision FROM event WHERE {where}"
    return f"{found} AND {column} IS NOT NULL" if kind == TRANSACTION_KEY else found
