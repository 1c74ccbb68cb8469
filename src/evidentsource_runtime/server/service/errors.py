"""What the service itself can answer instead of a result."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from evidentsource_core.domain.errors import EvidentSourceError, TransactionError

__all__ = [
    "EventNotFound",
    "InvalidRequest",
    "ServerStopping",
    "TransactionFailed",
    "TransactionNotFound",
    "TransactionPending",
    "reading",
]


class InvalidRequest(EvidentSourceError, ValueError):
    """A field of a request that means nothing in the domain.

    Attributes:
        field: the path to it, by the interface's own names: ``events[2].attributes["time"]``.
        reason: what is wrong with it, and what it may be.
        cause: the domain's own error, where there is one.

    >>> str(InvalidRequest("query.selector", "is missing"))
    'query.selector: is missing'
    """

    code = "invalid-request"

    def __init__(self, field: str, reason: str, cause: EvidentSourceError | None = None) -> None:
        # Errors that name the field themselves do not say it twice.
        super().__init__(reason if reason.startswith(f"{field}:") else f"{field}: {reason}")
        self.field = field
        self.reason = reason
        self.cause = cause


@contextmanager
def reading(field: str) -> Iterator[None]:
    """Have whatever the domain refuses inside say in which field of the request it stood.

    >>> from evidentsource_core import StreamName
    >>> with reading("stream"):
    ...     StreamName("7")
    Traceback (most recent call last):
    ...
    evidentsource_runtime.server.service.errors.InvalidRequest: stream: invalid stream name: '7'; ...
    """
    try:
        yield
    except InvalidRequest:
        raise
    except EvidentSourceError as error:
        raise InvalidRequest(field, str(error), error) from error


class EventNotFound(EvidentSourceError):
    """There is no event of that id in that stream, at that revision."""

    code = "event-not-found"

    def __init__(self, database: str, stream: str, event_id: str, revision: int | None) -> None:
        when = "" if revision is None else f" at revision {revision}"
        super().__init__(f"database {database!r} has no event {event_id!r} in {stream!r}{when}")
        self.database = database
        self.stream = stream
        self.event_id = event_id
        self.revision = revision


class TransactionNotFound(TransactionError):
    """There is no transaction of that id."""

    code = "transaction-not-found"

    def __init__(self, database: str, transaction_id: str) -> None:
        super().__init__(f"database {database!r} has no transaction {transaction_id!r}")
        self.database = database
        self.transaction_id = transaction_id


class TransactionPending(TransactionError):
    """The transaction was accepted, and its turn has not come yet."""

    code = "transaction-pending"

    def __init__(self, database: str, transaction_id: str) -> None:
        super().__init__(
            f"transaction {transaction_id!r} of database {database!r} was accepted and waits for "
            "its turn; ask again"
        )
        self.database = database
        self.transaction_id = transaction_id


class TransactionFailed(TransactionError):
    """The transaction was accepted, and refused when its turn came.

    Attributes:
        refusal: the code of the error that it was refused with.
        kind: the kind of that refusal, by its name.
        facts: what is known of it.
    """

    code = "transaction-failed"

    def __init__(self, refusal: str, kind: str, message: str, facts: dict[str, str]) -> None:
        super().__init__(message)
        self.refusal = refusal
        self.kind = kind
        self.facts = facts


class ServerStopping(EvidentSourceError):
    """The server is about to stop."""

    code = "server-stopping"

    def __init__(self) -> None:
        super().__init__("the server is stopping; ask again when it is back")
