"""The service: every operation of the platform, over the databases of one folder."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import ParamSpec, Self, TypeVar

from evidentsource_runtime.server.service.databases import DatabaseCalls
from evidentsource_runtime.server.service.events import EventCalls
from evidentsource_runtime.server.service.folder import DatabaseFolder
from evidentsource_runtime.server.service.hosted import HostedDatabases
from evidentsource_runtime.server.service.live import LiveCalls
from evidentsource_runtime.server.service.queue import Codec, CommandQueue
from evidentsource_runtime.server.service.views import ViewCalls
from evidentsource_runtime.server.service.workers import Workers
from evidentsource_runtime.server.service.writes import WriteCalls

__all__ = ["Service"]

P = ParamSpec("P")
T = TypeVar("T")


class Service:
    """What both interfaces call. It runs between ``async with`` and its end.

    Args:
        folder: has the databases; it is closed with the service.
        codec: how the queue keeps requests.
        workers: where blocking work is done; closed with the service.

    Attributes:
        databases: databases as a whole.
        events: events and transactions, read.
        views: state views and state changes, and publishing.
        live: streams that go on until the client goes.
        writes: transactions and commands.
        queue: what was accepted to be done later.
    """

    def __init__(
        self, folder: DatabaseFolder, codec: Codec, workers: Workers | None = None
    ) -> None:
        self._workers = workers or Workers()
        self.hosted = HostedDatabases(folder, self._workers)
        self.queue = CommandQueue(folder.queue, codec, self._workers)
        self.databases = DatabaseCalls(self.hosted, self._workers, self.queue)
        self.events = EventCalls(self.databases, self._workers, self.queue)
        self.views = ViewCalls(self.databases, self.hosted, self._workers)
        self.live = LiveCalls(self.databases, self.events, self.views, self._workers)
        self.writes = WriteCalls(self.hosted, self._workers, self.queue)

    async def apart(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Have work of an interface done in a thread, where it would keep others waiting."""
        return await self._workers.run(work, *args, **kwargs)

    def stop_waiting(self) -> None:
        """End every stream and every wait; what computes goes on to its end."""
        self.hosted.end_waits()

    @property
    def stopping(self) -> bool:
        """Whether it takes nothing more."""
        return self.hosted.stopping

    async def __aenter__(self) -> Self:
        await self.queue.start(self.writes.perform)
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop_waiting()
        await self.queue.close()
        await self.hosted.close()
        self._workers.close()
