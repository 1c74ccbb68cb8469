"""Mocks that come of a mock: at a revision, at an effective time, with speculated events.

Each reads what it came of at the moment it is asked, so that what a test inserts there shows.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias

from evidentsource_core import EventSelector, ProspectiveEvent
from evidentsource_core.reference import DatabaseSnapshot, SpeculativeSnapshot
from evidentsource_functions.testing._canned import CannedViews
from evidentsource_functions.testing._reading import MockReader, also_named

if TYPE_CHECKING:
    from evidentsource_functions.testing._database import MockDatabase

Basis: TypeAlias = "MockDatabase | MockDatabaseAtRevision"


class MockDatabaseAtRevision(MockReader):
    """A mock at one of its revisions.

    An inserted view content shows from the revision that it names on.

    Args:
        basis: the mock.
        revision: the revision.

    Raises:
        DatabaseAccessError: the mock does not reach that revision.
    """

    def __init__(self, basis: Basis, revision: int) -> None:
        self._basis = basis
        self._revision = revision
        self.snapshot()

    def snapshot(self) -> DatabaseSnapshot:
        """The database that is read, as the reference database has it."""
        return self._basis.snapshot().at_revision(self._revision)

    @property
    def canned_views(self) -> CannedViews:
        """The views whose content was inserted."""
        views = self._basis.canned_views
        return views if self._revision == self._basis.revision else views.until(self._revision)

    def at_revision(self, revision: int) -> MockDatabaseAtRevision:
        """The same at an earlier revision.

        Raises:
            DatabaseAccessError: this database does not reach that revision.
        """
        return MockDatabaseAtRevision(self, revision)

    @also_named(ts="timestamp")
    def at_effective_timestamp(self, ts: datetime) -> MockDatabaseAtEffectiveTimestamp:
        """The same with only what had taken effect by then."""
        return MockDatabaseAtEffectiveTimestamp(self, ts)

    def speculate_with_transaction(
        self, events: Iterable[ProspectiveEvent]
    ) -> MockSpeculativeDatabase:
        """The database as if ``events`` were committed."""
        return MockSpeculativeDatabase(self, [list(events)])


class MockDatabaseAtEffectiveTimestamp(MockReader):
    """A mock with only what had taken effect by a time.

    Events and published views are filtered; an inserted view content is the same at every time.

    Args:
        basis: the mock.
        effective_ts: the time, included; it needs a time zone.
    """

    def __init__(self, basis: Basis, effective_ts: datetime) -> None:
        self._basis = basis
        self._effective_at = effective_ts
        self.snapshot()

    def snapshot(self) -> DatabaseSnapshot:
        """The database that is read, as the reference database has it."""
        return self._basis.snapshot().at_effective_timestamp(self._effective_at)

    @property
    def canned_views(self) -> CannedViews:
        """The views whose content was inserted."""
        return self._basis.canned_views

    @property
    def effective_timestamp(self) -> datetime:
        """The effective time that is read."""
        return self._effective_at

    def at_revision(self, revision: int) -> MockDatabaseAtEffectiveTimestamp:
        """The same bound at an earlier revision.

        Raises:
            DatabaseAccessError: this database does not reach that revision.
        """
        earlier = MockDatabaseAtRevision(self._basis, revision)
        return MockDatabaseAtEffectiveTimestamp(earlier, self._effective_at)

    @also_named(ts="timestamp")
    def at_effective_timestamp(self, ts: datetime) -> MockDatabaseAtEffectiveTimestamp:
        """The same with another bound in place of this one."""
        return MockDatabaseAtEffectiveTimestamp(self._basis, ts)

    def speculate_with_transaction(
        self, events: Iterable[ProspectiveEvent]
    ) -> MockSpeculativeDatabase:
        """The database as if ``events`` were committed, under the same bound."""
        return MockSpeculativeDatabase(self._basis, [list(events)], self._effective_at)


class MockSpeculativeDatabase(MockReader):
    """A mock with events behind its last one that were never committed.

    Queries and published views include them; an inserted view content stays as it is.

    Args:
        basis: the mock.
        speculated_transactions: the events, one list for each speculation.
        effective_timestamp: read only what had taken effect by then; None reads everything.

    Raises:
        InvalidEvents: an event breaks the rules of events; with every problem.
    """

    def __init__(
        self,
        basis: Basis,
        speculated_transactions: list[list[ProspectiveEvent]],
        effective_timestamp: datetime | None = None,
    ) -> None:
        self._basis = basis
        self._transactions = tuple(tuple(events) for events in speculated_transactions)
        self._effective_at = effective_timestamp
        self.snapshot()

    def snapshot(self) -> SpeculativeSnapshot:
        """The database that is read, as the reference database has it."""
        snapshot = self._basis.snapshot()
        if self._effective_at is not None:
            snapshot = snapshot.at_effective_timestamp(self._effective_at)
        speculated = snapshot.speculate_with_transaction(())
        for events in self._transactions:
            speculated = speculated.speculate_with_transaction(events)
        return speculated

    @property
    def canned_views(self) -> CannedViews:
        """The views whose content was inserted."""
        return self._basis.canned_views

    @property
    def basis(self) -> Basis:
        """The mock without the speculated events."""
        return self._basis

    @property
    def speculated_event_count(self) -> int:
        """How many events were speculated."""
        return sum(len(events) for events in self._transactions)

    @property
    def speculated_transactions(self) -> list[list[ProspectiveEvent]]:
        """The speculated events, one list for each speculation."""
        return [list(events) for events in self._transactions]

    def query_speculated_events(self, selector: EventSelector) -> list[ProspectiveEvent]:
        """The selected ones among the speculated events alone."""
        return [
            event
            for events in self._transactions
            for event in events
            if selector.matches_prospective(event)
        ]

    def speculate_with_transaction(
        self, events: Iterable[ProspectiveEvent]
    ) -> MockSpeculativeDatabase:
        """The same with further events behind."""
        transactions = [*self.speculated_transactions, list(events)]
        return MockSpeculativeDatabase(self._basis, transactions, self._effective_at)

    @also_named(ts="timestamp")
    def at_effective_timestamp(self, ts: datetime) -> MockSpeculativeDatabase:
        """The same with only what had taken effect by then."""
        return MockSpeculativeDatabase(self._basis, self.speculated_transactions, ts)
