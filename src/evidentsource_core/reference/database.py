"""The reference database: the platform's rules, written to be read."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from threading import Lock

from evidentsource_core.domain.checks import check_events, items
from evidentsource_core.domain.constraints import AppendCondition
from evidentsource_core.domain.definitions import StateChangeDefinition, StateViewDefinition
from evidentsource_core.domain.errors import (
    DuplicateTransactionId,
    InvalidTimestamp,
    InvalidType,
    InvalidValue,
)
from evidentsource_core.domain.events import Event, ProspectiveEvent
from evidentsource_core.domain.identifiers import DatabaseName, StateChangeName
from evidentsource_core.domain.state_change import Command, CommandRequest, StateChangeMetadata
from evidentsource_core.reference._changes import (
    Changes,
    Decide,
    Request,
    StateChangeResult,
)
from evidentsource_core.reference._history import Committed
from evidentsource_core.reference._log import Log
from evidentsource_core.reference._records import store
from evidentsource_core.reference._restore import restored
from evidentsource_core.reference._views import Evolve, Views
from evidentsource_core.reference.snapshots import DatabaseSnapshot, Home
from evidentsource_core.rules import (
    MAX_BYTES,
    MAX_EVENTS,
    Limits,
    TransactionResult,
    check_conditions,
    check_holds,
    check_transaction_id,
    streams_uri,
)
from evidentsource_core.times import from_parts, in_utc, require_aware, to_parts


class ReferenceDatabase:
    """A database in memory that keeps the platform's rules to the letter.

    It is what every other database of this project is compared with, and what tests run on. One
    reads through snapshots (:meth:`latest`, :meth:`at_revision`), which never change, and writes
    through :meth:`transact` and :meth:`execute`. Any number of threads may do both.

    Args:
        name: the database's name.
        host: the host in the ``source`` of its events.
        clock: what tells the time of a commit; it needs a time zone. The system's by default.
        created_at: when it was created, in whole microseconds; now by default.
        max_events: events that one transaction may have.
        max_bytes: bytes that one transaction may have.
        view_batch_size: how many events a state view is given at once.

    >>> from evidentsource_core import Constraint, ProspectiveEvent, Selector
    >>> database = ReferenceDatabase("bank")
    >>> opened = ProspectiveEvent("e-1", "accounts", "account.opened", subject="a-1")
    >>> database.transact([opened], [Constraint.must_not_exist(Selector.subject("a-1"))]).revision
    1
    >>> [event.id for event in database.latest().query_events(Selector.stream("accounts"))]
    ['e-1']
    """

    def __init__(
        self,
        name: str | DatabaseName = "bank",
        *,
        host: str = "localhost",
        clock: Callable[[], datetime] | None = None,
        created_at: datetime | None = None,
        max_events: int = MAX_EVENTS,
        max_bytes: int = MAX_BYTES,
        view_batch_size: int = 1000,
    ) -> None:
        checked = str(name if isinstance(name, DatabaseName) else DatabaseName(name))
        if view_batch_size < 1:
            raise InvalidValue("view_batch_size", f"{view_batch_size} is less than 1")
        self._clock = _system_clock if clock is None else clock
        born = self._now() if created_at is None else _microseconds("created_at", created_at)
        if created_at is not None and born != created_at:
            raise InvalidTimestamp("created_at", "has nanoseconds; a database counts microseconds")
        self._limits = Limits(max_events, max_bytes)
        self._views = Views()
        self._changes = Changes()
        streams = streams_uri(host, checked)
        self._home = Home(checked, streams, born, self._views, view_batch_size)
        # Guards everything below and what is published. A commit holds it from the first look at
        # the log to the last write, which is what makes a transaction atomic.
        self._lock = Lock()
        self._latest = Committed(Log(), 0, 0, born)
        self._transactions: list[TransactionResult] = []
        self._by_id: dict[str, tuple[object, TransactionResult]] = {}

    @property
    def name(self) -> str:
        """The name."""
        return self._home.name

    @property
    def created_at(self) -> datetime:
        """When it was created, in UTC."""
        return self._home.created_at

    @property
    def streams(self) -> str:
        """The URI under which the streams of its events stand."""
        return self._home.streams

    # --- reading -------------------------------------------------------------------------------

    def latest(self) -> DatabaseSnapshot:
        """The database as it is now."""
        return DatabaseSnapshot(self._home, self._latest, None)

    def at_revision(self, revision: int) -> DatabaseSnapshot:
        """The database at a revision.

        Raises:
            DatabaseAccessError: there is no such revision yet.
        """
        return self.latest().at_revision(revision)

    def log(self, from_revision: int = 0) -> list[TransactionResult]:
        """Every transaction committed at or after a revision, oldest first."""
        with self._lock:
            return [each for each in self._transactions if each.revision >= from_revision]

    def transaction(self, transaction_id: str) -> TransactionResult | None:
        """The transaction of that id, if there is one."""
        with self._lock:
            found = self._by_id.get(transaction_id)
        return None if found is None else found[1]

    def event(self, stream: str, event_id: str) -> Event | None:
        """The event of that id in that stream, if there is one."""
        record = self._latest.log.find(stream, event_id)
        return None if record is None else record.event

    # --- writing -------------------------------------------------------------------------------

    def transact(
        self,
        events: Iterable[ProspectiveEvent],
        conditions: Iterable[AppendCondition] = (),
        *,
        transaction_id: str | None = None,
    ) -> TransactionResult:
        """Commit events, all or none, if every append condition holds.

        Args:
            events: at least one, in the order in which they are stored.
            conditions: each is checked by itself against the latest revision.
            transaction_id: committed again with the same events and conditions, it gives the
                result of the first time and writes nothing. None makes a new one.

        Raises:
            EmptyTransaction, TransactionTooLarge: too few or too many events, too many bytes.
            InvalidEvents: with every problem of every event, ids used before among them.
            InvalidConstraints: a condition is none.
            ConstraintViolations: with every condition that does not hold, in words.
            InvalidTransactionId: the id breaks the rule of event ids.
            DuplicateTransactionId: the id was used with other content.
        """
        content = (tuple(items("events", events)), tuple(items("conditions", conditions)))
        return self._commit(content[0], content[1], transaction_id, content)

    def _commit(
        self,
        events: tuple[object, ...],
        conditions: tuple[object, ...],
        transaction_id: str | None,
        content: object,
    ) -> TransactionResult:
        if transaction_id is None:
            transaction_id = str(uuid.uuid4())
        else:
            check_transaction_id(transaction_id)
        with self._lock:
            before = self._committed_before(transaction_id, content)
            if before is not None:
                return before
            self._limits.check_count(events)
            valid = check_events(events, self._latest.log.has)
            self._limits.check_size(valid)
            check_holds(check_conditions(conditions), self._latest.highest)
            result = self._write(valid, transaction_id)
            self._by_id[transaction_id] = (content, result)
            return result

    def _committed_before(self, transaction_id: str, content: object) -> TransactionResult | None:
        """What the id was committed with; ``content`` is all that the caller asked for then."""
        found = self._by_id.get(transaction_id)
        if found is None:
            return None
        if found[0] != content:
            raise DuplicateTransactionId(transaction_id)
        return found[1]

    def _write(
        self, events: tuple[ProspectiveEvent, ...], transaction_id: str
    ) -> TransactionResult:
        basis = self._latest
        recorded_at = max(self._now(), basis.revision_timestamp)
        records = [
            store(event, self._home.streams, revision, recorded_at)
            for revision, event in enumerate(events, basis.revision + 1)
        ]
        basis.log.append(records)
        revision = basis.revision + len(records)
        self._latest = Committed(basis.log, len(basis.log.records), revision, recorded_at)
        stored = tuple(record.event for record in records)
        result = TransactionResult(transaction_id, basis.revision, revision, recorded_at, stored)
        self._transactions.append(result)
        return result

    def restore(
        self,
        events: Iterable[Event],
        *,
        revision: int | None = None,
        revision_timestamp: datetime | None = None,
    ) -> None:
        """Take over stored events as they are, behind the last revision.

        They need not be all there were: revisions may be missing between them, and before the
        first. The log of transactions does not list them.

        Args:
            events: in revision order, each with its ``sequence`` and ``recordedtime``.
            revision: where the database stands then; the revision of the last event by default.
            revision_timestamp: when that revision was recorded; when the last event was, by
                default.

        Raises:
            InvalidEvents: an event breaks the rules of events, or says that it lies before what
                the database has; with every problem. Nothing is taken over then.
            InvalidValue: ``revision`` or ``revision_timestamp`` lies before the last event.
        """
        moment = revision_timestamp
        if moment is not None:
            moment = in_utc(require_aware("revision_timestamp", moment))
        with self._lock:
            found = items("events", events)
            self._latest = restored(self._latest, found, revision, moment)

    # --- components ----------------------------------------------------------------------------

    def publish_state_view(
        self, definition: StateViewDefinition, evolve: Evolve
    ) -> StateViewDefinition:
        """Publish a state view; the definition as it stands, with its version.

        It can be read at every revision, also at those before it was published.

        Args:
            definition: what it is; its version is ignored and assigned, the first is 1.
            evolve: its code: the content so far and the next events in, the content out.
        """
        with self._lock:
            return self._views.publish(definition, evolve)

    def publish_state_change(
        self, definition: StateChangeDefinition, decide: Decide
    ) -> StateChangeDefinition:
        """Publish a state change; the definition as it stands, with its version.

        Args:
            definition: what it is; its version is ignored and assigned, the first is 1.
            decide: its code: a database, the command and its metadata in, events and append
                conditions out.
        """
        with self._lock:
            return self._changes.publish(definition, decide)

    def execute(
        self,
        name: str | StateChangeName,
        version: int | None,
        request: Command | CommandRequest,
        *,
        last_seen_revision: int | None = None,
        transaction_id: str | None = None,
        received_at: datetime | None = None,
        headers: Iterable[tuple[str, str]] = (),
    ) -> StateChangeResult:
        """Run a state change and commit what it decides, as one transaction with its conditions.

        Whatever the decision raises goes to the caller, and nothing is written.

        Args:
            name: the state change.
            version: its version; None for the latest.
            request: the command.
            last_seen_revision: the revision to decide on; None for the latest.
            transaction_id: executed again with the same state change, version and command, it
                gives the result of the first time and decides nothing. None makes a new one. An
                execution that wrote nothing leaves the id unused.
            received_at: when the command arrived; now by default.
            headers: what came with it, behind the request's own headers.

        Raises:
            StateChangeNotFound: it was never published.
            StateChangeExecutionError: the decision is not (events, conditions).
            DatabaseAccessError: ``last_seen_revision`` does not exist yet.
            TransactionError: as in :meth:`transact`.
        """
        asked = Request.of(request, headers)
        content = ("execute", str(name), version, asked.command)
        with self._lock:
            change = self._changes.find(str(name), version)
            if transaction_id is not None:
                check_transaction_id(transaction_id)
                before = self._committed_before(transaction_id, content)
                if before is not None:
                    return StateChangeResult(before.revision, before)
        seen = self.latest()
        snapshot = seen if last_seen_revision is None else seen.at_revision(last_seen_revision)
        metadata = StateChangeMetadata(
            str(name),
            change.definition.version,
            snapshot.revision,
            self._now() if received_at is None else received_at,
            asked.headers,
        )
        events, conditions = change.decision(snapshot, asked.command, metadata)
        decided = tuple(items("events", events))
        checked = tuple(items("conditions", conditions))
        if not decided:
            return StateChangeResult(snapshot.revision, None)
        result = self._commit(decided, checked, transaction_id, content)
        return StateChangeResult(result.revision, result)

    def _now(self) -> datetime:
        return _microseconds("clock", self._clock())

    def __repr__(self) -> str:
        return f"<ReferenceDatabase {self.name} at revision {self._latest.revision}>"


def _system_clock() -> datetime:
    return datetime.now(UTC)


def _microseconds(field: str, moment: object) -> datetime:
    """``moment`` in UTC, cut off at the microsecond."""
    if not isinstance(moment, datetime):
        raise InvalidType(field, "a datetime", moment)
    seconds, nanoseconds = to_parts(moment, field)
    return from_parts(seconds, nanoseconds - nanoseconds % 1000, field)
