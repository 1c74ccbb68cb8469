"""The way into a server: who it is, and whether it may come in now."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager

from evidentsource_runtime.server.access.authentication import Authenticator
from evidentsource_runtime.server.access.errors import Unauthenticated
from evidentsource_runtime.server.access.limits import Limits, RateLimiter, StreamCounter
from evidentsource_runtime.server.access.principals import Principal

__all__ = ["Admission"]


class Admission:
    """Lets requests in. One for all interfaces, so that limits hold for them together.

    Args:
        authenticator: tells who asks.
        limits: what one caller, and all together, may ask for.
    """

    def __init__(self, authenticator: Authenticator, limits: Limits) -> None:
        self.authenticator = authenticator
        self.limits = limits
        self._rates = RateLimiter(limits.rate, limits.burst)
        self._streams = StreamCounter(limits.streams_per_principal, limits.streams)

    async def enter(self, headers: Mapping[str, str]) -> Principal:
        """The caller of a request.

        Args:
            headers: the request's, their names in lower case.

        Raises:
            Unauthenticated: it is not known who asks.
            RateLimited: it asks too often.
        """
        principal = await self.authenticator.authenticate(headers)
        if principal is None:
            raise Unauthenticated("the request says nothing of who sends it")
        self._rates.take(principal.subject)
        return principal

    def stream(self, caller: Principal) -> AbstractContextManager[None]:
        """Counts a stream while it is open.

        Raises:
            TooManyStreams: the caller, or all together, have as many open as they may.
        """
        return self._streams.one(caller.subject)

    @property
    def open_streams(self) -> int:
        """How many streams are open."""
        return self._streams.count
