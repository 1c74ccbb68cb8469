"""What a database may answer instead of a result; all of it stands in ``domain.errors`` too."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from evidentsource_core.domain._error_root import EvidentSourceError

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


# --- state views and state changes -------------------------------------------------------------


def _versioned(name: str, version: int) -> str:
    return f"{name}.v{version}" if version else name


class StateViewError(EvidentSourceError):
    """A state view could not be read."""

    code = "state-view-error"


class StateViewNotFound(StateViewError):
    """There is no state view of that name and version; version 0 asked for the latest one."""

    code = "state-view-not-found"

    def __init__(self, name: str, version: int) -> None:
        super().__init__(f"state view {_versioned(name, version)} not found")
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
    """There is no state change of that name and version; version 0 asked for the latest one."""

    code = "state-change-not-found"

    def __init__(self, name: str, version: int) -> None:
        super().__init__(f"state change {_versioned(name, version)} not found")
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
