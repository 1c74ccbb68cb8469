"""Ends calls that take too long.

A component checks, at every turn of a loop, whether the epoch of its engine has reached its deadline.
One thread in the process moves the epochs on; it sleeps while no component runs. The checks cost a
Python guest about a fifth more time (a fold of 2,000 events, with and without: 160 against 136 ms).

On the main thread, the one that runs the handlers of signals, each epoch lets them have their turn:
Ctrl-C ends a component that spins. On another thread a call is not disturbed before its deadline.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from wasmtime import Engine, Store

from evidentsource_runtime.host.calls import Call, current
from evidentsource_runtime.host.convert.abi import at_epochs, watch

TICK = 0.05
"""Seconds between two epochs."""


class Ticker:
    """The thread that moves the epochs of engines on while components run in them."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._running: Counter[Engine] = Counter()
        self._thread: threading.Thread | None = None
        self._epoch = 0
        # One for good: after a fork, stores of the parent still call the one that they were given.
        if not hasattr(self, "_at_epochs"):
            self._at_epochs = at_epochs(lambda: current().tick(self._epoch))

    @contextmanager
    def limiting(self, call: Call, store: Store, seconds: float) -> Iterator[None]:
        """``call``, which runs in ``store``, is ended after so many seconds, late rather than early."""
        self._enter(store.engine)
        try:
            # The tick that is under way does not count, being partly over. Epochs are counted, and not
            # seconds: while all of the process stands still, nobody's time goes by.
            epochs = math.ceil(seconds / TICK) + 1
            call.deadline = self._epoch + epochs
            if threading.current_thread() is threading.main_thread():
                watch(store, self._at_epochs)
                epochs = 1
            store.set_epoch_deadline(epochs)
            yield
        finally:
            self._leave(store.engine)

    def running(self) -> int:
        """How many engines components run in at the moment."""
        with self._changed:
            return len(self._running)

    def _enter(self, engine: Engine) -> None:
        with self._changed:
            self._running[engine] += 1
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="evidentsource-ticker", daemon=True
                )
                self._thread.start()
            self._changed.notify()

    def _leave(self, engine: Engine) -> None:
        with self._changed:
            self._running[engine] -= 1
            if not self._running[engine]:
                del self._running[engine]

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._running:
                    self._changed.wait()
                self._epoch += 1
                for engine in self._running:
                    engine.increment_epoch()
            time.sleep(TICK)


TICKER = Ticker()
"""The one of this process."""

if hasattr(os, "register_at_fork"):
    # No thread but the one that forks lives on in the child.
    os.register_at_fork(after_in_child=TICKER.__init__)  # type: ignore[misc]  # as new, under its name
