"""A server's bad days: it stays up, answers others meanwhile, and what they took comes back.

The figures are small; ``make soak`` plays the same days with the full ones, again and again.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator

import pytest

from tests.soak.days import DAYS, Day, Place
from tests.soak.server import MEMORY_GROWTH, served, settled, somebody_else

pytestmark = [
    pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="figures of Linux"),  # noqa: PTH110 - asked once
    pytest.mark.xdist_group("bad-days"),
]


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with served() as place:
        asyncio.run(place.fill(400))
        yield place


@pytest.mark.parametrize("day", DAYS, ids=lambda day: day.happens.__name__)
def test_a_bad_day_passes_and_others_are_answered_meanwhile(place: Place, day: Day) -> None:
    async def play() -> None:
        async with somebody_else(place) as waits:
            await day.happens(place, day.little)
            answered = len(waits)
            while len(waits) < answered + 2:  # noqa: ASYNC110 - it goes on over both interfaces
                await asyncio.sleep(0.01)
        await settled(place, files)

    files, before = place.files() + 40, place.memory()
    asyncio.run(play())
    assert place.memory() - before < MEMORY_GROWTH
