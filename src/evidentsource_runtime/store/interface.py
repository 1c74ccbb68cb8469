"""What a store is to everything above it: one database's events, in order, for good.

The rules are the platform's, as :mod:`evidentsource_core.reference` has them in memory. A store adds
that nothing acknowledged is lost, that results stream, and that a batch of events can be had as the
text that components fold (:mod:`evidentsource_functions.lane`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from types import TracebackType
from typing import Literal, Self, overload

from evidentsource_core.domain.constraints import AppendCondition
from evidentsource_core.domain.events import Event, ProspectiveEvent, TransactionSummary
from evidentsource_core.domain.queries import QueryOptions, QueryRange
from evidentsource_core.domain.selectors import EventSelector
from evidentsource_core.rules import TransactionResult

__all__ = ["EventStore", "Head", "Index", "LaneBatch", "TransactionRecord"]


@dataclass(frozen=True, slots=True)
class Head:
    """Where a database stands: a revision, and when it was recorded.

    Args:
        revision: 0 where there is no event.
        timestamp: in UTC, in whole microseconds; the database's creation for revision 0.
    """

    revision: int
    timestamp: datetime


@dataclass(frozen=True, slots=True)
class TransactionRecord:
    """A transaction in the log, without its events.

    Args:
        id: the id it was given, or one made for it.
        basis: the revision before its first event.
        revision: the revision of its last event.
        timestamp: when it was recorded.
    """

    id: str
    basis: int
    revision: int
    timestamp: datetime

    @property
    def summary(self) -> TransactionSummary:
        """The same as the domain's own value."""
        return TransactionSummary(self.revision, self.revision - self.basis, self.id)


@dataclass(frozen=True, slots=True)
class LaneBatch:
    """Events in the order of a query, as the text that a component's lane takes.

    Args:
        text: a JSON array of one array for each event: format version 1 of
            :mod:`evidentsource_functions.lane`.
        count: how many events.
        newest: the highest revision among them: in the order of effective time not the last one.
        rest: the range in which the query's remaining events lie; ask on with it.
    """

    text: str
    count: int
    newest: int
    rest: QueryRange


class Index(Enum):
    """What the values of can be listed."""

    STREAM = "stream"
    SUBJECT = "subject"
    EVENT_TYPE = "event_type"


class EventStore(ABC):
    """One database's events. Any number of threads may use one store.

    Everything that is read is read at one revision and never changes while it is read: what is
    committed meanwhile does not show. A generator holds nothing open between two of its items, so
    it may be left at any time.
    """

    # --- what it is ----------------------------------------------------------------------------

    @property
    @abstractmethod
    def name(self) -> str:
        """The database's name."""

    @property
    @abstractmethod
    def created_at(self) -> datetime:
        """When it was created, in UTC."""

    @property
    @abstractmethod
    def streams(self) -> str:
        """The URI under which its streams stand; with a slash behind, the lane's ``source``."""

    # --- revisions -----------------------------------------------------------------------------

    @abstractmethod
    def head(self) -> Head:
        """The latest revision."""

    @abstractmethod
    def at_revision(self, revision: int) -> Head:
        """A revision and when it was recorded.

        Raises:
            DatabaseAccessError: it is none, or lies after the latest.
        """

    @abstractmethod
    def at_time(self, recorded: datetime) -> Head | None:
        """The last revision that was recorded by then; None before the database's creation."""

    @abstractmethod
    def wait(self, after: int, timeout: float | None = None) -> Head:
        """The latest revision, as soon as it lies after ``after``.

        Args:
            after: the revision that is known.
            timeout: seconds to wait at most; None for as long as it takes.

        Returns:
            The head, which is not after ``after`` where the time ran out.
        """

    @abstractmethod
    def subscribe(self, told: Callable[[Head], None]) -> Callable[[], None]:
        """Have ``told`` called with the head after each commit, from the thread that made it.

        It is called in order, must return at once and not write to the store; several commits that
        were made durable together come as one call.

        Returns:
            A function that ends it.
        """

    # --- writing -------------------------------------------------------------------------------

    @abstractmethod
    def transact(
        self,
        events: Iterable[ProspectiveEvent],
        conditions: Iterable[AppendCondition] = (),
        *,
        transaction_id: str | None = None,
        fingerprint: bytes | None = None,
    ) -> TransactionResult:
        """Commit events, all or none, if every append condition holds. When it returns, they are safe.

        Args:
            events: at least one, in the order in which they are stored.
            conditions: each is checked by itself against the latest revision.
            transaction_id: committed again with the same events and conditions, it gives the
                result of the first time and writes nothing. None makes a new one.
            fingerprint: what the id stands for where that is not the events and conditions, but,
                say, the command that they were decided from: 1 to 64 bytes that are the same
                where the same was asked for.

        Raises:
            EmptyTransaction, TransactionTooLarge: too few or too many events, too many bytes.
            InvalidEvents: with every problem of every event, ids used before among them.
            InvalidConstraints: a condition is none.
            ConstraintViolations: with every condition that does not hold, in words.
            InvalidTransactionId: the id breaks the rule of event ids.
            DuplicateTransactionId: the id was used with other content.
            StoreError: the store cannot be written now; see ``store.errors``.
        """

    # --- reading events ------------------------------------------------------------------------

    @abstractmethod
    def query(
        self,
        selector: EventSelector,
        options: QueryOptions | None = None,
        *,
        revision: int | None = None,
        since: int = 0,
        effective_at: datetime | None = None,
    ) -> Iterator[Event]:
        """The selected events, one after the other.

        Args:
            selector: which events.
            options: range, direction and limit. Without a range they come in revision order, or in
                the order of effective time where ``effective_at`` is given.
            revision: the revision to read at; None for the latest.
            since: only events after this revision.
            effective_at: only events that had taken effect by then (included).

        Raises:
            InvalidType: an argument is none of its type; raised by the call itself.
            DatabaseAccessError: there is no such revision.
        """

    @abstractmethod
    def batches(
        self,
        selector: EventSelector,
        options: QueryOptions | None = None,
        *,
        revision: int | None = None,
        since: int = 0,
        effective_at: datetime | None = None,
        size: int = 1000,
    ) -> Iterator[LaneBatch]:
        """The events of :meth:`query` as the lane's text, ``size`` at once, or fewer large ones."""

    @abstractmethod
    def count(
        self,
        selector: EventSelector,
        *,
        revision: int | None = None,
        since: int = 0,
        effective_at: datetime | None = None,
    ) -> int:
        """How many events are selected."""

    @abstractmethod
    def highest(self, selector: EventSelector, *, revision: int | None = None) -> int:
        """The highest revision of a selected event, 0 where there is none: L of append conditions."""

    @abstractmethod
    def event(self, stream: str, event_id: str) -> Event | None:
        """The event of that id in that stream, if there is one."""

    @abstractmethod
    def events_at(self, revisions: Iterable[int]) -> Iterator[Event]:
        """The events of these revisions, in the order asked.

        Raises:
            DatabaseAccessError: one does not exist; raised where its turn comes.
        """

    @abstractmethod
    def keys(self, index: Index, prefix: str = "", *, revision: int | None = None) -> Iterator[str]:
        """Every value of an attribute that starts so, once each, in the order of its characters."""

    # --- transactions --------------------------------------------------------------------------

    @abstractmethod
    def transaction(
        self, transaction_id: str, *, fingerprint: bytes | None = None
    ) -> TransactionResult | None:
        """The transaction of that id with its events, if there is one.

        Raises:
            DuplicateTransactionId: its fingerprint is another than the one given.
        """

    @overload
    def log(
        self,
        from_revision: int = 0,
        to_revision: int | None = None,
        *,
        reverse: bool = False,
        detail: Literal[False] = False,
    ) -> Iterator[TransactionRecord]: ...
    @overload
    def log(
        self,
        from_revision: int = 0,
        to_revision: int | None = None,
        *,
        reverse: bool = False,
        detail: Literal[True],
    ) -> Iterator[TransactionResult]: ...
    @abstractmethod
    def log(
        self,
        from_revision: int = 0,
        to_revision: int | None = None,
        *,
        reverse: bool = False,
        detail: bool = False,
    ) -> Iterator[TransactionRecord] | Iterator[TransactionResult]:
        """The transactions that were committed from one revision to another.

        Args:
            from_revision: those whose last event is there or after.
            to_revision: those whose last event is there or before; None for the latest revision.
            reverse: newest first.
            detail: with their events.
        """

    # --- the end -------------------------------------------------------------------------------

    @abstractmethod
    def close(self) -> None:
        """Let go of everything. Whoever waits is told, and whatever is asked later is refused."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
