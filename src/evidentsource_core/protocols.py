"""What a database looks like to a client: asynchronous, one small protocol for each role.

The synchronous view that a ``decide`` is given stands in ``evidentsource_functions.state_change``.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from evidentsource_core.domain.identifiers import DatabaseName, StateChangeName, StateViewName
from evidentsource_core.domain.revision import Revision
from evidentsource_core.domain.state_change import StateChangeVersion
from evidentsource_core.domain.state_view import StateView, StateViewVersion

if TYPE_CHECKING:
    from evidentsource_core.domain.constraints import AppendCondition
    from evidentsource_core.domain.events import (
        Event,
        ProspectiveEvent,
        Transaction,
        TransactionSummary,
    )
    from evidentsource_core.domain.selectors import EventAttribute, EventSelector, QueryOptions


@runtime_checkable
class DatabaseIdentity(Protocol):
    """Which database it is."""

    @property
    @abstractmethod
    def name(self) -> DatabaseName:
        """Its name."""
        ...

    @property
    @abstractmethod
    def created_at(self) -> datetime:
        """When it was created."""
        ...


@runtime_checkable
class DatabaseAtRevision(DatabaseIdentity, Protocol):
    """A database as of one revision: it never changes."""

    @property
    @abstractmethod
    def revision(self) -> Revision:
        """The revision."""
        ...

    @property
    @abstractmethod
    def revision_timestamp(self) -> datetime:
        """When that revision was recorded."""
        ...

    @abstractmethod
    def query_events(self, selector: EventSelector) -> AsyncIterator[Event]:
        """The selected events, oldest first."""
        ...

    @abstractmethod
    def query_events_with_options(
        self, selector: EventSelector, options: QueryOptions
    ) -> AsyncIterator[Event]:
        """The selected events, in the direction, range and number asked for."""
        ...

    @abstractmethod
    async def view_state(self, name: StateViewName, version: StateViewVersion) -> StateView:
        """A state view without parameters."""
        ...

    @abstractmethod
    async def view_state_with_params(
        self,
        name: StateViewName,
        version: StateViewVersion,
        params: list[tuple[str, EventAttribute]],
    ) -> StateView:
        """A state view with its parameters bound."""
        ...

    @abstractmethod
    async def at_revision(self, revision: Revision) -> DatabaseAtRevision:
        """The same database as of another revision."""
        ...

    @abstractmethod
    def at_effective_timestamp(
        self, effective_timestamp: datetime
    ) -> DatabaseAtRevisionAndEffectiveTimestamp:
        """Only what had taken effect by then."""
        ...

    @abstractmethod
    def speculate_with_transaction(self, events: list[ProspectiveEvent]) -> SpeculativeDatabase:
        """The database as if ``events`` had been committed."""
        ...


@runtime_checkable
class DatabaseAtRevisionAndEffectiveTimestamp(DatabaseAtRevision, Protocol):
    """A database as of one revision, with only what had taken effect by a time."""

    @property
    @abstractmethod
    def basis(self) -> DatabaseAtRevision:
        """The database without the bound on effective time."""
        ...

    @property
    @abstractmethod
    def effective_timestamp(self) -> datetime:
        """The bound, included."""
        ...

    @abstractmethod
    async def at_revision_with_effective_timestamp(
        self, revision: Revision
    ) -> DatabaseAtRevisionAndEffectiveTimestamp:
        """The same bound as of another revision."""
        ...


@runtime_checkable
class SpeculativeDatabase(DatabaseAtRevision, Protocol):
    """A database with events that were never committed."""

    @property
    @abstractmethod
    def basis(self) -> DatabaseAtRevision:
        """The database without them."""
        ...

    @property
    @abstractmethod
    def speculated_transactions(self) -> list[list[ProspectiveEvent]]:
        """The events, one list for each call that added some."""
        ...

    @property
    @abstractmethod
    def speculated_event_count(self) -> int:
        """How many there are."""
        ...


@runtime_checkable
class DatabaseProvider(DatabaseIdentity, Protocol):
    """Gives a database as of the revisions and times one asks for."""

    @abstractmethod
    def local_database(self) -> DatabaseAtRevision:
        """The latest revision known here, without asking anyone."""
        ...

    @abstractmethod
    async def latest_database(self) -> DatabaseAtRevision:
        """The latest revision there is."""
        ...

    @abstractmethod
    async def database_at_revision(self, revision: Revision) -> DatabaseAtRevision:
        """That revision, as soon as it exists."""
        ...

    @abstractmethod
    async def database_at_timestamp(self, revision_timestamp: datetime) -> DatabaseAtRevision:
        """What had been recorded by then."""
        ...


@runtime_checkable
class DatabaseConnection(DatabaseProvider, Protocol):
    """Reads and writes one database."""

    @abstractmethod
    async def transact(
        self, events: list[ProspectiveEvent], constraints: list[AppendCondition] | None = None
    ) -> DatabaseAtRevision:
        """Commit events if every constraint holds; the database after it."""
        ...

    @abstractmethod
    async def transact_with_id(
        self,
        transaction_id: str,
        events: list[ProspectiveEvent],
        constraints: list[AppendCondition] | None = None,
    ) -> DatabaseAtRevision:
        """The same with an id: committed again, it changes nothing."""
        ...

    @abstractmethod
    async def execute_state_change(
        self, name: StateChangeName, version: StateChangeVersion, request: object
    ) -> DatabaseAtRevision:
        """Run a state change and commit what it decides."""
        ...

    @abstractmethod
    def log(self) -> AsyncIterator[TransactionSummary]:
        """Every transaction, oldest first."""
        ...

    @abstractmethod
    def log_from(self, from_revision: Revision) -> AsyncIterator[TransactionSummary]:
        """Every transaction committed at or after a revision."""
        ...

    @abstractmethod
    def log_detail(self) -> AsyncIterator[Transaction]:
        """Every transaction with its events."""
        ...

    @abstractmethod
    def log_detail_from(self, from_revision: Revision) -> AsyncIterator[Transaction]:
        """Every transaction committed at or after a revision, with its events."""
        ...


@runtime_checkable
class DatabaseCatalog(Protocol):
    """Knows which databases there are."""

    @abstractmethod
    def list_databases(self) -> AsyncIterator[DatabaseName]:
        """Their names."""
        ...

    @abstractmethod
    async def create_database(self, name: DatabaseName) -> DatabaseIdentity:
        """Create one."""
        ...

    @abstractmethod
    async def delete_database(self, name: DatabaseName) -> None:
        """Delete one."""
        ...
