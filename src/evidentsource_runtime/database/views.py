"""Reading state views: each binding is folded once, however many read it at the same time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from heapq import merge
from itertools import islice
from typing import Final

from evidentsource_core.domain.attributes import EventAttribute
from evidentsource_core.domain.errors import DatabaseAccessError, EvidentSourceError
from evidentsource_core.domain.events import Event
from evidentsource_core.domain.identifiers import DatabaseName
from evidentsource_core.domain.queries import EffectiveTimeRange, QueryOptions, RangeCursor
from evidentsource_core.domain.selectors import EventSelector
from evidentsource_core.domain.state_view import StateView
from evidentsource_core.reference import recorded_time
from evidentsource_runtime.database.catalog import PublishedView, ViewShelf
from evidentsource_runtime.database.definitions import binding_text
from evidentsource_runtime.database.errors import StateViewFailed
from evidentsource_runtime.database.flights import Flights
from evidentsource_runtime.database.folding import Asked, Run, effective_time, usable_start
from evidentsource_runtime.database.kept import Kept, KeptStates
from evidentsource_runtime.database.programs import ViewProgram
from evidentsource_runtime.store import EventStore, Head

__all__ = ["Parameters", "Point", "Views"]

Parameters = Sequence[tuple[str, EventAttribute]]

_BATCH: Final = 1_000
_LAST: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Point:
    """Where a view is read.

    Args:
        head: the revision, without what is speculated.
        effective_at: the bound on effective time, None for none.
        speculated: events behind that revision that were never committed.
    """

    head: Head
    effective_at: datetime | None = None
    speculated: tuple[Event, ...] = ()

    @property
    def revision(self) -> int:
        """The revision with what is speculated."""
        return self.head.revision + len(self.speculated)


class Views:
    """Folds views and keeps what they have come to.

    Args:
        store: has the events.
        shelf: has the published views.
        kept: has the states to go on from.
    """

    def __init__(self, store: EventStore, shelf: ViewShelf, kept: KeptStates) -> None:
        self._store = store
        self._shelf = shelf
        self._kept = kept
        self._flights = Flights()

    def read(self, view: PublishedView, parameters: Parameters, point: Point) -> StateView | None:
        """The view there; None where no event ever modified it.

        Raises:
            DatabaseAccessError: the parameters are not those of the view, or its code failed.
        """
        selector = bound(view, parameters)
        program = self._shelf.program(view)
        slot = (view.id, binding_text(parameters))
        added = [
            event
            for event in point.speculated
            if selector.matches(event)
            and (point.effective_at is None or effective_time(event) <= point.effective_at)
        ]
        if not added:
            committed = replace(point, speculated=())
            state = self._committed(program, self._asked(view, selector, committed), slot)
        else:
            state = self._speculated(program, view, selector, point, added, slot)
        return self.rendered(view, selector, state)

    def rendered(
        self, view: PublishedView, selector: EventSelector, state: Kept
    ) -> StateView | None:
        """A state as readers get it."""
        if not state.count:
            return None
        definition = view.definition
        return StateView(
            database=DatabaseName(self._store.name),
            name=definition.name,
            version=definition.version,
            event_selector=selector,
            last_modified_revision=state.modified,
            last_modified_timestamp=state.modified_at,
            content_type=definition.content_type,
            content_schema_url=definition.content_schema,
            content=state.content,
        )

    def _asked(self, view: PublishedView, selector: EventSelector, point: Point) -> Asked:
        head = Head(point.revision, point.head.timestamp)
        return Asked(view, selector, head, point.effective_at, self._store.name)

    # --- what is committed ---------------------------------------------------------------------

    def _committed(self, program: ViewProgram, asked: Asked, slot: tuple[int, str]) -> Kept:
        with self._flights.one(slot):
            start = usable_start(self._store, asked, self._kept.of(slot))
            run = Run(self._store, program, asked, start)
            try:
                state = run.finish()
            finally:
                if run.reached:
                    self._kept.put(slot, run.reached)
            if not run.reached and state.through > start.through:
                self._kept.seen(slot, state)
            return state

    # --- what is speculated --------------------------------------------------------------------

    def _speculated(
        self,
        program: ViewProgram,
        view: PublishedView,
        selector: EventSelector,
        point: Point,
        added: list[Event],
        slot: tuple[int, str],
    ) -> Kept:
        committed = Asked(view, selector, point.head, point.effective_at, self._store.name)
        following: Iterable[Event] = added
        if committed.by_effect:
            added.sort(key=_order)
            first = effective_time(added[0])
            committed = Asked(view, selector, point.head, first, self._store.name)
            following = merge(self._behind(selector, point, first), added, key=_order)
        start = self._committed(program, committed, slot)
        asked = self._asked(view, selector, point)
        return _fold_lists(program, asked, start, following, point.head)

    def _behind(self, selector: EventSelector, point: Point, first: datetime) -> Iterator[Event]:
        """The committed events that take effect after a time."""
        span = EffectiveTimeRange(RangeCursor(first, _LAST))
        return self._store.query(
            selector,
            QueryOptions(range=span),
            revision=point.head.revision,
            effective_at=point.effective_at,
        )


def bound(view: PublishedView, parameters: Parameters) -> EventSelector:
    """The view's selector with its parameters bound.

    Raises:
        DatabaseAccessError: they are not those of the view.
    """
    try:
        return view.definition.selector.bind(dict(parameters))
    except EvidentSourceError as error:
        raise DatabaseAccessError.state_view_failed(f"{view}: {error}") from error


def _order(event: Event) -> tuple[datetime, int]:
    return (effective_time(event), event.revision() or 0)


def _fold_lists(
    program: ViewProgram, asked: Asked, state: Kept, events: Iterable[Event], basis: Head
) -> Kept:
    """Fold committed and speculated events; those count as recorded when the basis was."""
    remaining = iter(events)
    while batch := list(islice(remaining, _BATCH)):
        try:
            content = program.fold(asked.rendered(state), batch)
        except Exception as error:
            raise StateViewFailed(str(asked.view), error, batch) from error
        newest = max(event.revision() or 0 for event in batch)
        modified, modified_at = state.modified, state.modified_at
        if newest > modified:
            found = next(event for event in batch if event.revision() == newest)
            modified, modified_at = newest, recorded_time(found) or basis.timestamp
        count = state.count + len(batch)
        state = Kept(state.upto, basis.revision, count, modified, modified_at, content)
    return state
