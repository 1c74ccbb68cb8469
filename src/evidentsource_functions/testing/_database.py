"""The mock database: a reference database that a test fills as it likes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
    StateChangeName,
    StateViewDefinition,
    StateViewName,
)
from evidentsource_core.reference import (
    DatabaseSnapshot,
    Evolve,
    StateChangeResult,
    TransactionResult,
    stamped,
)
from evidentsource_functions.state_change import (
    DecideFunc,
    DecideResult,
    create_state_change_handler,
)
from evidentsource_functions.state_view import create_state_view_handler
from evidentsource_functions.testing._derived import (
    MockDatabaseAtEffectiveTimestamp,
    MockDatabaseAtRevision,
    MockSpeculativeDatabase,
)
from evidentsource_functions.testing._described import DescribedDatabase
from evidentsource_functions.testing._placing import AnyEvent, checked
from evidentsource_functions.testing._reading import also_named


class MockDatabase(DescribedDatabase):
    """A database for tests of state changes and state views; it needs no component and no server.

    It is a reference database: queries, speculation, effective time, append conditions and
    published views follow the platform's rules. What a test says of it is completed:

    * The ``with_`` methods describe the database as it stands and can be called in any order. Its
      events are the last ones up to its revision, so ``with_revision(100)`` and two events are
      revisions 99 and 100. Without :meth:`with_revision` the revision is the number of events.
    * :meth:`insert_event`, :meth:`transact` and :meth:`execute` then move the revision on.
    * An event without ``sequence`` and ``recordedtime`` gets them. Those that it brings along stand.
    * Time stands still, at the revision timestamp.

    Args:
        name: the database's name.

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
        at = self.revision_timestamp
        stored = replace(added, extensions=stamped(added.extensions, revision, at))
        self._database.restore([stored])
        self._happened(added, stored)

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
        selector: EventSelector | SelectorTemplate,
        *,
        temporality: QueryTemporality | str = QueryTemporality.REVISION,
        content_type: str = "application/json",
        content_schema: str | None = None,
    ) -> StateViewDefinition:
        """Publish a view's own code, which is then folded over the events.

        Args:
            name: the view's name.
            view: its state class, or a handler ``(rendered, events) -> bytes | None``.
            selector: which events it folds; ``Parameter`` leaves places for its parameters.
            temporality: in which order: ``revision`` or ``effective_timestamp``.
            content_type: what its content is.
            content_schema: the URI of its content's schema.

        Returns:
            Its definition, with the version that it has now: 1, or the next one of that name.

        Raises:
            InvalidDefinition: the class cannot fold.
        """
        definition = StateViewDefinition(
            StateViewName(name),
            SelectorTemplate.of(selector),
            temporality=QueryTemporality(temporality),
            content_type=content_type,
            content_schema=content_schema,
        )
        evolve = create_state_view_handler(view) if isinstance(view, type) else view
        published = self._database.publish_state_view(definition, evolve)
        self._views.append((definition, evolve))
        return published

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
        if command_type is None:
            handler = create_state_change_handler(decide)
        else:
            handler = create_state_change_handler(command_type, decide)

        def on_this(
            db: DatabaseSnapshot, command: Command, metadata: StateChangeMetadata
        ) -> DecideResult:
            # Through the mock, so that the rule sees the views that were inserted.
            return handler(MockDatabaseAtRevision(self, db.revision), command, metadata)

        definition = StateChangeDefinition(StateChangeName(name))
        published = self._database.publish_state_change(definition, on_this)
        self._changes.append((definition, on_this))
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
