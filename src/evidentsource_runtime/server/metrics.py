"""What a server has done, counted, in the text format of Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from evidentsource_runtime.server.tracing import Ended, Spans

__all__ = ["Metrics"]

_BUCKETS: Final = (
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
    5.0,
    10.0,
    30.0,
)


class Metrics:
    """The counts of one server; another server in the same process has its own.

    Args:
        spans: where each call is told of as a span too; None for nowhere.

    >>> metrics = Metrics()
    >>> metrics.answered("http", "health", "200", 0.002)
    >>> b'evidentsource_requests_total{code="200"' in metrics.text()
    True
    """

    content_type: Final = CONTENT_TYPE_LATEST

    def __init__(self, spans: Spans | None = None) -> None:
        self._spans = spans
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "evidentsource_requests",
            "Requests that were answered, by interface, operation and status.",
            ("interface", "operation", "code"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "evidentsource_request_seconds",
            "Seconds until the answer, or of a stream its first part, was there.",
            ("interface", "operation"),
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._sending = Gauge(
            "evidentsource_answers_open",
            "HTTP answers that are being sent, streams among them.",
            ("operation",),
            registry=self._registry,
        )

    def answered(self, interface: str, operation: str, code: str, seconds: float) -> None:
        """Count a request.

        Args:
            interface: "http" or "grpc".
            operation: what was asked for.
            code: how it ended.
            seconds: how long it took.
        """
        self._requests.labels(interface, operation, code).inc()
        self._seconds.labels(interface, operation).observe(seconds)

    def ended(self, make: Callable[[], Ended]) -> None:
        """Tell of a call as a span, where spans are wanted.

        Args:
            make: what there is to tell; called only then.
        """
        if self._spans is not None:
            self._spans.ended(make())

    @contextmanager
    def answering(self, operation: str) -> Iterator[None]:
        """Count an answer while it is being sent."""
        with self._sending.labels(operation).track_inprogress():
            yield

    def watch(self, name: str, description: str, value: Callable[[], float]) -> None:
        """Tell of a number that is asked for when the metrics are."""
        Gauge(f"evidentsource_{name}", description, registry=self._registry).set_function(value)

    def text(self) -> bytes:
        """All of it, as Prometheus reads it."""
        return generate_latest(self._registry)
