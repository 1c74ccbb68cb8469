"""The database at one revision, read without waiting: what a ``decide`` is given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from heapq import merge
from itertools import chain, islice

from evidentsource_core.domain.checks import check_earlier, check_events, check_view
from evidentsource_core.domain.definitions import ViewParameters, view_parameters
from evidentsource_core.domain.events import Event, ProspectiveEvent
from evidentsource_core.domain.identifiers import StateViewName
from evidentsource_core.domain.queries import (
    EffectiveTimeRange,
    QueryDirection,
    QueryOptions,
    QueryRange,
    RevisionRange,
    merged_options,
)
from evidentsource_core.domain.selectors import EventSelector
from evidentsource_core.domain.state_view import StateView
from evidentsource_core.rules import stamped
from evidentsource_core.times import in_utc, require_aware
from evidentsource_runtime.database.catalog import ViewShelf
from evidentsource_runtime.database.folding import effective_time
from evidentsource_runtime.database.traces import Reads
from evidentsource_runtime.database.views import Point, Views
from evidentsource_runtime.store import EventStore

__all__ = ["Home", "Snapshot", "SpeculativeSnapshot"]


@dataclass(frozen=True, slots=True)
class Home:
    """What every snapshot of one database shares.

    Args:
        store: the events.
        shelf: the published views.
        views: folds them.
        reads: notes what is read, where somebody wants to know.
    """

    store: EventStore
    shelf: ViewShelf
    views: Views
    reads: Reads | None = None


@dataclass(frozen=True, eq=False, repr=False)
class _Readable:
    """What can be read of a snapshot, whether its events were committed or speculated."""

    _home: Home
    _point: Point

    @property
    def name(self) -> str:
        """The name of the database."""
        return self._home.store.name

    @property
    def created_at(self) -> datetime:
        """When the database was created, in UTC."""
        return self._home.store.created_at

    @property
    def revision(self) -> int:
        """The revision that is read."""
        return self._point.revision

    @property
    def revision_timestamp(self) -> datetime:
        """When that revision was recorded, in UTC; the creation of the database for revision 0."""
        return self._point.head.timestamp

    @property
    def effective_timestamp(self) -> datetime | None:
        """The effective time that is read: nothing that takes effect later shows. None: all."""
        return self._point.effective_at

    def query_events(
        self,
        selector: EventSelector,
        options: QueryOptions | None = None,
        *,
        range: QueryRange | None = None,  # noqa: A002 - the contract's word
        direction: QueryDirection | None = None,
        limit: int | None = None,
    ) -> list[Event]:
        """The selected events.

        Without a range they come in revision order, or in the order of effective time where the
        database is bound to one.

        Args:
            selector: which events.
            options: range, direction and limit.
            range: a set of events; laid over that of ``options``, as the next two are.
            direction: the way through it.
            limit: the most events to give.
        """
        wanted = merged_options(options, range, direction, limit)
        found = list(self.stream_events(selector, wanted))
        if self._home.reads is not None:
            self._home.reads.query(selector, self.revision, self._point.effective_at, len(found))
        return found

    def query_events_with_options(
        self, selector: EventSelector, options: QueryOptions
    ) -> list[Event]:
        """The same as ``query_events(selector, options)``."""
        return self.query_events(selector, options)

    def stream_events(
        self, selector: EventSelector, options: QueryOptions | None = None
    ) -> Iterator[Event]:
        """The events of :meth:`query_events` one after the other, however many there are."""
        point = self._point
        committed = self._home.store.query(
            selector, options, revision=point.head.revision, effective_at=point.effective_at
        )
        if not point.speculated:
            return committed
        return with_speculated(committed, point, selector, merged_options(options))

    def view_state(
        self, name: str | StateViewName, version: int, parameters: ViewParameters | None = None
    ) -> StateView | None:
        """A state view here; None where there is no such view or no event ever modified it.

        Args:
            name: the view's name.
            version: its version, from 1.
            parameters: a value for each parameter of the view, as a mapping or as pairs. A text is
                a subject, None no subject; a stream or a type is given as its attribute.

        Raises:
            InvalidType, ParameterError: the parameters are none that any view could have.
            DatabaseAccessError: the parameters are not those of the view, or its code failed; the
                cause is chained.
            CodeNotAttached: its code is not in the file and was not attached.
        """
        wanted = check_view(name, version)
        pairs = view_parameters(parameters)
        view = self._home.shelf.find(*wanted)
        found = None if view is None else self._home.views.read(view, pairs, self._point)
        if self._home.reads is not None:
            modified = None if found is None else found.last_modified_revision
            bound = self._point.effective_at
            self._home.reads.view(*wanted, pairs, self.revision, bound, modified)
        return found

    def __repr__(self) -> str:
        bound = (
            "" if self.effective_timestamp is None else f", effective {self.effective_timestamp}"
        )
        return f"<{type(self).__name__} {self.name} at revision {self.revision}{bound}>"


@dataclass(frozen=True, eq=False, repr=False)
class Snapshot(_Readable):
    """A database at one revision; it never changes."""

    def at_revision(self, revision: int) -> Snapshot:
        """The same database at an earlier revision, with the same bound on effective time.

        Raises:
            DatabaseAccessError: this snapshot does not reach that revision.
        """
        if check_earlier(revision, self.revision) == self.revision:
            return self
        head = self._home.store.at_revision(revision)
        return Snapshot(self._home, replace(self._point, head=head))

    def at_effective_timestamp(self, timestamp: datetime) -> Snapshot:
        """The same revision, with only what had taken effect by ``timestamp`` (included).

        It takes the place of a bound that was there before.
        """
        require_aware("timestamp", timestamp)
        return Snapshot(self._home, replace(self._point, effective_at=timestamp))

    def unbound(self) -> Snapshot:
        """The same revision without a bound on effective time."""
        return Snapshot(self._home, replace(self._point, effective_at=None))

    def speculate_with_transaction(self, events: Iterable[ProspectiveEvent]) -> SpeculativeSnapshot:
        """The database as if ``events`` were committed; nothing is.

        Neither the size of the transaction nor whether the events' ids are new is asked for.

        Raises:
            InvalidEvents: an event breaks the rules of events; with every problem.
        """
        return _speculated(self, (check_events(events),), self._point.effective_at)


@dataclass(frozen=True, eq=False, repr=False)
class SpeculativeSnapshot(_Readable):
    """A database with events behind its last revision that were never committed.

    Queries and views include them. Each has the revision it would get, and counts as recorded when
    the basis was, so that the same speculation always gives the same events.
    """

    _basis: Snapshot
    _transactions: tuple[tuple[ProspectiveEvent, ...], ...]

    @property
    def basis(self) -> Snapshot:
        """The database without the speculated events."""
        return self._basis

    @property
    def speculated_event_count(self) -> int:
        """How many events were speculated."""
        return len(self._point.speculated)

    @property
    def speculated_transactions(self) -> list[list[ProspectiveEvent]]:
        """The speculated events, one list for each call that added some."""
        return [list(events) for events in self._transactions]

    def at_effective_timestamp(self, timestamp: datetime) -> SpeculativeSnapshot:
        """The same with only what had taken effect by ``timestamp`` (included)."""
        require_aware("timestamp", timestamp)
        point = replace(self._point, effective_at=timestamp)
        return SpeculativeSnapshot(self._home, point, self._basis, self._transactions)

    def speculate_with_transaction(self, events: Iterable[ProspectiveEvent]) -> SpeculativeSnapshot:
        """The same with further events behind.

        Raises:
            InvalidEvents: an event breaks the rules of events; with every problem.
        """
        transactions = (*self._transactions, check_events(events))
        return _speculated(self._basis, transactions, self._point.effective_at)


def _speculated(
    basis: Snapshot,
    transactions: tuple[tuple[ProspectiveEvent, ...], ...],
    effective_at: datetime | None,
) -> SpeculativeSnapshot:
    home, head = basis._home, basis._point.head  # noqa: SLF001 - of the same family
    added = tuple(
        _stored(event, home.store.streams, revision, head.timestamp)
        for revision, event in enumerate(chain(*transactions), head.revision + 1)
    )
    return SpeculativeSnapshot(home, Point(head, effective_at, added), basis, transactions)


def _stored(event: ProspectiveEvent, streams: str, revision: int, recorded: datetime) -> Event:
    return Event(
        id=event.id,
        source=f"{streams}/{event.stream}",
        event_type=event.event_type,
        subject=event.subject,
        data=event.data,
        time=None if event.time is None else in_utc(event.time),
        datacontenttype=event.datacontenttype,
        dataschema=event.dataschema,
        extensions=stamped(event.extensions, revision, recorded),
    )


def with_speculated(
    committed: Iterator[Event], point: Point, selector: EventSelector, options: QueryOptions
) -> Iterator[Event]:
    """A query's committed events with the speculated ones among them."""
    span = options.range
    if span is None:
        span = RevisionRange() if point.effective_at is None else EffectiveTimeRange()
    reverse = options.get_direction() is QueryDirection.REVERSE
    added = [
        event
        for event in point.speculated
        if selector.matches(event) and _within(event, span, point.effective_at)
    ]
    if isinstance(span, RevisionRange):
        ordered = chain(reversed(added), committed) if reverse else chain(committed, added)
        return islice(ordered, options.get_limit())
    added.sort(key=_order, reverse=reverse)
    return islice(merge(committed, added, key=_order, reverse=reverse), options.get_limit())


def _within(event: Event, span: QueryRange, effective_at: datetime | None) -> bool:
    at = effective_time(event)
    if effective_at is not None and at > effective_at:
        return False
    if isinstance(span, RevisionRange):
        return (event.revision() or 0) >= (span.start_at or 0)
    start = span.start_at
    if span.end_at is not None and at > span.end_at:
        return False
    return start is None or _order(event) >= (start.timestamp, start.revision)


def _order(event: Event) -> tuple[datetime, int]:
    return (effective_time(event), event.revision() or 0)
