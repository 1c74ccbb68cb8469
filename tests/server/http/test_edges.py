"""The rest of the interface: ETags, parameters, limits, the document, the metrics, TLS and who may ask."""

from __future__ import annotations

import asyncio
import re
import socket
import time
from typing import Any

import httpx
import pytest

from evidentsource_runtime.server import Server, Settings, running
from evidentsource_runtime.server.access import AccessSetupError, Limits, StaticTokens
from evidentsource_runtime.server.access.principals import EVERYTHING, Principal
from evidentsource_runtime.server.http.application import application
from evidentsource_runtime.server.http.table import OPERATIONS
from evidentsource_runtime.server.metrics import Metrics
from tests.server.stub import Stub


def credit(web: httpx.Client, bank: str, name: str = "x") -> None:
    path = f"/api/v1/db/{bank}/state-changes/credit/1"
    assert web.post(path, json={"id": name}).status_code == 201


def test_what_follows_the_head_of_an_answer_does_not_wait_for_the_client(
    server: Server, web: httpx.Client
) -> None:
    """Without it a body is sent when the client confirms the head, which it does 40 ms later."""
    assert web.get("/health").status_code == 200
    assert server.http is not None
    uvicorn: Any = server.http._server
    connections = list(uvicorn.server_state.connections)
    assert connections
    for each in connections:
        accepted = each.transport.get_extra_info("socket")
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/db/BANK",
        "/api/v1/db/BANK/latest",
        "/api/v1/db/BANK/latest/events",
        "/api/v1/db/BANK/latest/state-views/credits/1?subject.account_id=a-1",
        "/api/v1/db/BANK/latest/state-views/credits/1?subject.account_id=a-9",
    ],
)
def test_what_has_not_changed_is_not_sent_again(path: str, web: httpx.Client, rules: str) -> None:
    credit(web, rules)
    path = path.replace("BANK", rules)
    tag = web.get(path).headers["etag"]
    again = web.get(path, headers={"if-none-match": f'"other", W/{tag}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    credit(web, rules, "y")
    changed = web.get(path, headers={"if-none-match": tag})
    assert changed.status_code == (304 if path.endswith("a-9") else 200)


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("events", "revisions"),
        ("events?revisions=1,x", "revisions[1]"),
        ("latest/events?limit=-1", "limit"),
        ("latest/events?limit=4294967296", "limit"),
        ("latest/events?direction=up", "direction"),
        ("latest/events?stream=7", "stream"),
        ("latest/events?stream=a1&stream=a2", "stream"),
        ("latest/events?streams=a1", "streams"),
        ("latest/events?effective_at=yesterday", "effective_at"),
        ("latest/events?no_subject=maybe", "no_subject"),
        ("first/events", "revision"),
        ("latest/events/accounts/e-1?mode=text", "mode"),
        ("latest/state-views/credits/0", "version"),
        ("latest/state-views/credits/1?subject.a=", "subject.a"),
        ("latest/state-views/credits/1?subject.a=x&stream.a=yy", "stream.a"),
        ("transactions?start_at_revision=-1", "start_at_revision"),
        ("1?wait=soon", "wait"),
    ],
)
def test_a_parameter_that_means_nothing_is_refused_by_its_name(
    path: str, field: str, web: httpx.Client, rules: str
) -> None:
    answer = web.get(f"/api/v1/db/{rules}/{path}")
    assert (answer.status_code, answer.json()["field"]) == (400, field)


@pytest.mark.parametrize("revision", [2**63 - 1, 2**64 - 1])
@pytest.mark.parametrize("part", ["events", "events/accounts/e", "streams"])
def test_revisions_that_no_database_reaches_are_told(
    part: str, revision: int, web: httpx.Client, rules: str
) -> None:
    answer = web.get(f"/api/v1/db/{rules}/{revision}/{part}")
    assert (answer.status_code, answer.json()["code"]) == (404, "database-access-error")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body.selector"),
        ({"selector": {"stream": "7"}}, "body.selector.stream"),
        ({"selector": {"subject": {"parameter": "p"}}}, "body.selector"),
        ({"selector": {"stream": "a1"}, "direction": "up"}, "body.direction"),
        ({"selector": {"stream": "a1"}, "range": {}}, "body.range"),
        ({"selector": {"stream": "a1"}, "wanted": 1}, "body.wanted"),
    ],
)
def test_a_query_that_means_nothing_is_refused_by_the_part_at_fault(
    body: Any, field: str, web: httpx.Client, bank: str
) -> None:
    answer = web.post(f"/api/v1/db/{bank}/latest/events/query", json=body)
    assert (answer.status_code, answer.json()["field"]) == (400, field)


def test_a_query_by_effective_time_goes_backwards(web: httpx.Client, bank: str) -> None:
    events = [
        {"specversion": "1.0", "id": f"e{n}", "source": "accounts", "type": "t",
         "time": f"2026-01-0{9 - n}T00:00:00Z"} for n in (1, 2, 3)
    ]  # fmt: skip
    web.post(f"/api/v1/db/{bank}/transactions", json={"events": events})
    query = {
        "selector": {"stream": "accounts"},
        "direction": "reverse",
        "range": {"effective_time": {"end_at": "2026-01-07T12:00:00Z"}},
    }
    found = web.post(f"/api/v1/db/{bank}/latest/events/query", json=query).json()
    assert [each["id"] for each in found] == ["e2", "e3"]


def test_a_command_is_accepted_to_be_done_later(web: httpx.Client, rules: str) -> None:
    path = f"/api/v1/db/{rules}/state-changes/credit/1"
    later = {"prefer": "respond-async"}
    assert web.post(path, json={"id": "x"}, headers=later).json()["field"] == "transaction_id"
    answer = web.post(f"{path}?transaction_id=t-1", json={"id": "x"}, headers=later)
    assert (answer.status_code, answer.json()["transaction_id"]) == (202, "t-1")
    until = time.monotonic() + 20
    while (found := web.get(answer.headers["location"])).status_code == 404:
        assert time.monotonic() < until
    assert found.json()["events"][0]["id"] == "e-x-0"


def test_the_document_has_every_operation_and_every_schema_it_names(web: httpx.Client) -> None:
    document = web.get("/openapi.json").json()
    for operation in OPERATIONS:
        described = document["paths"][operation.path][operation.method.lower()]
        assert described["operationId"] == operation.name
    named = set(re.findall(r"#/components/schemas/(\w+)", web.get("/openapi.json").text))
    assert named <= set(document["components"]["schemas"])


def test_metrics_count_what_was_answered(web: httpx.Client, stub: Stub, bank: str) -> None:
    web.get(f"/api/v1/db/{bank}/nonsense")
    stub.FetchLatestDatabase(database_name=bank)
    text = web.get("/metrics").text
    assert re.search(
        r'requests_total\{code="400",interface="http",operation="awaitDatabase"\} [1-9]', text
    )
    assert 'code="OK",interface="grpc",operation="FetchLatestDatabase"' in text
    assert "evidentsource_streams_open 0.0" in text


def test_tokens_are_asked_for_and_nothing_public_needs_one(tmp_path: Any) -> None:
    tokens = StaticTokens.of({"secret": Principal("ann", EVERYTHING)})
    settings = Settings(tmp_path, grpc_port=0, http_port=0, authenticator=tokens)
    with running(settings) as server:
        assert server.http is not None
        with httpx.Client(base_url=server.http.url) as web:
            for path in ("/health", "/ready", "/openapi.json"):
                assert web.get(path).status_code == 200
            for path in ("/metrics", "/api/v1/catalog", "/v1/databases"):
                assert web.get(path).status_code == 401
            signed = {"authorization": "Bearer secret"}
            assert web.get("/api/v1/catalog", headers=signed).json() == {"databases": []}
            wrong = {"authorization": "Bearer wrong"}
            assert "wrong" not in web.get("/api/v1/catalog", headers=wrong).text


def test_who_asks_too_often_is_told_when_to_come_back(tmp_path: Any) -> None:
    limits = Limits(rate=0.5, burst=1)
    with running(Settings(tmp_path, grpc_port=0, http_port=0, limits=limits)) as server:
        assert server.http is not None
        with httpx.Client(base_url=server.http.url) as web:
            assert web.get("/api/v1/catalog").status_code == 200
            answer = web.get("/api/v1/catalog")
    assert (answer.status_code, answer.json()["code"]) == (429, "rate-limited")
    assert 1 <= int(answer.headers["retry-after"]) <= 2


def test_a_port_in_use_is_refused_and_nothing_stays_open(tmp_path: Any, server: Server) -> None:
    assert server.http is not None
    settings = Settings(tmp_path, grpc_port=0, http_port=server.http.port)
    for _ in range(2):
        with pytest.raises(AccessSetupError, match="http_port"), running(settings):
            pass
    with running(Settings(tmp_path, grpc_port=0, http_port=0)) as again:
        assert again.http is not None


def test_a_server_that_stops_says_that_it_is_not_ready(server: Server) -> None:
    class Stopping:
        stopping = True

    app = application(Stopping(), server.admission, Metrics())  # type: ignore[arg-type]  # all that it asks

    async def ask(path: str) -> int:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://h") as client:
            return (await client.get(path)).status_code

    assert [asyncio.run(ask(path)) for path in ("/ready", "/health")] == [503, 200]
