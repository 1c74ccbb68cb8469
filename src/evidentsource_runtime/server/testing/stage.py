"""A scenario, played in a database of a server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from evidentsource_core import Event, EvidentSourceError, ProspectiveEvent, StateView
from evidentsource_core.reference import as_prospective
from evidentsource_functions.testing import Attempt, LevelUnavailable, Outcome, Reading, RuleBook
from evidentsource_runtime.server.testing.fresh import FreshDatabase
from evidentsource_runtime.server.testing.places import Place

__all__ = ["ServerStage"]


class ServerStage:
    """A database of its own for one scenario.

    Args:
        place: the server.
        book: the rules.
        started: when the database was created, where the server's clock is the test's.
    """

    def __init__(self, place: Place, book: RuleBook, started: datetime) -> None:
        self._now = started
        self._place = place
        self._database = FreshDatabase(place, book, lambda: self._now)

    def commit(self, events: Sequence[ProspectiveEvent], recorded_at: datetime | None) -> None:
        """Commit one transaction of what happened before."""
        self._now = recorded_at or self._now
        self._database.transact(events)

    def attempt(self, attempt: Attempt) -> Outcome:
        """Send a command, and commit what is decided."""
        database = self._database
        try:
            result = database.execute(
                attempt.change,
                attempt.command,
                attempt.headers,
                last_seen=attempt.last_seen,
                received_at=attempt.received_at,
            )
        except LevelUnavailable:
            raise
        except EvidentSourceError as error:
            events, conditions = database.decided or ([], [])
            return Outcome(tuple(events), tuple(conditions), error)
        committed = tuple(as_prospective(each) for each in result.events)
        if database.decided is None:
            return Outcome(committed, None)
        return Outcome(committed, tuple(database.decided[1]))

    def view(self, reading: Reading) -> StateView | None:
        """Read a state view."""
        rule = reading.view
        self._database.publish_views(rule.name)
        snapshot = self._database.snapshot()
        if reading.revision is not None:
            snapshot = snapshot.at_revision(reading.revision)
        if reading.effective_at is not None:
            snapshot = snapshot.at_effective_timestamp(reading.effective_at)
        try:
            return snapshot.view_state(rule.name, rule.definition.version, reading.parameters)
        finally:
            self._place.check()

    def history(self) -> list[Event]:
        """Every event, in the order of revisions, as the database of the test's own name has it."""
        own, name = f"/db/{self._database.book.database}/", f"/db/{self._database.name}/"
        return [
            replace(event, source=event.source.replace(name, own))
            for each in self._database.log()
            for event in each.events
        ]
