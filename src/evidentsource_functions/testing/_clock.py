"""Times and ids that are the same at every run of a test."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from datetime import datetime, timedelta

from evidentsource_core import InvalidValue
from evidentsource_functions.testing._builder import as_moment
from evidentsource_functions.testing._stage import STARTED


class Clock:
    """A clock that shows what a test says.

    Args:
        start: a time with a zone, its RFC 3339 text, or a day; the beginning of 2024 by default.

    >>> clock = Clock("2024-01-31T09:00:00Z")
    >>> clock.advance(minutes=90)
    >>> clock().isoformat()
    '2024-01-31T10:30:00+00:00'
    """

    def __init__(self, start: datetime | str = STARTED) -> None:
        self._now = as_moment(start, "start")

    def __call__(self) -> datetime:
        """What it shows."""
        return self._now

    def advance(
        self,
        by: timedelta | None = None,
        /,
        **parts: float,
    ) -> None:
        """Move on.

        Args:
            by: by so much, and by what follows.
            **parts: by so many ``days``, ``hours``, ``minutes``, ``seconds``, as of a ``timedelta``.

        Raises:
            InvalidValue: that would be back.
        """
        self.set(self._now + timedelta(**parts) + (by or timedelta()))

    def set(self, time: datetime | str) -> None:
        """Move on to a time.

        Raises:
            InvalidValue: that lies before what the clock shows.
        """
        moment = as_moment(time, "time")
        if moment < self._now:
            raise InvalidValue(
                "clock", f"{moment} lies before {self._now}; a clock never goes back"
            )
        self._now = moment

    def __repr__(self) -> str:
        return f"<Clock {self._now}>"


@contextlib.contextmanager
def stable_ids(seed: str = "") -> Iterator[None]:
    """Let ``uuid.uuid4()`` make the same ids, in order, at every run.

    It holds for code in this process, on every thread, and for everything that asks the system
    for random bytes through ``os.urandom``.

    Args:
        seed: another seed makes other ids.

    >>> import uuid
    >>> with stable_ids():
    ...     first = uuid.uuid4()
    >>> with stable_ids():
    ...     first == uuid.uuid4()
    True
    """
    counter = 0

    def urandom(size: int, /) -> bytes:
        nonlocal counter
        found = b""
        while len(found) < size:
            counter += 1
            found += hashlib.sha256(f"{seed}/{counter}".encode()).digest()
        return found[:size]

    system = os.urandom
    os.urandom = urandom
    try:
        yield
    finally:
        os.urandom = system
