"""The store, driven as the contract wants it: what it has, without views, changes and speculation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from evidentsource_core import (
    AppendCondition,
    Event,
    EventSelector,
    ProspectiveEvent,
    QueryOptions,
)
from evidentsource_core.domain.checks import check_earlier
from evidentsource_core.domain.queries import merged_options
from evidentsource_core.rules import TransactionResult
from evidentsource_core.times import require_aware
from evidentsource_runtime.contract import Capability, DatabaseUnderTest
from evidentsource_runtime.store import Head, SqliteStore

_ABOVE = "it is built on top of the store"


@dataclass(frozen=True)
class Snapshot:
    """The store at one revision."""

    store: SqliteStore
    head: Head
    effective_timestamp: datetime | None = None

    @property
    def name(self) -> str:
        return self.store.name

    @property
    def created_at(self) -> datetime:
        return self.store.created_at

    @property
    def revision(self) -> int:
        return self.head.revision

    @property
    def revision_timestamp(self) -> datetime:
        return self.head.timestamp

    def query_events(
        self, selector: EventSelector, options: QueryOptions | None = None, **more: Any
    ) -> list[Event]:
        asked = merged_options(options, **more)
        revision, effective_at = self.head.revision, self.effective_timestamp
        return list(self.store.query(selector, asked, revision=revision, effective_at=effective_at))

    def query_events_with_options(
        self, selector: EventSelector, options: QueryOptions
    ) -> list[Event]:
        return self.query_events(selector, options)

    def at_revision(self, revision: int) -> Snapshot:
        return replace(
            self, head=self.store.at_revision(check_earlier(revision, self.head.revision))
        )

    def at_effective_timestamp(self, timestamp: datetime) -> Snapshot:
        return replace(self, effective_timestamp=require_aware("timestamp", timestamp))

    def speculate_with_transaction(self, events: Iterable[ProspectiveEvent]) -> Any:
        raise NotImplementedError

    def view_state(self, name: Any, version: int, parameters: Any = None) -> Any:
        raise NotImplementedError


class StoreDriver(DatabaseUnderTest):
    """Drives a :class:`~evidentsource_runtime.store.SqliteStore` in a folder of its own."""

    missing: ClassVar = {
        Capability.SPECULATION: _ABOVE,
        Capability.VIEWS: _ABOVE,
        Capability.CHANGES: _ABOVE,
    }

    examples: ClassVar = 10

    def __init__(self, folder: str, now: datetime | None = None) -> None:
        self._folder = folder
        self._now = now
        # Without waiting for the disk: what that is for is the matter of tests/crash.
        self.store = SqliteStore.open(
            Path(self._folder) / "bank.db", clock=self._clock, synchronous="NORMAL"
        )

    def _clock(self) -> datetime:
        return datetime.now(UTC) if self._now is None else self._now

    @property
    def name(self) -> str:
        return self.store.name

    def latest(self) -> Snapshot:
        return Snapshot(self.store, self.store.head())

    def at_revision(self, revision: int) -> Snapshot:
        return self.latest().at_revision(revision)

    def transact(
        self,
        events: Sequence[ProspectiveEvent],
        conditions: Sequence[AppendCondition] = (),
        *,
        transaction_id: str | None = None,
    ) -> TransactionResult:
        return self.store.transact(events, conditions, transaction_id=transaction_id)

    def log(self, from_revision: int = 0) -> list[TransactionResult]:
        return list(self.store.log(from_revision, detail=True))

    def transaction(self, transaction_id: str) -> TransactionResult | None:
        return self.store.transaction(transaction_id)

    def event(self, stream: str, event_id: str) -> Event | None:
        return self.store.event(stream, event_id)

    def reopen(self) -> StoreDriver:
        self.close()
        return StoreDriver(self._folder, self._now)

    def set_time(self, now: datetime) -> None:
        self._now = now

    def close(self) -> None:
        self.store.close()
