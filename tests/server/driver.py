"""A database behind the gRPC interface, driven as the contract for databases asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any, ClassVar

import grpc

from evidentsource_core import (
    AppendCondition,
    CommandRequest,
    Event,
    EventSelector,
    EvidentSourceError,
    ProspectiveEvent,
    QueryOptions,
    StateChangeDefinition,
    StateView,
    StateViewDefinition,
)
from evidentsource_core.domain import errors
from evidentsource_core.domain.checks import check_selector, items
from evidentsource_core.domain.definitions import view_parameters
from evidentsource_core.domain.identifiers import stream_of
from evidentsource_core.domain.queries import merged_options
from evidentsource_core.reference import TransactionResult
from evidentsource_core.rules import check_conditions
from evidentsource_core.times import require_aware
from evidentsource_functions import StateChangeError, StateChangeErrorKind
from evidentsource_runtime.contract import Capability, DatabaseUnderTest
from evidentsource_runtime.contract.programs import ChangeProgram, ViewProgram
from evidentsource_runtime.server import Server
from evidentsource_runtime.server.protobuf.events import event_from, prospective_to
from evidentsource_runtime.server.protobuf.selectors import condition_to, parameters_to
from evidentsource_runtime.server.protobuf.transactions import committed_from, state_from
from evidentsource_runtime.server.protobuf.views import query_to, view_from
from evidentsource_runtime.server.protobuf.writes import execution_to
from evidentsource_runtime.server.service import Execution
from tests.server.conftest import SOMEBODY
from tests.server.stub import Stub, details, said

_numbers = count(1)
_CLASSES = {
    kind.code: kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, EvidentSourceError)
}
_KINDS = {
    grpc.StatusCode.INVALID_ARGUMENT: StateChangeErrorKind.VALIDATION,
    grpc.StatusCode.FAILED_PRECONDITION: StateChangeErrorKind.CONFLICT,
    grpc.StatusCode.NOT_FOUND: StateChangeErrorKind.NOT_FOUND,
    grpc.StatusCode.PERMISSION_DENIED: StateChangeErrorKind.UNAUTHORIZED,
    grpc.StatusCode.INTERNAL: StateChangeErrorKind.INTERNAL,
}


def raised(error: grpc.RpcError) -> EvidentSourceError:
    """The error of the domain that a status stands for."""
    info: Any = details(error)[0]
    code = info.reason.lower().replace("_", "-")
    message = said(error)
    if code == "state-change-refused":
        kind = _KINDS[error.code()]
        return StateChangeError(kind, message.removeprefix(f"{kind.value}: "))
    if error.code() is grpc.StatusCode.OUT_OF_RANGE:
        return errors.DatabaseAccessError.invalid_revision(message)
    kind_of = _CLASSES.get(code, errors.DatabaseAccessError)
    made: EvidentSourceError = kind_of.__new__(kind_of)
    made.args = (message,)
    if isinstance(made, errors.ConstraintViolations):
        failure: Any = details(error)[1]
        made.violations = tuple(each.description for each in failure.violations)
    for name, value in info.metadata.items():
        setattr(made, name, int(value) if value.isdecimal() else value)
    return made


class Asked:
    """Calls whose refusals come as errors of the domain."""

    def __init__(self, stub: Stub) -> None:
        self._stub = stub

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._stub, name)

        def ask(*args: Any, **fields: Any) -> Any:
            try:
                reply = call(*args, **fields)
                return list(reply) if hasattr(reply, "cancel") else reply
            except grpc.RpcError as error:
                raise raised(error) from error

        return ask


@dataclass(frozen=True)
class Snapshot:
    """The database at a revision, as a client sees it."""

    asked: Asked
    name: str
    state: Any
    effective_timestamp: datetime | None = None

    @property
    def created_at(self) -> datetime:
        created: datetime = self.state.created_at
        return created

    @property
    def revision(self) -> int:
        revision: int = self.state.revision
        return revision

    @property
    def revision_timestamp(self) -> datetime:
        recorded: datetime = self.state.revision_timestamp
        return recorded

    def query_events(
        self, selector: EventSelector, options: QueryOptions | None = None, **more: Any
    ) -> list[Event]:
        query = query_to(check_selector(selector), merged_options(options, **more))
        replies = self.asked.QueryEvents(
            database_name=self.name, revision=self.revision, include_event_detail=True, query=query
        )
        return [event_from(reply.detail, "event") for reply in replies]

    def view_state(self, name: str, version: int, parameters: Any = None) -> StateView | None:
        if version == 0:
            return None  # which is the latest version, over gRPC
        request: dict[str, Any] = {
            "state_view_identity": {
                "database_name": self.name,
                "state_view_name": str(name),
                "state_view_version": version,
            },
            "database_revision": self.revision,
            "parameters": parameters_to(view_parameters(parameters)),
        }
        if self.effective_timestamp is not None:
            request["effective_time_end_at"] = self.effective_timestamp
        try:
            view = view_from(self.asked.FetchStateViewAtRevision(**request).state_view)
        except errors.StateViewNotFound:
            return None
        except errors.EvidentSourceError as error:
            raise errors.DatabaseAccessError.state_view_failed(str(error)) from error
        return None if view.last_modified_revision is None else view

    def at_revision(self, revision: int) -> Snapshot:
        given: object = revision
        if isinstance(given, bool) or not isinstance(given, int) or given < 0:
            raise errors.DatabaseAccessError.invalid_revision(f"{revision!r} is none")
        if revision > self.revision:
            raise errors.DatabaseAccessError.invalid_revision(f"{revision} is after this one")
        reply = self.asked.AwaitDatabase(database_name=self.name, at_revision=revision)
        return Snapshot(self.asked, self.name, state_from(reply.database), self.effective_timestamp)

    def at_effective_timestamp(self, timestamp: datetime) -> Snapshot:
        require_aware("timestamp", timestamp)
        return Snapshot(self.asked, self.name, self.state, timestamp)


class GrpcDriver(DatabaseUnderTest):
    """A new database of a server."""

    missing: ClassVar = {
        Capability.SPECULATION: "the contract of gRPC has no speculation",
        Capability.PROBLEMS: "trailers have no room for every problem",
        Capability.EFFECTIVE_TIME: "a query over gRPC bounds effective time by its range alone",
        Capability.REOPEN: "the server goes on",
        Capability.CLOCK: "the server's clock is the system's",
    }
    examples: ClassVar = 5

    def __init__(self, server: Server, stub: Stub) -> None:
        self._server = server
        self._asked = Asked(stub)
        self._name = f"contract-{next(_numbers)}"
        self._asked.CreateDatabase(database_name=self._name)

    @property
    def name(self) -> str:
        return self._name

    def latest(self) -> Any:
        reply = self._asked.FetchLatestDatabase(database_name=self._name)
        return Snapshot(self._asked, self._name, state_from(reply.database))

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
        result = self._asked.Transact(
            database_name=self._name,
            events=map(prospective_to, proposed),
            conditions=map(condition_to, check_conditions(conditions)),
            transaction_id=transaction_id,
        ).result
        found = self.transaction(result.transaction_summary.id)
        assert found is not None
        return found

    def log(self, from_revision: int = 0) -> list[TransactionResult]:
        replies = self._asked.ScanDatabaseLog(
            database_name=self._name, start_at_revision=from_revision, include_event_detail=True
        )
        return [_result(reply.detail) for reply in replies]

    def transaction(self, transaction_id: str) -> TransactionResult | None:
        try:
            reply = self._asked.FetchTransactionById(
                database_name=self._name, transaction_id=transaction_id
            )
        except errors.EvidentSourceError:
            return None
        return _result(reply.transaction)

    def event(self, stream: str, event_id: str) -> Event | None:
        try:
            reply = self._asked.EventById(
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
        reply = self._asked.ExecuteStateChange(execution_to(asked))
        revision: int = reply.result.transaction_summary.revision
        return revision

    def close(self) -> None:
        self._asked.DeleteDatabase(database_name=self._name)


def _result(message: Any) -> TransactionResult:
    committed = committed_from(message)
    summary = committed.summary
    return TransactionResult(
        summary.id, summary.basis, summary.revision, summary.timestamp, committed.events
    )
