"""Event loops, asyncio's or trio's, and what other threads have to tell their tasks."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Hashable
from contextlib import suppress
from functools import partial
from typing import Any, Protocol, TypeAlias
from weakref import WeakKeyDictionary, ref

import anyio
from anyio.lowlevel import RunVar, current_token

from evidentsource_runtime.store.work import Told

__all__ = ["Batch", "Loop", "Verdict", "running_loop", "waker"]


Wake: TypeAlias = Callable[[Callable[[], None]], object]


class Releasing(Hashable, Protocol):
    """A store that holds what is submitted until it is told to go on."""

    def release(self) -> None:
        """Begin to commit what is held."""


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
    """An event loop, for other threads and for itself.

    Args:
        native: the loop itself.
        verdict: makes what its tasks wait for.
        wake: has something called by the loop; any thread may call it.
        soon: the same, for the loop's own thread.
    """

    def __init__(
        self, native: object, verdict: Callable[[], Verdict], wake: Wake, soon: Wake
    ) -> None:
        self.native = native
        self.verdict = verdict
        self.wake = wake
        self.soon = soon
        self._batches: WeakKeyDictionary[Releasing, Batch] = WeakKeyDictionary()
        self._last: Batch | None = None

    def batch(self, store: Releasing) -> Batch:
        """What this loop's tasks write into a store."""
        # Nearly always the same one.
        found = self._last
        if found is not None and found.store() is store:
            return found
        found = self._batches.get(store)
        if found is None:
            found = self._batches[store] = Batch(self, ref(store))
        self._last = found
        return found


class Batch:
    """Brings what a loop's tasks write to their store, all of it that comes at once together.

    While a commit is under way, what further tasks begin is held: those that are told of it are
    likely to have something to write next, which then shares the next one. Fewer commits wait for
    the disk, and the loop and the committer do not contend for the interpreter.

    Args:
        loop: the loop.
        store: where they write, while it is there.
    """

    def __init__(self, loop: Loop, store: ref[Releasing]) -> None:
        self._loop = loop
        self.store = store
        self._undecided = 0
        self._under_way = False
        self._due = False

    def begun(self) -> None:
        """One more transaction was submitted, and is held."""
        self._undecided += 1
        if not self._under_way and not self._due:
            self._hand_over_soon()

    def _hand_over_soon(self) -> None:
        # Behind all tasks that are ready to run now.
        self._due = True
        self._loop.soon(self._hand_over)

    def _hand_over(self) -> None:
        self._due = False
        self._under_way = True
        store = self.store()
        if store is not None:
            store.release()

    def post(self, told: list[Told]) -> None:
        """Have all of these called by the loop. It may be over: then nobody waits there."""
        with suppress(RuntimeError):
            self._loop.wake(partial(self._tell, told))

    def _tell(self, told: list[Told]) -> None:
        self._undecided -= len(told)
        self._under_way = False
        for tell in told:
            tell()
        if self._undecided and not self._due:
            self._hand_over_soon()


_RUNNING: RunVar[Loop] = RunVar("evidentsource-loop")


def running_loop() -> Loop:
    """The loop that runs here: the same one for all of its tasks."""
    last = _LAST[0]()
    try:
        # Every transaction asks, nearly all of them in one loop.
        if last is not None and last.native is asyncio.get_running_loop():
            return last
    except RuntimeError:
        pass  # trio's
    loop = _RUNNING.get(None)
    if loop is None:
        native: Any = current_token().native_token
        if isinstance(native, asyncio.AbstractEventLoop):
            loop = Loop(native, _AsyncioVerdict, waker(), native.call_soon)
        else:
            loop = Loop(native, _AnyVerdict, waker(), waker())
        _RUNNING.set(loop)
    _LAST[0] = ref(loop)
    return loop


def _none() -> None:
    return None


_LAST: list[Callable[[], Loop | None]] = [_none]


def waker() -> Wake:
    """How another thread has something done by this loop, without waiting for it."""
    loop: Any = current_token().native_token
    if hasattr(loop, "run_sync_soon"):  # trio's
        return partial(loop.run_sync_soon)
    return partial(loop.call_soon_threadsafe)
