"""Queries: which records, and in which order."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import islice
from operator import attrgetter

from evidentsource_core.domain.checks import check_selector
from evidentsource_core.domain.errors import InvalidType
from evidentsource_core.domain.queries import (
    EffectiveTimeRange,
    QueryDirection,
    QueryOptions,
    QueryRange,
    RevisionRange,
)
from evidentsource_core.domain.selectors import EventSelector
from evidentsource_core.reference._history import History
from evidentsource_core.reference._records import Record


def query(
    history: History,
    selector: EventSelector,
    options: QueryOptions,
    effective_at: datetime | None,
) -> list[Record]:
    """The records that a query gives.

    ``effective_at`` is the database's own bound on effective time. A query without a range is one
    over the whole of the order the database is read in: that of effective time where it is bound
    to one, that of revisions otherwise.
    """
    check_selector(selector)
    span = options.range
    if span is None:
        span = RevisionRange() if effective_at is None else EffectiveTimeRange()
    reverse = options.get_direction() is QueryDirection.REVERSE
    ordered: Iterable[Record]
    if isinstance(span, RevisionRange):
        found = history.select(selector, start_at=span.start_at or 0, reverse=reverse)
        ordered = filter(lambda record: in_effect(record, effective_at), found)
    else:
        ordered = _by_effective_time(history, selector, span, effective_at, reverse)
    return list(islice(ordered, options.get_limit()))


def _by_effective_time(
    history: History,
    selector: EventSelector,
    span: EffectiveTimeRange,
    effective_at: datetime | None,
    reverse: bool,
) -> list[Record]:
    start = span.start_at
    found = [
        record
        for record in history.select(selector)
        if in_effect(record, effective_at)
        and in_effect(record, span.end_at)
        and (start is None or record.effective_order >= (start.timestamp, start.revision))
    ]
    found.sort(key=attrgetter("effective_order"), reverse=reverse)
    return found


def in_effect(record: Record, by: datetime | None) -> bool:
    """Whether the record had taken effect at that time; None bounds nothing."""
    return by is None or record.effective_at <= by


def combined(
    options: QueryOptions | None,
    span: QueryRange | None,
    direction: QueryDirection | None,
    limit: int | None,
) -> QueryOptions:
    """Options with whatever was named beside them laid over."""
    result = QueryOptions() if options is None else options
    if not isinstance(result, QueryOptions):
        raise InvalidType("options", "QueryOptions or None", options)
    return QueryOptions(
        direction=result.get_direction() if direction is None else direction,
        limit=result.get_limit() if limit is None else limit,
        range=result.range if span is None else span,
    )
