"""The mock database: a reference database that a test fills as it likes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from evidentsource_core import (
    RECORDEDTIME_KEY,
    AppendCondition,
    Command,
    CommandRequest,
    EventSelector,
    ProspectiveEvent,
    QueryTemporality,
    SelectorTemplate,
    StateChangeDefinition,
    StateChangeMetadata,
    StateViewDefinition,
)
from evidentsource_core.reference import (
    DatabaseSnapshot,
    Evolve,
    StateChangeResult,
    TransactionResult,
    stamped,
)
from evidentsource_functions.state_change import DecideFunc
from evidentsource_functions.testing._derived import (
    MockDatabaseAtEffectiveTimestamp,
    MockDatabaseAtRevision,
    MockSpeculativeDatabase,
)
from evidentsource_functions.testing._described import DescribedDatabase
from evidentsource_functions.testing._placing import AnyEvent, checked
from evidentsource_functions.testing._published import change_rule, view_rule
from evidentsource_functions.testing._reading import also_named
from evidentsource_functions.testing._rules import ChangeRule, ViewRule
from evidentsource_functions.testing._stage import NativeRules, Rules


class MockDatabase(DescribedDatabase):
    """A database for tests of state changes and state views; it needs no component and no server.

    It is a reference database: queries, speculation, effective time, append conditions and
    published views follow the platform's rules. What a test says of it is completed:

    * The ``with_`` methods describe the database as it stands and can be called in any order. Its
      events are the last ones up to its revision, so ``with_revision(100)`` and two events are
      revisions 99 and 100. Without :meth:`with_revision` the revision is the number of events.
    * :meth:`insert_event`, :meth:`transact` and :meth:`execute` then move the revision on.
    * An event without ``sequence`` and ``recordedtime`` gets them. Those that it brings along stand.
    * Time stands still, at the revision timestamp, unless there is a clock.

    Args:
        name: the database's name.
        clock: what tells the time of what happens in it.

    >>> from evidentsource_core import Selector
    >>> from evidentsource_functions.testing import MockDatabase, create_stored_event
    >>> db = MockDatabase("bank").with_revision(100)
    >>> db.insert_event(create_stored_event("account.opened", "a-1", stream="accounts"))
    >>> db.insert_state_view("account-summary", 1, {"balance": 5}, revision=101)
    >>> [event.revision() for event in db.query_events(Selector.stream("accounts"))]
    [101]
    >>> db.view_state("account-summary", 1).json()
    {'balance': 5}
    """

    def __init__(self, name: str, *, clock: Callable[[], datetime] | None = None) -> None:
        self._rules: Rules = NativeRules()
        super().__init__(name, clock=clock)

    # --- what happens in it -------------------------------------------------------------------

    def insert_event(self, event: AnyEvent) -> None:
        """Add an event behind the last revision.

        Raises:
            InvalidEvents: it breaks the rules of events, its id is known, or it says that it comes
                before the last one; with every problem.
        """
        (added,) = checked([event], self._database.streams)
        own = added.revision()
        revision = self.revision + 1 if own is None else own
        if RECORDEDTIME_KEY in added.extensions:
            # It may have been recorded before this mock was made, which moves what is not declared.
            self._described(self._reached(revision), [*self._given, added])
            return
        at = self.revision_timestamp if self._clock is None else self._now()
        stored = replace(added, extensions=stamped(added.extensions, revision, at))
        self._database.restore([stored])
        # What a clock has said stands; what only the description says follows the description.
        self._happened(added if self._clock is None else stored, stored)

    def transact(
        self,
        events: Iterable[ProspectiveEvent],
        conditions: Iterable[AppendCondition] = (),
        *,
        transaction_id: str | None = None,
    ) -> TransactionResult:
        """Commit events if every append condition holds, exactly as a database does.

        Raises:
            TransactionError: as :meth:`evidentsource_core.reference.ReferenceDatabase.transact`.
        """
        before = self.revision
        result = self._database.transact(events, conditions, transaction_id=transaction_id)
        self._written(before, result)
        return result

    def execute(
        self,
        name: str,
        request: Command | CommandRequest | Mapping[str, Any],
        *,
        version: int | None = None,
        last_seen_revision: int | None = None,
        transaction_id: str | None = None,
        received_at: datetime | None = None,
        headers: Iterable[tuple[str, str]] = (),
    ) -> StateChangeResult:
        """Run a published state change and commit what it decides, conditions and all.

        Args:
            name: the state change.
            request: the command; a mapping is sent as JSON.
            version: its version; None for the latest.
            last_seen_revision: the revision to decide on; None for the latest.
            transaction_id: executed again, it gives the first result.
            received_at: when the command arrived; the revision timestamp by default.
            headers: what came with it.

        Raises:
            StateChangeError: the decision's own refusal.
            StateChangeNotFound: it was never published.
            TransactionError: what it decided cannot be committed.
        """
        if isinstance(request, Mapping):
            request = CommandRequest.json(dict(request))
        before = self.revision
        result = self._database.execute(
            name,
            version,
            request,
            last_seen_revision=last_seen_revision,
            transaction_id=transaction_id,
            received_at=received_at,
            headers=headers,
        )
        if result.transaction is not None:
            self._written(before, result.transaction)
        return result

    def _now(self) -> datetime:
        moment = self.revision_timestamp
        return moment if self._clock is None else max(self._clock(), moment)

    def _written(self, before: int, result: TransactionResult) -> None:
        # A transaction id that was used before wrote nothing now.
        if result.basis == before:
            for stored in result.events:
                self._happened(stored, stored)

    # --- views and state changes --------------------------------------------------------------

    def publish_state_view(
        self,
        name: str,
        view: type[Any] | Evolve,
        selector: EventSelector | SelectorTemplate | None = None,
        *,
        temporality: QueryTemporality | str | None = None,
        content_type: str | None = None,
        content_schema: str | None = None,
    ) -> StateViewDefinition:
        """Publish a view's own code, which is then folded over the events.

        Args:
            name: the view's name.
            view: its state class, or a handler ``(rendered, events) -> bytes | None``.
            selector: which events it folds; ``Parameter`` leaves places for its parameters. It may
                be left out, as may what follows, where the class has a ``definition``.
            temporality: in which order: ``revision`` (the default) or ``effective_timestamp``.
            content_type: what its content is; JSON by default.
            content_schema: the URI of its content's schema.

        Returns:
            Its definition, with the version that it has now: 1, or the next one of that name.

        Raises:
            InvalidDefinition: the class cannot fold.
            InvalidValue: nothing says which events it folds.
        """
        return self._publish_view(
            view_rule(
                view,
                name,
                selector,
                temporality=temporality,
                content_type=content_type,
                content_schema=content_schema,
            )
        )

    def publish_state_change(
        self, name: str, decide: DecideFunc[Any], command_type: type[Any] | None = None
    ) -> StateChangeDefinition:
        """Publish a rule, for :meth:`execute` to run.

        Args:
            name: the state change's name.
            decide: ``decide(db, command, metadata)``.
            command_type: the class of its command; None takes it from the rule's annotation.

        Returns:
            Its definition, with the version that it has now: 1, or the next one of that name.

        Raises:
            InvalidDefinition: the two cannot work; the message names what is missing.
        """
        return self._publish_change(change_rule(decide, name, command_type=command_type))

    def _publish_view(self, rule: ViewRule) -> StateViewDefinition:
        evolve = self._rules.evolve(rule)
        published = self._database.publish_state_view(rule.definition, evolve)
        self._views.append((rule.definition, evolve))
        return published

    def _publish_change(self, rule: ChangeRule) -> StateChangeDefinition:
        decide = self._rules.decide(rule)

        def on_this(
            db: DatabaseSnapshot, command: Command, metadata: StateChangeMetadata
        ) -> tuple[Iterable[ProspectiveEvent], Iterable[AppendCondition]]:
            # Through the mock, so that the rule sees the views that were inserted.
            at_revision: Any = MockDatabaseAtRevision(self, db.revision)
            return decide(at_revision, command, metadata)

        published = self._database.publish_state_change(rule.definition, on_this)
        self._changes.append((rule.definition, on_this))
        return published

    # --- other databases of it ----------------------------------------------------------------

    def at_revision(self, revision: int) -> MockDatabaseAtRevision:
        """The database at a revision.

        Raises:
            DatabaseAccessError: there is no such revision.
        """
        return MockDatabaseAtRevision(self, revision)

    @also_named(ts="timestamp")
    def at_effective_timestamp(self, ts: datetime) -> MockDatabaseAtEffectiveTimestamp:
        """The database with only what had taken effect by then."""
        return MockDatabaseAtEffectiveTimestamp(self, ts)

    def speculate_with_transaction(
        self, events: Iterable[ProspectiveEvent]
    ) -> MockSpeculativeDatabase:
        """The database as if ``events`` were committed.

        Raises:
            InvalidEvents: an event breaks the rules of events; with every problem.
        """
        return MockSpeculativeDatabase(self, [list(events)])
