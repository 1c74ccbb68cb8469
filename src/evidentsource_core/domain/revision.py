"""Revisions: whole numbers that count a database's events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self, TypeAlias

from evidentsource_core.domain.errors import InvalidRange, InvalidRevision

Revision: TypeAlias = int
"""The number of events in a database: 0 when it is empty, 1 with its first event."""

MAX_REVISION = 2**64 - 1


def check_revision(value: object, field: str = "revision") -> int:
    """``value`` if it is a revision.

    Raises:
        InvalidRevision: it is no whole number from 0 to 2**64 - 1.

    >>> check_revision(-1)
    Traceback (most recent call last):
    ...
    evidentsource_core.domain.errors.InvalidRevision: revision: -1 is no revision (0 to 2**64 - 1)
    """
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_REVISION:
        raise InvalidRevision(field, f"{value!r} is no revision (0 to 2**64 - 1)")
    return value


@dataclass(frozen=True, slots=True)
class Range:
    """Revisions from ``min`` to ``max``, both included.

    >>> Range(2, 4).contains(4)
    True
    """

    min: int
    max: int

    def __post_init__(self) -> None:
        check_revision(self.min, "Range.min")
        check_revision(self.max, "Range.max")
        if self.min > self.max:
            raise InvalidRange(self.min, self.max)

    @classmethod
    def new(cls, min_val: int, max_val: int) -> Self:
        """The same as ``Range(min_val, max_val)``."""
        return cls(min_val, max_val)

    def contains(self, r: int) -> bool:
        """Whether ``r`` lies within."""
        return self.min <= r <= self.max
