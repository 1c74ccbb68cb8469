"""What a person at a terminal sees while a component is compiled.

Compiling takes some seconds, once for each component on each machine; without a word that looks like a
program that hangs. Where nobody looks (a service, a pipe, a test run), nothing is written.
"""

from __future__ import annotations

import sys
import threading
from typing import Final, TextIO

from evidentsource_runtime.host.loading import CompileProgress

_PATIENCE = 0.5
"""Seconds that need no explanation."""
_CLEAR = "\r\x1b[2K"


class TerminalProgress:
    """One line on a terminal, gone when it is done.

    Args:
        stream: where to write; the standard error stream of the moment where left out.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream
        self._shown: set[str] = set()
        self._lock = threading.Lock()

    def __call__(self, progress: CompileProgress) -> None:
        """Show how far it is."""
        stream = self._stream or sys.stderr
        # The stream is None in a program without a console.
        if stream is None or not stream.isatty():
            return
        with self._lock:
            if progress.done:
                if progress.component in self._shown:
                    self._shown.discard(progress.component)
                    stream.write(_CLEAR)
            elif progress.seconds >= _PATIENCE:
                self._shown.add(progress.component)
                took = f"{progress.seconds:.0f} s"
                stream.write(
                    f"{_CLEAR}{progress.component}: {progress.step}, once on this machine: {took}"
                )
            stream.flush()


TERMINAL: Final = TerminalProgress()
"""What a host tells unless it is given something else to tell."""
