"""Databases, transactions and what is told of them."""

from __future__ import annotations

from collections.abc import Iterable

from evidentsource_core.domain.events import Event
from evidentsource_runtime.server.protobuf.events import event_from, event_to
from evidentsource_runtime.server.protobuf.generated import domain_pb2 as pb
from evidentsource_runtime.server.protobuf.generated.cloudevents_pb2 import CloudEvent
from evidentsource_runtime.server.protobuf.moments import moment_from, put_moment
from evidentsource_runtime.server.service.values import (
    About,
    Committed,
    DatabaseState,
    Origin,
    Summary,
    Transport,
)

__all__ = [
    "about_from",
    "about_to",
    "committed_from",
    "committed_to",
    "events_to",
    "result_to",
    "state_from",
    "state_to",
    "summary_from",
    "summary_to",
]

_ORIGINS = {
    "http_transaction": (Transport.HTTP, False),
    "http_state_change": (Transport.HTTP, True),
    "grpc_transaction": (Transport.GRPC, False),
    "grpc_state_change": (Transport.GRPC, True),
}
_CASES = {kind: case for case, kind in _ORIGINS.items()}


def state_to(state: DatabaseState) -> pb.Database:
    """The message of a database."""
    message = pb.Database(name=state.name, basis=state.basis, revision=state.revision)
    put_moment(message.created_at, state.created_at)
    put_moment(message.revision_timestamp, state.revision_timestamp)
    return message


def state_from(message: pb.Database, field: str = "database") -> DatabaseState:
    """A database, as a client reads it."""
    return DatabaseState(
        message.name,
        moment_from(message.created_at, f"{field}.created_at"),
        message.basis,
        message.revision,
        moment_from(message.revision_timestamp, f"{field}.revision_timestamp"),
    )


def about_to(about: About) -> pb.TransactionMetadata:
    """The message of what is told of a transaction."""
    message = pb.TransactionMetadata(
        last_read_revision=about.last_read_revision,
        principal_attributes=dict(about.principal_attributes),
        commit_message=about.commit_message,
        correlation_id=about.correlation_id,
        causation_id=about.causation_id,
    )
    origin = about.origin
    if origin.transport is not None:
        case = _CASES[origin.transport, origin.state_change is not None]
        part = getattr(message.origin, case)
        part.SetInParent()
        if origin.state_change is not None:
            part.name, part.version = origin.state_change, origin.version or 0
    return message


def about_from(message: pb.TransactionMetadata) -> About:
    """What is told of a transaction, as a client reads it."""
    origin = Origin()
    case = message.origin.WhichOneof("origin")
    if case in _ORIGINS:
        transport, decided = _ORIGINS[case]
        part = getattr(message.origin, case)
        origin = Origin(transport, part.name, part.version) if decided else Origin(transport)
    return About(
        origin,
        message.last_read_revision if message.HasField("last_read_revision") else None,
        dict(message.principal_attributes),
        message.commit_message if message.HasField("commit_message") else None,
        message.correlation_id if message.HasField("correlation_id") else None,
        message.causation_id if message.HasField("causation_id") else None,
    )


def summary_to(summary: Summary) -> pb.TransactionSummary:
    """The message of a transaction without its events."""
    message = pb.TransactionSummary(
        id=summary.id,
        database=summary.database,
        basis=summary.basis,
        revision=summary.revision,
        metadata=about_to(summary.about),
    )
    put_moment(message.timestamp, summary.timestamp)
    return message


def summary_from(message: pb.TransactionSummary, field: str = "summary") -> Summary:
    """A transaction without its events, as a client reads it."""
    return Summary(
        message.database,
        message.id,
        message.basis,
        message.revision,
        moment_from(message.timestamp, f"{field}.timestamp"),
        about_from(message.metadata),
    )


def result_to(summary: Summary) -> pb.TransactionResult:
    """The message of what a write led to. Ids stay as they were sent, so none is mapped."""
    return pb.TransactionResult(transaction_summary=summary_to(summary))


def committed_to(committed: Committed) -> pb.Transaction:
    """The message of a transaction with its events."""
    summary = committed.summary
    message = pb.Transaction(
        id=summary.id,
        database=summary.database,
        basis=summary.basis,
        events=events_to(committed.events),
        metadata=about_to(summary.about),
    )
    put_moment(message.timestamp, summary.timestamp)
    return message


def committed_from(message: pb.Transaction, field: str = "transaction") -> Committed:
    """A transaction with its events, as a client reads it."""
    summary = Summary(
        message.database,
        message.id,
        message.basis,
        message.basis + len(message.events),
        moment_from(message.timestamp, f"{field}.timestamp"),
        about_from(message.metadata),
    )
    events = (event_from(each, f"{field}.events[{i}]") for i, each in enumerate(message.events))
    return Committed(summary, tuple(events))


def events_to(events: Iterable[Event]) -> list[CloudEvent]:
    """The messages of stored events."""
    return [event_to(event) for event in events]
