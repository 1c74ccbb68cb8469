"""Which database a command speaks of: a file, or one of a server's."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Group, Parameter

from evidentsource_runtime.problems import Problem, ProblemError

if TYPE_CHECKING:
    from evidentsource_runtime.cli.asked import Asked

__all__ = ["DEFAULT_URL", "TOKEN", "Where", "asked"]

DEFAULT_URL = "http://127.0.0.1:3000"
TOKEN = "EVIDENTSOURCE_TOKEN"  # noqa: S105 - the name of a variable
_GROUP = Group("Where", sort_key=2)


@Parameter(name="*", group=_GROUP)
@dataclass(frozen=True)
class Where:
    """Which database is meant.

    Parameters
    ----------
    data
        The database's file.
    url
        The server, instead of a file; EVIDENTSOURCE_URL, or http://127.0.0.1:3000, where neither is
        given. A token is taken from EVIDENTSOURCE_TOKEN.
    database
        The database of that server; EVIDENTSOURCE_DATABASE where left out, or the one there is.
    """

    data: Path | None = None
    url: Annotated[str | None, Parameter(env_var="EVIDENTSOURCE_URL")] = None
    database: Annotated[str | None, Parameter(env_var="EVIDENTSOURCE_DATABASE")] = None


@contextmanager
def asked(where: Where, *, writes: bool = False) -> Iterator[Asked]:
    """The database, to be asked.

    Args:
        where: which one.
        writes: whether it will be written.
    """
    if where.data is not None:
        from evidentsource_runtime.cli.asked_file import AskedFile  # noqa: PLC0415 - not always

        if not where.data.is_file():
            message = f"there is no database in {where.data}"
            hint = "check the path; evidentsource serve --data FILE.db makes one"
            raise ProblemError(Problem("no-database", message, where.data, hint=hint))
        with AskedFile(where.data, writes=writes) as file:
            yield file
        return
    try:
        from evidentsource_runtime.cli.asked_server import AskedServer  # noqa: PLC0415 - an extra
    except ImportError as error:
        message = f"asking a server needs {error.name}, which is not installed"
        hint = "run: pip install 'evidentsource-functions[server]', or name a file with --data"
        raise ProblemError(Problem("missing-extra", message, hint=hint)) from error
    with AskedServer(where.url or DEFAULT_URL, where.database, os.environ.get(TOKEN)) as server:
        yield server
