"""The mock database: a reference database that a test fills as it likes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from evidentsource_core import (
    RECORDEDTIME_KEY,
    AppendCondition,
    Command,
    CommandRequest,
    DatabaseName,
    Event,
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
from evidentsource_core.domain.definitions import ViewParameters
from evidentsource_core.domain.revision import check_revision
from evidentsource_core.reference import (
    DatabaseSnapshot,
    Decide,
    Evolve,
    ReferenceDatabase,
    StateChangeResult,
    TransactionResult,
    stamped,
)
from evidentsource_core.times import in_utc, require_aware
from evidentsource_functions.state_change import (
    DecideFunc,
    DecideResult,
    create_state_change_handler,
)
from evidentsource_functions.state_view import create_state_view_handler
from evidentsource_functions.testing._canned import CannedViews, canned_view
from evidentsource_functions.testing._derived import (
    MockDatabaseAtEffectiveTimestamp,
    MockDatabaseAtRevision,
    MockSpeculativeDatabase,
)
from evidentsource_functions.testing._placing import AnyEvent, Declared, checked, place
from evidentsource_functions.testing._reading import MockReader, also_named


class MockDatabase(MockReader):
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

    def __init__(self, name: str) -> None:
        self._name = DatabaseName(name).value
        self._declared = Declared(opened_at=datetime.now(UTC))
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

    def with_revision(self, revision: int) -> MockDatabase:
        """Set the revision of the last event; revisions before the known events are not known.

        Raises:
            InvalidValue: the database has more events than that.
        """
        return self._described(replace(self._declared, revision=check_revision(revision)))

    def with_revision_timestamp(self, timestamp: datetime) -> MockDatabase:
        """Set when the revision was recorded. Events that do not say when were recorded then.

        An event that says it was recorded later moves it there.
        """
        moment = in_utc(require_aware("timestamp", timestamp))
        return self._described(replace(self._declared, revision_timestamp=moment))

    def with_created_at(self, timestamp: datetime) -> MockDatabase:
        """Set when the database was created.

        Raises:
            InvalidEvents: an event was recorded before.
            InvalidValue: the revision was recorded before.
        """
        moment = in_utc(require_aware("timestamp", timestamp))
        return self._described(replace(self._declared, created_at=moment))

    def with_events(self, events: Iterable[AnyEvent]) -> MockDatabase:
        """Set the events, in the order of revisions; those of before are gone.

        Raises:
            InvalidEvents: an event breaks the rules of events, or its place contradicts the one
                before; with every problem.
        """
        return self._described(self._declared, checked(events, self._database.streams))

    def _described(self, declared: Declared, given: list[Event] | None = None) -> MockDatabase:
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
            self._name, created_at=placed.created_at, clock=lambda: placed.revision_timestamp
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

    def _happened(self, given: Event, stored: Event) -> None:
        self._given.append(given)
        self._events.append(stored)
        self._declared = self._reached(stored.revision() or 0)

    def _reached(self, revision: int) -> Declared:
        if self._declared.revision is None:
            return self._declared
        return replace(self._declared, revision=revision)

    # --- views and state changes --------------------------------------------------------------

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
