"""Which engine an instance is made in: calls that run side by side get memory that stays mapped.

An instance of a Python component maps some ten megabytes, copies the pages that it writes to, and
unmaps all of it in the end. For one thread nothing is faster. Two threads share the page tables of
their process, though: each page that one of them writes to interrupts the other one's processor, and
whoever maps or unmaps keeps the other waiting. So as soon as calls run side by side their instances
come from a pool, whose memory stays where it is and is put back by copying. What the pool has no room
for, or does not take, runs as a call by itself does.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable

from wasmtime import Engine, WasmtimeError

from evidentsource_runtime.host.engine import make_engine

SLOTS = max(4, 2 * (os.cpu_count() or 1))
"""Instances in a pool. More threads than that wait for each other anyway; each slot may keep 32 MiB."""
_LINGER = 1.0
"""Seconds for which the pool is used after calls were last seen side by side."""

_log = logging.getLogger("evidentsource.host")


class Engines:
    """The engines of one host for one depth of the stack.

    Args:
        stack_bytes: the WebAssembly stack.
        slots: how many instances the pool has room for.
        clock: seconds, in any count.

    Attributes:
        alone: where components are loaded, and where calls that have a processor for themselves run.
    """

    def __init__(
        self,
        stack_bytes: int,
        slots: int = SLOTS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.alone = make_engine(stack_bytes)
        self._stack_bytes = stack_bytes
        self._slots = slots
        self._clock = clock
        self._lock = threading.Lock()
        self._pool: Engine | None = None
        self._no_pool = not slots
        self._taken = 0
        self._calls = 0
        self._until = -_LINGER

    def enter(self) -> None:
        """A call begins."""
        with self._lock:
            self._calls += 1

    def leave(self) -> None:
        """A call has ended."""
        with self._lock:
            self._calls -= 1

    def pool(self) -> Engine | None:
        """The engine with the pool, made when it is first asked for; None where there cannot be one."""
        with self._lock:
            if self._pool is None and not self._no_pool:
                try:
                    self._pool = make_engine(self._stack_bytes, slots=self._slots)
                except WasmtimeError as error:
                    self._no_pool = True
                    _log.info("calls side by side have no pool of memory: %s", error)
            return self._pool

    def take(self, nested: int) -> bool:
        """Take a slot of the pool, to be given back by :meth:`give_back`; whether there is reason to.

        Args:
            nested: how many calls go on on this thread, inside of which the next one runs.
        """
        with self._lock:
            now = self._clock()
            if self._calls > nested:
                self._until = now + _LINGER
            if self._no_pool or now >= self._until or self._taken >= self._slots:
                return False
            self._taken += 1
            return True

    def give_back(self) -> None:
        """The slot is free again."""
        with self._lock:
            self._taken -= 1
