"""From a plan to SQL: the statements that find its places or its rows, and those that count."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, Literal, Protocol, TypeAlias

from evidentsource_core.domain.flat_selectors import SUBJECT
from evidentsource_runtime.store.entries import arms
from evidentsource_runtime.store.runs import gathered_upto, rows_of_runs
from evidentsource_runtime.store.stored import COLUMNS as COLUMNS_OF_ROWS
from evidentsource_runtime.store.stored import NAMES, RECORDED_AT
from evidentsource_runtime.store.ways import ANY, LARGEST, Plan, Shape, Values, Window


class Statement(Protocol):
    """What makes the SQL for a plan: of places, or of rows."""

    def __call__(
        self, chosen: Plan, window: Window, /, *, by_time: bool, reverse: bool
    ) -> tuple[str, Values]:
        """The SQL, one limit still to be bound, and its values."""
        ...


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
    in_runs = one and form == "rows" and shapes[0].kind == SUBJECT
    selects = _selects(columns, shapes, times, check, of_events=by_time, behind_runs=in_runs)
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
        parts = [f"SELECT {COLUMNS_OF_ROWS} FROM ({found} LIMIT -1) AS n {_JOINED}"]
        if in_runs:
            meets = _numbered(_all_of(times, check), 3)
            in_front = rows_of_runs("?1", "?2", "?3", meets, reverse=reverse)
            parts.insert(len(parts) if reverse else 0, in_front)
        return f"{' UNION ALL '.join(parts)} LIMIT ?"
    first = f"{found} LIMIT ?" if one else f"{found} ORDER BY {_ORDERS[by_time, reverse]} LIMIT ?"
    return first if form == "places" else f"SELECT {COLUMNS_OF_ROWS} FROM ({first}) AS n {_JOINED}"


def _scan(times: str, check: str, form: Form, by_time: bool, reverse: bool) -> str:
    """The events in their order, checked one by one."""
    if by_time:
        found = _scan_by_time(times, check, reverse)
        return (
            found if form == "places" else f"SELECT {COLUMNS_OF_ROWS} FROM ({found}) AS n {_JOINED}"
        )
    where = _all_of("e.revision > ? AND e.revision <= ?", times, check)
    if form == "count":
        return f"SELECT count(*) FROM {_IN_ORDER} WHERE {where}"
    columns, events = "e.revision", _IN_ORDER
    if form == "rows":
        columns, events = COLUMNS_OF_ROWS, f"{events} {NAMES}"
    order = _ORDERS_OF_EVENTS[False, reverse]
    return f"SELECT {columns} FROM {events} WHERE {where} ORDER BY {order} LIMIT ?"


def _scan_by_time(times: str, check: str, reverse: bool) -> str:
    """The same in the order of effective time.

    The index of times has the events that name one. The others take effect when they are recorded: for
    them the order is that of revisions, and where a time lies among them is found by halving.
    """
    meets = _numbered(_all_of(times, check), 2)
    limit = f"?{3 + times.count('?') + check.count('?')}"
    named = f"e.timed = 1 AND e.revision > ?1 AND e.revision <= ?2 AND {meets}"
    # A time of the window is given by three values, the earliest first; see Window.times().
    bounds = times.count("?") // 3
    after = _RECORDED_UPTO.format(micros="?3 - 1") if ">=" in times else "?1"
    upto = _RECORDED_UPTO.format(micros=f"?{3 * bounds}") if "<=" in times else "?2"
    recorded = f"e.timed = 0 AND e.revision > {after} AND e.revision <= {upto} AND {meets}"
    order, backwards = _ORDERS[True, reverse], " DESC" * reverse
    return (
        f"SELECT {_PLACES} FROM event AS e INDEXED BY event_by_time WHERE {named} UNION ALL "
        f"SELECT * FROM (SELECT {_PLACES} FROM {_IN_ORDER} WHERE {recorded} "
        f"ORDER BY e.revision{backwards} LIMIT {limit}) ORDER BY {order} LIMIT {limit}"
    )


_IN_ORDER: Final = "event AS e NOT INDEXED"
_EARLY: Final = f"{RECORDED_AT.format(event='r')} <= {{micros}}"
# Times of commits never go back, so those of revisions are halved until one is left.
_RECORDED_UPTO: Final = f"""(
WITH RECURSIVE s (low, high) AS (
    SELECT ?1, min(?2, (SELECT max(revision) FROM event)) + 1
    UNION ALL
    SELECT iif({_EARLY}, r.revision, low), iif({_EARLY}, high, r.revision)
    FROM s CROSS JOIN event AS r ON r.revision = (low + high) / 2 WHERE high - low > 1
) SELECT max(low) FROM s)"""


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


# --- the index -----------------------------------------------------------------------------------


@lru_cache(maxsize=256)
def counting(shape: Shape) -> str:
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
    columns: str,
    shapes: tuple[Shape, ...],
    times: str,
    check: str,
    *,
    of_events: bool,
    behind_runs: bool,
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
        behind_runs: whether those are left out that are in the runs of the one subject that is selected.
    """
    upto = sum(map(_values_of, shapes)) + 2
    after, last = f"?{upto - 1}", f"?{upto}"
    if behind_runs:
        after = f"max({after}, {gathered_upto('?1')})"
    further = _numbered(_all_of(times, check), upto)
    events = " CROSS JOIN event AS e ON e.revision = p.revision"
    joined = events if of_events or further != ANY else ""
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
    return " AND ".join(check for check in checks if check != ANY) or ANY


def _within(window: Window) -> tuple[str, Values]:
    """The SQL of a window's times, and the values of the whole window."""
    times, moments = window.times()
    return times, (window.after, min(window.upto, LARGEST), *moments)
