"""The 21 calls: messages in, the service asked, messages out. Nothing is decided here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import TypeVar

from google.protobuf.message import Message

from evidentsource_runtime.server.access.principals import Principal
from evidentsource_runtime.server.protobuf.events import event_to
from evidentsource_runtime.server.protobuf.generated import domain_pb2, service_pb2
from evidentsource_runtime.server.protobuf.moments import moment_from
from evidentsource_runtime.server.protobuf.selectors import parameters_from
from evidentsource_runtime.server.protobuf.transactions import (
    committed_to,
    result_to,
    state_to,
    summary_to,
)
from evidentsource_runtime.server.protobuf.views import query_from, view_to
from evidentsource_runtime.server.protobuf.writes import execution_from, submission_from
from evidentsource_runtime.server.service import InvalidRequest, Service
from evidentsource_runtime.server.service.served import Find
from evidentsource_runtime.store import Index

__all__ = ["Servicer"]

pb = service_pb2
M = TypeVar("M", bound=Message)
T = TypeVar("T")

LARGE = 64 * 1024
"""Bytes of a request from which on reading it would keep others waiting."""

_INDEXES = {
    pb.IndexKeyScanRequest.Stream: Index.STREAM,
    pb.IndexKeyScanRequest.Subject: Index.SUBJECT,
    pb.IndexKeyScanRequest.EventType: Index.EVENT_TYPE,
}


class Servicer:
    """One method for each call, under the call's own name; each is given the caller and the request.

    Args:
        service: does it.
    """

    def __init__(self, service: Service) -> None:
        self._service = service

    def code_of(self, request: Message) -> Find | None:
        """How to find the code that answers a request; None for one that no code does."""
        views = self._service.views
        if isinstance(request, pb.ExecuteStateChangeRequest):
            name, version = request.state_change_name, request.version or None
            return lambda: views.code_of_change(request.database_name, name, version)
        if isinstance(request, pb.FetchStateViewRequest):
            view = request.state_view_identity
            wanted = (view.state_view_name, view.state_view_version or None)
            return lambda: views.code_of_view(view.database_name, *wanted)
        return None

    async def _read(self, read: Callable[[M], T], request: M) -> T:
        """What a request says. A large one is read in a thread, so that others are answered."""
        if request.ByteSize() < LARGE:
            return read(request)
        return await self._service.apart(read, request)

    # --- databases -----------------------------------------------------------------------------

    async def CreateDatabase(
        self, caller: Principal, request: pb.CreateDatabaseRequest
    ) -> pb.CreateDatabaseReply:
        """A new database."""
        state = await self._service.databases.create(caller, request.database_name)
        return pb.CreateDatabaseReply(database=state_to(state))

    async def DeleteDatabase(
        self, caller: Principal, request: pb.DeleteDatabaseRequest
    ) -> pb.DeleteDatabaseReply:
        """The last state of a database that is no more."""
        state = await self._service.databases.delete(caller, request.database_name)
        return pb.DeleteDatabaseReply(database=state_to(state))

    async def FetchCatalog(
        self,
        caller: Principal,
        request: pb.CatalogRequest,  # noqa: ARG002 - it is empty
    ) -> AsyncIterator[pb.CatalogReply]:
        """The names of the databases."""
        async for name in self._service.databases.catalog(caller):
            yield pb.CatalogReply(database_name=name)

    async def FetchLatestDatabase(
        self, caller: Principal, request: pb.LatestDatabaseRequest
    ) -> pb.DatabaseReply:
        """A database as its file has it."""
        state = await self._service.databases.latest(caller, request.database_name)
        return pb.DatabaseReply(database=state_to(state))

    async def FetchCachedDatabase(
        self, caller: Principal, request: pb.LatestDatabaseRequest
    ) -> pb.DatabaseReply:
        """A database as the server last heard of it."""
        state = await self._service.databases.cached(caller, request.database_name)
        return pb.DatabaseReply(database=state_to(state))

    async def AwaitDatabase(
        self, caller: Principal, request: pb.AwaitDatabaseRequest
    ) -> pb.DatabaseReply:
        """A database at a revision, when that exists."""
        name, revision = request.database_name, request.at_revision
        state = await self._service.databases.at_revision(caller, name, revision)
        return pb.DatabaseReply(database=state_to(state))

    async def DatabaseEffectiveAtTimestamp(
        self, caller: Principal, request: pb.DatabaseEffectiveAtTimestampRequest
    ) -> pb.DatabaseReply:
        """A database as it was recorded at a time."""
        if not request.HasField("at_timestamp"):
            raise InvalidRequest("at_timestamp", "is missing")
        at = moment_from(request.at_timestamp, "at_timestamp")
        state = await self._service.databases.at_time(caller, request.database_name, at)
        return pb.DatabaseReply(database=state_to(state))

    async def SubscribeDatabaseUpdates(
        self, caller: Principal, request: pb.DatabaseUpdatesSubscriptionRequest
    ) -> AsyncIterator[pb.DatabaseReply]:
        """A database as it is, and after each transaction."""
        async for state in self._service.databases.updates(caller, request.database_name):
            yield pb.DatabaseReply(database=state_to(state))

    # --- writing -------------------------------------------------------------------------------

    async def Transact(
        self, caller: Principal, request: pb.TransactionRequest
    ) -> pb.TransactionReply:
        """Events, committed."""
        submission = await self._read(submission_from, request)
        summary = await self._service.writes.transact(caller, submission)
        return pb.TransactionReply(result=result_to(summary))

    async def TransactAsync(
        self, caller: Principal, request: pb.TransactionRequest
    ) -> pb.AsyncCommandResponse:
        """Events, accepted."""
        submission = await self._read(submission_from, request)
        correlation = await self._service.writes.transact_later(caller, submission)
        return pb.AsyncCommandResponse(correlation_id=correlation)

    async def ExecuteStateChange(
        self, caller: Principal, request: pb.ExecuteStateChangeRequest
    ) -> pb.ExecuteStateChangeReply:
        """A command, executed."""
        execution = await self._read(execution_from, request)
        summary = await self._service.writes.execute(caller, execution)
        return pb.ExecuteStateChangeReply(result=result_to(summary))

    async def ExecuteStateChangeAsync(
        self, caller: Principal, request: pb.ExecuteStateChangeRequest
    ) -> pb.AsyncCommandResponse:
        """A command, accepted."""
        execution = await self._read(execution_from, request)
        correlation = await self._service.writes.execute_later(caller, execution)
        return pb.AsyncCommandResponse(correlation_id=correlation)

    # --- events and transactions ---------------------------------------------------------------

    async def FetchTransactionById(
        self, caller: Principal, request: pb.FetchTransactionByIdRequest
    ) -> pb.FetchTransactionReply:
        """A transaction with its events."""
        name, wanted = request.database_name, request.transaction_id
        committed = await self._service.events.transaction(caller, name, wanted)
        return pb.FetchTransactionReply(transaction=committed_to(committed))

    async def ScanDatabaseLog(
        self, caller: Principal, request: pb.LogScanRequest
    ) -> AsyncIterator[pb.DatabaseLogReply]:
        """Every transaction from a revision on."""
        events, start = self._service.events, request.start_at_revision
        if request.include_event_detail:
            async for committed in events.log_detail(caller, request.database_name, start):
                yield pb.DatabaseLogReply(detail=committed_to(committed))
            return
        async for summary in events.log(caller, request.database_name, start):
            yield pb.DatabaseLogReply(summary=summary_to(summary))

    async def FetchEventsByRevisions(
        self, caller: Principal, request: pb.EventsByRevisionsRequest
    ) -> pb.EventsReply:
        """The events of some revisions."""
        name, wanted = request.database_name, request.event_revisions
        found = await self._service.events.by_revisions(caller, name, wanted)
        return pb.EventsReply(events=map(event_to, found))

    async def ScanIndexKeys(
        self, caller: Principal, request: pb.IndexKeyScanRequest
    ) -> AsyncIterator[pb.IndexKeyScanReply]:
        """Every value of an attribute."""
        index = _INDEXES.get(request.index_key_type)
        if index is None:
            reason = f"{request.index_key_type} is none; 0 is Stream, 1 Subject, 2 EventType"
            raise InvalidRequest("index_key_type", reason)
        events, at = self._service.events, request.revision
        async for key in events.keys(caller, request.database_name, index, revision=at):
            yield pb.IndexKeyScanReply(index_key=key)

    async def QueryEvents(
        self, caller: Principal, request: pb.EventQueryRequest
    ) -> AsyncIterator[pb.EventQueryReply]:
        """The events of a query, or only their revisions."""
        selector, options = query_from(request.query, "query")
        found = self._service.events.query(
            caller, request.database_name, selector, options, revision=request.revision
        )
        async for event in found:
            if request.include_event_detail:
                yield pb.EventQueryReply(detail=event_to(event))
            else:
                yield pb.EventQueryReply(revision=event.revision() or 0)

    async def EventById(
        self, caller: Principal, request: pb.EventByIdRequest
    ) -> pb.EventQueryReply:
        """The event of an id."""
        event = await self._service.events.by_id(
            caller,
            request.database_name,
            request.stream,
            request.event_id,
            revision=request.revision,
        )
        return pb.EventQueryReply(detail=event_to(event))

    # --- state views and state changes ---------------------------------------------------------

    async def ListStateViewDefinitions(
        self, caller: Principal, request: pb.ListStateViewDefinitionsRequest
    ) -> AsyncIterator[pb.ListStateViewDefinitionsReply]:
        """Every version of every state view. All are active: none of them goes away."""
        views = await self._service.views.state_views(caller, request.database_name)
        if request.HasField("status") and request.status != domain_pb2.ACTIVE:
            return
        for view in views:
            yield pb.ListStateViewDefinitionsReply(
                state_view_name=str(view.definition.name),
                state_view_version=view.definition.version,
            )

    async def FetchStateViewAtRevision(
        self, caller: Principal, request: pb.FetchStateViewRequest
    ) -> pb.StateViewReply:
        """What a state view has come to at a revision."""
        identity, effective = request.state_view_identity, None
        if request.HasField("effective_time_end_at"):
            effective = moment_from(request.effective_time_end_at, "effective_time_end_at")
        view = await self._service.views.view(
            caller,
            identity.database_name,
            identity.state_view_name,
            identity.state_view_version or None,
            parameters_from(request.parameters, "parameters"),
            revision=request.database_revision,
            effective_at=effective,
        )
        return pb.StateViewReply(state_view=view_to(view))

    async def ListStateChanges(
        self, caller: Principal, request: pb.ListStateChangesRequest
    ) -> AsyncIterator[pb.ListStateChangesReply]:
        """Every version of every state change."""
        for change in await self._service.views.state_changes(caller, request.database_name):
            yield pb.ListStateChangesReply(
                name=str(change.definition.name), version=change.definition.version
            )
