"""A database of a server, for tests that are no scenarios."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, NoReturn, TypeVar

from evidentsource_core import (
    AppendCondition,
    Command,
    CommandRequest,
    Event,
    EventSelector,
    ProspectiveEvent,
    QueryDirection,
    QueryOptions,
    QueryRange,
    StateView,
    StateViewName,
)
from evidentsource_core.domain.definitions import ViewParameters
from evidentsource_core.reference import StateChangeResult, TransactionResult, as_prospective
from evidentsource_functions.testing import (
    ChangeRule,
    Database,
    LevelUnavailable,
    RuleBook,
    Scenarios,
    ViewRule,
)
from evidentsource_functions.testing._builder import as_moment
from evidentsource_functions.testing._commands import as_sent
from evidentsource_functions.testing._in_memory import state_of
from evidentsource_functions.testing._published import change_rule, view_rule
from evidentsource_runtime.server.testing.fresh import FreshDatabase
from evidentsource_runtime.server.testing.places import Place
from evidentsource_runtime.server.testing.snapshot import ServerSnapshot

__all__ = ["ServerDatabase"]

V = TypeVar("V")


class ServerDatabase:
    """What a test does with a database in memory, done with one of a server.

    It has the methods of :class:`evidentsource_functions.testing.Database` that a server can
    answer: publishing, committing, commands, queries and views. What it has not says so.

    Args:
        place: the server.
        book: the rules.
        clock: what tells the time of what happens in it, where the server's clock is the test's.
    """

    def __init__(self, place: Place, book: RuleBook, clock: Callable[[], datetime]) -> None:
        self._place = place
        self._fresh = FreshDatabase(place, book, clock)

    @property
    def rules(self) -> RuleBook:
        """What was published."""
        return self._fresh.book

    @property
    def name(self) -> str:
        """The database's name on the server."""
        return self._fresh.name

    @property
    def created_at(self) -> datetime:
        """When the database was created."""
        return self.latest().created_at

    @property
    def revision(self) -> int:
        """The latest revision."""
        return self.latest().revision

    @property
    def revision_timestamp(self) -> datetime:
        """When that revision was recorded."""
        return self.latest().revision_timestamp

    def publish(self, *rules: RuleBook | Scenarios[Any] | Callable[..., Any]) -> None:
        """Publish rules: functions, classes of views that have a ``definition``, or whole books."""
        for rule in rules:
            if isinstance(rule, Scenarios):
                rule = rule.book  # noqa: PLW2901 - the same rules in another form
            if isinstance(rule, RuleBook):
                for view in rule.views:
                    self._add(view)
                for change in rule.changes:
                    self._add(change)
            else:
                self._add(view_rule(rule) if isinstance(rule, type) else change_rule(rule))

    def publish_state_view(self, name: str, view: type[Any], *args: Any, **said: Any) -> None:
        """Publish a view; the arguments are those of ``Database.publish_state_view``."""
        self._add(view_rule(view, name, *args, **said))

    def publish_state_change(
        self, name: str, decide: Callable[..., Any], command_type: type[Any] | None = None
    ) -> None:
        """Publish a rule."""
        self._add(change_rule(decide, name, command_type=command_type))

    def _add(self, rule: ViewRule | ChangeRule) -> None:
        book = self._fresh.book
        if isinstance(rule, ViewRule):
            self._fresh.book = book.with_view(rule)
        else:
            self._fresh.book = book.with_change(rule)

    def insert_event(self, event: Event | ProspectiveEvent) -> None:
        """Commit an event by itself.

        Raises:
            LevelUnavailable: it says which revision it is to have.
        """
        if isinstance(event, Event):
            if event.revision() not in {None, self.revision + 1}:
                self._cannot("a server gives revisions itself; leave `sequence` out of the event")
            event = as_prospective(event)
        self.transact([event])

    def transact(
        self,
        events: Iterable[ProspectiveEvent],
        conditions: Iterable[AppendCondition] = (),
        *,
        transaction_id: str | None = None,
    ) -> TransactionResult:
        """Commit events if every append condition holds.

        Raises:
            TransactionError: they were refused; nothing was written.
        """
        return self._fresh.transact(list(events), conditions, transaction_id=transaction_id)

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
        """Run a published state change; the arguments are those of ``Database.execute``.

        Raises:
            StateChangeError: the decision's own refusal.
            TransactionError: what it decided cannot be committed.
        """
        if isinstance(request, Mapping):
            request = CommandRequest.json(dict(request))
        return self._fresh.execute(
            self.rules.change_named(name),
            request,
            headers,
            version=version,
            last_seen=last_seen_revision,
            transaction_id=transaction_id,
            received_at=received_at,
        )

    def submit(
        self,
        command: Any,
        *,
        last_seen_revision: int | None = None,
        transaction_id: str | None = None,
        received_at: datetime | None = None,
    ) -> StateChangeResult:
        """Send a command to the rule that takes its type, and commit what is decided."""
        sent = as_sent(command)
        return self._fresh.execute(
            self.rules.change_for(command),
            sent.command,
            sent.headers,
            last_seen=last_seen_revision,
            transaction_id=transaction_id,
            received_at=received_at,
        )

    def latest(self) -> ServerSnapshot:
        """The database as it is now, with the views published."""
        self._fresh.publish_views()
        return self._fresh.snapshot()

    def at_revision(self, revision: int) -> ServerSnapshot:
        """The database at a revision."""
        return self.latest().at_revision(revision)

    def at_effective_timestamp(self, ts: datetime) -> ServerSnapshot:
        """The database with only what had taken effect by then."""
        return self.latest().at_effective_timestamp(ts)

    def query_events(
        self,
        selector: EventSelector,
        options: QueryOptions | None = None,
        *,
        range: QueryRange | None = None,  # noqa: A002 - the contract's word
        direction: QueryDirection | None = None,
        limit: int | None = None,
    ) -> list[Event]:
        """The selected events."""
        return self._fresh.snapshot().query_events(
            selector, options, range=range, direction=direction, limit=limit
        )

    def all_events(self) -> list[Event]:
        """Every event, in the order of revisions."""
        return [event for each in self._fresh.log() for event in each.events]

    def view_state(
        self,
        name: str | StateViewName,
        version: int,
        params: ViewParameters | None = None,
        *,
        parameters: ViewParameters | None = None,
    ) -> StateView | None:
        """A state view; None where there is none, or no event modified it."""
        try:
            return self.latest().view_state(name, version, params, parameters=parameters)
        finally:
            self._place.check()

    def read(
        self,
        view: type[V],
        parameters: ViewParameters | None = None,
        *,
        revision: int | None = None,
        effective_at: datetime | str | None = None,
        speculated: Iterable[ProspectiveEvent] = (),
    ) -> V | None:
        """A view as an object of its class; the arguments are those of ``Database.read``."""
        if list(speculated):
            self._cannot("gRPC has no speculation; a rule that speculates does so on the server")
        rule = self.rules.view_for(view)
        database = self.latest()
        if revision is not None:
            database = database.at_revision(revision)
        if effective_at is not None:
            database = database.at_effective_timestamp(as_moment(effective_at, "effective_at"))
        try:
            found = database.view_state(rule.name, rule.definition.version, parameters)
        finally:
            self._place.check()
        return None if found is None else state_of(view, found)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or not hasattr(Database, name):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        self._cannot(f"a database of a server has no {name}")

    def _cannot(self, reason: str) -> NoReturn:
        hint = 'mark the test @pytest.mark.es_level("native", "sandbox", "component")'
        raise LevelUnavailable("server", reason, hint)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name} at {self._place.client.target}>"
