"""Where a scenario is played: a database with the rules published, and what can happen in it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from evidentsource_core import (
    AppendCondition,
    Command,
    Event,
    EvidentSourceError,
    ProspectiveEvent,
    StateChangeMetadata,
    StateView,
)
from evidentsource_core.domain.definitions import ViewParameters
from evidentsource_core.reference import DatabaseSnapshot, Decide, Evolve, ReferenceDatabase
from evidentsource_functions.state_change import DecideResult
from evidentsource_functions.testing._rules import ChangeRule, RuleBook, ViewRule

STARTED = datetime(2024, 1, 1, tzinfo=UTC)
"""When the database of a scenario was created, and what its clock shows until a test says otherwise."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A command that a scenario sends.

    Args:
        change: the state change.
        command: the command's bytes.
        headers: what comes with it.
        last_seen: the revision to decide on; None for the latest.
        received_at: when it arrives; None for the time of the database's clock.
    """

    change: ChangeRule
    command: Command
    headers: tuple[tuple[str, str], ...] = ()
    last_seen: int | None = None
    received_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a command.

    Args:
        events: what was decided, in order.
        conditions: the append conditions; None where the level cannot tell them.
        error: why it was refused, by the rule or at the commit; None where it was not.
    """

    events: tuple[ProspectiveEvent, ...]
    conditions: tuple[AppendCondition, ...] | None
    error: EvidentSourceError | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """A state view as a scenario asks for it."""

    view: ViewRule
    parameters: ViewParameters
    revision: int | None = None
    effective_at: datetime | None = None


class Stage(Protocol):
    """A database of its own for one scenario, into which the rules were published."""

    def commit(self, events: Sequence[ProspectiveEvent], recorded_at: datetime | None) -> None:
        """Commit one transaction of what happened before.

        Args:
            events: at least one.
            recorded_at: what the clock shows from now on; None leaves it.
        """
        ...

    def attempt(self, attempt: Attempt) -> Outcome:
        """Send a command, and commit what is decided."""
        ...

    def view(self, reading: Reading) -> StateView | None:
        """Read a state view.

        Raises:
            EvidentSourceError: it cannot be read.
        """
        ...

    def history(self) -> list[Event]:
        """Every event, in the order of revisions."""
        ...


class Rules(ABC):
    """How rules are run for a database in memory."""

    @abstractmethod
    def evolve(self, view: ViewRule) -> Evolve:
        """What folds a view."""

    @abstractmethod
    def decide(self, change: ChangeRule) -> Decide:
        """What decides a command."""

    def check(self) -> None:  # noqa: B027 - most ways to run rules find nothing to say
        """Raise what was noticed while rules ran and could not be raised there."""


class NativeRules(Rules):
    """The rules as they are: Python in this process."""

    def evolve(self, view: ViewRule) -> Evolve:
        """What folds a view."""
        return view.evolve

    def decide(self, change: ChangeRule) -> Decide:
        """What decides a command."""
        return change.decide


class MemoryStage:
    """A reference database for one scenario.

    Args:
        rules: how the rules are run.
        book: what is published.
        started: when the database was created, and what its clock shows at first.
    """

    def __init__(self, rules: Rules, book: RuleBook, started: datetime = STARTED) -> None:
        self._rules = rules
        self._book = book
        self._published: set[str] = set()
        self._now = started
        self._decided: DecideResult = ([], [])
        self._database = ReferenceDatabase(
            book.database, host="test.local", clock=lambda: self._now, created_at=started
        )
        for view in book.views:
            self._database.publish_state_view(view.definition, rules.evolve(view))

    def commit(self, events: Sequence[ProspectiveEvent], recorded_at: datetime | None) -> None:
        """Commit one transaction of what happened before."""
        self._now = recorded_at or self._now
        self._database.transact(events)

    def attempt(self, attempt: Attempt) -> Outcome:
        """Send a command, and commit what is decided."""
        self._decided = ([], [])
        self._publish(attempt.change.name)
        error = None
        try:
            self._database.execute(
                attempt.change.name,
                attempt.change.definition.version,
                attempt.command,
                last_seen_revision=attempt.last_seen,
                received_at=attempt.received_at,
                headers=attempt.headers,
            )
        except EvidentSourceError as caught:
            error = caught
        self._rules.check()
        events, conditions = self._decided
        return Outcome(tuple(events), tuple(conditions), error)

    def view(self, reading: Reading) -> StateView | None:
        """Read a state view."""
        database = self._database.latest()
        if reading.revision is not None:
            database = database.at_revision(reading.revision)
        if reading.effective_at is not None:
            database = database.at_effective_timestamp(reading.effective_at)
        view = reading.view
        try:
            return database.view_state(view.name, view.definition.version, reading.parameters)
        finally:
            self._rules.check()

    def history(self) -> list[Event]:
        """Every event, in the order of revisions."""
        return [event for each in self._database.log() for event in each.events]

    def _publish(self, name: str) -> None:
        # Most scenarios need one change of many, and each needs a database of its own.
        if name not in self._published:
            self._published.add(name)
            for change in self._book.changes:
                if change.name == name:
                    decide = self._recorded(change)
                    self._database.publish_state_change(change.definition, decide)

    def _recorded(self, change: ChangeRule) -> Decide:
        decide = self._rules.decide(change)

        def recorded(
            database: DatabaseSnapshot, command: Command, metadata: StateChangeMetadata
        ) -> DecideResult:
            events, conditions = decide(database, command, metadata)
            self._decided = list(events), list(conditions)
            return self._decided

        return recorded
