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
from typing import Final, Literal, NamedTuple, Protocol, TypeAlias

import apsw

from evidentsource_core.domain.flat_selectors import AND, SUBJECT
from evidentsource_runtime.store.entries import BLOCKS, arms
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
SAMPLE: Final = 16 * 1024
"""Revisions at either end of a long history that are looked at first."""
_PER_BLOCK: Final = 2
"""As how many events one entry of a block counts, which has a few to be looked through."""
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

    def times(self) -> tuple[str, Values]:
        """The SQL of its times over ``event AS e``, and its values."""
        sql: list[str] = []
        values: Values = ()
        for bound, operator in ((self.low, ">="), (self.high, "<=")):
            if bound is not None:
                sql.append(f"(e.effective_us, e.effective_ns, e.revision) {operator} (?, ?, ?)")
                values += (*bound[:2], min(bound[2], _LARGEST))
        return " AND ".join(sql) or _ANY, values


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
    check: str = _ANY
    values: Values = ()
    outside: bool = False


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
    if _is_everything(db, term):
        return Plan(Way.SCAN)
    if isinstance(term, Numbers) and not by_time and mergeable([term]):
        return Plan(Way.MERGE, _singles([term]))
    if isinstance(term, Group) and (term.depth > MOST_DEPTH or term.weight > MOST_TERMS):
        return Plan(Way.SCAN, check=_OUTSIDE, outside=True)
    drivers = _united(_drivers(db, term, window))
    exact = not isinstance(term, Group) or _only_alternatives(term)
    check, values = (_ANY, ()) if exact else _check(term)
    if not by_time and mergeable(drivers):
        return Plan(Way.MERGE, _singles(drivers), check, values)
    sources = tuple(_source(driver) for driver in drivers)
    if _lead_to_many(db, sources, window):
        check, values = _check(term)
        return Plan(Way.SCAN, (), check, values)
    return Plan(Way.SORT, sources, check, values)


def _lead_to_many(db: apsw.Connection, sources: tuple[Source, ...], window: Window) -> bool:
    """Whether a scan is less work than what the sources lead to."""
    if window.upto - window.after > 2 * SAMPLE and _all_of_blocks(sources):
        # Where both ends have many, nobody counts them all: it would take as long as a page of events.
        ends = (
            window._replace(upto=window.after + SAMPLE),
            window._replace(after=window.upto - SAMPLE),
        )
        if all(_are_many(db, sources, end) for end in ends):
            return True
    return _are_many(db, sources, window)


def _all_of_blocks(sources: tuple[Source, ...]) -> bool:
    return all(source.shape.kind in BLOCKS for source in sources)


def _are_many(db: apsw.Connection, sources: tuple[Source, ...], window: Window) -> bool:
    most = (window.upto - window.after) // SHARE + LEAST
    return _counted(db, sources, window, most) >= most


def _is_everything(db: apsw.Connection, term: Term) -> bool:
    """Whether a term names every stream, or every type, that there is."""
    if not isinstance(term, Numbers) or term.column == SUBJECT:
        return False
    if not 0 < len(term.numbers) <= FEW:
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
    sets = [driver for driver in drivers if isinstance(driver, Numbers)]
    values = sum(len(driver.numbers) for driver in sets)
    if len(sets) < len(drivers) or values > FEW:
        return False
    # What blocks lead to is in order as long as there is nothing to be merged with it.
    return values == 1 or not any(driver.column in BLOCKS for driver in sets)


def _singles(drivers: list[Numbers | Span]) -> tuple[Source, ...]:
    return tuple(
        _single(driver.column, number)
        for driver in drivers
        if isinstance(driver, Numbers)
        for number in sorted(driver.numbers)
    )


def _single(column: int, number: int) -> Source:
    return Source(_SINGLE[column], (number,))


_SINGLE: Final = {column: Shape(column, "", "{value} = ?", True) for column in COLUMNS}


def _source(driver: Numbers | Span) -> Source:
    column = driver.column
    if isinstance(driver, Span):
        where, values = in_span("n.value", driver)
        shape = Shape(column, f"{COLUMNS[column]} AS n", f"{where} AND {{value}} = n.id")
        return Source(shape, values)
    if len(driver.numbers) == 1:
        return _single(column, *driver.numbers)
    shape = Shape(column, "json_each(?) AS n", "{value} = n.value")
    return Source(shape, (_list(driver.numbers),))


def _list(numbers: frozenset[int]) -> str:
    return f"[{','.join(map(str, sorted(numbers)))}]"


def _counted(db: apsw.Connection, sources: tuple[Source, ...], window: Window, most: int) -> int:
    """How many events the sources lead to at least, counted up to ``most``."""
    total = 0
    for source in sources:
        values = (*source.values, window.after, min(window.upto, _LARGEST), most - total)
        found = fetch_one(db, _counting(source.shape), values)[0]
        total += found * (_PER_BLOCK if source.shape.kind in BLOCKS else 1)
        if total >= most:
            break
    return total


@lru_cache(maxsize=256)
def _counting(shape: Shape) -> str:
    """The SQL that counts entries; the times of a window are not looked at."""
    values = _values_of(shape)
    after, upto = f"?{values + 1}", f"?{values + 2}"
    names = f"{_numbered(shape.names, 0)} CROSS JOIN " if shape.names else ""
    where = _numbered(shape.where, shape.names.count("?"))
    selects = (
        f"SELECT 1 FROM {names}{arm.counted} WHERE {arm.entered} "
        f"AND {where.format(value=arm.value)} AND {arm.blocks_within(after, upto)}"
        for arm in arms(shape.kind)
    )
    return f"SELECT count(*) FROM ({' UNION ALL '.join(selects)} LIMIT ?)"


def _selects(
    columns: str, shapes: tuple[Shape, ...], times: str, check: str, *, of_events: bool
) -> list[str]:
    """A SELECT for each place where entries of the shapes are, in their order.

    Values are numbered, so that they are bound once: those of each shape, those of the window, those of
    the check.

    Args:
        columns: what is selected.
        shapes: those of the sources.
        times: the SQL of the window's times.
        check: what events have to meet besides.
        of_events: whether the events themselves are needed, or their entries are enough.
    """
    upto = sum(map(_values_of, shapes)) + 2
    after, last = f"?{upto - 1}", f"?{upto}"
    further = _numbered(_all_of(times, check), upto)
    events = " CROSS JOIN event AS e ON e.revision = p.revision"
    joined = events if of_events or further != _ANY else ""
    found: list[str] = []
    before = 0
    for shape in shapes:
        names = f"{_numbered(shape.names, before)} CROSS JOIN " if shape.names else ""
        where = _numbered(shape.where, before + shape.names.count("?"))
        before += _values_of(shape)
        for arm in arms(shape.kind):
            within = arm.within(after, last)
            meets = _all_of(arm.where, where.format(value=arm.value), within, further)
            found.append(f"SELECT {columns} FROM {names}{arm.tables}{joined} WHERE {meets}")
    return found


def _values_of(shape: Shape) -> int:
    return shape.names.count("?") + shape.where.count("?")


def _numbered(sql: str, before: int) -> str:
    """The SQL with its values numbered behind so many."""
    first, *others = sql.split("?")
    return first + "".join(f"?{before + n}{each}" for n, each in enumerate(others, 1))


def _all_of(*checks: str) -> str:
    return " AND ".join(check for check in checks if check != _ANY) or _ANY


def _within(window: Window) -> tuple[str, Values]:
    """The SQL of a window's times, and the values of the whole window."""
    times, moments = window.times()
    return times, (window.after, min(window.upto, _LARGEST), *moments)


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
    return _statement(chosen, window, "places", by_time=by_time, reverse=reverse)


def rows_statement(
    chosen: Plan, window: Window, *, by_time: bool, reverse: bool
) -> tuple[str, Values]:
    """The SQL for the first rows (:data:`stored.COLUMNS`) of a plan, one limit still to be bound."""
    return _statement(chosen, window, "rows", by_time=by_time, reverse=reverse)


def count_statement(chosen: Plan, window: Window) -> tuple[str, Values]:
    """The SQL that counts all events of a plan, and its values."""
    return _statement(chosen, window, "count", by_time=False, reverse=False)


Form: TypeAlias = Literal["places", "rows", "count"]


def _statement(
    chosen: Plan, window: Window, form: Form, *, by_time: bool, reverse: bool
) -> tuple[str, Values]:
    times, bounds = _within(window)
    sources = chosen.sources
    shapes = tuple([source.shape for source in sources])
    made = _sql if len(chosen.check) < _LONG else _sql.__wrapped__
    sql = made(shapes, times, chosen.check, form, by_time, reverse)
    values = [value for source in sources for value in source.values]
    return sql, (*values, *bounds, *chosen.values)


_LONG: Final = 1000


@lru_cache(maxsize=512)
def _sql(
    shapes: tuple[Shape, ...], times: str, check: str, form: Form, by_time: bool, reverse: bool
) -> str:
    if not shapes:
        return _scan(times, check, form, by_time, reverse)
    one = len(shapes) == 1 and shapes[0].in_order and not by_time
    columns = _PLACES if by_time else "p.revision AS revision"
    selects = _selects(columns, shapes, times, check, of_events=by_time)
    if one:
        # What follows another has greater revisions, and is only entered when that is at its end.
        if reverse:
            selects = [
                f"SELECT revision FROM ({each} ORDER BY {arm.backwards} LIMIT -1)"
                for each, arm in reversed(list(zip(selects, arms(shapes[0].kind), strict=True)))
            ]
        found = " UNION ALL ".join(selects)
    else:
        found = (" UNION ALL " if len(shapes) == 1 else " UNION ").join(selects)
    if form == "count":
        return f"SELECT count(*) FROM ({found})"
    if one and form == "rows":
        return f"SELECT {COLUMNS_OF_ROWS} FROM ({found} LIMIT -1) AS n {_JOINED} LIMIT ?"
    first = f"{found} LIMIT ?" if one else f"{found} ORDER BY {_ORDERS[by_time, reverse]} LIMIT ?"
    return first if form == "places" else f"SELECT {COLUMNS_OF_ROWS} FROM ({first}) AS n {_JOINED}"


def _scan(times: str, check: str, form: Form, by_time: bool, reverse: bool) -> str:
    """The events in their order, checked one by one."""
    events = f"event AS e {'INDEXED BY event_by_time' if by_time else 'NOT INDEXED'}"
    where = _all_of("e.revision > ? AND e.revision <= ?", times, check)
    if form == "count":
        return f"SELECT count(*) FROM {events} WHERE {where}"
    columns = _PLACES if by_time else "e.revision"
    if form == "rows":
        columns, events = COLUMNS_OF_ROWS, f"{events} {NAMES}"
    order = _ORDERS_OF_EVENTS[by_time, reverse]
    return f"SELECT {columns} FROM {events} WHERE {where} ORDER BY {order} LIMIT ?"


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
_ORDERS_OF_EVENTS: Final = _orders("e.")
_PLACES: Final = (
    "e.revision AS revision, e.effective_us AS effective_us, e.effective_ns AS effective_ns"
)
_JOINED: Final = f"CROSS JOIN event AS e ON e.revision = n.revision {NAMES}"


class Statement(Protocol):
    """What makes the SQL for a plan: of places, or of rows."""

    def __call__(
        self, chosen: Plan, window: Window, /, *, by_time: bool, reverse: bool
    ) -> tuple[str, Values]:
        """The SQL, one limit still to be bound, and its values."""
        ...
