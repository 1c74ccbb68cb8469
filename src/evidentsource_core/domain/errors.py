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
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, ClassVar


def _restore(cls: type[BaseException], args: tuple[Any, ...], state: dict[str, Any]) -> Any:
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class EvidentSourceError(Exception):
    """The root of every error that this project raises on purpose.

    ``code`` is stable across releases; ``hint``, where there is one, names the fix.
    """

    code: ClassVar[str] = "error"
    hint: str | None = None

    def __reduce__(self) -> Any:
        # The constructors take values, ``args`` holds the finished message: the default, which
        # calls the constructor with ``args``, could not bring these back.
        return (_restore, (type(self), self.args, dict(self.__dict__)))


# --- values ------------------------------------------------------------------------------------


class InvalidValue(EvidentSourceError, ValueError):
    """A value of the right type that is out of its range; ``field`` names where it stood."""

    code = "invalid-value"

    def __init__(self, field: str, reason: str, hint: str | None = None) -> None:
        super().__init__(f"{field}: {reason}" + (f"; {hint}" if hint else ""))
        self.field = field
        self.reason = reason
        self.hint = hint


class InvalidType(EvidentSourceError, TypeError):
    """A value of the wrong type; ``field`` names where it stood."""

    code = "invalid-type"

    def __init__(self, field: str, expected: str, got: object, hint: str | None = None) -> None:
        found = "None" if got is None else type(got).__name__
        super().__init__(
            f"{field}: expected {expected}, got {found}" + (f"; {hint}" if hint else "")
        )
        self.field = field
        self.expected = expected
        self.found = found
        self.hint = hint


class InvalidTimestamp(InvalidValue):
    """A time that has no time zone, or that lies outside the years 1 to 9999."""

    code = "invalid-timestamp"


# --- identifiers -------------------------------------------------------------------------------


class EventError(EvidentSourceError):
    """Something is wrong with one event of a transaction."""

    code = "event-error"


class IdentifierError(EvidentSourceError):
    """A name or id breaks the rules for its kind."""

    code = "invalid-identifier"


class _InvalidIdentifier(IdentifierError):
    _kind: ClassVar[str]

    def __init__(self, value: object) -> None:
        super().__init__(f"invalid {self._kind}: {value!r}")
        self.value = value


class InvalidDatabaseName(_InvalidIdentifier):
    """Not a database name: a letter, then 1 to 127 of letters, digits, ``-``, ``_`` and ``.``."""

    code = "invalid-database-name"
    _kind = "database name"


class InvalidStreamName(_InvalidIdentifier, EventError):
    """Not a stream name: a letter, then 1 to 127 of letters, digits, ``-``, ``_`` and ``.``."""

    code = "invalid-stream-name"
    _kind = "stream name"


class InvalidStateViewName(_InvalidIdentifier):
    """Not a state view name: a letter, then 1 to 127 of letters, digits, ``-``, ``_``, ``.``."""

    code = "invalid-state-view-name"
    _kind = "state view name"


class InvalidStateChangeName(_InvalidIdentifier):
    """Not a state change name: a letter, then 1 to 127 of letters, digits, ``-``, ``_``, ``.``."""

    code = "invalid-state-change-name"
    _kind = "state change name"


class InvalidEventId(_InvalidIdentifier, EventError):
    """Not an event id: not blank, under 256 characters, no control characters."""

    code = "invalid-event-id"
    _kind = "event id"


class InvalidEventType(_InvalidIdentifier, EventError):
    """Not an event type: not blank, under 256 characters, no control characters."""

    code = "invalid-event-type"
    _kind = "event type"


class InvalidEventSubject(_InvalidIdentifier, EventError):
    """Not an event subject: not blank, under 256 characters, no control characters."""

    code = "invalid-event-subject"
    _kind = "event subject"


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


# --- databases ---------------------------------------------------------------------------------


class DatabaseError(EvidentSourceError):
    """The database as a whole could not serve a request."""

    code = "database-error"


class DatabaseNotFound(DatabaseError):
    """There is no database of that name."""

    code = "database-not-found"

    def __init__(self, name: str) -> None:
        super().__init__(f"database '{name}' not found")
        self.name = name


class DatabaseAlreadyExists(DatabaseError):
    """There is a database of that name."""

    code = "database-already-exists"

    def __init__(self, name: str) -> None:
        super().__init__(f"database '{name}' already exists")
        self.name = name


class ConcurrentWriteCollision(DatabaseError):
    """Another writer was faster; the request may be sent again."""

    code = "concurrent-write-collision"

    def __init__(self) -> None:
        super().__init__("concurrent write collision")


class DatabaseTimeout(DatabaseError):
    """The request took too long."""

    code = "database-timeout"

    def __init__(self) -> None:
        super().__init__("operation timed out")


class DatabaseServerError(DatabaseError):
    """The server failed for a reason of its own."""

    code = "database-server-error"

    def __init__(self, message: str) -> None:
        super().__init__(f"server error: {message}")
        self.message = message


@dataclass(frozen=True, slots=True)
class OperationContext:
    """What was being done, and where, when a database error arose.

    >>> str(OperationContext("transact", "bank", "batch 2"))
    'transact(db=bank) [batch 2]'
    """

    operation: str
    database: str
    details: str | None = None

    def with_details(self, details: str) -> OperationContext:
        """The same context with ``details`` added."""
        return replace(self, details=details)

    def __str__(self) -> str:
        head = f"{self.operation}(db={self.database})"
        return head if self.details is None else f"{head} [{self.details}]"


class DatabaseErrorWithContext(DatabaseError):
    """A database error together with what was being done."""

    code = "database-error-with-context"

    def __init__(self, context: OperationContext, source: DatabaseError) -> None:
        super().__init__(f"{context}: {source}")
        self.context = context
        self.source = source

    def inner(self) -> DatabaseError:
        """The error without its context."""
        return self.source


class DatabaseAccessErrorKind(Enum):
    """Which access to the database failed."""

    INVALID_REVISION = "invalid_revision"
    QUERY_FAILED = "query_failed"
    STATE_VIEW_NOT_FOUND = "state_view_not_found"
    STATE_VIEW_FAILED = "state_view_failed"
    CONVERSION_ERROR = "conversion_error"


class DatabaseAccessError(EvidentSourceError):
    """The database that a ``decide`` was given refused a call.

    ``kind`` tells which access it was, ``reason`` is the host's own text, ``message`` both.

    >>> error = DatabaseAccessError.invalid_revision("9 lies after 4")
    >>> (error.kind.value, str(error))
    ('invalid_revision', 'Invalid revision: 9 lies after 4')
    """

    code = "database-access-error"

    def __init__(
        self,
        message: str,
        kind: DatabaseAccessErrorKind = DatabaseAccessErrorKind.QUERY_FAILED,
        reason: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.kind = kind
        self.reason = message if reason is None else reason

    @classmethod
    def invalid_revision(cls, message: str) -> DatabaseAccessError:
        """A revision was asked for that the database does not have."""
        return cls(
            f"Invalid revision: {message}", DatabaseAccessErrorKind.INVALID_REVISION, message
        )

    @classmethod
    def query_failed(cls, message: str) -> DatabaseAccessError:
        """An event query failed."""
        return cls(f"Query failed: {message}", DatabaseAccessErrorKind.QUERY_FAILED, message)

    @classmethod
    def state_view_failed(cls, message: str) -> DatabaseAccessError:
        """A state view could not be rendered."""
        return cls(
            f"State view failed: {message}", DatabaseAccessErrorKind.STATE_VIEW_FAILED, message
        )

    @classmethod
    def state_view_not_found(cls) -> DatabaseAccessError:
        """There is no such state view."""
        return cls("State view not found", DatabaseAccessErrorKind.STATE_VIEW_NOT_FOUND)

    @classmethod
    def conversion_error(cls, message: str) -> DatabaseAccessError:
        """A value could not be carried between the database and the component."""
        return cls(
            f"Conversion error: {message}", DatabaseAccessErrorKind.CONVERSION_ERROR, message
        )


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


class DeserializationFailed(CommandParseError):
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


# --- state views and state changes -------------------------------------------------------------


class StateViewError(EvidentSourceError):
    """A state view could not be read."""

    code = "state-view-error"


class StateViewNotFound(StateViewError):
    """There is no state view of that name and version."""

    code = "state-view-not-found"

    def __init__(self, name: str, version: int) -> None:
        super().__init__(f"state view {name}.v{version} not found")
        self.name = name
        self.version = version


class StateViewEvolveError(StateViewError):
    """The view's own code failed on an event."""

    code = "state-view-evolve-error"

    def __init__(self, message: str) -> None:
        super().__init__(f"error evolving state view: {message}")
        self.message = message


class StateViewServerError(StateViewError):
    """The server failed for a reason of its own."""

    code = "state-view-server-error"

    def __init__(self, message: str) -> None:
        super().__init__(f"server error: {message}")
        self.message = message


class StateChangeError(EvidentSourceError):
    """A state change was not executed."""

    code = "state-change-error"


class StateChangeNotFound(StateChangeError):
    """There is no state change of that name and version."""

    code = "state-change-not-found"

    def __init__(self, name: str, version: int) -> None:
        super().__init__(f"state change {name}.v{version} not found")
        self.name = name
        self.version = version


class StateChangeValidationError(StateChangeError):
    """The command was refused as invalid."""

    code = "state-change-validation-error"

    def __init__(self, message: str) -> None:
        super().__init__(f"validation error: {message}")
        self.message = message


class StateChangeExecutionError(StateChangeError):
    """The decision ended with an error."""

    code = "state-change-execution-error"

    def __init__(self, message: str) -> None:
        super().__init__(f"execution error: {message}")
        self.message = message


class StateChangeServerError(StateChangeError):
    """The server failed for a reason of its own."""

    code = "state-change-server-error"

    def __init__(self, message: str) -> None:
        super().__init__(f"server error: {message}")
        self.message = message
