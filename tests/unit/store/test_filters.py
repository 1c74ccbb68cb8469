"""The filter of keys: none is forgotten, few are taken for others, and it says when it is too small."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidentsource_runtime.store import filters
from evidentsource_runtime.store.filters import KeyFilter

KEYS = st.lists(st.integers(0, 2**40 - 1))


@given(batches=st.lists(KEYS), others=KEYS)
def test_no_key_is_forgotten(batches: list[list[int]], others: list[int]) -> None:
    seen = KeyFilter(0)
    for keys in batches:
        seen.add(keys)
    for keys in batches:
        assert seen.among(iter(keys)) == keys
    every = {key for keys in batches for key in keys}
    found = seen.among(others)
    assert [key for key in others if key in every or key in found] == found


def test_an_empty_one_has_none() -> None:
    assert KeyFilter(0).among(range(0, 2**40, 2**30)) == []


@pytest.mark.parametrize(("share", "least", "most"), [(1, 0.0005, 0.006), (4, 0.02, 0.06)])
def test_few_keys_are_taken_for_others(share: int, least: float, most: float) -> None:
    numbers = random.Random(share)
    seen = KeyFilter(50_000)
    seen.add([numbers.getrandbits(40) for _ in range(share * 2**16)])
    asked = [numbers.getrandbits(40) for _ in range(50_000)]
    assert least < len(seen.among(asked)) / len(asked) < most


def test_it_has_room_for_four_times_as_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filters, "_LEAST", 1)
    seen = KeyFilter(100)
    seen.add(range(4 * 128 - 1))
    assert seen.has_room
    seen.add([0])
    assert not seen.has_room


def test_one_that_cannot_be_larger_always_has_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filters, "_LEAST", 1)
    monkeypatch.setattr(filters, "_MOST", 16)
    seen = KeyFilter(10**9)
    seen.add(range(1_000))
    assert seen.has_room
    assert len(seen._words) == 16
