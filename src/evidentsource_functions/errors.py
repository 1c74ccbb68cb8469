"""What a ``decide`` raises, and what reading a command or a state can raise.

The errors of content and of database access are the core's own classes, so that
``except evidentsource_core.NoBody`` and ``except evidentsource_functions.NoBody`` catch the same.
"""

from __future__ import annotations

from enum import Enum
from typing import ClassVar

from evidentsource_core.domain import errors as core_errors
from evidentsource_core.domain.errors import (
    ContentNegotiationError,
    DatabaseAccessError,
    DatabaseAccessErrorKind,
    DeserializationFailed,
    EvidentSourceError,
    NoBody,
    SerializationFailed,
    UnsupportedContentType,
)

__all__ = [
    "ContentNegotiationError",
    "DatabaseAccessError",
    "DatabaseAccessErrorKind",
    "DeserializationFailed",
    "InvalidDecision",
    "InvalidDefinition",
    "NoBody",
    "SerializationFailed",
    "StateChangeError",
    "StateChangeErrorKind",
    "UnsupportedContentType",
]


class StateChangeErrorKind(Enum):
    """Why a command was not carried out. The kinds of the component contract, one to one."""

    VALIDATION = "validation"
    CONFLICT = "conflict"
    NOT_FOUND = "not_found"
    UNAUTHORIZED = "unauthorized"
    INTERNAL = "internal"


class StateChangeError(core_errors.StateChangeError):
    """A refusal: raise it in ``decide`` or ``from_dict``, and the caller gets this kind and text.

    >>> error = StateChangeError.validation("amount must be positive")
    >>> (error.kind.value, str(error))
    ('validation', 'validation: amount must be positive')
    """

    code: ClassVar[str] = "state-change-refused"

    def __init__(self, kind: StateChangeErrorKind, message: str) -> None:
        super().__init__(kind, message)
        if not isinstance(kind, StateChangeErrorKind):
            raise core_errors.InvalidType("StateChangeError.kind", "StateChangeErrorKind", kind)
        self.kind = kind
        self.message = str(message)

    def __str__(self) -> str:
        return f"{self.kind.value}: {self.message}"

    def __repr__(self) -> str:
        return f"StateChangeError(kind={self.kind!r}, message={self.message!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, StateChangeError):
            return NotImplemented
        return (self.kind, self.message) == (other.kind, other.message)

    def __hash__(self) -> int:
        return hash((self.kind, self.message))

    @classmethod
    def validation(cls, message: str) -> StateChangeError:
        """The command itself is wrong; the sender must change it."""
        return cls(StateChangeErrorKind.VALIDATION, message)

    @classmethod
    def conflict(cls, message: str) -> StateChangeError:
        """The command does not fit the state of the database as it is now."""
        return cls(StateChangeErrorKind.CONFLICT, message)

    @classmethod
    def not_found(cls, message: str) -> StateChangeError:
        """What the command speaks of does not exist."""
        return cls(StateChangeErrorKind.NOT_FOUND, message)

    @classmethod
    def unauthorized(cls, message: str) -> StateChangeError:
        """Whoever sent the command may not."""
        return cls(StateChangeErrorKind.UNAUTHORIZED, message)

    @classmethod
    def internal(cls, message: str) -> StateChangeError:
        """The rule itself failed."""
        return cls(StateChangeErrorKind.INTERNAL, message)


class InvalidDefinition(EvidentSourceError, TypeError):
    """An adapter or handler is set up in a way that cannot work; the message names the fix."""

    code = "invalid-definition"


class InvalidDecision(EvidentSourceError, TypeError):
    """User code returned something of the wrong shape; ``path`` names what."""

    code = "invalid-decision"

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason
