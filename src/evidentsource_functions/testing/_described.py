"""What a test says of its mock database, and the reference database that comes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Self

from evidentsource_core import (
    DatabaseName,
    Event,
    StateChangeDefinition,
    StateViewDefinition,
)
from evidentsource_core.domain.definitions import ViewParameters
from evidentsource_core.domain.revision import check_revision
from evidentsource_core.reference import DatabaseSnapshot, Decide, Evolve, ReferenceDatabase
from evidentsource_core.times import in_utc, require_aware
from evidentsource_functions.testing._canned import CannedViews, canned_view
from evidentsource_functions.testing._placing import AnyEvent, Declared, checked, place
from evidentsource_functions.testing._reading import MockReader


class DescribedDatabase(MockReader):
    """The part of a mock database that says how it stands.

    Args:
        name: the database's name.
        clock: what tells the time of what happens in it; by default time stands still.
    """

    def __init__(self, name: str, *, clock: Callable[[], datetime] | None = None) -> None:
        self._name = DatabaseName(name).value
        self._clock = clock
        self._declared = Declared(opened_at=datetime.now(UTC) if clock is None else clock())
        # As they were given; where they stand is worked out anew with each description.
        self._given: list[Event] = []
        self._canned = CannedViews()
        self._views: list[tuple[StateViewDefinition, Evolve]] = []
        self._changes: list[tuple[StateChangeDefinition, Decide]] = []
        self._database, self._events = self._built(self._declared, [])

    def snapshot(self) -> DatabaseSnapshot:
        """The database as it is now, as the reference database has it; it does not change."""
        return self._database.latest()

    @property
    def canned_views(self) -> CannedViews:
        """The views whose content was inserted."""
        return self._canned

    def all_events(self) -> list[Event]:
        """Every event, in the order of revisions."""
        return list(self._events)

    # --- what the database is -----------------------------------------------------------------

    def with_revision(self, revision: int) -> Self:
        """Set the revision of the last event; revisions before the known events are not known.

        Raises:
            InvalidValue: the database has more events than that.
        """
        return self._described(replace(self._declared, revision=check_revision(revision)))

    def with_revision_timestamp(self, timestamp: datetime) -> Self:
        """Set when the revision was recorded. Events that do not say when were recorded then.

        An event that says it was recorded later moves it there.
        """
        moment = in_utc(require_aware("timestamp", timestamp))
        return self._described(replace(self._declared, revision_timestamp=moment))

    def with_created_at(self, timestamp: datetime) -> Self:
        """Set when the database was created.

        Raises:
            InvalidEvents: an event was recorded before.
            InvalidValue: the revision was recorded before.
        """
        moment = in_utc(require_aware("timestamp", timestamp))
        return self._described(replace(self._declared, created_at=moment))

    def with_events(self, events: Iterable[AnyEvent]) -> Self:
        """Set the events, in the order of revisions; those of before are gone.

        Raises:
            InvalidEvents: an event breaks the rules of events, or its place contradicts the one
                before; with every problem.
        """
        return self._described(self._declared, checked(events, self._database.streams))

    def _described(self, declared: Declared, given: list[Event] | None = None) -> Self:
        given = self._given if given is None else given
        self._database, self._events = self._built(declared, given)
        self._declared, self._given = declared, given
        return self

    def _built(
        self, declared: Declared, given: list[Event]
    ) -> tuple[ReferenceDatabase, list[Event]]:
        """A reference database of that description, and its events."""
        placed = place(given, declared)
        database = ReferenceDatabase(
            self._name,
            created_at=placed.created_at,
            clock=self._clock or (lambda: placed.revision_timestamp),
        )
        database.restore(
            placed.events,
            revision=placed.revision,
            revision_timestamp=placed.revision_timestamp,
        )
        for view, evolve in self._views:
            database.publish_state_view(view, evolve)
        for change, decide in self._changes:
            database.publish_state_change(change, decide)
        return database, placed.events

    def _happened(self, given: Event, stored: Event) -> None:
        self._given.append(given)
        self._events.append(stored)
        self._declared = self._reached(stored.revision() or 0)

    def _reached(self, revision: int) -> Declared:
        if self._declared.revision is None:
            return self._declared
        return replace(self._declared, revision=revision)

    # --- what its views contain ---------------------------------------------------------------

    def insert_state_view(self, name: str, version: int, data: Any, revision: int) -> None:
        """State what a view without parameters contains.

        The content is the same at every effective time, and with speculated events; publish the
        view's own code (:meth:`publish_state_view`) where it should follow them.

        Args:
            name: the view's name.
            version: its version.
            data: what it contains, written as JSON; ``bytes`` are the content itself.
            revision: the revision that last modified it.
        """
        self._insert(name, version, None, data, revision)

    def insert_state_view_with_params(
        self, name: str, version: int, params: ViewParameters, data: Any, revision: int
    ) -> None:
        """State what a view contains for exactly these parameters.

        Args:
            name: the view's name.
            version: its version.
            params: its parameters, as a mapping or as pairs.
            data: what it contains, written as JSON; ``bytes`` are the content itself.
            revision: the revision that last modified it.
        """
        self._insert(name, version, params, data, revision)

    def _insert(
        self, name: str, version: int, params: ViewParameters | None, data: Any, revision: int
    ) -> None:
        view = canned_view(self.snapshot(), name, version, data, revision)
        self._canned = self._canned.with_view(view, params)
