"""The log: records in revision order, only ever added to, with an index for each attribute.

A reader holds how many records it may see, so that later ones never show. The lists only grow at
their ends, which makes reading beside one writer safe without a lock.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from heapq import merge
from operator import attrgetter

from evidentsource_core.domain.selectors import (
    EventAttribute,
    EventAttributePrefix,
    EventSelector,
    EventTypeAttribute,
    EventTypePrefix,
    FlatAndNode,
    FlatEqualsNode,
    FlatOrNode,
    StreamAttribute,
    StreamPrefix,
)
from evidentsource_core.reference._records import Record

_Positions = list[int]
_Candidates = list[_Positions]


class Log:
    """Every record, found by revision, by stream and id, or by selector."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self._by_id: dict[tuple[str, str], int] = {}
        self._by_stream: dict[str | None, _Positions] = {}
        self._by_subject: dict[str | None, _Positions] = {}
        self._by_type: dict[str | None, _Positions] = {}

    def append(self, records: Iterable[Record]) -> None:
        """Add records; their revisions lie above every one before."""
        for record in records:
            position = len(self.records)
            event = record.event
            self.records.append(record)
            self._by_id[record.stream, event.id] = position
            self._by_stream.setdefault(record.stream, []).append(position)
            self._by_subject.setdefault(event.subject, []).append(position)
            self._by_type.setdefault(event.event_type, []).append(position)

    def has(self, stream: str, event_id: str) -> bool:
        """Whether there is such an event."""
        return (stream, event_id) in self._by_id

    def find(self, stream: str, event_id: str) -> Record | None:
        """The record of that event."""
        position = self._by_id.get((stream, event_id))
        return None if position is None else self.records[position]

    def length_at(self, revision: int) -> int:
        """How many records have this revision or a lower one."""
        return bisect_right(self.records, revision, key=attrgetter("revision"))

    def select(
        self, selector: EventSelector, low: int, high: int, *, reverse: bool = False
    ) -> Iterator[Record]:
        """The selected ones among ``records[low:high]``, in revision order or against it.

        The index only narrows down where to look; the selector itself has the last word.
        """
        lists = [_within(found, low, high, reverse) for found in self._candidates(selector)]
        previous = None
        for position in merge(*lists, reverse=reverse):
            if position != previous:
                record = self.records[position]
                if selector.matches(record.event):
                    yield record
            previous = position

    def _candidates(self, selector: EventSelector) -> _Candidates:
        """Lists of positions that together hold every selected record, few others at best."""
        found: list[_Candidates] = []
        for node in selector.flatten():
            if isinstance(node, FlatAndNode):
                found.append(min(found[node.left], found[node.right], key=_size))
            elif isinstance(node, FlatOrNode):
                found.append(found[node.left] + found[node.right])
            elif isinstance(node, FlatEqualsNode):
                found.append(self._equal(node.attribute))
            else:
                found.append(self._starting(node.prefix))
        return found[-1]

    def _equal(self, attribute: EventAttribute) -> _Candidates:
        if isinstance(attribute, StreamAttribute):
            return [self._by_stream.get(attribute.stream.value, [])]
        if isinstance(attribute, EventTypeAttribute):
            return [self._by_type.get(attribute.event_type.value, [])]
        subject = None if attribute.subject is None else attribute.subject.value
        return [self._by_subject.get(subject, [])]

    def _starting(self, prefix: EventAttributePrefix) -> _Candidates:
        if isinstance(prefix, StreamPrefix):
            index, start = self._by_stream, prefix.stream.value
        elif isinstance(prefix, EventTypePrefix):
            index, start = self._by_type, prefix.event_type.value
        else:
            index, start = self._by_subject, prefix.subject.value
        # A copy in one step: a dict that a writer adds to must not be iterated.
        keys = list(index)
        return [index[key] for key in keys if key is not None and key.startswith(start)]


def _size(candidates: _Candidates) -> int:
    return sum(len(positions) for positions in candidates)


def _within(positions: _Positions, low: int, high: int, reverse: bool) -> Iterator[int]:
    first, last = bisect_left(positions, low), bisect_left(positions, high)
    steps = range(last - 1, first - 1, -1) if reverse else range(first, last)
    return (positions[step] for step in steps)
