"""Queries: which revisions in which order, and their events, a page at a time."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain, islice
from operator import itemgetter
from typing import Any, Final, NamedTuple, TypeAlias

import apsw

from evidentsource_core.domain.checks import check_selector
from evidentsource_core.domain.events import Event
from evidentsource_core.domain.flat_selectors import compiled
from evidentsource_core.domain.queries import (
    EffectiveTimeRange,
    QueryDirection,
    QueryOptions,
    QueryRange,
    RangeCursor,
    RevisionRange,
)
from evidentsource_core.domain.revision import MAX_REVISION
from evidentsource_core.domain.selectors import EventSelector
from evidentsource_core.times import from_parts, require_aware
from evidentsource_runtime.store.errors import DamagedStore
from evidentsource_runtime.store.fetching import fetch, fetch_one
from evidentsource_runtime.store.interface import LaneBatch
from evidentsource_runtime.store.plans import plan
from evidentsource_runtime.store.pool import Pool
from evidentsource_runtime.store.rows import microseconds
from evidentsource_runtime.store.statements import (
    Statement,
    count_statement,
    rows_statement,
    statement,
)
from evidentsource_runtime.store.stored import (
    COLUMNS,
    DATA,
    FINER,
    LANE,
    MICROS,
    NAMES,
    NAMES_OF_LANE,
    REVISION,
    Row,
    stored_events,
)
from evidentsource_runtime.store.terms import Lookup, looked_up
from evidentsource_runtime.store.ways import Plan, Values, Way, Window

_log = logging.getLogger("evidentsource.store")

FIRST_RUN: Final = 512
LONGEST_RUN: Final = 8192
SORTED_RUN: Final = 32768
"""Revisions that one statement finds: more and more where they come in order, many where each
statement has to sort."""
PAGE: Final = 512
"""Events that are read and decoded at once: few enough to stay in the processor's cache."""
PAGE_BYTES: Final = 4 * 1024 * 1024
"""Bytes of text that are handed on at once, unless one event alone has more."""


Place: TypeAlias = tuple[int, ...]
"""A revision, and in the order of effective time the microseconds and nanoseconds of that."""


class Query(NamedTuple):
    """A query with everything about it checked, ready to be run any number of times.

    Args:
        selector: which events.
        window: within what.
        by_time: in the order of effective time, not of revisions.
        reverse: against that order.
        limit: the most events; None for all.
    """

    selector: EventSelector
    window: Window
    by_time: bool
    reverse: bool
    limit: int | None


NO_OPTIONS: Final = QueryOptions()
_EVERY_REVISION: Final = RevisionRange()
_EVERY_TIME: Final = EffectiveTimeRange()


def asked(
    selector: EventSelector,
    options: QueryOptions,
    revision: int,
    since: int = 0,
    effective_at: datetime | None = None,
) -> Query:
    """What a query asks for, as the platform's rules read it.

    Raises:
        InvalidType: an argument is none of its type.
        InvalidTimestamp: ``effective_at`` has no time zone.
    """
    check_selector(selector)
    if options is NO_OPTIONS and effective_at is None:
        return Query(selector, Window(since, revision), False, False, None)
    span = options.range
    if span is None:
        span = _EVERY_REVISION if effective_at is None else _EVERY_TIME
    bounds = [] if effective_at is None else [require_aware("effective_at", effective_at)]
    low = None
    by_time = isinstance(span, EffectiveTimeRange)
    if isinstance(span, EffectiveTimeRange):
        bounds += [] if span.end_at is None else [span.end_at]
        if span.start_at is not None:
            low = (*microseconds(span.start_at.timestamp), span.start_at.revision)
    else:
        since = max(since, (span.start_at or 0) - 1)
    high = (*microseconds(min(bounds)), MAX_REVISION) if bounds else None
    window = Window(since, revision, low, high)
    reverse = options.get_direction() is QueryDirection.REVERSE
    return Query(selector, window, by_time, reverse, options.get_limit())


def count(pool: Pool, find: Lookup, query: Query) -> int:
    """How many events a query selects; its limit does not count."""
    with pool.connection() as db:
        chosen = plan(db, looked_up(db, find, query.selector), query.window, by_time=False)
        if chosen.way is Way.NOTHING:
            return 0
        sql, values = count_statement(chosen, query.window)
        return int(_found(pool, db, chosen, query.selector, sql, values)[0][0])


def highest(db: apsw.Connection, pool: Pool, find: Lookup, query: Query) -> int:
    """The highest revision that a query selects, 0 where there is none."""
    chosen = plan(db, looked_up(db, find, query.selector), query.window, by_time=False)
    if chosen.way is Way.NOTHING:
        return 0
    sql, values = statement(chosen, query.window, by_time=False, reverse=True)
    found = _found(pool, db, chosen, query.selector, sql, (*values, 1))
    return found[0][0] if found else 0


class Run:
    """A query on its way: what is left of it, and how to go on.

    Nothing is held between two statements: each starts anew, behind what the last one gave.

    Args:
        pool: has the connections.
        find: looks up names.
        query: what is asked for.
        longest: the most that one statement finds, where it need not sort.
    """

    def __init__(self, pool: Pool, find: Lookup, query: Query, longest: int) -> None:
        self._pool = pool
        self._find = find
        self._query = query
        self._window = query.window
        self._left = query.limit
        self._length = min(FIRST_RUN, longest)
        self._longest = longest
        self._plan: Plan | None = None

    def plan(self, db: apsw.Connection) -> Plan:
        """How its events are found; made with the first statement."""
        if self._plan is None:
            query = self._query
            term = looked_up(db, self._find, query.selector)
            self._plan = plan(db, term, self._window, by_time=query.by_time)
            if self._plan.way is Way.SORT:
                self._length = SORTED_RUN
        return self._plan

    def ended(self) -> bool:
        """Whether there is nothing more."""
        return self._left == 0 or (self._plan is not None and self._plan.way is Way.NOTHING)

    def statement(
        self, db: apsw.Connection, made: Statement = statement
    ) -> tuple[str, Values, int]:
        """The SQL for what comes next, its values, and how many rows it gives at most."""
        query, chosen = self._query, self.plan(db)
        sql, values = made(chosen, self._window, by_time=query.by_time, reverse=query.reverse)
        most = self._length if self._left is None else min(self._length, self._left)
        self._length = max(self._length, min(self._length * 2, self._longest))
        return sql, (*values, most), most

    def gave(self, count: int, last: Place | None, *, all_of_it: bool) -> None:
        """So many were given, up to this place; ``all_of_it`` where there are no more."""
        if self._left is not None:
            self._left -= count
        if all_of_it or last is None:
            self._left = 0
        else:
            self._window = _behind(self._window, last, self._query)

    def rest(self) -> Query:
        """The query for what is left."""
        return self._query._replace(window=self._window, limit=self._left)


def places(pool: Pool, find: Lookup, query: Query) -> Iterator[list[Place]]:
    """Where the selected events are, in the order asked for, some at once."""
    run = Run(pool, find, query, LONGEST_RUN)
    while not run.ended():
        with pool.connection() as db:
            chosen = run.plan(db)
            if run.ended():
                return
            sql, values, most = run.statement(db)
            found = _found(pool, db, chosen, query.selector, sql, values)
        run.gave(len(found), found[-1] if found else None, all_of_it=len(found) < most)
        if found:
            yield found


def _found(
    pool: Pool,
    db: apsw.Connection,
    chosen: Plan,
    selector: EventSelector,
    sql: str,
    values: Values,
) -> list[Place]:
    if not chosen.outside:
        return fetch(db, sql, values)
    with pool.program(compiled(selector.flatten())) as number:
        # The only parameters of a scan are those of its window, and the limit behind the program.
        before = len(values) - ("LIMIT ?" in sql)
        return fetch(db, sql, (*values[:before], number, *values[before:]))


def _behind(window: Window, last: Place, query: Query) -> Window:
    """What is left of a window behind the last row that was given."""
    if not query.by_time:
        if query.reverse:
            return window._replace(upto=last[0] - 1)
        return window._replace(after=last[0])
    revision, micros, finer = last
    if query.reverse:
        return window._replace(high=(micros, finer, revision - 1))
    return window._replace(low=(micros, finer, revision + 1))


# --- their events --------------------------------------------------------------------------------

_LISTED = "FROM json_each(?) AS n CROSS JOIN event AS e ON e.revision = n.value"
_SIZE = f"SELECT total(octet_length(e.data)) + total(octet_length(e.extensions)) {_LISTED}"
_ROWS = f"SELECT {COLUMNS} {_LISTED} {NAMES}"
_TEXT = f"SELECT group_concat(lane, ','), count(*) FROM (SELECT {LANE} AS lane {_LISTED} {NAMES_OF_LANE})"


def pages(
    pool: Pool, wanted: list[int], size: int, sql: str
) -> Iterator[tuple[list[int], list[Any]]]:
    """What a statement finds of these revisions, ``size`` of them at once, or fewer large ones."""
    start = 0
    while start < len(wanted):
        page = wanted[start : start + size]
        with pool.connection() as db:
            listed = json.dumps(page)
            while len(page) > 1 and fetch_one(db, _SIZE, (listed,))[0] > PAGE_BYTES:
                page = page[: len(page) // 2]
                listed = json.dumps(page)
            found = fetch(db, sql, (listed,))
        yield page, found
        start += len(page)


def events_of(pool: Pool, path: str, source: str, wanted: list[int]) -> Iterator[Event]:
    """The events of these revisions, in this order.

    Raises:
        DamagedStore: one is not there.
    """
    for page, rows in pages(pool, wanted, PAGE, _ROWS):
        _check_all_there(path, page, len(rows))
        yield from stored_events(rows, source)


def events(pool: Pool, path: str, source: str, find: Lookup, query: Query) -> Iterator[Event]:
    """The events of a query, one after the other."""
    # The pages are run through in C, since this is on the way of every event that is read.
    return chain.from_iterable(_pages_of_events(pool, path, source, find, query))


def _pages_of_events(
    pool: Pool, path: str, source: str, find: Lookup, query: Query
) -> Iterator[Iterable[Event]]:
    run = Run(pool, find, query, PAGE)
    while not run.ended():
        with pool.connection() as db:
            chosen = run.plan(db)
            if run.ended():
                return
            if chosen.way is Way.SORT or chosen.outside:
                break
            sql, values, most = run.statement(db, rows_statement)
            try:
                rows, cut = _rows(db, sql, values)
            except apsw.CorruptError as error:
                # It may be a run that is damaged, without which the events are found as well.
                _log.warning("%s: events are read without their runs, since %s", path, error)
                query = run.rest()
                break
        last = rows[-1] if rows else None
        place = None if last is None else (last[REVISION], last[MICROS], last[FINER])
        run.gave(len(rows), place, all_of_it=not cut and len(rows) < most)
        yield stored_events(rows, source)
    else:
        return
    for found in places(pool, find, query):
        yield events_of(pool, path, source, [place[0] for place in found])


_AT_ONCE: Final = 32
_DATA_OF = itemgetter(DATA)


def _rows(db: apsw.Connection, sql: str, values: Values) -> tuple[list[Row], bool]:
    """The rows of a statement, and whether it was left before its end, since they have grown large."""
    rows: list[Row] = []
    size = 0
    cursor = db.execute(sql, values)
    while some := list(islice(cursor, _AT_ONCE)):
        rows += some
        # Counted in C, since this is on the way of every event that is read.
        size += sum(map(len, filter(None, map(_DATA_OF, some))))
        if size > PAGE_BYTES:
            cursor.close()
            return rows, True
        if len(some) < _AT_ONCE:
            break
    return rows, False


def _check_all_there(path: str, page: list[int], found: int) -> None:
    if found != len(page):
        reason = f"an event of the revisions {page[0]} to {page[-1]} is missing"
        raise DamagedStore(path, reason)


def batches(pool: Pool, path: str, find: Lookup, query: Query, size: int) -> Iterator[LaneBatch]:
    """The events of a query, which runs forward, as the lane's text."""
    for run in places(pool, find, query):
        end = 0
        for page, ((text, found),) in pages(pool, [place[0] for place in run], size, _TEXT):
            _check_all_there(path, page, found)
            end += len(page)
            yield LaneBatch(f"[{text}]", len(page), max(page), _rest(query, run[end - 1]))


def _rest(query: Query, last: Place) -> QueryRange:
    if not query.by_time:
        return RevisionRange(last[0] + 1)
    revision, micros, finer = last
    seconds, micros = divmod(micros, 1_000_000)
    cursor = RangeCursor(from_parts(seconds, micros * 1000 + finer), revision + 1)
    high = query.window.high
    if high is None:
        return EffectiveTimeRange(cursor)
    seconds, micros = divmod(high[0], 1_000_000)
    return EffectiveTimeRange(cursor, from_parts(seconds, micros * 1000 + high[1]))
