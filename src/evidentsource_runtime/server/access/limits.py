"""How much one caller may ask for, and how all of it together stays bounded."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import Final

from evidentsource_runtime.server.access.errors import (
    AccessSetupError,
    RateLimited,
    RequestTooLarge,
    TooManyStreams,
)

__all__ = ["Limits", "RateLimiter", "StreamCounter"]

MIB: Final = 1024 * 1024
_ROUNDING: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Limits:
    """What a server allows. Every limit has a default.

    Args:
        request_bytes: bytes of one request. A transaction of 16 MiB fits with its frame.
        rate: requests a second that one caller may make, on average; none sets no limit.
        burst: requests that it may make at once.
        streams_per_principal: streams that one caller may have open.
        streams: streams that may be open in all.
        seconds: how long one request may take. Streams, and waiting for a revision, may take as
            long as the client stays.
        component_bytes: bytes of one component that is published.

    >>> Limits(rate=0)
    Traceback (most recent call last):
    ...
    evidentsource_runtime.server.access.errors.AccessSetupError: rate: 0 is not more than 0
    """

    request_bytes: int = 24 * MIB
    rate: float | None = 5_000.0
    burst: int = 10_000
    streams_per_principal: int = 1_000
    streams: int = 5_000
    seconds: float = 60.0
    component_bytes: int = 100 * MIB

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if value is not None and not value > 0:
                raise AccessSetupError(each.name, f"{value!r} is not more than 0")

    def check_size(self, size: int) -> None:
        """Raises RequestTooLarge for more bytes than a request may have."""
        if size > self.request_bytes:
            raise RequestTooLarge(size, self.request_bytes)


class RateLimiter:
    """A bucket of tokens for each caller: it fills at a rate, and every request takes one.

    Args:
        rate: tokens a second; None takes no count.
        burst: what a bucket holds.
        clock: seconds that only go forward.
        most: buckets that are kept; of more, the one that was used longest ago goes. It would be
            full again by then, unless as many callers were active within ``burst / rate`` seconds.

    >>> limiter = RateLimiter(rate=10, burst=1, clock=lambda: 0.0)
    >>> limiter.take("ann")
    >>> limiter.take("ann")
    Traceback (most recent call last):
    ...
    evidentsource_runtime.server.access.errors.RateLimited: more than 10 requests a second; ...
    """

    def __init__(
        self,
        rate: float | None,
        burst: int,
        clock: Callable[[], float] = time.monotonic,
        most: int = 100_000,
    ) -> None:
        self._rate = rate
        self._burst = float(burst)
        self._clock = clock
        self._most = most
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, subject: str) -> None:
        """Count one request of a caller.

        Raises:
            RateLimited: its bucket is empty.
        """
        if self._rate is None:
            return
        now = self._clock()
        tokens, since = self._buckets.get(subject, (self._burst, now))
        tokens = min(self._burst, tokens + (now - since) * self._rate)
        if tokens < 1 - _ROUNDING:
            # Rounded up, so that whoever waits as long as it says is let in.
            wait = math.ceil((1 - tokens) / self._rate * 1000) / 1000
            raise RateLimited(self._rate, wait)
        self._buckets[subject] = (max(tokens - 1, 0.0), now)
        self._buckets.move_to_end(subject)
        if len(self._buckets) > self._most:
            self._buckets.popitem(last=False)


class StreamCounter:
    """Counts the streams that are open.

    Args:
        each: how many one caller may have open.
        total: how many all together.
    """

    def __init__(self, each: int, total: int) -> None:
        self._each = each
        self._total = total
        self._open: dict[str, int] = {}

    @property
    def count(self) -> int:
        """How many are open."""
        return sum(self._open.values())

    @contextmanager
    def one(self, subject: str) -> Iterator[None]:
        """Count one stream of a caller while it is open.

        Raises:
            TooManyStreams: there are as many as there may be.
        """
        if self.count >= self._total:
            raise TooManyStreams(self._total, "all callers together")
        mine = self._open.get(subject, 0)
        if mine >= self._each:
            raise TooManyStreams(self._each, repr(subject))
        self._open[subject] = mine + 1
        try:
            yield
        finally:
            left = self._open[subject] - 1
            if left:
                self._open[subject] = left
            else:
                del self._open[subject]
