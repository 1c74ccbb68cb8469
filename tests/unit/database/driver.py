"""The database under the contract: a file that is closed and opened, its code in Python."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import evidentsource_runtime
from evidentsource_core import (
    AppendCondition,
    CommandRequest,
    Event,
    ProspectiveEvent,
    StateChangeDefinition,
    StateViewDefinition,
)
from evidentsource_core.rules import TransactionResult
from evidentsource_runtime.contract import DatabaseUnderTest
from evidentsource_runtime.contract.programs import ChangeProgram, ViewProgram
from evidentsource_runtime.database import Database, Snapshot


class DatabaseDriver(DatabaseUnderTest):
    missing: ClassVar = {}
    examples = 10

    def __init__(self, path: Path, now: datetime | None = None) -> None:
        self._path = path
        self._now = now
        self._attached: list[Callable[[Database], None]] = []
        self.database = evidentsource_runtime.open(path, clock=self._clock)

    def _clock(self) -> datetime:
        return datetime.now(UTC) if self._now is None else self._now

    @property
    def name(self) -> str:
        return self.database.name

    def latest(self) -> Snapshot:
        return self.database.latest()

    def at_revision(self, revision: int) -> Snapshot:
        return self.database.at_revision(revision)

    def transact(
        self,
        events: Sequence[ProspectiveEvent],
        conditions: Sequence[AppendCondition] = (),
        *,
        transaction_id: str | None = None,
    ) -> TransactionResult:
        return self.database.transact(events, conditions, transaction_id=transaction_id)

    def log(self, from_revision: int = 0) -> list[TransactionResult]:
        return list(self.database.log(from_revision))

    def close(self) -> None:
        self.database.close()

    def transaction(self, transaction_id: str) -> TransactionResult | None:
        return self.database.transaction(transaction_id)

    def event(self, stream: str, event_id: str) -> Event | None:
        return self.database.event(stream, event_id)

    def reopen(self) -> DatabaseDriver:
        self.close()
        again = type(self)(self._path, self._now)
        again._attached = self._attached
        for attach in self._attached:
            attach(again.database)
        return again

    def set_time(self, now: datetime) -> None:
        self._now = now

    def publish_view(
        self, definition: StateViewDefinition, program: ViewProgram
    ) -> StateViewDefinition:
        made = self.database.publish_state_view(definition, self.view_code(program))
        self._attached.append(
            lambda db: db.attach_state_view(made.name, made.version, self.view_code(program))
        )
        return made

    def publish_change(
        self, definition: StateChangeDefinition, program: ChangeProgram
    ) -> StateChangeDefinition:
        made = self.database.publish_state_change(definition, self.change_code(program))
        self._attached.append(
            lambda db: db.attach_state_change(made.name, made.version, self.change_code(program))
        )
        return made

    def view_code(self, program: ViewProgram) -> Any:
        return program.evolve

    def change_code(self, program: ChangeProgram) -> Any:
        return program.decide

    def execute(
        self,
        name: str,
        version: int,
        request: CommandRequest,
        *,
        last_seen_revision: int | None = None,
        transaction_id: str | None = None,
    ) -> int:
        result = self.database.execute(
            name,
            version,
            request,
            last_seen_revision=last_seen_revision,
            transaction_id=transaction_id,
        )
        return result.revision
