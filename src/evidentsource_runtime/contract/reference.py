"""The reference database, driven: the first to pass the contract, and an example of a driver."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import ClassVar

from evidentsource_core import (
    AppendCondition,
    CommandRequest,
    Event,
    ProspectiveEvent,
    StateChangeDefinition,
    StateViewDefinition,
)
from evidentsource_core.reference import DatabaseSnapshot, ReferenceDatabase, TransactionResult
from evidentsource_runtime.contract.driver import Capability, DatabaseUnderTest
from evidentsource_runtime.contract.programs import ChangeProgram, ViewProgram


class ReferenceDriver(DatabaseUnderTest):
    """Drives a :class:`~evidentsource_core.reference.ReferenceDatabase`."""

    missing: ClassVar = {Capability.REOPEN: "it lives in memory and is gone when it is closed"}

    def __init__(self, name: str = "bank") -> None:
        self._now: datetime | None = None
        self.database = ReferenceDatabase(name, clock=self._clock)

    def _clock(self) -> datetime:
        return datetime.now(UTC) if self._now is None else self._now

    @property
    def name(self) -> str:
        """The database's name."""
        return self.database.name

    def latest(self) -> DatabaseSnapshot:
        """The database as it is now."""
        return self.database.latest()

    def at_revision(self, revision: int) -> DatabaseSnapshot:
        """The database at a revision."""
        return self.database.at_revision(revision)

    def transact(
        self,
        events: Sequence[ProspectiveEvent],
        conditions: Sequence[AppendCondition] = (),
        *,
        transaction_id: str | None = None,
    ) -> TransactionResult:
        """Commit events."""
        return self.database.transact(events, conditions, transaction_id=transaction_id)

    def log(self, from_revision: int = 0) -> list[TransactionResult]:
        """Every transaction from a revision on."""
        return self.database.log(from_revision)

    def transaction(self, transaction_id: str) -> TransactionResult | None:
        """The transaction of that id."""
        return self.database.transaction(transaction_id)

    def event(self, stream: str, event_id: str) -> Event | None:
        """The event of that id."""
        return self.database.event(stream, event_id)

    def set_time(self, now: datetime) -> None:
        """Set the clock."""
        self._now = now

    def publish_view(
        self, definition: StateViewDefinition, program: ViewProgram
    ) -> StateViewDefinition:
        """Publish a view as a Python function."""
        return self.database.publish_state_view(definition, program.evolve)

    def publish_change(
        self, definition: StateChangeDefinition, program: ChangeProgram
    ) -> StateChangeDefinition:
        """Publish a change as a Python function."""
        return self.database.publish_state_change(definition, program.decide)

    def execute(
        self,
        name: str,
        version: int,
        request: CommandRequest,
        *,
        last_seen_revision: int | None = None,
        transaction_id: str | None = None,
    ) -> int:
        """Execute a change."""
        result = self.database.execute(
            name,
            version,
            request,
            last_seen_revision=last_seen_revision,
            transaction_id=transaction_id,
        )
        return result.revision
