"""Event loops, asyncio's or trio's, and what other threads have to tell their tasks."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, Protocol

import anyio
from anyio.lowlevel import RunVar, current_token

from evidentsource_runtime.store.work import Told

__all__ = ["Loop", "Verdict", "running_loop", "waker"]


class Verdict(Protocol):
    """Something that is going to be decided elsewhere, and is waited for by one task."""

    def tell(self) -> None:
        """It is decided; called by the task's loop."""

    async def wait(self) -> None:
        """Wait for that.

        Who is cancelled meanwhile goes on waiting, since what was begun cannot be taken back; the next
        checkpoint tells of it, as after work in a thread. asyncio's own ``Task.cancel`` ends it at once.
        """


class _AnyVerdict:
    def __init__(self) -> None:
        self._told = anyio.Event()

    def tell(self) -> None:
        self._told.set()

    async def wait(self) -> None:
        with anyio.CancelScope(shield=True):
            await self._told.wait()


class _AsyncioVerdict:
    """The same by a future of asyncio: a scope and an event would take a fifth of a transaction's time."""

    __slots__ = ("_future", "_is_told")

    def __init__(self) -> None:
        self._future = asyncio.get_running_loop().create_future()
        self._is_told = False

    def tell(self) -> None:
        self._is_told = True
        if not self._future.done():
            self._future.set_result(None)

    async def wait(self) -> None:
        try:
            await self._future
        except asyncio.CancelledError:
            by_a_scope = anyio.current_effective_deadline() == -math.inf
            if not by_a_scope:
                raise
            if not self._is_told:
                # The first one was cancelled with the task.
                self._future = asyncio.get_running_loop().create_future()
                with anyio.CancelScope(shield=True):
                    await self._future


class Loop:
    """An event loop, for other threads.

    Args:
        verdict: makes what its tasks wait for.
        wake: has something called by the loop; any thread may call it.
    """

    def __init__(
        self, verdict: Callable[[], Verdict], wake: Callable[[Callable[[], None]], object]
    ) -> None:
        self.verdict = verdict
        self._wake = wake

    def post(self, told: list[Told]) -> None:
        """Have all of these called by the loop. It may be over: then nobody waits there."""
        with suppress(RuntimeError):
            self._wake(partial(_call_all, told))


_RUNNING: RunVar[Loop] = RunVar("evidentsource-loop")


def running_loop() -> Loop:
    """The loop that runs here: the same one for all of its tasks."""
    loop = _RUNNING.get(None)
    if loop is None:
        of_asyncio = isinstance(current_token().native_token, asyncio.AbstractEventLoop)
        loop = Loop(_AsyncioVerdict if of_asyncio else _AnyVerdict, waker())
        _RUNNING.set(loop)
    return loop


def waker() -> Callable[[Callable[[], None]], object]:
    """How another thread has something done by this loop, without waiting for it."""
    loop: Any = current_token().native_token
    if hasattr(loop, "run_sync_soon"):  # trio's
        return partial(loop.run_sync_soon)
    return partial(loop.call_soon_threadsafe)


def _call_all(told: list[Told]) -> None:
    for tell in told:
        tell()
