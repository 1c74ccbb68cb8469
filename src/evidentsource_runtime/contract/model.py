"""A database far simpler than any: a list of events, looked through from the beginning each time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from evidentsource_core import (
    AndSelector,
    AppendCondition,
    EffectiveTimeRange,
    EqualsSelector,
    EventSelector,
    MaxConstraint,
    MinConstraint,
    OrSelector,
    ProspectiveEvent,
    QueryDirection,
    QueryOptions,
    RevisionRange,
    StreamAttribute,
    StreamPrefix,
    SubjectAttribute,
    SubjectPrefix,
)

__all__ = ["Entry", "Model", "selects"]


@dataclass(frozen=True)
class Entry:
    """An event at its revision."""

    revision: int
    event: ProspectiveEvent
    recorded_at: datetime

    @property
    def effective_at(self) -> datetime:
        """Its own time, or when it was recorded."""
        return self.recorded_at if self.event.time is None else self.event.time


Committed: TypeAlias = tuple[list[ProspectiveEvent], list[AppendCondition], int]
"""What a transaction id was committed with, and its revision."""


@dataclass
class Model:
    """Every event in revision order, and the content of every transaction id."""

    entries: list[Entry] = field(default_factory=list)
    transactions: dict[str, Committed] = field(default_factory=dict)
    revisions: list[int] = field(default_factory=list)

    @property
    def revision(self) -> int:
        """How many events there are."""
        return len(self.entries)

    def refuses(
        self, events: Sequence[ProspectiveEvent], conditions: Iterable[AppendCondition]
    ) -> set[str]:
        """The codes of the errors with which these events may be refused; empty if they are not."""
        keys = [(each.stream, each.id) for each in events]
        known = {(entry.event.stream, entry.event.id) for entry in self.entries}
        codes = set()
        if len(set(keys)) < len(keys) or known & set(keys):
            codes.add("invalid-events")
        if not all(holds(each, self.highest(each.selector)) for each in conditions):
            codes.add("constraint-violations")
        return codes

    def highest(self, selector: EventSelector) -> int:
        """The highest revision of a matching event, 0 when there is none."""
        return max((e.revision for e in self.entries if selects(selector, e.event)), default=0)

    def commit(self, events: Iterable[ProspectiveEvent], recorded_at: datetime) -> None:
        """Put events behind the last one."""
        for each in events:
            self.entries.append(Entry(self.revision + 1, each, recorded_at))
        self.revisions.append(self.revision)

    def speculated(
        self, events: Iterable[ProspectiveEvent], revision: int, recorded_at: datetime
    ) -> Model:
        """The events up to a revision, and behind them some that were never committed."""
        other = Model(self.entries[:revision])
        other.commit(events, recorded_at)
        return other

    def query(
        self,
        selector: EventSelector,
        options: QueryOptions,
        revision: int,
        bound: datetime | None = None,
    ) -> list[Entry]:
        """What a query gives at a revision, of what had taken effect by ``bound``."""
        found = [
            entry
            for entry in self.entries
            if entry.revision <= revision
            and selects(selector, entry.event)
            and (bound is None or entry.effective_at <= bound)
        ]
        span = options.range
        if isinstance(span, RevisionRange):
            found = [entry for entry in found if entry.revision >= (span.start_at or 0)]
        elif isinstance(span, EffectiveTimeRange) or bound is not None:
            found.sort(key=lambda entry: (entry.effective_at, entry.revision))
        if isinstance(span, EffectiveTimeRange):
            found = [entry for entry in found if _within(entry, span)]
        if options.get_direction() is QueryDirection.REVERSE:
            found.reverse()
        return found[: options.get_limit()]


def _within(entry: Entry, span: EffectiveTimeRange) -> bool:
    start, end = span.start_at, span.end_at
    place = (entry.effective_at, entry.revision)
    return (end is None or entry.effective_at <= end) and (
        start is None or place >= (start.timestamp, start.revision)
    )


def holds(condition: AppendCondition, highest: int) -> bool:
    """What a condition means, said in its own words."""
    if isinstance(condition, MinConstraint):
        return highest >= condition.revision
    if isinstance(condition, MaxConstraint):
        return highest <= condition.revision
    return condition.range.min <= highest <= condition.range.max


def selects(selector: EventSelector, event: ProspectiveEvent) -> bool:
    """What a selector means, said once more and differently.

    >>> from evidentsource_core import Selector
    >>> selects(Selector.subject_starts_with("a"), ProspectiveEvent("1", "accounts", "opened", "a-1"))
    True
    """
    if isinstance(selector, AndSelector):
        return selects(selector.left, event) and selects(selector.right, event)
    if isinstance(selector, OrSelector):
        return selects(selector.left, event) or selects(selector.right, event)
    if isinstance(selector, EqualsSelector):
        attribute = selector.attribute
        if isinstance(attribute, StreamAttribute):
            return event.stream == str(attribute.stream)
        if isinstance(attribute, SubjectAttribute):
            wanted = attribute.subject
            return event.subject == (None if wanted is None else str(wanted))
        return event.event_type == str(attribute.event_type)
    prefix = selector.prefix
    if isinstance(prefix, StreamPrefix):
        return event.stream.startswith(str(prefix.stream))
    if isinstance(prefix, SubjectPrefix):
        return event.subject is not None and event.subject.startswith(str(prefix.subject))
    return event.event_type.startswith(str(prefix.event_type))
