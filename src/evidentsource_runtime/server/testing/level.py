"""The level itself: which server a test runs in, and what it leaves there."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime
from typing import Final

from evidentsource_core import EvidentSourceError
from evidentsource_functions.testing import Level, LevelUnavailable, RuleBook, Stage
from evidentsource_functions.testing._clock import Clock
from evidentsource_functions.testing._stage import STARTED
from evidentsource_runtime.server.testing.database import ServerDatabase
from evidentsource_runtime.server.testing.places import OwnServer, Place, RunningServer
from evidentsource_runtime.server.testing.stage import ServerStage

__all__ = ["ServerLevel"]

_TOKEN: Final = "EVIDENTSOURCE_TOKEN"  # noqa: S105 - the name of a variable


class ServerLevel(Level):
    """Tests in a running server: each scenario has a database of its own there, deleted after it.

    Args:
        url: where a server answers HTTP, such as ``http://127.0.0.1:3000``; None for a server of
            this process, which runs for as long as the level is used.
        grpc: where that server answers gRPC, ``HOST:PORT``; by default the URL's host, port 50051.
        token: what is shown to a server that asks who somebody is; by default what the variable
            ``EVIDENTSOURCE_TOKEN`` says.

    Raises:
        InvalidValue: the URL is none.
        LevelUnavailable: nobody answers there.
    """

    name = "server"

    def __init__(
        self, url: str | None = None, *, grpc: str | None = None, token: str | None = None
    ) -> None:
        self._place: Place | None = None
        self._elsewhere: RunningServer | None = None
        if url is not None:
            self._elsewhere = RunningServer(url, grpc, token or os.environ.get(_TOKEN))
            self._elsewhere.meet()

    def stage(self, book: RuleBook, started: datetime = STARTED) -> Stage:
        """A new database on the server for one scenario."""
        return ServerStage(self._served(), book, started)

    def database(
        self, book: RuleBook, clock: Callable[[], datetime] | None = None
    ) -> ServerDatabase:
        """A new database on the server, with the rules published, for a test that is no scenario."""
        return ServerDatabase(self._served(), book, Clock() if clock is None else clock)

    def release(self) -> None:
        """Delete the databases of a test; a server of this process ends."""
        if self._elsewhere is not None:
            self._elsewhere.clear()
        elif self._place is not None:
            self._place.close()
            self._place = None

    def _served(self) -> Place:
        if self._elsewhere is not None:
            return self._elsewhere
        if self._place is None:
            try:
                self._place = OwnServer()
            except EvidentSourceError as error:
                raise LevelUnavailable(self.name, f"no server starts here: {error}") from error
        return self._place
