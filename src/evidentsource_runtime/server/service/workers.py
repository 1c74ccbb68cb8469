"""Where blocking work is done: a database answers from threads, an interface waits on its loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from evidentsource_runtime.server.service.errors import ServerStopping

__all__ = ["Workers"]

P = ParamSpec("P")
T = TypeVar("T")

MOST_ITEMS = 256
"""Items of a stream that are read ahead of its reader, at most."""
MOST_WEIGHT = 256 * 1024
"""Their weight, in bytes, at which no more are read ahead."""


class Workers:
    """Threads for blocking work.

    Components may compute for seconds, so they have threads of their own: reads and commits never
    wait for one. Many threads may commit at once, because commits that come together share a sync.

    Args:
        reading: threads for reads and commits.
        computing: threads for state views and state changes.
    """

    def __init__(self, reading: int = 32, computing: int = 16) -> None:
        self._reading = ThreadPoolExecutor(reading, "evidentsource-read")
        self._computing = ThreadPoolExecutor(computing, "evidentsource-compute")

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Have a short piece of work done."""
        return await self._in(self._reading, partial(work, *args, **kwargs))

    async def compute(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Have a component run."""
        return await self._in(self._computing, partial(work, *args, **kwargs))

    async def _in(self, pool: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        try:
            future = asyncio.get_running_loop().run_in_executor(pool, work)
        except RuntimeError as error:  # the pool was shut down
            raise ServerStopping from error
        try:
            return await future
        finally:
            # An error in it leads to this frame, and would lead to itself from here: then everything
            # that it can be traced to, a whole upload say, stays until garbage is looked for.
            del future

    async def stream(
        self, make: Callable[[], Iterator[T]], weigh: Callable[[T], int] | None = None
    ) -> AsyncIterator[T]:
        """The items of an iterator, read ahead of whoever takes them by a little.

        Args:
            make: gives the iterator; what it raises comes before the first item.
            weigh: bytes of one item.
        """
        iterator = await self.run(make)
        # The first answer comes soon, the rest in fewer turns.
        size = 8
        while True:
            items, finished = await self.run(_take, iterator, size, weigh)
            for item in items:
                yield item
            if finished:
                return
            size = min(size * 2, MOST_ITEMS)

    def close(self) -> None:
        """Finish what was begun; take nothing more."""
        self._reading.shutdown(wait=True, cancel_futures=True)
        self._computing.shutdown(wait=True, cancel_futures=True)


def _take(
    iterator: Iterator[T], size: int, weigh: Callable[[T], int] | None
) -> tuple[list[T], bool]:
    items: list[T] = []
    weight = 0
    for item in iterator:
        items.append(item)
        weight += 0 if weigh is None else weigh(item)
        if len(items) >= size or weight >= MOST_WEIGHT:
            return items, False
    return items, True
