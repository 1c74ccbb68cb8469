"""The call that is going on: what it holds, and what went wrong in a function the host gave it.

Calls nest (a decision reads a view whose component runs in the same host), so each thread has a stack
of them; a function that wasmtime calls back finds its call on top.
"""

from __future__ import annotations

import itertools
import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from evidentsource_runtime.host import signals
from evidentsource_runtime.host.limits import OUT_OF_TIME
from evidentsource_runtime.host.signals import Deferral
from evidentsource_runtime.host.traps import TRAP_HANDLERS

_HEADROOM = 64
"""Python frames that a call needs at least: wasmtime's own and ours, called back."""

_local = threading.local()


class Handles:
    """The databases that a component holds, by the number it knows each under."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._held: dict[int, Any] = {}

    def __len__(self) -> int:
        return len(self._held)

    def add(self, database: Any) -> int:
        """Hold ``database``; the number it goes under."""
        number = next(self._numbers)
        self._held[number] = database
        return number

    def get(self, number: int) -> Any:
        """The database under that number."""
        return self._held[number]

    def drop(self, number: int) -> None:
        """The component is done with it."""
        self._held.pop(number, None)


class Call:
    """One call into a component.

    Attributes:
        handles: the databases that it was given.
        failure: the exception that ended it, where that arose on the host's side of the boundary.
        operation: the function of the host in which it did; empty where it was a signal's handler.
        simulation: the clocks and the randomness of its instance, where they are not live.
        deadline: the epoch at which it has had its time.
    """

    def __init__(self, simulation: Any = None) -> None:
        self.handles = Handles()
        self.simulation = simulation
        self.deadline = math.inf
        self.failure: BaseException | None = None
        self.operation = ""

    def fail(self, operation: str, error: BaseException) -> None:
        """Keep the first failure: it cannot cross wasmtime, so whoever made the call raises it."""
        if self.failure is None:
            self.failure = error
            self.operation = operation

    def tick(self, epoch: int) -> str | None:
        """Let the handlers of signals have their turn; the words that end the call, if it is to end."""
        try:
            signals.attend()
        except BaseException as error:  # noqa: BLE001 - it cannot cross wasmtime
            self.fail("", error)
            return "a signal"
        return OUT_OF_TIME if epoch >= self.deadline else None


def current() -> Call:
    """The innermost call of this thread."""
    call: Call = _local.stack[-1]
    return call


def depth() -> int:
    """How many calls go on inside of each other on this thread."""
    return len(getattr(_local, "stack", ()))


@contextmanager
def running(call: Call) -> Iterator[None]:
    """``call`` goes on; signals wait until they can do no harm.

    Raises:
        RecursionError: the stack is so deep that a function called back might not find room; inside
            of it, that would crash the process.
    """
    _require_frames(_HEADROOM)
    stack = _local.__dict__.setdefault("stack", [])
    TRAP_HANDLERS.keep()
    with Deferral():
        stack.append(call)
        try:
            yield
        finally:
            stack.pop()


def _require_frames(count: int) -> None:
    if count:
        _require_frames(count - 1)
