"""Shorter histories that fail as well: hypothesis takes away what stands together, this what does not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import TypeVar

T = TypeVar("T")

_MOST_TRIES = 2_000
_AT_ONCE = 3


def shortened(steps: Sequence[T], fails: Callable[[list[T]], bool]) -> list[T]:
    """The steps without any one, two or three of them that the failure does not need.

    Args:
        steps: a history that fails.
        fails: whether another one does.

    >>> shortened([3, 1, 5, 2, 4], lambda steps: 1 in steps and sum(steps) >= 5)
    [1, 4]
    """
    current, tries = list(steps), 0
    count = 1
    while count <= min(_AT_ONCE, len(current) - 1):
        for left_out in combinations(range(len(current)), count):
            tries += 1
            if tries > _MOST_TRIES:
                return current
            fewer = [step for index, step in enumerate(current) if index not in left_out]
            if fails(fewer):
                current, count = fewer, 0
                break
        count += 1
    return current
