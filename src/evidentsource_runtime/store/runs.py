"""Runs: events of one subject side by side, and the SQL that reads them.

Events lie in the order of their revisions, so that the events of one subject lie apart, each on a page of
its own. A run has copies of some of them, one behind the other (:mod:`gathering` makes them): who reads a
subject's history reads its runs, and then the events behind these by the index. Nothing is in runs alone.
"""

from __future__ import annotations

from typing import Final

from evidentsource_runtime.store.stored import COLUMNS, NAMES

COPIED: Final = (
    *("revision", "stream", "subject", "type", "effective_us", "effective_ns", "timed"),
    *("recorded_us", "id", "datacontenttype", "dataschema", "extensions", "data"),
)
"""The columns of ``event`` that a copy has: those that a row is made of, and that checks look at."""

_ROWS: Final = "gathered AS e ON e.place >= r.place AND e.place < r.place + r.count"


def gathered_upto(subject: str) -> str:
    """The SQL for the revision up to which the events of a subject are in runs; 0 where none are."""
    return f"coalesce((SELECT max(last) FROM run WHERE subject = {subject}), 0)"


def rows_of_runs(subject: str, after: str, upto: str, meets: str, *, reverse: bool) -> str:
    """The SQL for the rows (:data:`stored.COLUMNS`) of a subject's runs, in the order of revisions.

    Args:
        subject: the SQL for its number.
        after: that for the revision behind which they lie.
        upto: that for the last.
        meets: what ``e``, an event, has to meet besides.
        reverse: whether they come against that order.
    """
    # The first two spare runs that lie outside a look at their events.
    where = (
        f"r.subject = {subject} AND r.last > {after} AND r.first <= {upto} "
        f"AND e.revision > {after} AND e.revision <= {upto} AND {meets}"
    )
    found = f"SELECT {COLUMNS} FROM run AS r CROSS JOIN {_ROWS} {NAMES} WHERE {where}"
    if not reverse:
        # In the order in which the tables have them.
        return found
    return f"SELECT * FROM ({found} ORDER BY r.last DESC, e.place DESC LIMIT -1)"
