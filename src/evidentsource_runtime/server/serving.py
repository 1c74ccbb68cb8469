"""A server: a service and its interfaces, from the start to a clean end."""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from evidentsource_core.rules import Limits as TransactionLimits
from evidentsource_runtime.host import Host
from evidentsource_runtime.server.access import (
    Admission,
    Anonymous,
    Authenticator,
    DevHeaders,
    FirstOf,
    Limits,
    Tls,
    check_exposure,
)
from evidentsource_runtime.server.grpc import GrpcInterface
from evidentsource_runtime.server.http import HttpInterface
from evidentsource_runtime.server.metrics import Metrics
from evidentsource_runtime.server.protobuf.writes import ProtobufCodec
from evidentsource_runtime.server.service import DatabaseFolder, Service
from evidentsource_runtime.server.tracing import Spans

if TYPE_CHECKING:
    from opentelemetry.trace import TracerProvider

__all__ = ["Server", "Settings", "running", "serve"]

T = TypeVar("T")
_log = logging.getLogger("evidentsource.server")
_NO_LIMITS = Limits()
_TRANSACTION_LIMITS = TransactionLimits()


def dev_mode() -> Authenticator:
    """Whoever the request says it is; without a word, somebody who may do everything."""
    return FirstOf([DevHeaders()], otherwise=Anonymous())


@dataclass(frozen=True, slots=True)
class Settings:
    """How a server runs.

    Args:
        data: the folder of its databases; it is made where there is none.
        host: the address to listen on.
        grpc_port: the port for gRPC; 0 for a free one.
        http_port: the port for HTTP; 0 for a free one, None for no HTTP.
        authenticator: tells who asks; None for development, where everybody may do everything.
        exposed: whether to listen on an address that others can reach though nobody has to show who
            they are.
        tls: the server's certificate; None for plain text.
        limits: what callers may ask for.
        transactions: the most that one transaction may have.
        source_host: the host in the sources of new databases' events; ``localhost`` by default.
        eager: the names of state views that are folded after each commit; True for all.
        components: what runs components; one with the usual limits by default.
        create: databases to make where there are none of these names.
        tracer_provider: OpenTelemetry's, to which every call goes as a span; None for no spans. It
            takes the extra ``otel``.
        clock: tells the time of commits, with a time zone; the system's by default.
        grace: seconds that calls have to end when the server stops.
    """

    data: str | Path
    host: str = "127.0.0.1"
    grpc_port: int = 50051
    http_port: int | None = None
    authenticator: Authenticator | None = None
    exposed: bool = False
    tls: Tls | None = None
    limits: Limits = _NO_LIMITS
    transactions: TransactionLimits = _TRANSACTION_LIMITS
    source_host: str | None = None
    eager: bool | tuple[str, ...] = False
    components: Host | None = None
    create: tuple[str, ...] = ()
    tracer_provider: TracerProvider | None = None
    clock: Callable[[], datetime] | None = None
    grace: float = 5.0


class Server:
    """A server that runs between ``async with`` and its end.

    It is refused, before anything is opened, where others could reach it and nobody would be asked
    who they are.

    Args:
        settings: how it runs.

    Attributes:
        service: what its interfaces ask; it can be asked directly too.
        grpc: the gRPC interface, with its port.
        http: the HTTP interface, with its port; None where there is none.
        metrics: what both have done.
        told: set when it is to end.

    Raises:
        AccessSetupError: the settings do not go together, or a port is in use.
        StoreInUse: another server has the folder.
    """

    service: Service
    grpc: GrpcInterface
    http: HttpInterface | None

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._authenticator = settings.authenticator or dev_mode()
        check_exposure(settings.host, self._authenticator, exposed=settings.exposed)
        self.admission = Admission(self._authenticator, settings.limits)
        self.told = asyncio.Event()
        provider = settings.tracer_provider
        self._spans = None if provider is None else Spans(provider)

    async def __aenter__(self) -> Self:
        settings = self._settings
        folder = DatabaseFolder(
            settings.data,
            host=settings.components,
            source_host=settings.source_host,
            limits=settings.transactions,
            clock=settings.clock,
            eager=settings.eager,
        )
        self.service = Service(folder, ProtobufCodec())
        self.metrics = _metrics(self.service, self.admission, self._spans)
        self.grpc = GrpcInterface(
            self.service,
            self.admission,
            self.metrics,
            settings.host,
            settings.grpc_port,
            settings.tls,
        )
        self.http = None
        if settings.http_port is not None:
            self.http = HttpInterface(
                self.service,
                self.admission,
                self.metrics,
                settings.host,
                settings.http_port,
                settings.tls,
            )
        self._loop = asyncio.get_running_loop()
        await self.service.__aenter__()
        try:
            for name in settings.create:
                if name not in folder.names():
                    await self.service.hosted.create(name)
            await self.grpc.start()
            if self.http is not None:
                await self.http.start(settings.grace)
        except BaseException:
            await self.grpc.stop(None)
            await self.service.__aexit__(None, None, None)
            raise
        _log.info("gRPC on %s", self.grpc.target)
        if self.http is not None:
            _log.info("HTTP on %s", self.http.url)
        return self

    def stop(self) -> None:
        """Have a server that runs in another thread, or under :func:`serve`, end by itself."""
        self._loop.call_soon_threadsafe(self.told.set)

    def ask(self, question: Coroutine[Any, Any, T]) -> T:
        """The answer of the service to a program in another thread than the server's.

        >>> import tempfile
        >>> from evidentsource_runtime.server.access import EVERYTHING, Principal
        >>> ann = Principal("ann", EVERYTHING)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with running(Settings(folder, grpc_port=0)) as server:
        ...         server.ask(server.service.databases.create(ann, "bank")).revision
        0
        """
        return asyncio.run_coroutine_threadsafe(question, self._loop).result()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.grpc.announce_stop()
        # Streams would otherwise stay open for as long as their clients do.
        self.service.stop_waiting()
        ends = [self.grpc.stop(self._settings.grace)]
        if self.http is not None:
            ends.append(self.http.stop())
        await asyncio.gather(*ends)
        await self.service.__aexit__(None, None, None)
        await self._authenticator.close()
        _log.info("stopped")


def _metrics(service: Service, admission: Admission, spans: Spans | None) -> Metrics:
    metrics = Metrics(spans)
    metrics.watch("streams_open", "Streams that are open.", lambda: admission.open_streams)
    metrics.watch(
        "queue_length", "Requests that wait for their turn.", lambda: service.queue.length
    )
    return metrics


def serve(
    settings: Settings,
    started: Callable[[Server], None] | None = None,
    beside: Callable[[Server], Coroutine[Any, Any, None]] | None = None,
) -> None:
    """Serve until the process is told to end (SIGINT, SIGTERM).

    Args:
        settings: how.
        started: called when the server answers, say to print where.
        beside: what else is done while it serves; it is cancelled at the end, and ends the server
            where it fails.
    """
    asyncio.run(_serve(settings, started, beside))


async def _serve(
    settings: Settings,
    started: Callable[[Server], None] | None,
    beside: Callable[[Server], Coroutine[Any, Any, None]] | None,
) -> None:
    server, loop = Server(settings), asyncio.get_running_loop()
    # From the first moment on: to be told while it starts is no reason for half a start.
    for number in (signal.SIGINT, signal.SIGTERM):
        # Only a process's main thread can be told, and not on every system.
        with suppress(NotImplementedError, ValueError, RuntimeError):
            loop.add_signal_handler(number, server.told.set)
    async with server:
        if server.told.is_set():
            return
        if started is not None:
            started(server)
        if beside is None:
            await server.told.wait()
            return
        work = asyncio.create_task(beside(server))
        told = asyncio.create_task(server.told.wait())
        await asyncio.wait({work, told}, return_when=asyncio.FIRST_COMPLETED)
        told.cancel()
        work.cancel()
        with suppress(asyncio.CancelledError):
            await work


@contextmanager
def running(settings: Settings) -> Iterator[Server]:
    """A server in a thread of this process, for tests and programs that do not wait.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with running(Settings(folder, grpc_port=0)) as server:
    ...         server.grpc.port > 0
    True
    """
    begun: list[Server] = []
    failed: list[BaseException] = []
    ready = threading.Event()

    async def live() -> None:
        async with Server(settings) as server:
            begun.append(server)
            ready.set()
            await server.told.wait()

    def run() -> None:
        try:
            asyncio.run(live())
        except BaseException as error:  # noqa: BLE001 - it is raised where the server is wanted
            failed.append(error)
        finally:
            ready.set()

    thread = threading.Thread(target=run, name="evidentsource-server")
    thread.start()
    ready.wait()
    try:
        if failed:
            raise failed[0]
        yield begun[0]
    finally:
        for server in begun:
            with suppress(RuntimeError):  # it has stopped already
                server.stop()
        thread.join()
    if failed:
        raise failed[0]
