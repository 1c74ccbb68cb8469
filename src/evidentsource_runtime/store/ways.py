"""What plans and statements speak of: a part of a history, ways into the index, what is checked."""

from __future__ import annotations

from enum import Enum
from typing import Final, NamedTuple

Values = tuple[int | str | None, ...]
LARGEST: Final = 2**63 - 1
"""The largest number that SQLite knows."""
ANY: Final = "1"
"""The SQL that everything meets."""


class Window(NamedTuple):
    """Which events a query may see; what it has given is cut off from it.

    Args:
        after: only revisions above this one.
        upto: only revisions up to this one.
        low: only from this place in effective time on: (microseconds, nanoseconds, revision).
        high: only up to this place, included.
    """

    after: int
    upto: int
    low: tuple[int, int, int] | None = None
    high: tuple[int, int, int] | None = None

    def times(self) -> tuple[str, Values]:
        """The SQL of its times over ``event AS e``, and its values."""
        sql: list[str] = []
        values: Values = ()
        for bound, operator in ((self.low, ">="), (self.high, "<=")):
            if bound is not None:
                sql.append(f"(e.effective_us, e.effective_ns, e.revision) {operator} (?, ?, ?)")
                values += (*bound[:2], min(bound[2], LARGEST))
        return " AND ".join(sql) or ANY, values


class Way(Enum):
    """How a plan finds its events."""

    NOTHING = "nothing"
    MERGE = "merge"
    SORT = "sort"
    SCAN = "scan"


class Shape(NamedTuple):
    """One way into the index, without the values that are bound.

    Args:
        kind: of the entries that it leads to.
        names: what stands before them behind FROM, ``n`` mostly.
        where: which of them, with ``{value}`` for an entry's value.
        in_order: whether they all have one value, and so come in the order of revisions.
    """

    kind: int
    names: str
    where: str
    in_order: bool = False


class Source(NamedTuple):
    """One way into the index: its shape, and the values that are bound to it."""

    shape: Shape
    values: Values


class Plan(NamedTuple):
    """How the events of a term are found.

    Args:
        way: which of the ways.
        sources: where the index is entered.
        check: the SQL that an event has to meet besides.
        values: those of ``check``.
        outside: whether events are checked by the function ``selects`` instead, which is given the
            number of a program that is put in front of the values.
    """

    way: Way
    sources: tuple[Source, ...] = ()
    check: str = ANY
    values: Values = ()
    outside: bool = False
