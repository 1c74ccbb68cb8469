"""From a term to a plan: what of the index leads to the events, in which order, what is left to check.

There are three ways, each of which gives the first n revisions behind a place:

- *merge*: a few sets that the index has in order already, united as they are read;
- *sort*: what the index gives, cut to the first n by a sort that keeps no more than n;
- *scan*: the events in the order asked for, checked one by one, where the index would give so many
  that this is less work.
"""

from __future__ import annotations

from typing import Final

import apsw

from evidentsource_core.domain.flat_selectors import AND, SUBJECT
from evidentsource_runtime.store.entries import BLOCKS
from evidentsource_runtime.store.fetching import fetch_one
from evidentsource_runtime.store.names import COLUMNS
from evidentsource_runtime.store.statements import counting
from evidentsource_runtime.store.terms import FEW, NOTHING, Group, Numbers, Span, Term, in_span
from evidentsource_runtime.store.ways import ANY, LARGEST, Plan, Shape, Source, Values, Way, Window

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
    check, values = (ANY, ()) if exact else _check(term)
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
        values = (*source.values, window.after, min(window.upto, LARGEST), most - total)
        found = fetch_one(db, counting(source.shape), values)[0]
        total += found * (_PER_BLOCK if source.shape.kind in BLOCKS else 1)
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
