"""Every error of the domain: one root, stable codes, the offending value kept.

Each class carries a ``code`` that never changes (programs match on it, people read the message) and
keeps what it was built from as attributes, so that a handler need not parse text. All of them can be
hashed, copied and pickled.

>>> import pickle
>>> error = pickle.loads(pickle.dumps(DuplicateEventId("accounts", "e-1")))
>>> (error.code, error.stream, error.event_id, str(error))
('duplicate-event-id', 'accounts', 'e-1', 'duplicate event id: accounts/e-1')
"""

from __future__ import annotations

from collections.abc import Iterable

from evidentsource_core.domain._error_root import EvidentSourceError
from evidentsource_core.domain.database_errors import (
    ConcurrentWriteCollision,
    DatabaseAccessError,
    DatabaseAccessErrorKind,
    DatabaseAlreadyExists,
    DatabaseError,
    DatabaseErrorWithContext,
    DatabaseNotFound,
    DatabaseServerError,
    DatabaseTimeout,
    OperationContext,
    StateChangeError,
    StateChangeExecutionError,
    StateChangeNotFound,
    StateChangeServerError,
    StateChangeValidationError,
    StateViewError,
    StateViewEvolveError,
    StateViewNotFound,
    StateViewServerError,
)
from evidentsource_core.domain.value_errors import (
    EventError,
    IdentifierError,
    InvalidDatabaseName,
    InvalidEventId,
    InvalidEventSubject,
    InvalidEventType,
    InvalidStateChangeName,
    InvalidStateViewName,
    InvalidStreamName,
    InvalidTimestamp,
    InvalidType,
    InvalidValue,
)

__all__ = [
    "BlankConstraint",
    "CommandParseError",
    "CommandRequestError",
    "ConcurrentWriteCollision",
    "ConstraintConflict",
    "ConstraintError",
    "ConstraintViolations",
    "ContentNegotiationError",
    "DatabaseAccessError",
    "DatabaseAccessErrorKind",
    "DatabaseAlreadyExists",
    "DatabaseError",
    "DatabaseErrorWithContext",
    "DatabaseNotFound",
    "DatabaseServerError",
    "DatabaseTimeout",
    "DeserializationFailed",
    "DuplicateEventId",
    "DuplicateTransactionId",
    "EmptyTransaction",
    "EventError",
    "EvidentSourceError",
    "IdentifierError",
    "IncompatibleSelectors",
    "InvalidConstraints",
    "InvalidDatabaseName",
    "InvalidEventId",
    "InvalidEventSource",
    "InvalidEventSubject",
    "InvalidEventType",
    "InvalidEvents",
    "InvalidExtension",
    "InvalidRange",
    "InvalidRevision",
    "InvalidSelector",
    "InvalidStateChangeName",
    "InvalidStateViewName",
    "InvalidStreamName",
    "InvalidTimestamp",
    "InvalidTransactionId",
    "InvalidType",
    "InvalidValue",
    "NoBody",
    "OperationContext",
    "SerializationFailed",
    "StateChangeError",
    "StateChangeExecutionError",
    "StateChangeNotFound",
    "StateChangeServerError",
    "StateChangeValidationError",
    "StateViewError",
    "StateViewEvolveError",
    "StateViewNotFound",
    "StateViewServerError",
    "TransactionError",
    "TransactionTooLarge",
    "UnsupportedContentType",
]

# --- events ------------------------------------------------------------------------------------


class InvalidEventSource(EventError):
    """The source of an event names no stream."""

    code = "invalid-event-source"

    def __init__(self, value: str) -> None:
        super().__init__(f"invalid event source: {value}")
        self.value = value


class InvalidExtension(EventError, ValueError):
    """A CloudEvents extension attribute whose name or value cannot be carried."""

    code = "invalid-extension"

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"invalid extension attribute {name!r}: {reason}")
        self.name = name
        self.reason = reason


class DuplicateEventId(EventError):
    """The id was used before in that stream of that database."""

    code = "duplicate-event-id"

    def __init__(self, stream: str, event_id: str) -> None:
        super().__init__(f"duplicate event id: {stream}/{event_id}")
        self.stream = stream
        self.event_id = event_id


# --- selectors and constraints -----------------------------------------------------------------


class InvalidSelector(EvidentSourceError, ValueError):
    """A flat selector whose nodes do not describe a tree; ``index`` is the node at fault."""

    code = "invalid-selector"

    def __init__(self, index: int, reason: str) -> None:
        super().__init__(f"invalid selector: node {index}: {reason}")
        self.index = index
        self.reason = reason


class ConstraintError(EvidentSourceError):
    """Something is wrong with one append condition."""

    code = "constraint-error"


class BlankConstraint(ConstraintError):
    """A constraint that constrains nothing."""

    code = "blank-constraint"

    def __init__(self) -> None:
        super().__init__("constraint is blank")


class InvalidRange(ConstraintError, ValueError):
    """A range of revisions whose lower end lies above its upper end."""

    code = "invalid-range"

    def __init__(self, min_val: int, max_val: int) -> None:
        super().__init__(f"invalid range: min ({min_val}) must be <= max ({max_val})")
        self.min = min_val
        self.max = max_val


class InvalidRevision(ConstraintError, InvalidValue):
    """A revision that is no whole number from 0 to 2**64 - 1."""

    code = "invalid-revision"


class ConstraintConflict(ConstraintError):
    """Two constraints over one selector that no database can satisfy."""

    code = "constraint-conflict"

    def __init__(self, left: str, right: str) -> None:
        super().__init__(f"constraint conflict: {left} vs {right}")
        self.left = left
        self.right = right


class IncompatibleSelectors(ConstraintError):
    """Two constraints over different selectors cannot become one."""

    code = "incompatible-selectors"

    def __init__(self) -> None:
        super().__init__("cannot combine constraints with different selectors")


# --- transactions ------------------------------------------------------------------------------


class TransactionError(EvidentSourceError):
    """A transaction was refused; nothing of it was written."""

    code = "transaction-error"


class EmptyTransaction(TransactionError):
    """A transaction needs at least one event."""

    code = "empty-transaction"

    def __init__(self) -> None:
        super().__init__("transaction must contain at least one event")


class TransactionTooLarge(TransactionError):
    """More events, or more bytes, than one transaction may have."""

    code = "transaction-too-large"

    def __init__(self, actual: int, max_size: int, unit: str = "events") -> None:
        super().__init__(f"transaction too large: {actual} {unit}, max {max_size}")
        self.actual = actual
        self.max = max_size
        self.unit = unit


class InvalidTransactionId(TransactionError):
    """Not a transaction id."""

    code = "invalid-transaction-id"

    def __init__(self, value: str) -> None:
        super().__init__(f"invalid transaction ID: {value}")
        self.value = value


class DuplicateTransactionId(TransactionError):
    """The transaction id was used before, with other content."""

    code = "duplicate-transaction-id"

    def __init__(self, value: str) -> None:
        super().__init__(f"duplicate transaction id: {value}")
        self.value = value


class InvalidEvents(TransactionError):
    """At least one event of the transaction is invalid; ``errors`` holds every reason."""

    code = "invalid-events"

    def __init__(self, errors: Iterable[EvidentSourceError]) -> None:
        self.errors = tuple(errors)
        super().__init__(_summary("transaction contains {} invalid events", self.errors))


class InvalidConstraints(TransactionError):
    """At least one append condition is invalid; ``errors`` holds every reason."""

    code = "invalid-constraints"

    def __init__(self, errors: Iterable[EvidentSourceError]) -> None:
        self.errors = tuple(errors)
        super().__init__(_summary("transaction has {} invalid constraints", self.errors))


class ConstraintViolations(TransactionError):
    """At least one append condition did not hold; ``violations`` says each in words."""

    code = "constraint-violations"

    def __init__(self, violations: Iterable[str]) -> None:
        self.violations = tuple(violations)
        super().__init__(_summary("transaction has {} constraint violations", self.violations))


def _summary(template: str, reasons: tuple[object, ...]) -> str:
    head = template.format(len(reasons))
    return f"{head}: " + "; ".join(str(reason) for reason in reasons) if reasons else head


# --- content ------------------------------------------------------------------------------------


class ContentNegotiationError(EvidentSourceError):
    """A body could not be read or written in its content type."""

    code = "content-negotiation-error"


class CommandParseError(ContentNegotiationError):
    """A command could not be read."""

    code = "command-parse-error"


class NoBody(CommandParseError):
    """The command has no body, and needs one."""

    code = "no-body"

    def __init__(self) -> None:
        super().__init__("command body is required")


class DeserializationFailed(CommandParseError, ValueError):
    """The bytes are not what their content type says."""

    code = "deserialization-failed"

    def __init__(self, message: str) -> None:
        super().__init__(f"deserialization failed: {message}")
        self.message = message


class UnsupportedContentType(CommandParseError):
    """The content type is none that can be read here."""

    code = "unsupported-content-type"

    def __init__(self, content_type: str) -> None:
        super().__init__(
            f"unsupported content type: {content_type!r}; use application/json or a type "
            "that ends in +json"
        )
        self.content_type = content_type


class CommandRequestError(ContentNegotiationError):
    """A command could not be written."""

    code = "command-request-error"


class SerializationFailed(CommandRequestError):
    """The value has no form in the content type."""

    code = "serialization-failed"

    def __init__(self, message: str) -> None:
        super().__init__(f"serialization failed: {message}")
        self.message = message
