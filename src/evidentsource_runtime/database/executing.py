"""State changes: a decision on one revision, committed as one transaction with its conditions.

A commit loses a race where a condition that held at the revision decided on holds no more. Where the
caller left the choice of the revision to the database, it decides once more on the latest one, since
nobody has seen the first decision; where the caller named the revision, it is told.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import apsw

from evidentsource_core.domain.checks import items
from evidentsource_core.domain.constraints import AppendCondition
from evidentsource_core.domain.errors import (
    ConstraintViolations,
    InvalidType,
    InvalidValue,
)
from evidentsource_core.domain.state_change import Command, CommandRequest, StateChangeMetadata
from evidentsource_core.reference import StateChangeResult
from evidentsource_core.rules import TransactionResult
from evidentsource_runtime.database.catalog import PublishedChange
from evidentsource_runtime.database.programs import ChangeProgram
from evidentsource_runtime.database.snapshots import Home, Snapshot
from evidentsource_runtime.database.traces import Reads, Trace, kept_headers
from evidentsource_runtime.database.views import Point
from evidentsource_runtime.store import SqliteStore, TransactionRecord

__all__ = ["ATTEMPTS", "Execution", "Request", "trace_writer"]

ATTEMPTS: Final = 16
"""Decisions that one command may take, unless it is told otherwise."""
_INSERT: Final = "INSERT INTO database_trace (revision, trace) VALUES (?, ?)"


@dataclass(frozen=True, slots=True)
class Request:
    """A command on its way to a state change, in whichever form it came.

    Args:
        name: the state change.
        version: its version, None for the latest.
        command: the command.
        headers: what came with it.
        transaction_id: the id of the transaction that it is to become, if it has one.
        last_seen: the revision to decide on, None for the latest.
        received_at: when it came.
        principal: who asks.
        attempts: how many decisions it may take.
    """

    name: str
    version: int | None
    command: Command
    headers: tuple[tuple[str, str], ...]
    transaction_id: str | None
    last_seen: int | None
    received_at: datetime
    principal: Mapping[str, Any] | None
    attempts: int

    def __post_init__(self) -> None:
        attempts: object = self.attempts
        if isinstance(attempts, bool) or not isinstance(attempts, int):
            raise InvalidType("attempts", "int", attempts)
        if attempts < 1:
            raise InvalidValue("attempts", f"a command takes at least 1 decision, got {attempts}")

    @property
    def fingerprint(self) -> bytes:
        """What its transaction id stands for: the state change, version and command."""
        command = self.command
        facts = [self.name, self.version, command.content_type, command.content_schema]
        digest = hashlib.blake2b(json.dumps(["execute", *facts]).encode(), digest_size=32)
        digest.update(b"-" if command.body is None else b"+" + command.body)
        return digest.digest()


def command_of(request: Command | CommandRequest) -> Command:
    """The command of a request. Without a content type it is JSON."""
    if isinstance(request, Command):
        return request
    if not isinstance(request, CommandRequest):
        raise InvalidType("request", "Command or CommandRequest", request)
    content_type = request.content_type or request.get_header("Content-Type")
    return Command(request.body, content_type or "application/json", request.content_schema)


def headers_of(
    request: Command | CommandRequest, headers: Iterable[tuple[str, str]]
) -> tuple[tuple[str, str], ...]:
    """A request's own headers come first."""
    own = () if isinstance(request, Command) else request.headers
    return (*own, *headers)


def trace_writer(trace: Trace) -> Any:
    """What writes a trace beside its transaction."""

    def write(db: apsw.Connection, record: TransactionRecord) -> None:
        db.execute(_INSERT, (record.revision, trace.to_text()))

    return write


class Execution:
    """One command.

    Args:
        store: the file.
        home: what its snapshots share.
        change: the state change.
        program: its code.
        request: the command.
    """

    def __init__(
        self,
        store: SqliteStore,
        home: Home,
        change: PublishedChange,
        program: ChangeProgram,
        request: Request,
    ) -> None:
        self._store = store
        self._home = home
        self._change = change
        self._program = program
        self._request = request
        self._began = time.perf_counter()

    def run(self) -> StateChangeResult:
        """Decide and commit, again where a race was lost."""
        attempt = 1
        while True:
            reads = Reads()
            snapshot = self._snapshot(reads)
            events, conditions = self._decide(snapshot)
            if not events:
                return StateChangeResult(snapshot.revision, None)
            try:
                result = self._commit(events, conditions, self._trace(snapshot, reads, attempt))
            except ConstraintViolations:
                if attempt >= self._request.attempts or not self._lost(snapshot, conditions):
                    raise
                attempt += 1
            else:
                return StateChangeResult(result.revision, result)

    def _snapshot(self, reads: Reads) -> Snapshot:
        latest = Snapshot(replace(self._home, reads=reads), Point(self._store.head()))
        seen = self._request.last_seen
        return latest if seen is None else latest.at_revision(seen)

    def _decide(self, snapshot: Snapshot) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        request = self._request
        metadata = StateChangeMetadata(
            request.name,
            self._change.definition.version,
            snapshot.revision,
            request.received_at,
            request.headers,
        )
        events, conditions = self._program.decide(snapshot, request.command, metadata)
        return tuple(items("events", events)), tuple(items("conditions", conditions))

    def _commit(
        self, events: tuple[Any, ...], conditions: tuple[Any, ...], trace: Trace
    ) -> TransactionResult:
        request = self._request
        return self._store.transact(
            events,
            conditions,
            transaction_id=request.transaction_id,
            fingerprint=request.fingerprint,
            also=trace_writer(trace),
        )

    def _lost(self, snapshot: Snapshot, conditions: tuple[AppendCondition, ...]) -> bool:
        """Whether the conditions held when it was decided, so that only a race can be to blame."""
        if self._request.last_seen is not None:
            return False
        return all(
            each.holds(self._store.highest(each.selector, revision=snapshot.revision))
            for each in conditions
        )

    def _trace(self, snapshot: Snapshot, reads: Reads, attempt: int) -> Trace:
        request = self._request
        return Trace(
            transaction_id="",
            revision=0,
            state_change=request.name,
            version=self._change.definition.version,
            origin=self._program.origin,
            command=request.command,
            headers=kept_headers(request.headers),
            principal=request.principal,
            received_at=request.received_at,
            decided_on=snapshot.revision,
            last_seen=request.last_seen,
            attempts=attempt,
            views=tuple(reads.views),
            queries=tuple(reads.queries),
            seconds=round(time.perf_counter() - self._began, 6),
        )
