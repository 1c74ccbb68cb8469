"""Requests that write: transactions and commands, in both directions.

The queue of the asynchronous calls keeps requests as these messages, so what comes back after a
restart is what a client could have sent.
"""

from __future__ import annotations

from evidentsource_core.domain.state_change import CommandRequest
from evidentsource_runtime.server.protobuf.events import prospective_from, prospective_to
from evidentsource_runtime.server.protobuf.generated import service_pb2 as pb
from evidentsource_runtime.server.protobuf.selectors import condition_from, condition_to
from evidentsource_runtime.server.service.errors import InvalidRequest, reading
from evidentsource_runtime.server.service.values import (
    About,
    Execution,
    Origin,
    Submission,
    Transport,
    Write,
)

__all__ = ["ProtobufCodec", "execution_from", "execution_to", "submission_from", "submission_to"]


def submission_from(
    message: pb.TransactionRequest, transport: Transport | None = Transport.GRPC
) -> Submission:
    """The transaction that a client asks for.

    Raises:
        InvalidRequest: a part of it cannot be kept.
    """
    database = message.database_name
    return Submission(
        database,
        tuple(
            prospective_from(event, f"events[{index}]", database)
            for index, event in enumerate(message.events)
        ),
        tuple(
            condition_from(condition, f"conditions[{index}]")
            for index, condition in enumerate(message.conditions)
        ),
        message.transaction_id or None,
        About(
            Origin(transport),
            message.last_read_revision if message.HasField("last_read_revision") else None,
            *_words(message),
        ),
    )


def submission_to(submission: Submission) -> pb.TransactionRequest:
    """The message of a transaction that is asked for."""
    about = submission.about
    return pb.TransactionRequest(
        database_name=submission.database,
        events=[prospective_to(event) for event in submission.events],
        conditions=[condition_to(condition) for condition in submission.conditions],
        transaction_id=submission.transaction_id or "",
        last_read_revision=about.last_read_revision,
        principal_attributes=dict(about.principal_attributes),
        commit_message=about.commit_message,
        correlation_id=about.correlation_id,
        causation_id=about.causation_id,
    )


def execution_from(
    message: pb.ExecuteStateChangeRequest, transport: Transport | None = Transport.GRPC
) -> Execution:
    """The command that a client sends. A body or content type of nothing is none.

    Raises:
        InvalidRequest: a header has no name.
    """
    seen = message.last_seen_revision if message.HasField("last_seen_revision") else None
    version = message.version or None
    return Execution(
        message.database_name,
        message.state_change_name,
        version,
        _command_from(message.request),
        seen,
        message.transaction_id or None,
        About(Origin(transport, message.state_change_name, version), seen, *_words(message)),
    )


def execution_to(execution: Execution) -> pb.ExecuteStateChangeRequest:
    """The message of a command."""
    about, command = execution.about, execution.command
    return pb.ExecuteStateChangeRequest(
        database_name=execution.database,
        state_change_name=execution.name,
        version=execution.version or 0,
        last_seen_revision=execution.last_seen_revision,
        request=pb.CommandRequest(
            headers=[pb.Header(key=name, value=value) for name, value in command.headers],
            body=command.body,
            content_type=command.content_type,
            content_schema=command.content_schema,
        ),
        transaction_id=execution.transaction_id,
        principal_attributes=dict(about.principal_attributes),
        commit_message=about.commit_message,
        correlation_id=about.correlation_id,
        causation_id=about.causation_id,
    )


def _command_from(message: pb.CommandRequest) -> CommandRequest:
    for index, header in enumerate(message.headers):
        if not header.key.strip():
            raise InvalidRequest(f"request.headers[{index}].key", "is empty; a header has a name")
    with reading("request"):
        return CommandRequest(
            tuple((header.key, header.value) for header in message.headers),
            message.body or None,
            message.content_type or None,
            message.content_schema or None,
        )


def _words(
    message: pb.TransactionRequest | pb.ExecuteStateChangeRequest,
) -> tuple[dict[str, str], str | None, str | None, str | None]:
    """What both kinds of request say beside their content."""
    return (
        dict(message.principal_attributes),
        message.commit_message or None,
        message.correlation_id or None,
        message.causation_id or None,
    )


class ProtobufCodec:
    """Requests as the bytes of their messages, for the queue of what is to be done later."""

    def encode(self, write: Write) -> tuple[str, bytes]:
        """The kind of request, and its bytes: equal for equal requests."""
        if isinstance(write, Submission):
            return "transact", submission_to(write).SerializeToString(deterministic=True)
        return "execute", execution_to(write).SerializeToString(deterministic=True)

    def decode(self, kind: str, content: bytes, transport: Transport | None) -> Write:
        """The request of these bytes."""
        if kind == "transact":
            return submission_from(pb.TransactionRequest.FromString(content), transport)
        return execution_from(pb.ExecuteStateChangeRequest.FromString(content), transport)
