"""Sees to it that a trap of a component reaches wasmtime, and not whoever took its signals away.

Compiled code does not check for what the processor notices anyway: an ``unreachable``, a division by
zero or an access beyond the memory raises a signal of the operating system, and wasmtime's handler
makes a trap of it. Those handlers belong to the process, not to an engine. ``faulthandler.disable()``
puts back what was there before, ``faulthandler.enable()`` and crash reporters put themselves in their
place, and the next trap ends the process. So before a component runs they are looked at, and put back
where they are gone.
"""

from __future__ import annotations

import ctypes
import logging
import signal
import sys
from pathlib import Path
from typing import Any

_logger = logging.getLogger(__name__)

TRAP_SIGNALS = tuple(
    signal.Signals[name]
    for name in ("SIGSEGV", "SIGILL", "SIGBUS", "SIGFPE")
    if name in signal.Signals.__members__
)
"""What the processor raises at once and where it stands; a handler in Python could not answer it."""
_Action: Any = ctypes.c_char * 512
"""Room for a ``struct sigaction``: at most 152 bytes where we know of, the handler first."""


class _Place(ctypes.Structure):
    """``Dl_info``: where an address lies."""

    _fields_ = (
        ("file", ctypes.c_char_p),
        ("base", ctypes.c_void_p),
        ("name", ctypes.c_char_p),
        ("address", ctypes.c_void_p),
    )


class TrapHandlers:
    """wasmtime's handlers of this process, once there is an engine."""

    def __init__(self) -> None:
        self._kept: list[tuple[signal.Signals, int, Any]] = []
        self._sigaction: Any = None

    def note(self) -> None:
        """Remember the handlers that are wasmtime's now; to be called after an engine was made.

        Where it has none (it uses other means on Windows and macOS) nothing is remembered, and
        :meth:`keep` does nothing.
        """
        if sys.platform == "win32":
            return
        library = ctypes.CDLL(None)
        self._sigaction = library.sigaction
        self._sigaction.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
        known = {number for number, _, _ in self._kept}
        for number in TRAP_SIGNALS:
            action = _Action()
            handler = self._read(number, action)
            if number not in known and _lies_in_wasmtime(library, handler):
                self._kept.append((number, handler, action))

    def keep(self) -> None:
        """Put back the handlers that were replaced since."""
        found = _Action()
        gone = [each for each in self._kept if self._read(each[0], found) != each[1]]
        for number, _, action in gone:
            self._sigaction(number, action, None)
        if gone:
            _logger.warning(
                "the handlers of %s, which traps of components need, were replaced and are put back; "
                "call faulthandler.enable() and the like before the first component is loaded",
                ", ".join(number.name for number, _, _ in gone),
            )

    def _read(self, number: signal.Signals, into: Any) -> int:
        """The address of the handler, with the rest of what was set beside it."""
        self._sigaction(number, None, into)
        return ctypes.c_void_p.from_buffer(into).value or 0


def _lies_in_wasmtime(library: ctypes.CDLL, address: int) -> bool:
    place = _Place()
    if not library.dladdr(ctypes.c_void_p(address), ctypes.byref(place)):
        return False
    return "wasmtime" in Path((place.file or b"").decode(errors="replace")).name


TRAP_HANDLERS = TrapHandlers()
