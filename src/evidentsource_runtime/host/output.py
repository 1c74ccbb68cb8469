"""What a component prints: caught, capped, and never in its way.

wasmtime-py can hand output to a Python function, but from threads of its own and at a moment of its
choosing: the end of a traceback may come after the trap it explains, and one that comes while Python
shuts down aborts the process. So output goes through a pipe, which is written to at once, and one
thread empties the pipes, so that a component that prints without end is not stopped by a full one.
What lies beyond the cap is counted and dropped.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import tempfile
import threading
from abc import ABC, abstractmethod
from pathlib import Path

from wasmtime import WasiConfig

DEFAULT_CAP = 64 * 1024
"""Bytes of each stream that are kept for one call."""

_CHUNK = 65_536
_HAS_PIPES = Path("/dev/fd").is_dir()
"""Whether a pipe can be opened by a path, which is all that wasmtime-py takes."""


class Kept:
    """The first and the last bytes of a stream, together at most ``cap``."""

    def __init__(self, cap: int) -> None:
        self._half = cap // 2
        self._head = bytearray()
        self._tail = bytearray()
        self._dropped = 0

    def add(self, data: bytes) -> None:
        """Keep more."""
        room = self._half - len(self._head)
        self._head += data[:room]
        self._tail += data[room:]
        excess = len(self._tail) - self._half
        if excess > 0:
            del self._tail[:excess]
            self._dropped += excess

    def take(self) -> str:
        """What was kept since the last time, as text."""
        parts = [bytes(self._head), bytes(self._tail)]
        if self._dropped:
            parts.insert(1, b"\n... %d bytes left out ...\n" % self._dropped)
        self._head.clear()
        self._tail.clear()
        self._dropped = 0
        return b"".join(parts).decode("utf-8", "replace")


class _Stream(ABC):
    """One of a component's two streams. Whoever opens ``path`` writes to it."""

    path: str

    def __init__(self, cap: int) -> None:
        self._kept = Kept(cap)

    @abstractmethod
    def opened(self) -> None:
        """The other side has opened ``path``."""

    @abstractmethod
    def drain(self) -> bool:
        """Keep what was written; whether more may come."""

    @abstractmethod
    def close(self) -> None:
        """Be done with it."""

    def take(self) -> str:
        """What was written since the last time."""
        self.drain()
        return self._kept.take()


class PipeStream(_Stream):
    """A stream through a pipe, which :data:`_drainer` empties."""

    def __init__(self, cap: int) -> None:
        super().__init__(cap)
        self._lock = threading.Lock()
        self._reading, self._writing = os.pipe()
        self._closed = False
        os.set_blocking(self._reading, False)
        self.path = f"/dev/fd/{self._writing}"

    def opened(self) -> None:
        """Let go of our own writing end, so that the pipe ends with the component."""
        os.close(self._writing)
        _drainer.add(self._reading, self)

    def drain(self) -> bool:
        """Keep what was written."""
        with self._lock:
            while not self._closed:
                try:
                    data = os.read(self._reading, _CHUNK)
                except BlockingIOError:
                    return True
                if not data:
                    return False
                self._kept.add(data)
        return False

    def take(self) -> str:
        """What was written since the last time."""
        self.drain()
        with self._lock:
            return self._kept.take()

    def close(self) -> None:
        """Close the reading end."""
        with self._lock:
            if not self._closed:
                self._closed = True
                _drainer.remove(self._reading)
                os.close(self._reading)


class FileStream(_Stream):
    """A stream through a temporary file, where pipes have no paths. The file itself has no cap."""

    def __init__(self, cap: int) -> None:
        super().__init__(cap)
        handle, self.path = tempfile.mkstemp(prefix="evidentsource-")
        self._file = os.fdopen(handle, "rb")

    def opened(self) -> None:
        """The file is there already."""

    def drain(self) -> bool:
        """Keep what was written."""
        while data := self._file.read(_CHUNK):
            self._kept.add(data)
        return True

    def close(self) -> None:
        """Remove the file."""
        self._file.close()
        # Where an open file cannot be removed, the system's own clean-up has it.
        with contextlib.suppress(OSError):
            Path(self.path).unlink()


class _Drainer:
    """The thread that empties pipes while components run. It starts with the first pipe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._selector = selectors.DefaultSelector()
        self._thread: threading.Thread | None = None

    def add(self, descriptor: int, stream: _Stream) -> None:
        with self._lock:
            self._selector.register(descriptor, selectors.EVENT_READ, stream)
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="evidentsource-output", daemon=True
                )
                self._thread.start()

    def remove(self, descriptor: int) -> None:
        with self._lock:
            self._selector.unregister(descriptor)

    def _run(self) -> None:
        while True:
            for key, _ in self._selector.select():
                stream: _Stream = key.data
                if not stream.drain():
                    # Nobody writes any more, and nobody has closed it: its instance was lost.
                    stream.close()


_drainer = _Drainer()


class Output:
    """What one instance of a component prints."""

    def __init__(self, cap: int) -> None:
        kind = PipeStream if _HAS_PIPES else FileStream
        self._streams: tuple[_Stream, _Stream] = (kind(cap), kind(cap))

    def wasi(self) -> WasiConfig:
        """The instance's view of the system: two streams to write to, and nothing else.

        No files, variables, arguments, input or network: none is granted, and WASI denies the rest.
        """
        config = WasiConfig()
        config.stdout_file, config.stderr_file = (stream.path for stream in self._streams)
        for stream in self._streams:
            stream.opened()
        return config

    def take(self) -> tuple[str, str]:
        """What went to stdout and to stderr since the last time."""
        stdout, stderr = self._streams
        return stdout.take(), stderr.take()

    def close(self) -> None:
        """Be done with both streams."""
        for stream in self._streams:
            stream.close()
