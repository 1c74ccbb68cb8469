"""Keeps Ctrl-C and its like out of the moments in which an exception would crash the process.

Python runs the handler of a signal between any two bytecodes of the main thread, and the default one
for Ctrl-C raises there. The first bytecode of a function that wasmtime calls back is such a place,
before any ``try`` of that function; an exception from there ends the process (segmentation fault). So
while a component runs, a handler waits until it may raise: in the database's own code and at each
epoch of the call, from where exceptions are led out in an orderly way, and right after the call.

The same holds where wasmtime's objects are made and closed: an exception between the end of one and
the note that it has ended makes wasmtime-py end it twice, which crashes the process too.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Self, TypeAlias

from evidentsource_runtime.host.traps import TRAP_SIGNALS

_Handler: TypeAlias = Callable[[int, FrameType | None], Any]

try:
    # The same without an enumeration around it: every call asks for every signal.
    from _signal import getsignal as _handler_of  # type: ignore[import-not-found]
except ImportError:
    _handler_of = signal.getsignal

_SIGNALS = tuple(int(number) for number in signal.valid_signals() if number not in TRAP_SIGNALS)


class _Door:
    """Whether a handler may run at once, and those that wait. Only the main thread looks at it."""

    def __init__(self) -> None:
        self.open = True
        self.deferrals = 0
        self.waiting: list[tuple[_Handler, int, FrameType | None]] = []

    def run(self, handler: _Handler, number: int, frame: FrameType | None) -> None:
        # Shut first: whoever catches what the handler raises is in unsafe code again.
        self.open = False
        handler(number, frame)
        self.open = True

    def run_waiting(self) -> None:
        while self.waiting:
            self.run(*self.waiting.pop(0))


_DOOR = _Door()


class _Deferred:
    """Stands for a handler while a component runs."""

    def __init__(self, handler: _Handler) -> None:
        self._handler = handler

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if _DOOR.open:
            _DOOR.run(self._handler, number, frame)
        else:
            _DOOR.waiting.append((self._handler, number, frame))


def _on_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


class Deferral:
    """While entered, handlers written in Python wait; those that did run when it is left.

    It nests. Only the main thread runs handlers, so on another thread it does nothing.
    """

    def __init__(self) -> None:
        self._replaced: dict[int, _Handler] = {}
        self._was_open = True
        self._main = _on_main_thread()

    def __enter__(self) -> Self:
        if self._main:
            # Inside of another one, and outside of the database's code, nobody has set a handler.
            if _DOOR.open or not _DOOR.deferrals:
                try:
                    self._replace()
                except BaseException:
                    self._restore()
                    raise
            # Whoever found handlers to replace is the outermost.
            self._was_open = bool(self._replaced) or _DOOR.open
            _DOOR.open = False
            _DOOR.deferrals += 1
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self._main:
            return
        _DOOR.deferrals -= 1
        try:
            self._restore()
        finally:
            if self._was_open:
                admit()

    def _replace(self) -> None:
        for number in _SIGNALS:
            handler = _handler_of(number)
            if callable(handler) and not isinstance(handler, _Deferred):
                self._replaced[number] = handler
                signal.signal(number, _Deferred(handler))

    def _restore(self) -> None:
        try:
            for number in tuple(self._replaced):
                signal.signal(number, self._replaced[number])
                del self._replaced[number]
        except BaseException:
            # A handler just put back has raised at once; the others still want theirs.
            self._restore()
            raise


def attend() -> None:
    """Run the handlers that wait, and let those that come meanwhile wait for their turn."""
    if _on_main_thread():
        while _DOOR.waiting:
            handler, number, frame = _DOOR.waiting.pop(0)
            handler(number, frame)


def admit() -> None:
    """From here on handlers may raise: those that wait do so now."""
    if _on_main_thread():
        _DOOR.open = True
        _DOOR.run_waiting()


def shut() -> None:
    """From here on handlers wait again."""
    if _on_main_thread():
        _DOOR.open = False
