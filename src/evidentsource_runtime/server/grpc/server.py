"""The gRPC interface: the platform's calls, the health service, and reflection."""

from __future__ import annotations

from typing import Any, Final

import grpc
import grpc.aio
from google.protobuf import descriptor_pool
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2

from evidentsource_runtime.server.access import AccessSetupError, Admission, Tls
from evidentsource_runtime.server.grpc.calls import SERVICE, handlers
from evidentsource_runtime.server.grpc.servicer import Servicer
from evidentsource_runtime.server.metrics import Metrics
from evidentsource_runtime.server.protobuf.generated import (
    cloudevents_pb2,
    domain_pb2,
    service_pb2,
)
from evidentsource_runtime.server.service import Service

__all__ = ["GrpcInterface"]

_HEALTH: Final[str] = health_pb2.DESCRIPTOR.services_by_name["Health"].full_name
_UNLIMITED: Final = -1
_CALLS_BESIDE: Final = 1_000
"""Calls that may run beside as many streams as may be open; any more are turned away at once."""


class GrpcInterface:
    """Serves a service over gRPC.

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
        port: int = 50051,
        tls: Tls | None = None,
    ) -> None:
        self._host = host
        self._port = port
        self._tls = tls
        self._health = health.aio.HealthServicer()
        self._admission = admission
        self._metrics = metrics
        self._service = service
        self._server: grpc.aio.Server | None = None

    @property
    def port(self) -> int:
        """The port that it listens on, once it does."""
        return self._port

    @property
    def target(self) -> str:
        """What a client connects to."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{host}:{self._port}"

    async def start(self) -> None:
        """Listen.

        Raises:
            AccessSetupError: the port is in use, or the certificate is none.
        """
        limits = self._admission.limits
        server = grpc.aio.server(
            options=_options(limits.request_bytes),
            maximum_concurrent_rpcs=limits.streams + _CALLS_BESIDE,
        )
        server.add_generic_rpc_handlers(
            (handlers(Servicer(self._service), self._admission, self._metrics),)
        )
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        names = (SERVICE.full_name, _HEALTH, reflection.SERVICE_NAME)
        reflection.enable_server_reflection(names, server, pool=_reflected())
        self._port = self._listen(server)
        await server.start()
        for name in ("", SERVICE.full_name):
            await self._health.set(name, health_pb2.HealthCheckResponse.SERVING)
        self._server = server

    def _listen(self, server: grpc.aio.Server) -> int:
        try:
            if self._tls is None:
                return server.add_insecure_port(self.target)
            pairs = [(self._tls.key, self._tls.certificate)]
            asks = self._tls.client_ca is not None
            credentials = grpc.ssl_server_credentials(pairs, self._tls.client_ca, asks)
            return server.add_secure_port(self.target, credentials)
        except RuntimeError as error:
            raise AccessSetupError(
                "grpc_port",
                f"nobody can listen on {self.target}",
                "name another port, or 0 for a free one",
            ) from error

    async def announce_stop(self) -> None:
        """Say to health checks that it stops, before it does."""
        await self._health.enter_graceful_shutdown()

    async def stop(self, grace: float | None) -> None:
        """Take no more calls; those that run have ``grace`` seconds."""
        if self._server is not None:
            await self._server.stop(grace)
            self._server = None


def _options(request_bytes: int) -> list[tuple[str, Any]]:
    return [
        ("grpc.max_receive_message_length", request_bytes),
        ("grpc.max_send_message_length", _UNLIMITED),
        # Two servers on one port would each get some of the calls, and nobody would be told.
        ("grpc.so_reuseport", 0),
        # Clients that are gone without a word are noticed within a minute.
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.keepalive_timeout_ms", 10_000),
        ("grpc.http2.min_recv_ping_interval_without_data_ms", 5_000),
        ("grpc.keepalive_permit_without_calls", 1),
    ]


def _reflected() -> descriptor_pool.DescriptorPool:
    """The files of every service that is reflected, in one pool."""
    pool = descriptor_pool.DescriptorPool()
    files: list[Any] = []
    todo: list[Any] = [
        module.DESCRIPTOR
        for module in (cloudevents_pb2, domain_pb2, service_pb2, health_pb2, reflection_pb2)
    ]
    while todo:
        file = todo.pop()
        if file.name not in {each.name for each in files}:
            files.append(file)
            todo += file.dependencies
    left = {file.name: file for file in files}
    while left:
        # Dependencies first: a pool takes a file only when it knows all that the file imports.
        ready = [f for f in left.values() if not any(d.name in left for d in f.dependencies)]
        for file in ready:
            pool.AddSerializedFile(file.serialized_pb)
            del left[file.name]
    return pool
