"""What callers are told when something goes wrong: one table for every interface.

An interface turns the kind into its own status, and carries the code, the message and the facts.
Whatever is not known here is an error of the server: callers get a reference, the log gets the rest.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Any, Final

from evidentsource_core.domain import errors as core
from evidentsource_core.domain.definitions import ParameterError
from evidentsource_core.domain.errors import DatabaseAccessErrorKind
from evidentsource_functions.errors import StateChangeError, StateChangeErrorKind
from evidentsource_runtime.host import ComponentError
from evidentsource_runtime.server.access import errors as access
from evidentsource_runtime.server.service import errors as own
from evidentsource_runtime.store import errors as store

__all__ = ["Kind", "Refusal", "refusal_of"]

_log = logging.getLogger("evidentsource.server")


class Kind(Enum):
    """How a request ended that did not succeed. The values are the names of gRPC's status codes."""

    INVALID = "INVALID_ARGUMENT"
    """The request means nothing, or breaks a rule whatever the database holds."""
    UNAUTHENTICATED = "UNAUTHENTICATED"
    """It is not known who asks."""
    DENIED = "PERMISSION_DENIED"
    """The caller may not do this, or a state change said so."""
    NOT_FOUND = "NOT_FOUND"
    """What it speaks of does not exist."""
    EXISTS = "ALREADY_EXISTS"
    """What it would make exists."""
    CONFLICT = "FAILED_PRECONDITION"
    """A condition does not hold, or a state change found a conflict."""
    ABORTED = "ABORTED"
    """Another writer was faster; the same request may succeed."""
    OUT_OF_RANGE = "OUT_OF_RANGE"
    """The database does not reach that revision."""
    TOO_LARGE = "RESOURCE_EXHAUSTED"
    """The request, or the transaction in it, is larger than one may be."""
    TOO_MANY = "RATE_LIMITED"
    """The caller asks too often, or has too many streams open. gRPC: ``RESOURCE_EXHAUSTED``."""
    TIMEOUT = "DEADLINE_EXCEEDED"
    """It took longer than it may."""
    UNAVAILABLE = "UNAVAILABLE"
    """The server cannot do this now; nothing was done, and it may be asked again."""
    UNCERTAIN = "UNKNOWN"
    """Whether it was done is not known."""
    COMPONENT = "COMPONENT_FAILED"
    """A state view or a state change failed. gRPC: ``INTERNAL``."""
    INTERNAL = "INTERNAL"
    """The server failed."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request did not succeed, as its caller is told.

    Args:
        kind: the kind.
        code: the error's own code, which never changes.
        message: the whole story, in words.
        facts: what a program may want to know.
        field: the path to the part of the request that is at fault.
        retry_after: in how many seconds it may be asked again.
        error: the error itself; its text may hold more than callers are to see.
    """

    kind: Kind
    code: str
    message: str
    facts: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    field: str | None = None
    retry_after: float | None = None
    error: BaseException | None = None


_KINDS: Final[dict[type[BaseException], Kind]] = {
    own.InvalidRequest: Kind.INVALID,
    own.EventNotFound: Kind.NOT_FOUND,
    own.TransactionNotFound: Kind.NOT_FOUND,
    own.TransactionPending: Kind.NOT_FOUND,
    own.ServerStopping: Kind.UNAVAILABLE,
    access.Unauthenticated: Kind.UNAUTHENTICATED,
    access.PermissionDenied: Kind.DENIED,
    access.RateLimited: Kind.TOO_MANY,
    access.TooManyStreams: Kind.TOO_MANY,
    access.RequestTooLarge: Kind.TOO_LARGE,
    ParameterError: Kind.INVALID,
    core.IdentifierError: Kind.INVALID,
    core.InvalidValue: Kind.INVALID,
    core.InvalidType: Kind.INVALID,
    core.InvalidSelector: Kind.INVALID,
    core.ConstraintError: Kind.INVALID,
    core.EventError: Kind.INVALID,
    core.EmptyTransaction: Kind.INVALID,
    core.InvalidEvents: Kind.INVALID,
    core.InvalidConstraints: Kind.INVALID,
    core.InvalidTransactionId: Kind.INVALID,
    core.ContentNegotiationError: Kind.INVALID,
    core.StateChangeValidationError: Kind.INVALID,
    core.DuplicateEventId: Kind.EXISTS,
    core.DuplicateTransactionId: Kind.EXISTS,
    core.DatabaseAlreadyExists: Kind.EXISTS,
    core.DatabaseNotFound: Kind.NOT_FOUND,
    core.StateViewNotFound: Kind.NOT_FOUND,
    core.StateChangeNotFound: Kind.NOT_FOUND,
    core.ConstraintViolations: Kind.CONFLICT,
    core.ConcurrentWriteCollision: Kind.ABORTED,
    core.TransactionTooLarge: Kind.TOO_LARGE,
    core.DatabaseTimeout: Kind.TIMEOUT,
    core.StateViewEvolveError: Kind.COMPONENT,
    core.StateChangeExecutionError: Kind.COMPONENT,
    ComponentError: Kind.COMPONENT,
    TimeoutError: Kind.TIMEOUT,
}

_STORE: Final[dict[type[store.StoreError], tuple[Kind, str]]] = {
    store.CommitUncertain: (
        Kind.UNCERTAIN,
        "the commit's outcome is not known; send it again with the same transaction id",
    ),
    store.StoreBusy: (Kind.UNAVAILABLE, "another program keeps the database locked; ask again"),
    store.StoreFull: (Kind.UNAVAILABLE, "the server's disk is full; nothing was written"),
    store.StoreClosed: (Kind.UNAVAILABLE, "the database was closed; ask again"),
    store.StoreReadOnly: (Kind.UNAVAILABLE, "the server can only read this database"),
}
"""The errors of a store name files; callers are told what it means for them."""

_DECIDED: Final = {
    StateChangeErrorKind.VALIDATION: Kind.INVALID,
    StateChangeErrorKind.CONFLICT: Kind.CONFLICT,
    StateChangeErrorKind.NOT_FOUND: Kind.NOT_FOUND,
    StateChangeErrorKind.UNAUTHORIZED: Kind.DENIED,
    StateChangeErrorKind.INTERNAL: Kind.COMPONENT,
}
_ACCESS: Final = {
    DatabaseAccessErrorKind.INVALID_REVISION: Kind.OUT_OF_RANGE,
    DatabaseAccessErrorKind.QUERY_FAILED: Kind.INTERNAL,
    DatabaseAccessErrorKind.STATE_VIEW_NOT_FOUND: Kind.NOT_FOUND,
    DatabaseAccessErrorKind.STATE_VIEW_FAILED: Kind.COMPONENT,
    DatabaseAccessErrorKind.CONVERSION_ERROR: Kind.INVALID,
}
_FACTS: Final = (
    "name", "version", "stream", "event_id", "revision", "database", "transaction_id", "actual",
    "max", "unit", "limit", "needs", "parameter", "component",
)  # fmt: skip


def refusal_of(error: BaseException) -> Refusal:
    """What the caller is told of an error.

    >>> refusal = refusal_of(core.DatabaseNotFound("bank"))
    >>> (refusal.kind.value, refusal.code, refusal.message)
    ('NOT_FOUND', 'database-not-found', "database 'bank' not found")
    >>> refusal_of(ZeroDivisionError("1/0 in /srv/secret.py")).kind.value
    'INTERNAL'
    """
    if isinstance(error, own.TransactionFailed):
        return Refusal(Kind[error.kind], error.refusal, str(error), error.facts, error=error)
    if isinstance(error, store.StoreError):
        return _of_store(error)
    kind = _kind(error)
    if kind is None or kind is Kind.INTERNAL:
        return _internal(error)
    cause = getattr(error, "cause", None)
    named: Any = cause if isinstance(cause, core.EvidentSourceError) else error
    message = str(error) or "it took longer than a request may"
    return Refusal(
        kind,
        getattr(named, "code", "timeout"),
        message,
        _facts(named),
        getattr(error, "field", None),
        getattr(error, "retry_after", None),
        error,
    )


def _kind(error: BaseException) -> Kind | None:
    if isinstance(error, StateChangeError):
        return _DECIDED[error.kind]
    if isinstance(error, core.InvalidEvents):
        # Sent once more, every one of them was there before: nothing else is wrong with them.
        known = all(isinstance(each, core.DuplicateEventId) for each in error.errors)
        return Kind.EXISTS if known else Kind.INVALID
    if isinstance(error, core.DatabaseAccessError):
        if isinstance(error.__cause__, (ParameterError, core.IdentifierError, core.InvalidType)):
            return Kind.INVALID
        return _ACCESS[error.kind]
    found = (_KINDS[each] for each in type(error).__mro__ if each in _KINDS)
    return next(found, None)


def _of_store(error: store.StoreError) -> Refusal:
    for each in type(error).__mro__:
        if each in _STORE:
            kind, message = _STORE[each]
            _log.warning("%s", error)
            return Refusal(kind, error.code, message, error=error)
    return _internal(error)


def _internal(error: BaseException) -> Refusal:
    reference = secrets.token_hex(4)
    _log.error("internal error %s", reference, exc_info=error)
    message = f"internal error; the server's log has it under {reference}"
    return Refusal(Kind.INTERNAL, "internal", message, {"reference": reference}, error=error)


def _facts(error: object) -> dict[str, str]:
    values = ((name, getattr(error, name, None)) for name in _FACTS)
    return {name: str(value) for name, value in values if isinstance(value, (str, int, float))}
