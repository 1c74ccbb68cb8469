"""The value that equals every other: what a test does not name."""

from __future__ import annotations

from typing import Any, Final


class Anything:
    """Equals whatever it is compared with.

    >>> {"id": "8f1c", "amount": 5} == {"id": ANYTHING, "amount": 5}
    True
    """

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0

    def __repr__(self) -> str:
        return "ANYTHING"


# Any, since it takes the place of values of every type.
ANYTHING: Final[Any] = Anything()
"""Stands for a part of an event, of a payload or of a view that a test does not care about."""
