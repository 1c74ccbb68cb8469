"""Calls as spans of OpenTelemetry: an optional extra, and off unless it is asked for."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from evidentsource_runtime.server.access.errors import AccessSetupError

if TYPE_CHECKING:
    from opentelemetry.trace import TracerProvider

__all__ = ["Ended", "Spans", "provider_of_the_environment"]

_FAILED: Final = frozenset({"INTERNAL", "UNKNOWN", "UNAVAILABLE", "DEADLINE_EXCEEDED"})
_HINT: Final = "run: pip install 'evidentsource-functions[otel]'"


@dataclass(frozen=True, slots=True)
class Ended:
    """One call, as it ended.

    Args:
        interface: "http" or "grpc".
        operation: what was asked for.
        code: how it ended, a status of the interface.
        seconds: how long it took.
        headers: the caller's; ``traceparent`` among them makes the span part of the caller's trace.
        reason: the code of the error that it ended with; empty for none.
        database: the name of the database that was asked.
        transaction_id: the transaction that was written, or asked for.
        input_hash: of the component that has answered.
    """

    interface: str
    operation: str
    code: str
    seconds: float
    headers: Mapping[str, str]
    reason: str = ""
    database: str | None = None
    transaction_id: str | None = None
    input_hash: str | None = None

    @property
    def failed(self) -> bool:
        """Whether the server is at fault, as OpenTelemetry sees the status of a server's span."""
        return self.code.startswith("5") or self.code in _FAILED


class Spans:
    """Makes a span of every call.

    Args:
        provider: where the spans go, with whatever exporters it has; it stays the caller's to shut down.

    Raises:
        AccessSetupError: OpenTelemetry is not installed.
    """

    def __init__(self, provider: TracerProvider) -> None:
        try:
            from opentelemetry import trace  # noqa: PLC0415 - an optional extra
            from opentelemetry.trace.propagation import (  # noqa: PLC0415 - the same
                tracecontext,
            )
        except ImportError as error:
            raise AccessSetupError("tracer_provider", "needs OpenTelemetry", _HINT) from error
        self._trace = trace
        self._propagator = tracecontext.TraceContextTextMapPropagator()
        self._tracer = provider.get_tracer("evidentsource.server")

    def ended(self, call: Ended) -> None:
        """Tell of a call that has just ended.

        Source of the names of ``rpc`` and ``http``: OpenTelemetry's semantic conventions; those of
        ``evidentsource`` are ours.
        """
        now = time.time_ns()
        named = (
            {"rpc.system": "grpc", "rpc.method": call.operation}
            if call.interface == "grpc"
            else {"http.response.status_code": int(call.code)}
        )
        ours = {
            "operation": call.operation,
            "code": call.code,
            "reason": call.reason or None,
            "database": call.database or None,
            "transaction_id": call.transaction_id or None,
            "input_hash": call.input_hash,
        }
        told = {f"evidentsource.{key}": value for key, value in ours.items() if value is not None}
        span = self._tracer.start_span(
            f"evidentsource.{call.operation}",
            context=self._propagator.extract(dict(call.headers)),
            kind=self._trace.SpanKind.SERVER,
            attributes={**named, **told},
            start_time=now - int(call.seconds * 1e9),
        )
        if call.failed:
            span.set_status(self._trace.Status(self._trace.StatusCode.ERROR, call.reason))
        span.end(now)


def provider_of_the_environment() -> TracerProvider:
    """A provider that exports by OTLP over HTTP, set up by OpenTelemetry's own variables.

    ``OTEL_EXPORTER_OTLP_ENDPOINT`` says where to, ``OTEL_SERVICE_NAME`` under which name.

    Raises:
        AccessSetupError: OpenTelemetry is not installed.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415 - an extra
            OTLPSpanExporter,
        )
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - the same
        from opentelemetry.sdk.trace import TracerProvider as Provider  # noqa: PLC0415 - the same
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415 - the same
    except ImportError as error:
        raise AccessSetupError("tracing", "needs OpenTelemetry", _HINT) from error
    resource = Resource({"service.name": "evidentsource"}).merge(Resource.create())
    provider = Provider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider
