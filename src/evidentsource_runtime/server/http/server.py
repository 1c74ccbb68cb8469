"""The HTTP interface: the application, served by uvicorn on a socket of its own."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import tempfile
from collections.abc import Iterator
from pathlib import Path

import uvicorn

from evidentsource_runtime.server.access import AccessSetupError, Admission, Tls
from evidentsource_runtime.server.http.application import application
from evidentsource_runtime.server.metrics import Metrics
from evidentsource_runtime.server.service import Service

__all__ = ["HttpInterface"]

_BACKLOG = 2048


class _Uvicorn(uvicorn.Server):
    """Signals are the process's business, not an interface's."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them alone."""
        yield


class HttpInterface:
    """Serves a service over HTTP.

    Args:
        service: answers.
        admission: lets callers in.
        metrics: counts.
        host: the address to listen on.
        port: the port; 0 for a free one.
        tls: the certificate; None for plain text.
    """

    def __init__(
        self,
        service: Service,
        admission: Admission,
        metrics: Metrics,
        host: str = "127.0.0.1",
        port: int = 3000,
        tls: Tls | None = None,
    ) -> None:
        self._host = host
        self._port = port
        self._tls = tls
        self.application = application(service, admission, metrics)
        self._server: _Uvicorn | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """The port that it listens on, once it does."""
        return self._port

    @property
    def url(self) -> str:
        """What a client asks."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http{'' if self._tls is None else 's'}://{host}:{self._port}"

    async def start(self, grace: float) -> None:
        """Listen.

        Args:
            grace: seconds that requests have to end when it stops.

        Raises:
            AccessSetupError: the port is in use, or the certificate is none.
        """
        listening = self._listen()
        config = uvicorn.Config(
            self.application,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            ws="none",
            backlog=_BACKLOG,
            timeout_graceful_shutdown=max(1, round(grace)),
        )
        config.load()
        config.ssl = None if self._tls is None else _context(self._tls)
        self._server = _Uvicorn(config)
        self._task = asyncio.create_task(self._server.serve([listening]), name="evidentsource-http")
        # It tells nobody when it has started, and it has soon.
        while not self._server.started and not self._task.done():  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        if self._task.done():
            self._task.result()

    def _listen(self) -> socket.socket:
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        # The protocol is named, since asyncio sends small parts at once only on what says it is TCP.
        listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind((self._host, self._port))
            listening.listen(_BACKLOG)
        except OSError as error:
            listening.close()
            raise AccessSetupError(
                "http_port",
                f"nobody can listen on {self._host}:{self._port} ({error.strerror})",
                "name another port, or 0 for a free one",
            ) from error
        listening.setblocking(False)
        self._port = listening.getsockname()[1]
        return listening

    async def stop(self) -> None:
        """Take no more requests; those that run have their grace."""
        if self._server is not None and self._task is not None:
            self._server.should_exit = True
            await self._task
            self._server = None


def _context(tls: Tls) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # The module reads certificates from files only. The folder is its owner's alone, and goes at once.
    with tempfile.TemporaryDirectory() as folder:
        certificate, key = Path(folder, "certificate"), Path(folder, "key")
        certificate.write_bytes(tls.certificate)
        key.write_bytes(tls.key)
        try:
            context.load_cert_chain(certificate, key)
            if tls.client_ca is not None:
                context.load_verify_locations(cadata=tls.client_ca.decode())
                context.verify_mode = ssl.CERT_REQUIRED
        except (ssl.SSLError, ValueError) as error:
            reason = "certificate and key do not go together, or one is none"
            raise AccessSetupError("tls", reason) from error
    return context
