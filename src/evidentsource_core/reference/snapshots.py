"""The database as a ``decide`` gets it: at one revision, never changing, read without waiting."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from evidentsource_core.domain.checks import check_earlier, check_events, check_view
from evidentsource_core.domain.definitions import ViewParameters, view_parameters
from evidentsource_core.domain.errors import DatabaseAccessError, EvidentSourceError
from evidentsource_core.domain.events import Event, ProspectiveEvent
from evidentsource_core.domain.identifiers import StateViewName
from evidentsource_core.domain.queries import QueryDirection, QueryOptions, QueryRange
from evidentsource_core.domain.selectors import EventAttribute, EventSelector
from evidentsource_core.domain.state_view import StateView
from evidentsource_core.reference._history import Committed, History, Speculated
from evidentsource_core.reference._queries import combined, query
from evidentsource_core.reference._records import store
from evidentsource_core.reference._views import Fold, PublishedView, Views
from evidentsource_core.times import require_aware

__all__ = ["DatabaseSnapshot", "SpeculativeSnapshot"]


@dataclass(frozen=True, slots=True)
class Home:
    """What every snapshot of one database shares."""

    name: str
    streams: str
    created_at: datetime
    views: Views
    view_batch_size: int


@dataclass(frozen=True, eq=False, repr=False)
class _Snapshot:
    """What can be read of a snapshot, whether its events were committed or speculated."""

    _home: Home
    _history: History
    _effective_at: datetime | None

    @property
    def name(self) -> str:
        """The name of the database."""
        return self._home.name

    @property
    def created_at(self) -> datetime:
        """When the database was created, in UTC."""
        return self._home.created_at

    @property
    def revision(self) -> int:
        """The revision that is read."""
        return self._history.revision

    @property
    def revision_timestamp(self) -> datetime:
        """When that revision was recorded, in UTC; the creation of the database for revision 0."""
        return self._history.revision_timestamp

    @property
    def effective_timestamp(self) -> datetime | None:
        """The effective time that is read: nothing that takes effect later shows. None: all."""
        return self._effective_at

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
        records = query(
            self._history,
            selector,
            combined(options, range, direction, limit),
            self._effective_at,
        )
        return [record.event for record in records]

    def query_events_with_options(
        self, selector: EventSelector, options: QueryOptions
    ) -> list[Event]:
        """The same as ``query_events(selector, options)``."""
        return self.query_events(selector, options)

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
        """
        wanted = check_view(name, version)
        pairs = view_parameters(parameters)
        view = self._home.views.find(*wanted)
        if view is None:
            return None
        fold = Fold(view, self._home.name, self._home.created_at, self._home.view_batch_size)
        return fold.render(self._history, _bound(view, pairs), self._effective_at)

    def __repr__(self) -> str:
        bound = "" if self._effective_at is None else f", effective at {self._effective_at}"
        return f"<{type(self).__name__} {self.name} at revision {self.revision}{bound}>"


@dataclass(frozen=True, eq=False, repr=False)
class DatabaseSnapshot(_Snapshot):
    """A database at one revision. :class:`ReferenceDatabase` gives these."""

    _history: Committed

    def at_revision(self, revision: int) -> DatabaseSnapshot:
        """The same database at an earlier revision, with the same bound on effective time.

        Raises:
            DatabaseAccessError: this snapshot does not reach that revision.
        """
        return DatabaseSnapshot(
            self._home, go_back(self._history, revision, self.created_at), self._effective_at
        )

    def at_effective_timestamp(self, timestamp: datetime) -> DatabaseSnapshot:
        """The same revision, with only what had taken effect by ``timestamp`` (included).

        It takes the place of a bound that was there before.
        """
        require_aware("timestamp", timestamp)
        return DatabaseSnapshot(self._home, self._history, timestamp)

    def speculate_with_transaction(self, events: Iterable[ProspectiveEvent]) -> SpeculativeSnapshot:
        """The database as if ``events`` were committed; nothing is.

        Neither the size of the transaction nor whether the events' ids are new is asked for.

        Raises:
            InvalidEvents: an event breaks the rules of events; with every problem.
        """
        transactions = (check_events(events),)
        return speculate(self, self._home, self._history, transactions, self._effective_at)


@dataclass(frozen=True, eq=False, repr=False)
class SpeculativeSnapshot(_Snapshot):
    """A database with events behind its last revision that were never committed.

    Queries and views include them. Each has the revision it would get, and counts as recorded when
    the basis was, so that the same speculation always gives the same events.
    """

    _history: Speculated
    _basis: DatabaseSnapshot
    _transactions: tuple[tuple[ProspectiveEvent, ...], ...]

    @property
    def basis(self) -> DatabaseSnapshot:
        """The database without the speculated events."""
        return self._basis

    @property
    def speculated_event_count(self) -> int:
        """How many events were speculated."""
        return self.revision - self._basis.revision

    @property
    def speculated_transactions(self) -> list[list[ProspectiveEvent]]:
        """The speculated events, one list for each call that added some."""
        return [list(events) for events in self._transactions]

    def at_effective_timestamp(self, timestamp: datetime) -> SpeculativeSnapshot:
        """The same with only what had taken effect by ``timestamp`` (included)."""
        require_aware("timestamp", timestamp)
        return SpeculativeSnapshot(
            self._home, self._history, timestamp, self._basis, self._transactions
        )

    def speculate_with_transaction(self, events: Iterable[ProspectiveEvent]) -> SpeculativeSnapshot:
        """The same with further events behind.

        Raises:
            InvalidEvents: an event breaks the rules of events; with every problem.
        """
        transactions = (*self._transactions, check_events(events))
        return speculate(
            self._basis, self._home, self._history.basis, transactions, self._effective_at
        )


def speculate(
    basis: DatabaseSnapshot,
    home: Home,
    history: Committed,
    transactions: tuple[tuple[ProspectiveEvent, ...], ...],
    effective_at: datetime | None,
) -> SpeculativeSnapshot:
    """``basis``, whose history this is, with ``transactions`` behind its last revision."""
    added = tuple(
        store(event, home.streams, revision, history.revision_timestamp)
        for revision, event in enumerate(chain(*transactions), history.revision + 1)
    )
    return SpeculativeSnapshot(home, Speculated(history, added), effective_at, basis, transactions)


def go_back(history: Committed, revision: int, created_at: datetime) -> Committed:
    """The part of ``history`` up to ``revision``."""
    check_earlier(revision, history.revision)
    if revision == history.revision:
        return history
    length = history.log.length_at(revision)
    recorded_at = history.log.records[length - 1].recorded_at if length else created_at
    return Committed(history.log, length, revision, recorded_at)


def _bound(view: PublishedView, parameters: list[tuple[str, EventAttribute]]) -> EventSelector:
    try:
        return view.definition.selector.bind(dict(parameters))
    except EvidentSourceError as error:
        raise DatabaseAccessError.state_view_failed(f"{view}: {error}") from error
