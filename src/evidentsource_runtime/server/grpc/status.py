"""Refusals as gRPC says them: a status code, the whole story in words, and typed details.

The details are a ``google.rpc.Status`` in the trailer ``grpc-status-details-bin``. Trailers share 8
KiB in most clients, so long stories are cut where a client could otherwise read nothing at all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from evidentsource_core.domain import errors as core
from evidentsource_core.domain.errors import EvidentSourceError
from evidentsource_core.domain.events import ProspectiveEvent
from evidentsource_runtime.server.protobuf.events import prospective_to
from evidentsource_runtime.server.protobuf.generated import domain_pb2 as pb
from evidentsource_runtime.server.service import (
    InvalidRequest,
    Kind,
    Refusal,
    TransactionFailed,
    refusal_of,
)

__all__ = ["Status", "status_of"]

DOMAIN: Final = "evidentsource"
DETAILS_KEY: Final = "grpc-status-details-bin"
MOST_MESSAGE: Final = 2_800
"""Bytes of a message, as it is encoded in a header."""
MOST_DETAILS: Final = 3_200
"""Bytes of the details, before they are encoded in a header, which makes four of three."""

MOST_PROBLEMS: Final = 20
"""Problems that are shown of events which no request has."""

_CODES: Final = {Kind.TOO_MANY: "RESOURCE_EXHAUSTED", Kind.COMPONENT: "INTERNAL"}
_CONDITION: Final = re.compile(r"conditions\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class Status:
    """How a call ends that did not succeed.

    Args:
        code: the status code.
        message: in words.
        trailers: what goes with it.
        refusal: what it says.
    """

    code: grpc.StatusCode
    message: str
    trailers: tuple[tuple[str, bytes], ...]
    refusal: Refusal


def code_of(kind: Kind) -> grpc.StatusCode:
    """The status code of a kind of refusal."""
    return grpc.StatusCode[_CODES.get(kind, kind.value)]


def status_of(error: BaseException, events: Iterable[ProspectiveEvent] = ()) -> Status:
    """How a call ends with an error.

    Args:
        error: what was raised.
        events: the events of the request, for the details of those that are at fault. They are
            taken as far as the details have room.
    """
    refusal = refusal_of(error)
    code = code_of(refusal.kind)
    message = _shortened(refusal.message)
    number: int = code.value[0]
    status = status_pb2.Status(code=number, message=message)
    left = MOST_DETAILS - status.ByteSize()
    for detail in _details(refusal, events):
        packed = AnyMessage()
        packed.Pack(detail)
        left -= packed.ByteSize() + 4
        if left < 0:
            break
        status.details.append(packed)
    return Status(code, message, ((DETAILS_KEY, status.SerializeToString()),), refusal)


def _shortened(message: str) -> str:
    """The message, cut where its form in a header would be too long."""
    size = 0
    for index, character in enumerate(message):
        plain = " " <= character <= "~" and character != "%"
        size += 1 if plain else 3 * len(character.encode())
        if size > MOST_MESSAGE:
            return f"{message[:index]}... (cut)"
    return message


def _details(refusal: Refusal, events: Iterable[ProspectiveEvent]) -> Iterator[Message]:
    reason = refusal.code.upper().replace("-", "_")
    facts = {name: value[:500] for name, value in refusal.facts.items()}
    yield error_details_pb2.ErrorInfo(reason=reason, domain=DOMAIN, metadata=facts)
    if refusal.field is not None:
        violation = error_details_pb2.BadRequest.FieldViolation(
            field=refusal.field, description=_shortened(refusal.message)[:500]
        )
        yield error_details_pb2.BadRequest(field_violations=[violation])
    if refusal.retry_after is not None:
        seconds, nanos = divmod(round(refusal.retry_after * 1e9), 1_000_000_000)
        info = error_details_pb2.RetryInfo()
        info.retry_delay.seconds, info.retry_delay.nanos = seconds, nanos
        yield info
    yield from _typed(refusal.error, events)


def _typed(error: BaseException | None, events: Iterable[ProspectiveEvent]) -> Iterator[Message]:
    """The contract's own messages for what is wrong."""
    if isinstance(error, InvalidRequest):
        found = None if error.cause is None else _condition_problem(error)
        if found is not None:
            yield found
        elif error.cause is not None:
            yield from _typed(error.cause, events)
    elif isinstance(error, TransactionFailed):
        yield pb.AsyncTransactionError(
            error_code=error.refusal, message=_shortened(str(error))[:500], details=error.facts
        )
    elif isinstance(error, core.InvalidEvents):
        yield from _invalid_events(error.errors, events)
    elif isinstance(error, core.ConstraintViolations):
        yield error_details_pb2.PreconditionFailure(
            violations=[
                error_details_pb2.PreconditionFailure.Violation(
                    type="append-condition",
                    subject=f"conditions[{index}]" if found else "",
                    description=text[:300],
                )
                for text in error.violations[:10]
                for found in [_CONDITION.match(text)]
                for index in [found[1] if found else ""]
            ]
        )
    elif error is not None:
        name, message = _one(error)
        if name:
            yield message


def _invalid_events(
    errors: Sequence[EvidentSourceError], events: Iterable[ProspectiveEvent]
) -> Iterator[Message]:
    """Each event that is at fault, with what is wrong with it."""
    shown = False
    taken = {(e.stream, e.event_id) for e in errors if isinstance(e, core.DuplicateEventId)}
    for event in events:
        problems: list[EvidentSourceError] = list(event.problems())
        if (event.stream, event.id) in taken:
            problems.append(core.DuplicateEventId(event.stream, event.id))
        if problems:
            shown = True
            # Without its payload, which the caller has and the trailer has no room for.
            bare = ProspectiveEvent(event.id, event.stream, event.event_type, event.subject)
            yield pb.InvalidEvent(event=prospective_to(bare), errors=_invalidations(problems))
    if not shown:
        yield pb.InvalidEvent(errors=_invalidations(errors[:MOST_PROBLEMS]))


def _invalidations(errors: Iterable[EvidentSourceError]) -> list[pb.EventInvalidation]:
    found = (_one(error) for error in errors)
    return [pb.EventInvalidation(**{name: message}) for name, message in found if name]  # type: ignore[arg-type]  # the name says which


def _condition_problem(error: InvalidRequest) -> Message | None:
    found = _CONDITION.match(error.field)
    name, message = _one(error.cause)
    if found is None or name not in {
        "invalid_event_subject",
        "invalid_stream_name",
        "invalid_append_condition_range",
    }:
        return None
    problem = pb.AppendConditionInvalidation(**{name: message})  # type: ignore[arg-type]  # the name says which
    return pb.InvalidAppendCondition(index=int(found[1]), errors=[problem])


_ONE: Final[dict[type[BaseException], tuple[str, Callable[..., Message]]]] = {
    core.InvalidEventSource: (
        "invalid_event_source",
        lambda e: pb.InvalidEventSource(event_source=e.value[:500]),
    ),
    core.InvalidStreamName: (
        "invalid_stream_name",
        lambda e: pb.InvalidStreamName(stream_name=str(e.value)[:500]),
    ),
    core.InvalidEventId: (
        "invalid_event_id",
        lambda e: pb.InvalidEventId(event_id=str(e.value)[:500]),
    ),
    core.DuplicateEventId: (
        "duplicate_event_id",
        lambda e: pb.DuplicateEventId(stream=e.stream, event_id=e.event_id),
    ),
    core.InvalidEventSubject: (
        "invalid_event_subject",
        lambda e: pb.InvalidEventSubject(event_subject=str(e.value)[:500]),
    ),
    core.InvalidEventType: (
        "invalid_event_type",
        lambda e: pb.InvalidEventType(event_type=str(e.value)[:500]),
    ),
    core.InvalidRange: (
        "invalid_append_condition_range",
        lambda e: pb.InvalidAppendConditionRange(min=e.min, max=e.max),
    ),
}


def _one(error: BaseException | None) -> tuple[str, Message]:
    """The contract's message for one problem, and which field of others it goes into."""
    if error is None or type(error) not in _ONE:
        return "", pb.EmptyAppendCondition()
    name, make = _ONE[type(error)]
    return name, make(error)
