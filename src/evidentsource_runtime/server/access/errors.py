"""Who is turned away, and why. No message repeats a credential."""

from __future__ import annotations

from typing import ClassVar

from evidentsource_core.domain.errors import EvidentSourceError

__all__ = [
    "AccessError",
    "AccessSetupError",
    "PermissionDenied",
    "RateLimited",
    "RequestTooLarge",
    "TooManyStreams",
    "Unauthenticated",
]


class AccessError(EvidentSourceError):
    """The root: a request was turned away before anything was done."""

    code: ClassVar[str] = "access-error"


class AccessSetupError(EvidentSourceError, ValueError):
    """The server was set up in a way that it cannot, or must not, run; ``field`` is the setting.

    >>> str(AccessSetupError("host", "0.0.0.0 can be reached from outside", "set tokens"))
    'host: 0.0.0.0 can be reached from outside; set tokens'
    """

    code: ClassVar[str] = "access-setup-error"

    def __init__(self, field: str, reason: str, hint: str | None = None) -> None:
        super().__init__(f"{field}: {reason}" + (f"; {hint}" if hint else ""))
        self.field = field
        self.reason = reason
        self.hint = hint


class Unauthenticated(AccessError):
    """It is not known who is asking."""

    code = "unauthenticated"

    def __init__(self, reason: str) -> None:
        super().__init__(f"not authenticated: {reason}")
        self.reason = reason


class PermissionDenied(AccessError):
    """The caller is known, and may not do this.

    Attributes:
        subject: the caller.
        needs: what it would take, such as "writer of database 'bank'".
    """

    code = "permission-denied"

    def __init__(self, subject: str, action: str, needs: str) -> None:
        super().__init__(f"{subject!r} may not {action}: it takes {needs}")
        self.subject = subject
        self.action = action
        self.needs = needs


class RateLimited(AccessError):
    """The caller asks too often; ``retry_after`` says in how many seconds to ask again."""

    code = "rate-limited"

    def __init__(self, rate: float, retry_after: float) -> None:
        super().__init__(
            f"more than {rate:g} requests a second; ask again in {retry_after:.3f} seconds"
        )
        self.rate = rate
        self.retry_after = retry_after


class TooManyStreams(AccessError):
    """The caller, or all callers together, have as many streams open as they may."""

    code = "too-many-streams"

    def __init__(self, limit: int, whose: str) -> None:
        super().__init__(f"{whose} may have {limit} streams open at once; close one first")
        self.limit = limit


class RequestTooLarge(AccessError):
    """The request has more bytes than one may have."""

    code = "request-too-large"

    def __init__(self, actual: int, limit: int) -> None:
        super().__init__(f"the request has {actual:,} bytes, and may have {limit:,}")
        self.actual = actual
        self.limit = limit
