"""An SQLite VFS whose disk can be told to fail."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import apsw


class Faults:
    """What fails, and on which files.

    Attributes:
        write, sync, read: the error that such a call ends with; None for none.
        ending: only files whose names end so.
        after: calls that still succeed before the first failure.
    """

    def __init__(self) -> None:
        self.write: type[apsw.Error] | None = None
        self.sync: type[apsw.Error] | None = None
        self.read: type[apsw.Error] | None = None
        self.ending = ""
        self.after = 0

    def clear(self) -> None:
        """The disk is well again."""
        self.write = self.sync = self.read = None
        self.ending, self.after = "", 0

    def meet(self, error: type[apsw.Error] | None, path: str) -> None:
        """Fail if that is how things stand."""
        if error is None or not path.endswith(self.ending):
            return
        if self.after > 0:
            self.after -= 1
            return
        raise error("as the test wanted it")


class _File(apsw.VFSFile):
    def __init__(self, faults: Faults, name: Any, flags: list[int]) -> None:
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        super().__init__("", name, flags)
        self._faults = faults
        self._name = "" if path is None else Path(path).name

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - SQLite's name
        self._faults.meet(self._faults.write, self._name)
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:  # noqa: N802 - SQLite's name
        self._faults.meet(self._faults.sync, self._name)
        super().xSync(flags)

    def xRead(self, amount: int, offset: int) -> bytes:  # noqa: N802 - SQLite's name
        self._faults.meet(self._faults.read, self._name)
        return super().xRead(amount, offset)

    def excepthook(self, *_: Any) -> bool:
        """The errors are wanted: nobody has to be told of them beside their result codes."""
        return True


class FaultyVfs(apsw.VFS):
    """The VFS; what fails stands in ``faults``."""

    def __init__(self, name: str) -> None:
        super().__init__(name, "")
        self.faults = Faults()

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:  # noqa: N802 - SQLite's name
        return _File(self.faults, name, flags)
