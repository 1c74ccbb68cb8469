"""Everything around a component: building it, running it, a database over it, and the command line.

>>> import tempfile
>>> folder = tempfile.TemporaryDirectory()
>>> with open(f"{folder.name}/bank.db") as db:
...     (db.name, db.latest().revision)
('bank', 0)
>>> folder.cleanup()

The rooms: `evidentsource_runtime.build` makes a component out of Python modules,
`evidentsource_runtime.host` runs one, `evidentsource_runtime.store` keeps events,
`evidentsource_runtime.database` is a database of events with views and changes published in it, and
`evidentsource_runtime.cli` is the command `evidentsource`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from evidentsource_core.rules import Limits
    from evidentsource_runtime.database import Database
    from evidentsource_runtime.host import Host

__all__ = ["open"]


def open(  # noqa: A001 - the word for it
    path: str | os.PathLike[str],
    *,
    name: str | None = None,
    source_host: str | None = None,
    mode: Literal["write", "read"] = "write",
    create: bool = True,
    limits: Limits | None = None,
    clock: Callable[[], datetime] | None = None,
    host: Host | None = None,
    eager: bool | Iterable[str] = False,
    gather: bool = True,
) -> Database:
    """Open a database in a file; where there is none, one is made. It publishes nothing by itself.

    ``with`` gives the database, ``async with`` the same for ``await``; both close it at the end.

    Args:
        path: the file. SQLite's own log lies beside it while it is open.
        name: the database's name; a new one is named after its file by default, and a file that
            is there has to be of that name.
        source_host: the host in the sources of its events, likewise; ``localhost`` by default.
        mode: ``"write"``, which one process has at a time, or ``"read"``.
        create: whether a file may be made.
        limits: the most that one transaction may have.
        clock: what tells the time, with a time zone; the system's by default.
        host: what runs components; one with the usual limits is made when it is first needed.
        eager: the names of state views that are folded after each commit instead of when they are
            read; True for all.
        gather: whether a database of many events lays those of each subject side by side while nobody
            writes, which makes them faster to read and the file larger.

    Raises:
        StoreError: the file cannot be opened; the error says why and what to do.
    """
    # The room is entered when somebody wants it: `build` alone should not load a database.
    from evidentsource_core.rules import Limits as Most  # noqa: PLC0415 - the same
    from evidentsource_runtime.database import Database  # noqa: PLC0415 - the same

    return Database.open(
        path,
        name=name,
        source_host=source_host,
        mode=mode,
        create=create,
        limits=limits or Most(),
        clock=clock,
        host=host,
        eager=eager,
        gather=gather,
    )
