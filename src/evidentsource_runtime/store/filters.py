"""Which keys are certainly not among many: few bits for each, and no look at the file."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from itertools import combinations, cycle, islice
from typing import Final

_LEAST, _MOST = 1 << 15, 1 << 24
"""Words, of four bytes each: 128 KiB to 64 MiB."""
_FULL: Final = 4
"""Keys for each word, from which on more than one of 25 others seem to be among them."""

_BITS: Final = 30
_SHIFT: Final = 28
_PATTERNS: Final = tuple(
    1 << first | 1 << second | 1 << third
    for first, second, third in islice(cycle(combinations(range(_BITS), 3)), 1 << 40 - _SHIFT)
)
"""Of each value of a key's upper bits, the three bits that it sets: each three of thirty, some twice."""


class KeyFilter:
    """A Bloom filter of keys (:mod:`keys`): it forgets none, and seldom takes another for one of them.

    A key belongs to one word, in which it sets three bits, so that it takes one look and not three
    (Putze, Sanders, Singler: Cache-, hash- and space-efficient Bloom filters, 2007). A word has 30
    bits, since with those CPython computes fastest.

    Args:
        keys: how many it is made for; four times as many fill it.

    >>> seen = KeyFilter(1_000)
    >>> seen.add([5, 2**39])
    >>> seen.among([5, 6, 2**39]) == [5, 2**39]
    True
    """

    __slots__ = ("_left", "_mask", "_words")

    def __init__(self, keys: int) -> None:
        words = min(max(_LEAST, 1 << max(0, keys - 1).bit_length()), _MOST)
        self._words = array("I", bytes(words * array("I").itemsize))
        self._mask = words - 1
        self._left = words * _FULL

    @property
    def has_room(self) -> bool:
        """Whether it can take more keys and still be worth asking, or cannot be made larger."""
        return self._left > 0 or len(self._words) >= _MOST

    def add(self, keys: Sequence[int]) -> None:
        """Take these in."""
        words, mask, patterns = self._words, self._mask, _PATTERNS
        for key in keys:
            words[key & mask] |= patterns[key >> _SHIFT]
        self._left -= len(keys)

    def among(self, keys: Iterable[int]) -> list[int]:
        """Those of the keys that may have been added; no other one has."""
        words, mask, patterns = self._words, self._mask, _PATTERNS
        return [key for key in keys if not patterns[key >> _SHIFT] & ~words[key & mask]]
