"""A database behind the gRPC interface, driven as the contract for databases asks for."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any, ClassVar

from evidentsource_core import (
    AppendCondition,
    CommandRequest,
    Event,
    ProspectiveEvent,
    StateChangeDefinition,
    StateViewDefinition,
)
from evidentsource_core.domain import errors
from evidentsource_core.domain.checks import items
from evidentsource_core.domain.identifiers import stream_of
from evidentsource_core.reference import TransactionResult
from evidentsource_core.rules import check_conditions
from evidentsource_runtime.contract import Capability, DatabaseUnderTest
from evidentsource_runtime.contract.programs import ChangeProgram, ViewProgram
from evidentsource_runtime.server import Server
from evidentsource_runtime.server.protobuf.events import event_from, prospective_to
from evidentsource_runtime.server.protobuf.selectors import condition_to
from evidentsource_runtime.server.protobuf.transactions import committed_from
from evidentsource_runtime.server.protobuf.writes import execution_to
from evidentsource_runtime.server.service import Execution
from evidentsource_runtime.server.testing import Client, ServerSnapshot
from tests.server.conftest import SOMEBODY

_numbers = count(1)


class GrpcDriver(DatabaseUnderTest):
    """A new database of a server."""

    missing: ClassVar = {
        Capability.SPECULATION: "the contract of gRPC has no speculation",
        Capability.PROBLEMS: "trailers have no room for every problem",
        Capability.REOPEN: "the server goes on",
        Capability.CLOCK: "the server's clock is the system's",
    }
    examples: ClassVar = 5

    def __init__(self, server: Server, client: Client) -> None:
        self._server = server
        self._client = client
        self._name = f"contract-{next(_numbers)}"
        self._client.ask("CreateDatabase", database_name=self._name)

    @property
    def name(self) -> str:
        return self._name

    def latest(self) -> Any:
        return ServerSnapshot.latest(self._client, self._name)

    def at_revision(self, revision: int) -> Any:
        return self.latest().at_revision(revision)

    def transact(
        self,
        events: Sequence[ProspectiveEvent],
        conditions: Sequence[AppendCondition] = (),
        *,
        transaction_id: str | None = None,
    ) -> TransactionResult:
        proposed: list[Any] = list(items("events", events))
        for each in proposed:
            if not isinstance(each, ProspectiveEvent):
                raise errors.InvalidEvents([errors.InvalidType("events", "ProspectiveEvent", each)])
            # What has no form on the wire cannot be sent, and so is not the server's to refuse.
            problems = [*each.extensions.problems()]
            if problems or stream_of(each.stream) != each.stream:
                raise errors.InvalidEvents(problems or [errors.InvalidStreamName(each.stream)])
        if transaction_id == "":
            raise errors.InvalidTransactionId("")
        result = self._client.ask(
            "Transact",
            database_name=self._name,
            events=map(prospective_to, proposed),
            conditions=map(condition_to, check_conditions(conditions)),
            transaction_id=transaction_id,
        ).result
        found = self.transaction(result.transaction_summary.id)
        assert found is not None
        return found

    def log(self, from_revision: int = 0) -> list[TransactionResult]:
        replies = self._client.ask(
            "ScanDatabaseLog",
            database_name=self._name,
            start_at_revision=from_revision,
            include_event_detail=True,
        )
        return [_result(reply.detail) for reply in replies]

    def transaction(self, transaction_id: str) -> TransactionResult | None:
        try:
            reply = self._client.ask(
                "FetchTransactionById", database_name=self._name, transaction_id=transaction_id
            )
        except errors.EvidentSourceError:
            return None
        return _result(reply.transaction)

    def event(self, stream: str, event_id: str) -> Event | None:
        try:
            reply = self._client.ask(
                "EventById",
                database_name=self._name,
                revision=self.latest().revision,
                stream=stream,
                event_id=event_id,
            )
        except errors.EvidentSourceError:
            return None
        return event_from(reply.detail, "event")

    def publish_view(
        self, definition: StateViewDefinition, program: ViewProgram
    ) -> StateViewDefinition:
        publish = self._server.service.views.publish_state_view
        return self._server.ask(publish(SOMEBODY, self._name, definition, program.evolve))

    def publish_change(
        self, definition: StateChangeDefinition, program: ChangeProgram
    ) -> StateChangeDefinition:
        publish = self._server.service.views.publish_state_change
        return self._server.ask(publish(SOMEBODY, self._name, definition, program.decide))

    def execute(
        self,
        name: str,
        version: int,
        request: CommandRequest,
        *,
        last_seen_revision: int | None = None,
        transaction_id: str | None = None,
    ) -> int:
        asked = Execution(self._name, name, version, request, last_seen_revision, transaction_id)
        reply = self._client.send("ExecuteStateChange", execution_to(asked))
        revision: int = reply.result.transaction_summary.revision
        return revision

    def close(self) -> None:
        self._client.ask("DeleteDatabase", database_name=self._name)


def _result(message: Any) -> TransactionResult:
    committed = committed_from(message)
    summary = committed.summary
    return TransactionResult(
        summary.id, summary.basis, summary.revision, summary.timestamp, committed.events
    )
