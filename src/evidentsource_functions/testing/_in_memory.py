"""A database in memory for tests that are no scenarios: rules are published, commands are sent."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Self, TypeVar

from evidentsource_core import ProspectiveEvent, StateView
from evidentsource_core.domain.definitions import ViewParameters
from evidentsource_core.reference import StateChangeResult
from evidentsource_functions.testing._builder import as_moment
from evidentsource_functions.testing._clock import Clock
from evidentsource_functions.testing._commands import CommandSpec, as_sent
from evidentsource_functions.testing._database import MockDatabase
from evidentsource_functions.testing._derived import (
    MockDatabaseAtEffectiveTimestamp,
    MockDatabaseAtRevision,
    MockSpeculativeDatabase,
)
from evidentsource_functions.testing._levels import current_level
from evidentsource_functions.testing._published import change_rule, view_rule
from evidentsource_functions.testing._rules import ChangeRule, RuleBook, ViewRule
from evidentsource_functions.testing._scenarios import Scenarios

V = TypeVar("V")


class Database(MockDatabase):
    """A database in memory with everything that a :class:`MockDatabase` has, and a clock.

    Published rules run at the level of the test: natively, in the sandbox, as components.

    Args:
        name: the database's name.
        clock: what tells the time; by default a :class:`Clock` that stands at the beginning of 2024.

    >>> from dataclasses import dataclass
    >>> from evidentsource_core import Parameter
    >>> from evidentsource_functions import StateViewBase
    >>> from evidentsource_functions.testing import EventBuilder
    >>> @dataclass
    ... class Balance(StateViewBase):
    ...     amount: int = 0
    ...     def evolve_event(self, event):
    ...         self.amount += event.data_as_json()["amount"]
    >>> @dataclass
    ... class Deposit:
    ...     account_id: str
    ...     amount: int
    >>> def deposit(db, command: Deposit, metadata):
    ...     credited = EventBuilder("account.credited").stream("accounts")
    ...     return [credited.subject(command.account_id).data({"amount": command.amount}).build()]
    >>> bank = Database.in_memory("bank")
    >>> bank.publish(deposit)
    >>> _ = bank.publish_state_view("balance", Balance, Parameter.subject("account_id"))
    >>> bank.submit(Deposit("ann", 5)).revision
    1
    >>> bank.read(Balance, {"account_id": "ann"})
    Balance(amount=5)
    """

    def __init__(self, name: str = "test", *, clock: Callable[[], datetime] | None = None) -> None:
        super().__init__(name, clock=Clock() if clock is None else clock)
        self._rules = current_level().rules()
        self._book = RuleBook(name)

    @classmethod
    def in_memory(cls, name: str = "test", *, clock: Callable[[], datetime] | None = None) -> Self:
        """An empty database.

        Args:
            name: its name.
            clock: what tells the time of what happens in it.

        Raises:
            LevelUnavailable: the level of the test runs its rules somewhere else.
        """
        return cls(name, clock=clock)

    @property
    def rules(self) -> RuleBook:
        """What was published."""
        return self._book

    def publish(self, *rules: RuleBook | Scenarios[Any] | Callable[..., Any]) -> None:
        """Publish rules.

        Args:
            *rules: functions ``decide(db, command, metadata)``, classes of views that have a
                ``definition``, or all the rules of scenarios.

        Raises:
            InvalidDefinition: a rule cannot work; the message names what is missing.
            InvalidValue: a class has no ``definition``: use :meth:`publish_state_view`.
        """
        for rule in rules:
            if isinstance(rule, Scenarios):
                rule = rule.book  # noqa: PLW2901 - the same rules in another form
            if isinstance(rule, RuleBook):
                for view in rule.views:
                    self._publish_view(view)
                for change in rule.changes:
                    self._publish_change(change)
            elif isinstance(rule, type):
                self._publish_view(view_rule(rule))
            else:
                self._publish_change(change_rule(rule))

    def submit(
        self,
        command: Any,
        *,
        last_seen_revision: int | None = None,
        transaction_id: str | None = None,
        received_at: datetime | None = None,
    ) -> StateChangeResult:
        """Send a command to the rule that takes its type, and commit what is decided.

        Args:
            command: an object of a rule's type, or what ``command(...)`` made.
            last_seen_revision: the revision to decide on; None for the latest.
            transaction_id: submitted again, it gives the first result.
            received_at: when it arrives; by the clock where left out.

        Raises:
            InvalidValue: no rule takes it, or several do.
            StateChangeError: the decision's own refusal.
            TransactionError: what it decided cannot be committed.
        """
        sent: CommandSpec = as_sent(command)
        return self.execute(
            self._book.change_for(command).name,
            sent.command,
            last_seen_revision=last_seen_revision,
            transaction_id=transaction_id,
            received_at=received_at,
            headers=sent.headers,
        )

    def read(
        self,
        view: type[V],
        parameters: ViewParameters | None = None,
        *,
        revision: int | None = None,
        effective_at: datetime | str | None = None,
        speculated: Iterable[ProspectiveEvent] = (),
    ) -> V | None:
        """A view as an object of its class; None where no event modified it.

        Args:
            view: its class.
            parameters: its parameters.
            revision: the revision to read at; None for the latest.
            effective_at: only what had taken effect by then; None for everything.
            speculated: events as if they were committed behind that revision.

        Raises:
            InvalidValue: no view of that class was published.
            DatabaseAccessError: it cannot be read.
        """
        rule = self._book.view_for(view)
        database: (
            Database
            | MockDatabaseAtRevision
            | MockDatabaseAtEffectiveTimestamp
            | MockSpeculativeDatabase
        ) = self if revision is None else self.at_revision(revision)
        if effective_at is not None:
            database = database.at_effective_timestamp(as_moment(effective_at, "effective_at"))
        events = list(speculated)
        if events:
            database = database.speculate_with_transaction(events)
        try:
            found = database.view_state(rule.name, rule.definition.version, parameters)
        finally:
            self._rules.check()
        return None if found is None else state_of(view, found)

    def execute(self, *args: Any, **kwargs: Any) -> StateChangeResult:
        """Run a published state change; the arguments are those of :meth:`MockDatabase.execute`."""
        try:
            return super().execute(*args, **kwargs)
        finally:
            self._rules.check()

    def _publish_view(self, rule: ViewRule) -> Any:
        published = super()._publish_view(rule)
        self._book = self._book.with_view(rule)
        return published

    def _publish_change(self, rule: ChangeRule) -> Any:
        published = super()._publish_change(rule)
        self._book = self._book.with_change(rule)
        return published


def state_of(view: Any, found: StateView) -> Any:
    """The content of a view as an object of its class."""
    if hasattr(view, "from_bytes"):
        return view.from_bytes(found.content, found.content_type, found.content_schema_url)
    return view.deserialize(found.content, found.content_type)
