"""An SQLite VFS that knows what the disk would hold if the power were cut now.

A write reaches the disk for certain when its file is synced. Until then it may be there, or not, or
in part; each by itself, since nothing keeps a disk to the order of what it is given. That is what SQLite
promises to survive, and no more: the bytes beside a write stay as they are.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw

SECTOR = 512
"""Bytes that a disk writes at once."""


@dataclass
class DiskFile:
    """One file: what is on the disk for certain, and what was done to it since."""

    durable: bytearray = field(default_factory=bytearray)
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)

    def sync(self) -> None:
        """Everything that was done is on the disk."""
        for offset, data in self.pending:
            _apply(self.durable, offset, data)
        self.pending.clear()

    def after_cut(self, chance: random.Random) -> bytes:
        """What the disk may hold when the power is cut."""
        held = bytearray(self.durable)
        share = chance.choice((0.0, 0.3, 0.7, 1.0))
        for offset, data in self.pending:
            if chance.random() >= share:
                continue
            if data is None or chance.random() < 0.7:
                _apply(held, offset, data)
            else:
                _tear(held, offset, data, chance)
        return bytes(held)


def _apply(held: bytearray, offset: int, data: bytes | None) -> None:
    if data is None:  # cut off there
        del held[offset:]
        return
    held.extend(bytes(max(0, offset - len(held))))
    held[offset : offset + len(data)] = data


def _tear(held: bytearray, offset: int, data: bytes, chance: random.Random) -> None:
    """Some of a write's sectors, and of one of them only the beginning."""
    for start in range(0, len(data), SECTOR):
        piece = data[start : start + SECTOR]
        if chance.random() < 0.5:
            end = len(piece) if chance.random() < 0.8 else chance.randrange(len(piece))
            _apply(held, offset + start, piece[:end])


class Disk:
    """All files that are opened through one VFS.

    Args:
        touched: called before each change of the disk, which is when the power may be cut.
    """

    def __init__(self, touched: Callable[[], None] = lambda: None) -> None:
        self.files: dict[str, DiskFile] = {}
        self.touched = touched

    def cut(self, folder: Path, chance: random.Random) -> None:
        """Write into a folder what the disk may hold when the power is cut now."""
        for name, file in self.files.items():
            (folder / name).write_bytes(file.after_cut(chance))


class _File(apsw.VFSFile):
    def __init__(self, disk: Disk, name: Any, flags: list[int]) -> None:
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        super().__init__("", name, flags)
        self._disk = disk
        # A file without a name is SQLite's own for a moment, and is gone when the power is.
        self._kept = (
            DiskFile() if path is None else disk.files.setdefault(Path(path).name, DiskFile())
        )

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - SQLite's name
        self._disk.touched()
        self._kept.pending.append((offset, bytes(data)))
        super().xWrite(data, offset)

    def xTruncate(self, newsize: int) -> None:  # noqa: N802 - SQLite's name
        self._disk.touched()
        self._kept.pending.append((newsize, None))
        super().xTruncate(newsize)

    def xSync(self, flags: int) -> None:  # noqa: N802 - SQLite's name; nothing is really synced
        self._disk.touched()
        self._kept.sync()


class VolatileVfs(apsw.VFS):
    """The VFS: files are kept as they are, in the folder they are opened in, and never synced.

    Args:
        name: what stores are opened with as ``vfs``.
        disk: is told of every change.
    """

    def __init__(self, name: str, disk: Disk) -> None:
        super().__init__(name, "")
        self._disk = disk

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:  # noqa: N802 - SQLite's name
        return _File(self._disk, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802 - SQLite's name
        self._disk.touched()
        self._disk.files.pop(Path(filename).name, None)
        super().xDelete(filename, syncdir)
