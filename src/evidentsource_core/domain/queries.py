"""What a query of events may ask for beyond its selector: direction, limit and range."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import Self, TypeAlias

from evidentsource_core.domain.errors import InvalidType, InvalidValue
from evidentsource_core.domain.revision import check_revision
from evidentsource_core.times import require_aware

MAX_LIMIT = 2**32 - 1


class QueryDirection(Enum):
    """The order in which a query gives its events."""

    FORWARD = auto()
    REVERSE = auto()


@dataclass(frozen=True, slots=True)
class RevisionRange:
    """Events from revision ``start_at`` on (included), in revision order."""

    start_at: int | None = None

    def __post_init__(self) -> None:
        if self.start_at is not None:
            check_revision(self.start_at, "RevisionRange.start_at")


@dataclass(frozen=True, slots=True)
class RangeCursor:
    """A place in effective-time order: a time, and a revision among the events of that time."""

    timestamp: datetime
    revision: int

    def __post_init__(self) -> None:
        require_aware("RangeCursor.timestamp", self.timestamp)
        check_revision(self.revision, "RangeCursor.revision")


@dataclass(frozen=True, slots=True)
class EffectiveTimeRange:
    """Events by when they took effect, in (effective time, revision) order; both ends included."""

    start_at: RangeCursor | None = None
    end_at: datetime | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.start_at, (RangeCursor, type(None))):
            raise InvalidType("EffectiveTimeRange.start_at", "RangeCursor or None", self.start_at)
        if self.end_at is not None:
            require_aware("EffectiveTimeRange.end_at", self.end_at)


QueryRange: TypeAlias = RevisionRange | EffectiveTimeRange


@dataclass(frozen=True, slots=True, init=False)
class QueryOptions:
    """How a query runs. Each method gives a changed copy.

    A range is a set of events; ``direction`` is the way through it. So ``reverse()`` with a range
    gives the same events, last first, and ``limit`` counts from whichever end comes first.

    >>> options = QueryOptions().reverse().limit(5)
    >>> (options.get_direction().name, options.get_limit())
    ('REVERSE', 5)
    """

    direction: QueryDirection
    _limit: int | None
    range: QueryRange | None

    def __init__(
        self,
        direction: QueryDirection = QueryDirection.FORWARD,
        _limit: int | None = None,
        range: QueryRange | None = None,  # noqa: A002 - the contract's word
        *,
        limit: int | None = None,
    ) -> None:
        if not isinstance(direction, QueryDirection):
            raise InvalidType("QueryOptions.direction", "QueryDirection", direction)
        if not isinstance(range, (RevisionRange, EffectiveTimeRange, type(None))):
            raise InvalidType("QueryOptions.range", "RevisionRange or EffectiveTimeRange", range)
        if _limit is not None and limit is not None:
            raise InvalidValue("QueryOptions.limit", "is given twice, as limit and as _limit")
        object.__setattr__(self, "direction", direction)
        object.__setattr__(self, "_limit", _check_limit(_limit if limit is None else limit))
        object.__setattr__(self, "range", range)

    def forward(self) -> Self:
        """Oldest first."""
        return self._changed(direction=QueryDirection.FORWARD)

    def reverse(self) -> Self:
        """Newest first."""
        return self._changed(direction=QueryDirection.REVERSE)

    def limit(self, value: int) -> Self:
        """At most ``value`` events."""
        return self._changed(limit=value)

    def with_range(self, range: QueryRange | None) -> Self:  # noqa: A002 - the contract's word
        """Only events of that range."""
        return self._changed(range=range)

    def get_direction(self) -> QueryDirection:
        """The direction."""
        return self.direction

    def get_limit(self) -> int | None:
        """The most events it may give; None for all."""
        return self._limit

    def _changed(self, **changes: object) -> Self:
        current = {"direction": self.direction, "limit": self._limit, "range": self.range}
        return type(self)(**(current | changes))  # type: ignore[arg-type]  # checked by __init__


def merged_options(
    options: QueryOptions | None,
    range: QueryRange | None = None,  # noqa: A002 - the contract's word
    direction: QueryDirection | None = None,
    limit: int | None = None,
) -> QueryOptions:
    """``options`` with whatever else was said put over them: how ``query_events`` reads its arguments.

    >>> merged_options(QueryOptions().reverse(), limit=2).get_limit()
    2
    """
    merged = QueryOptions() if options is None else options
    if not isinstance(merged, QueryOptions):
        raise InvalidType("options", "QueryOptions or None", options)
    return QueryOptions(
        merged.direction if direction is None else direction,
        merged.get_limit() if limit is None else limit,
        merged.range if range is None else range,
    )


def _check_limit(value: object) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidType("limit", "int or None", value)
    if not 0 <= value <= MAX_LIMIT:
        raise InvalidValue("limit", f"{value} is not from 0 to 2**32 - 1")
    return value
