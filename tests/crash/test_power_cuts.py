"""The power is cut at any moment, and every acknowledged transaction is there afterwards."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from tests.crash.folders import fast_folder
from tests.crash.power import Findings, Search

SECONDS = 60
"""Long enough on any machine; the number of cuts ends the search."""


def searched(cuts: int, **how: Any) -> Findings:
    with fast_folder() as folder:
        return Search(Path(folder), **how).run(time.monotonic() + SECONDS, cuts)


def test_no_cut_loses_an_acknowledged_transaction_or_damages_the_store() -> None:
    found = searched(90, seed=7, share=0.1)
    assert (found.lost, found.faults) == (0, [])
    assert found.cuts >= 90
    assert found.gathered > 0


def test_cuts_while_the_log_is_carried_over_lose_nothing_either() -> None:
    found = searched(60, seed=8, share=0.01)
    assert (found.lost, found.faults) == (0, [])
    assert found.cuts >= 60
    assert found.gathered > 0


@pytest.mark.parametrize("seed", [1])
def test_the_same_search_finds_what_a_store_loses_that_does_not_wait_for_the_disk(
    seed: int,
) -> None:
    found = searched(40, seed=seed, share=0.1, synchronous="NORMAL")
    assert found.lost > 0
    assert found.faults == []
