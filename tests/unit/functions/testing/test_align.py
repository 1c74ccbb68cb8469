"""Pairing what was expected with what is there: nothing is lost, and as much as can be stands fast."""

from __future__ import annotations

from functools import cache
from operator import eq

from hypothesis import given, settings
from hypothesis import strategies as st

from evidentsource_functions.testing._align import align, reordered

WORDS = st.text("abc", max_size=6)


def alike(left: str, right: str) -> int:
    return {"ab": 1, "ba": 1}.get(left + right, 0)


def longest_common(left: str, right: str) -> int:
    @cache
    def at(i: int, j: int) -> int:
        if i == len(left) or j == len(right):
            return 0
        both = at(i + 1, j + 1) + 1 if left[i] == right[j] else 0
        return max(both, at(i + 1, j), at(i, j + 1))

    return at(0, 0)


@settings(max_examples=60)
@given(WORDS, WORDS)
def test_every_position_is_in_one_pair_and_in_order(left: str, right: str) -> None:
    pairs = align(left, right, eq, alike)
    assert [pair.expected for pair in pairs if pair.expected is not None] == [*range(len(left))]
    assert [pair.got for pair in pairs if pair.got is not None] == [*range(len(right))]
    assert all(pair.expected is not None or pair.got is not None for pair in pairs)


@settings(max_examples=60)
@given(WORDS, WORDS)
def test_as_many_as_possible_are_the_same(left: str, right: str) -> None:
    same = [pair for pair in align(left, right, eq, alike) if pair.same]
    for pair in same:
        assert pair.expected is not None
        assert pair.got is not None
        assert left[pair.expected] == right[pair.got]
    assert len(same) == longest_common(left, right)


@settings(max_examples=60)
@given(WORDS, WORDS)
def test_two_that_differ_are_a_pair_only_where_they_have_something_in_common(
    left: str, right: str
) -> None:
    for pair in align(left, right, eq, alike):
        if pair.expected is not None and pair.got is not None and not pair.same:
            assert alike(left[pair.expected], right[pair.got])


@settings(max_examples=60)
@given(WORDS, WORDS)
def test_reordered_means_the_same_things_in_whatever_order(left: str, right: str) -> None:
    assert reordered(left, right, eq) == (sorted(left) == sorted(right))
