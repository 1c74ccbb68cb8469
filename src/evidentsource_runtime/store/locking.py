"""Who may write: one store at a time, over all processes of the machine.

SQLite itself lets any number of processes write in turns. A store keeps the latest revision and the
numbers of known names in memory, so it has the file to itself. The lock is the kernel's and goes with
the process that has it, however that ends.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

from evidentsource_runtime.store.errors import StoreInUse, StoreReadOnly

if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


class WriterLock:
    """The right to write a file, held from when it is made until :meth:`release`.

    Args:
        path: the store's file; the lock is a file beside it, which stays.

    Raises:
        StoreInUse: somebody else has it.
        StoreReadOnly: the folder cannot be written.
    """

    def __init__(self, path: str) -> None:
        self._file = Path(f"{path}-lock")
        try:
            self._descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise StoreReadOnly(path, f"its folder cannot be written: {error.strerror}") from error
        try:
            _lock(self._descriptor)
        except OSError as error:
            os.close(self._descriptor)
            raise StoreInUse(path, self._holder()) from error
        os.ftruncate(self._descriptor, 0)
        os.write(self._descriptor, str(os.getpid()).encode())

    def _holder(self) -> str:
        with suppress(OSError, ValueError):
            holder = int(self._file.read_text())
            return "this process" if holder == os.getpid() else f"process {holder}"
        return "another process"

    def release(self) -> None:
        """Let others write."""
        os.close(self._descriptor)
