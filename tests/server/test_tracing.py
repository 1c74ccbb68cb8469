"""Calls as spans of OpenTelemetry: what they say, on both interfaces."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import grpc
import httpx
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from evidentsource_runtime.server import Settings, running
from tests.server.conftest import CHANGE, SOMEBODY, credit
from tests.server.stub import Stub

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"
EXECUTE = {"database_name": "bank", "state_change_name": "credit"}


@dataclass
class Traced:
    stub: Stub
    web: httpx.Client
    spans: InMemorySpanExporter

    def last(self) -> Any:
        return self.spans.get_finished_spans()[-1]


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traced]:
    spans, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    folder = tmp_path_factory.mktemp("traced")
    with running(Settings(folder, grpc_port=0, http_port=0, tracer_provider=provider)) as server:
        assert server.http is not None
        server.ask(server.service.databases.create(SOMEBODY, "bank"))
        server.ask(server.service.views.publish_state_change(SOMEBODY, "bank", CHANGE, credit))
        with (
            grpc.insecure_channel(server.grpc.target) as channel,
            httpx.Client(base_url=server.http.url) as web,
        ):
            yield Traced(Stub(channel, (("traceparent", PARENT),)), web, spans)
    provider.shutdown()


def test_a_command_over_grpc_is_a_span_of_its_callers_trace(traced: Traced) -> None:
    reply = traced.stub.ExecuteStateChange(**EXECUTE, request={"body": b'{"id": "g"}'})
    span = traced.last()
    assert (span.name, span.kind) == ("evidentsource.ExecuteStateChange", SpanKind.SERVER)
    assert f"{span.context.trace_id:032x}" == TRACE
    assert dict(span.attributes) == {
        "rpc.system": "grpc",
        "rpc.method": "ExecuteStateChange",
        "evidentsource.operation": "ExecuteStateChange",
        "evidentsource.code": "OK",
        "evidentsource.database": "bank",
        "evidentsource.transaction_id": reply.result.transaction_summary.id,
    }
    assert span.status.status_code is StatusCode.UNSET
    assert span.start_time < span.end_time


def test_a_command_over_http_is_a_span_of_its_callers_trace(traced: Traced) -> None:
    path = "/api/v1/db/bank/state-changes/credit/1"
    done = traced.web.post(path, json={"id": "h"}, headers={"traceparent": PARENT}).json()
    span = traced.last()
    assert f"{span.context.trace_id:032x}" == TRACE
    assert span.name == "evidentsource.executeStateChange"
    assert span.attributes["evidentsource.transaction_id"] == done["id"]
    assert span.attributes["evidentsource.database"] == "bank"
    assert span.attributes["http.response.status_code"] == 201


def test_a_refusal_is_no_failure_of_the_server_and_a_failure_is_one(traced: Traced) -> None:
    for body, code, status in (
        (b'{"refuse": "conflict"}', "FAILED_PRECONDITION", StatusCode.UNSET),
        (b'{"fail": 1}', "INTERNAL", StatusCode.ERROR),
    ):
        with pytest.raises(grpc.RpcError):
            traced.stub.ExecuteStateChange(**EXECUTE, request={"body": body})
        span = traced.last()
        assert span.attributes["evidentsource.code"] == code
        assert span.attributes["evidentsource.reason"]
        assert span.status.status_code is status


def test_no_span_has_what_a_caller_keeps_secret(traced: Traced) -> None:
    traced.web.get("/api/v1/db/bank", headers={"authorization": "Bearer secret-token"})
    assert "secret-token" not in traced.last().to_json()


def test_without_the_extra_it_is_refused_with_what_to_install_and_nothing_else_needs_it() -> None:
    code = (
        "import sys; sys.modules['opentelemetry'] = None\n"
        "from evidentsource_runtime.cli import main\n"
        "main(['serve', '--data', 'none', '--tracing'])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'evidentsource-functions[otel]'" in done.stderr
