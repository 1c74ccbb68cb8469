"""From a term to SQL: which index leads to the events, in which order they come, what is left to check.

There are three ways, each of which gives the first n revisions behind a place:

- *merge*: a few sets that the index has in order already, united as they are read;
- *sort*: what the index gives, cut to the first n by a sort that keeps no more than n;
- *scan*: the events in the order asked for, checked one by one, where the index would give so many
  that this is less work.
"""

from __future__ import annotations

from enum import Enum
from functools import lru_cache
from typing import Final, NamedTuple, Protocol

import apsw

from evidentsource_core.domain.flat_selectors import AND, SUBJECT
from evidentsource_runtime.store.fetching import fetch_one
from evidentsource_runtime.store.names import COLUMNS
from evidentsource_runtime.store.stored import COLUMNS as COLUMNS_OF_ROWS
from evidentsource_runtime.store.stored import NAMES
from evidentsource_runtime.store.terms import FEW, NOTHING, Group, Numbers, Span, Term, in_span

MOST_TERMS: Final = 1000
MOST_DEPTH: Final = 50
"""A term larger or deeper than this is checked outside of SQL, whose expressions have limits."""
SHARE: Final = 16
"""Where the index leads to more than one event in this many, a scan is less work."""
LEAST: Final = 16
"""Events that the index may lead to in any case."""
PROBE: Final = 1000
"""How far terms are counted to learn which of several leads to the fewest events."""

Values = tuple[int | str | None, ...]
_LARGEST: Final = 2**63 - 1
_ANY: Final = "1"


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

    def where(self) -> tuple[str, Values]:
        """The SQL of it over ``event AS e``, and its values."""
        sql = "e.revision > ? AND e.revision <= ?"
        values: Values = (self.after, min(self.upto, _LARGEST))
        if self.low is None and self.high is None:
            return sql, values
        for bound, operator in ((self.low, ">="), (self.high, "<=")):
            if bound is not None:
                sql += f" AND (e.effective_us, e.effective_ns, e.revision) {operator} (?, ?, ?)"
                values += (*bound[:2], min(bound[2], _LARGEST))
        return sql, values


class Way(Enum):
    """How a plan finds its events."""

    NOTHING = "nothing"
    MERGE = "merge"
    SORT = "sort"
    SCAN = "scan"


class Source(NamedTuple):
    """One way into the index: what stands behind FROM and in WHERE."""

    tables: str
    where: str
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
        everything: whether the sources lead to every event there is, whose rows are then read one
            after the other, without the index.
    """

    way: Way
    sources: tuple[Source, ...] = ()
    check: str = _ANY
    values: Values = ()
    outside: bool = False
    everything: bool = False


def plan(db: apsw.Connection, term: Term, window: Window, *, by_time: bool) -> Plan:
    """The plan for a term, made for what the window has of it.

    Args:
        db: a connection, to count with.
        term: what is selected.
        window: where.
        by_time: whether the events are wanted in the order of effective time.
    """
    if term == NOTHING or window.upto <= window.after:
        return Plan(Way.NOTHING)
    if isinstance(term, Numbers) and not by_time and len(term.numbers) <= FEW:
        return Plan(Way.MERGE, _singles([term]))
    if isinstance(term, Group) and (term.depth > MOST_DEPTH or term.weight > MOST_TERMS):
        return Plan(Way.SCAN, check=_OUTSIDE, outside=True)
    drivers = _united(_drivers(db, term, window))
    exact = not isinstance(term, Group) or _only_alternatives(term)
    check, values = (_ANY, ()) if exact else _check(term)
    if not by_time and mergeable(drivers):
        return Plan(Way.MERGE, _singles(drivers), check, values)
    sources = tuple(_source(driver) for driver in drivers)
    most = (window.upto - window.after) // SHARE + LEAST
    if _counted(db, sources, window, most) >= most:
        check, values = _check(term)
        return Plan(Way.SCAN, (), check, values)
    return Plan(Way.SORT, sources, check, values)


def is_everything(db: apsw.Connection, term: Term) -> bool:
    """Whether a term names every stream, or every type, that there is."""
    if not isinstance(term, Numbers) or term.column == SUBJECT or len(term.numbers) > FEW:
        return False
    sql = f"SELECT count(*) FROM (SELECT 1 FROM {COLUMNS[term.column]} LIMIT ?)"
    count: int = fetch_one(db, sql, (FEW + 1,))[0]
    return count == len(term.numbers)


_OUTSIDE: Final = (
    "selects(?, (SELECT value FROM stream WHERE id = e.stream), "
    "(SELECT value FROM subject WHERE id = e.subject), (SELECT value FROM type WHERE id = e.type))"
)


# --- where the index is entered ------------------------------------------------------------------


def _drivers(db: apsw.Connection, term: Term, window: Window) -> list[Numbers | Span]:
    """Terms that together lead to every selected event, and to few others at best."""
    if not isinstance(term, Group):
        return [term]
    parts = [_drivers(db, part, window) for part in term.parts()]
    if term.operation != AND:
        return [driver for part in parts for driver in part]
    best, fewest = parts[0], PROBE + 1
    # Subjects first: they tend to be the most telling, and few events end the search.
    for part in sorted(parts, key=lambda drivers: -max(driver.column == 1 for driver in drivers)):
        # One that leads to as many is no better: nobody needs to know how many more.
        most = min(PROBE, fewest)
        count = _counted(db, tuple(_source(driver) for driver in part), window, most)
        if count < fewest:
            best, fewest = part, count
        if fewest < FEW:
            break
    return best


def _united(drivers: list[Numbers | Span]) -> list[Numbers | Span]:
    sets: dict[int, set[int]] = {}
    spans: dict[Span, None] = {}
    for driver in drivers:
        if isinstance(driver, Numbers):
            sets.setdefault(driver.column, set()).update(driver.numbers)
        else:
            spans[driver] = None
    return [*(Numbers(column, frozenset(found)) for column, found in sets.items()), *spans]


def _only_alternatives(term: Group) -> bool:
    return term.operation != AND and not term.groups


def mergeable(drivers: list[Numbers | Span]) -> bool:
    """Whether the index has all of it in the order of revisions already."""
    sets = [driver.numbers for driver in drivers if isinstance(driver, Numbers)]
    return len(sets) == len(drivers) and sum(map(len, sets)) <= FEW


_SINGLE: Final = {
    column: (f"event AS e INDEXED BY event_by_{name}", f"e.{name} = ?")
    for column, name in COLUMNS.items()
}


def _singles(drivers: list[Numbers | Span]) -> tuple[Source, ...]:
    return tuple(
        Source(*_SINGLE[driver.column], (number,))
        for driver in drivers
        if isinstance(driver, Numbers)
        for number in sorted(driver.numbers)
    )


def _source(driver: Numbers | Span) -> Source:
    column = COLUMNS[driver.column]
    events = f"event AS e INDEXED BY event_by_{column}"
    if isinstance(driver, Span):
        where, values = in_span("n.value", driver)
        return Source(
            f"{column} AS n CROSS JOIN {events}", f"{where} AND e.{column} = n.id", values
        )
    if len(driver.numbers) == 1:
        return Source(events, f"e.{column} = ?", tuple(driver.numbers))
    return Source(
        f"json_each(?) AS n CROSS JOIN {events}", f"e.{column} = n.value", (_list(driver.numbers),)
    )


def _list(numbers: frozenset[int]) -> str:
    return f"[{','.join(map(str, sorted(numbers)))}]"


def _counted(db: apsw.Connection, sources: tuple[Source, ...], window: Window, most: int) -> int:
    """How many entries of the index the sources lead to, counted up to ``most``."""
    within, bounds = window.where()
    total = 0
    for source in sources:
        entries = f"SELECT 1 FROM {source.tables} WHERE {source.where} AND {within} LIMIT ?"
        values = (*source.values, *bounds, most - total)
        total += fetch_one(db, f"SELECT count(*) FROM ({entries})", values)[0]
        if total >= most:
            break
    return total


# --- what is left to check -----------------------------------------------------------------------


def _check(term: Term) -> tuple[str, Values]:
    """The SQL that says of ``event AS e`` whether the term selects it, and its values."""
    if isinstance(term, Group):
        checks = [_check(part) for part in term.parts()]
        joint = " AND " if term.operation == AND else " OR "
        return _balanced([sql for sql, _ in checks], joint), tuple(
            value for _, values in checks for value in values
        )
    column = COLUMNS[term.column]
    if isinstance(term, Span):
        where, values = in_span("n.value", term)
        # Looked up for each event: the whole range of names might be large.
        return f"EXISTS (SELECT 1 FROM {column} AS n WHERE n.id = e.{column} AND {where})", values
    if len(term.numbers) == 1:
        return f"e.{column} = ?", tuple(term.numbers)
    return f"e.{column} IN (SELECT value FROM json_each(?))", (_list(term.numbers),)


def _balanced(parts: list[str], joint: str) -> str:
    # SQLite limits how deep an expression is, and a chain of n terms is n deep.
    if len(parts) == 1:
        return parts[0]
    middle = len(parts) // 2
    return f"({_balanced(parts[:middle], joint)}{joint}{_balanced(parts[middle:], joint)})"


# --- the statement -------------------------------------------------------------------------------


def statement(chosen: Plan, window: Window, *, by_time: bool, reverse: bool) -> tuple[str, Values]:
    """The SQL for the first revisions of a plan, one limit still to be bound, and its values.

    Rows are (revision) in revision order, (revision, effective_us, effective_ns) in that of
    effective time.
    """
    columns = "e.revision, e.effective_us, e.effective_ns" if by_time else "e.revision"
    within, bounds = window.where()
    selects: list[str] = []
    values: list[int | str | None] = []
    for source in chosen.sources or (_scanned(by_time),):
        checks = [source.where, within, chosen.check]
        where = " AND ".join(check for check in checks if check != _ANY)
        selects.append(f"SELECT {columns} FROM {source.tables} WHERE {where}")
        values += [*source.values, *bounds, *chosen.values]
    order = _ORDERS[by_time, reverse]
    return f"{' UNION '.join(selects)} ORDER BY {order} LIMIT ?", tuple(values)


def rows_statement(
    chosen: Plan, window: Window, *, by_time: bool, reverse: bool
) -> tuple[str, Values]:
    """The SQL for the first rows (:data:`stored.COLUMNS`) of a plan, one limit still to be bound."""
    if len(chosen.sources) > 1 and not chosen.everything:
        sql, values = statement(chosen, window, by_time=by_time, reverse=reverse)
        return f"SELECT {COLUMNS_OF_ROWS} FROM ({sql}) AS n {_JOINED}", values
    source = _scanned(by_time)
    if chosen.sources and not chosen.everything:
        (source,) = chosen.sources
    tables, condition, values = source
    within, bounds = window.where()
    sql = _rows_sql(tables, (condition, within, chosen.check), by_time, reverse)
    return sql, (*values, *bounds, *chosen.values)


@lru_cache(maxsize=256)
def _rows_sql(tables: str, checks: tuple[str, ...], by_time: bool, reverse: bool) -> str:
    where = " AND ".join(check for check in checks if check != _ANY)
    order = _ORDERS_OF_ROWS[by_time, reverse]
    return f"SELECT {COLUMNS_OF_ROWS} FROM {tables} {NAMES} WHERE {where} ORDER BY {order} LIMIT ?"


def _orders(table: str) -> dict[tuple[bool, bool], str]:
    columns = {True: ("effective_us", "effective_ns", "revision"), False: ("revision",)}
    return {
        (by_time, reverse): ", ".join(
            f"{table}{name}{' DESC' * reverse}" for name in columns[by_time]
        )
        for by_time in (False, True)
        for reverse in (False, True)
    }


# A union is ordered by its columns, which have no table; beside other tables they need one.
_ORDERS: Final = _orders("")
_ORDERS_OF_ROWS: Final = _orders("e.")
_JOINED: Final = f"CROSS JOIN event AS e ON e.revision = n.revision {NAMES}"


class Statement(Protocol):
    """What makes the SQL for a plan: of places, or of rows."""

    def __call__(
        self, chosen: Plan, window: Window, /, *, by_time: bool, reverse: bool
    ) -> tuple[str, Values]:
        """The SQL, one limit still to be bound, and its values."""
        ...


def _scanned(by_time: bool) -> Source:
    index = "INDEXED BY event_by_time" if by_time else "NOT INDEXED"
    return Source(f"event AS e {index}", _ANY, ())


def count_statement(chosen: Plan, window: Window) -> tuple[str, Values]:
    """The SQL that counts all events of a plan, and its values."""
    sql, values = statement(chosen, window, by_time=False, reverse=False)
    found = sql.removesuffix(" ORDER BY revision LIMIT ?")
    return f"SELECT count(*) FROM ({found})", values
