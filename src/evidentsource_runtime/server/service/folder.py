"""The databases of a server: one file each, in one folder.

A database is deleted by deleting its file, and one that is damaged, full or locked leaves the others
alone; see ``docs/decisions``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Final

from evidentsource_core.domain.errors import (
    DatabaseAlreadyExists,
    DatabaseNotFound,
    IdentifierError,
    InvalidValue,
)
from evidentsource_core.domain.identifiers import DatabaseName
from evidentsource_core.rules import Limits
from evidentsource_runtime.database import Database
from evidentsource_runtime.host import Host
from evidentsource_runtime.store.locking import WriterLock

__all__ = ["DatabaseFolder", "file_name"]

SUFFIX: Final = ".db"
_DELETED: Final = ".deleted"
_BESIDE: Final = ("", "-wal", "-shm", "-lock")
_CAPITAL: Final = re.compile(r"[A-Z]")
_ESCAPED: Final = re.compile(r"=([a-z])")
_NO_LIMITS: Final = Limits()


def file_name(database: str) -> str:
    """The name of a database's file. Capitals are escaped: some file systems take them for small ones.

    >>> file_name("Bank.eu")
    '=bank.eu.db'
    """
    return _CAPITAL.sub(lambda found: f"={found[0].lower()}", database) + SUFFIX


def database_name(file: str) -> str | None:
    """The name of the database in a file; None for a file that is none of a database."""
    if not file.endswith(SUFFIX):
        return None
    name = _ESCAPED.sub(lambda found: found[1].upper(), file.removesuffix(SUFFIX))
    try:
        DatabaseName(name)
    except IdentifierError:
        return None
    return name if file_name(name) == file else None


class DatabaseFolder:
    """Makes, opens and deletes the databases of a folder. One process has a folder at a time.

    Args:
        path: the folder; it is made where there is none.
        host: what runs the components of all of them.
        source_host: the host in the sources of new databases' events.
        limits: the most that one transaction may have.
        clock: what tells the time, with a time zone; the system's by default.
        eager: the names of state views that are folded after each commit; True for all.

    ``path`` may also be the file of one database, ``NAME.db``: then there is that one and no other.

    Raises:
        StoreInUse: another server has the folder.
        StoreReadOnly: it cannot be written.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        host: Host | None = None,
        source_host: str | None = None,
        limits: Limits = _NO_LIMITS,
        clock: Callable[[], datetime] | None = None,
        eager: bool | Iterable[str] = False,
    ) -> None:
        given = Path(path)
        self._only = given if given.suffix == SUFFIX and not given.is_dir() else None
        self.path = given if self._only is None else given.parent
        self.path.mkdir(parents=True, exist_ok=True)
        # Several servers may each have one file of a folder.
        beside = self.path / "server" if self._only is None else Path(f"{given}.server")
        self.queue = beside.with_name(
            "queue.sqlite" if self._only is None else f"{given.name}.queue.sqlite"
        )
        self._lock = WriterLock(str(beside))
        self._host = host or Host()
        self._source_host = source_host
        self._limits = limits
        self._clock = clock
        self._eager = eager if isinstance(eager, bool) else tuple(eager)
        for left in self.path.glob(f"*{_DELETED}*"):
            left.unlink(missing_ok=True)

    def names(self) -> list[str]:
        """The names of the databases, in order."""
        if self._only is not None:
            return [self._only.stem] if self._only.exists() else []
        found = (database_name(each.name) for each in self.path.iterdir() if each.is_file())
        return sorted(name for name in found if name is not None)

    def open(self, name: str) -> Database:
        """Open a database.

        Raises:
            DatabaseNotFound: there is none of that name.
            InvalidDatabaseName: none can have it.
            StoreError: its file cannot be opened.
        """
        path = self._path(name)
        if not path.exists():
            raise DatabaseNotFound(name)
        return self._opened(path, name, create=False)

    def create(self, name: str) -> Database:
        """Make a database, and open it.

        Raises:
            DatabaseAlreadyExists: there is one of that name.
            InvalidDatabaseName: none can have it.
        """
        if self._only is not None and DatabaseName(name).value != self._only.stem:
            raise InvalidValue("name", f"this server has the one database {self._only.stem!r}")
        path = self._path(name)
        if path.exists() and path.stat().st_size:
            raise DatabaseAlreadyExists(name)
        return self._opened(path, name, create=True)

    def delete(self, name: str) -> None:
        """Delete a database that nobody has open.

        Raises:
            DatabaseNotFound: there is none of that name.
        """
        path = self._path(name)
        if not path.exists():
            raise DatabaseNotFound(name)
        # Renamed first: whatever happens then, there is no half of a database left.
        gone = path.with_name(path.name + _DELETED)
        path.replace(gone)
        for ending in _BESIDE[1:]:
            path.with_name(path.name + ending).unlink(missing_ok=True)
        gone.unlink()

    def close(self) -> None:
        """Let another process have the folder."""
        self._lock.release()

    def _path(self, name: str) -> Path:
        wanted = DatabaseName(name).value
        if self._only is None:
            return self.path / file_name(wanted)
        if wanted != self._only.stem:
            raise DatabaseNotFound(name)
        return self._only

    def _opened(self, path: Path, name: str, *, create: bool) -> Database:
        return Database.open(
            path,
            name=name,
            source_host=self._source_host,
            create=create,
            limits=self._limits,
            clock=self._clock,
            host=self._host,
            eager=self._eager,
        )
