"""Which of the events that happened is which of those that were expected."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

E = TypeVar("E")
G = TypeVar("G")


@dataclass(frozen=True, slots=True)
class Pair:
    """An expected event and the one in its place, by their positions; None where there is none."""

    expected: int | None
    got: int | None
    same: bool = False


def align(
    expected: Sequence[E],
    got: Sequence[G],
    matches: Callable[[E, G], bool],
    alike: Callable[[E, G], int],
) -> list[Pair]:
    """Pair what was expected with what is there, in order.

    Those that match stand fast, as many as possible. Between them, those that are most alike are
    pairs that differ, and the rest is missing or was not expected.

    Args:
        expected: what was expected.
        got: what is there.
        matches: whether one is the other.
        alike: how much two have in common; 0 for nothing.

    >>> pairs = align("abd", "acd", str.__eq__, lambda left, right: 1)
    >>> [(each.expected, each.got, each.same) for each in pairs]
    [(0, 0, True), (1, 1, False), (2, 2, True)]
    """
    same = [[matches(one, other) for other in got] for one in expected]
    close = [[alike(one, other) for other in got] for one in expected]
    # Everything of one kind outweighs any number of the next: matches, then likeness.
    weight = 1 + sum(max(row, default=0) for row in close)
    score = [
        [weight if hit else likeness for hit, likeness in zip(*rows, strict=True)]
        for rows in zip(same, close, strict=True)
    ]
    best = _best(score, len(expected), len(got))
    pairs: list[Pair] = []
    i = j = 0
    while i < len(expected) and j < len(got):
        if score[i][j] and best[i][j] == best[i + 1][j + 1] + score[i][j]:
            pairs.append(Pair(i, j, same[i][j]))
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            pairs.append(Pair(i, None))
            i += 1
        else:
            pairs.append(Pair(None, j))
            j += 1
    pairs += [Pair(each, None) for each in range(i, len(expected))]
    return pairs + [Pair(None, each) for each in range(j, len(got))]


def reordered(expected: Sequence[E], got: Sequence[G], matches: Callable[[E, G], bool]) -> bool:
    """Whether each expected event is there, and nothing else, in another order.

    >>> reordered("abc", "cab", str.__eq__)
    True
    """
    if len(expected) != len(got):
        return False
    left = list(got)
    for one in expected:
        found = next((k for k, other in enumerate(left) if matches(one, other)), None)
        if found is None:
            return False
        del left[found]
    return True


def _best(score: list[list[int]], rows: int, columns: int) -> list[list[int]]:
    """For each place, the most that can be had from there on."""
    best = [[0] * (columns + 1) for _ in range(rows + 1)]
    for i in range(rows - 1, -1, -1):
        for j in range(columns - 1, -1, -1):
            paired = best[i + 1][j + 1] + score[i][j] if score[i][j] else 0
            best[i][j] = max(best[i + 1][j], best[i][j + 1], paired)
    return best
