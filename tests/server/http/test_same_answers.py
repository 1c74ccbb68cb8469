"""The same question over gRPC and over HTTP gets the same answer, refusals included."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import grpc
import httpx
import pytest

from evidentsource_core import Constraint, Event, ProspectiveEvent, Selector
from evidentsource_runtime.cloudevents import event_json
from evidentsource_runtime.server import Server
from evidentsource_runtime.server.http.values import state_json, summary_json
from evidentsource_runtime.server.protobuf.events import event_from, prospective_to
from evidentsource_runtime.server.protobuf.generated import domain_pb2, service_pb2
from evidentsource_runtime.server.protobuf.selectors import condition_to, parameters_to, selector_to
from evidentsource_runtime.server.protobuf.transactions import state_from, summary_from
from tests.server.conftest import event
from tests.server.stub import Stub, reason, said

CODES = {
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.UNAUTHENTICATED: 401,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.OUT_OF_RANGE: 404,
    grpc.StatusCode.ALREADY_EXISTS: 409,
    grpc.StatusCode.FAILED_PRECONDITION: 409,
    grpc.StatusCode.INTERNAL: 500,
}
ACCOUNTS = Selector.stream("accounts")


@dataclass(frozen=True)
class Question:
    """One question in both languages; BANK stands for the database's name."""

    name: str
    call: str
    message: dict[str, Any]
    method: str
    path: str
    code: str
    sent: dict[str, Any] = field(default_factory=dict)

    def asked(self, stub: Stub, bank: str) -> Any:
        ask = getattr(stub, self.call)
        fields: dict[str, Any] = {k: bank if v == "BANK" else v for k, v in self.message.items()}
        if self.call == "FetchStateViewAtRevision":
            fields["state_view_identity"]["database_name"] = bank
        return ask(**fields)


def transaction(name: str, code: str, *events: ProspectiveEvent, **more: Any) -> Question:
    conditions = more.get("conditions", ())
    sent = {"events": [event_json(each) for each in events]}
    if conditions:
        sent["conditions"] = [{"selector": {"subject": "nobody"}, "min": 1}]
    message = {
        "database_name": more.get("database", "BANK"),
        "events": [prospective_to(each) for each in events],
        "conditions": [condition_to(each) for each in conditions],
        "transaction_id": more.get("id", ""),
    }
    where = f"/api/v1/db/{more.get('database', 'BANK')}/transactions"
    path = f"{where}?transaction_id={more['id']}" if "id" in more else where
    return Question(name, "Transact", message, "POST", path, code, {"json": sent})


def command(name: str, code: str, value: Any, change: str = "credit", version: int = 0) -> Question:
    body = json.dumps(value).encode() if not isinstance(value, bytes) else value
    message = {
        "database_name": "BANK",
        "state_change_name": change,
        "version": version,
        "request": service_pb2.CommandRequest(body=body, content_type="application/json"),
    }
    path = f"/api/v1/db/BANK/state-changes/{change}/{version or 'latest'}"
    headers = {"content-type": "application/json"}
    sent = {"content": body, "headers": headers}
    return Question(name, "ExecuteStateChange", message, "POST", path, code, sent)


def view(name: str, code: str, path: str, **message: Any) -> Question:
    identity = {"state_view_name": message.pop("view", "credits"), "state_view_version": 1}
    found = {"database_revision": 1, **message, "state_view_identity": identity}
    return Question(name, "FetchStateViewAtRevision", found, "GET", f"/api/v1/db/BANK/{path}", code)


REFUSALS = (
    Question("a database twice", "CreateDatabase", {"database_name": "BANK"}, "POST",
             "/api/v1/databases", "database-already-exists", {"json": {"name": "BANK"}}),
    Question("a database's wrong name", "CreateDatabase", {"database_name": "7\n"}, "POST",
             "/api/v1/databases", "invalid-database-name", {"json": {"name": "7\n"}}),
    Question("no such database", "FetchLatestDatabase", {"database_name": "nowhere"}, "GET",
             "/api/v1/db/nowhere", "database-not-found"),
    Question("no such database to delete", "DeleteDatabase", {"database_name": "nowhere"}, "DELETE",
             "/api/v1/db/nowhere", "database-not-found"),
    Question("no such transaction", "FetchTransactionById",
             {"database_name": "BANK", "transaction_id": "t-0"}, "GET",
             "/api/v1/db/BANK/transactions/t-0", "transaction-not-found"),
    Question("no such event", "EventById",
             {"database_name": "BANK", "stream": "accounts", "event_id": "e-0", "revision": 1},
             "GET", "/api/v1/db/BANK/1/events/accounts/e-0", "event-not-found"),
    Question("a revision to come", "EventById",
             {"database_name": "BANK", "stream": "accounts", "event_id": "e-1", "revision": 99},
             "GET", "/api/v1/db/BANK/99/events/accounts/e-1", "database-access-error"),
    Question("too many revisions", "FetchEventsByRevisions",
             {"database_name": "BANK", "event_revisions": [1, 99]}, "GET",
             "/api/v1/db/BANK/events?revisions=1,99", "database-access-error"),
    transaction("no events", "empty-transaction"),
    transaction("no such database to write", "database-not-found", event(2), database="nowhere"),
    transaction("wrong names", "invalid-events", event(2, stream="7", subject=" ")),
    transaction("an event twice", "invalid-events", event(1)),
    transaction("a condition", "constraint-violations", event(2),
                conditions=[Constraint.must_exist(Selector.subject("nobody"))]),
    transaction("another transaction of that id", "duplicate-transaction-id", event(2), id="t-1"),
    transaction("a wrong transaction id", "invalid-transaction-id", event(2), id=" "),
    command("no such change", "state-change-not-found", {}, "nothing"),
    command("no such version", "state-change-not-found", {}, version=7),
    command("a refusal: validation", "state-change-refused", {"refuse": "validation"}),
    command("a refusal: conflict", "state-change-refused", {"refuse": "conflict"}),
    command("a refusal: not found", "state-change-refused", {"refuse": "not_found"}),
    command("a refusal: unauthorized", "state-change-refused", {"refuse": "unauthorized"}),
    command("a refusal: internal", "state-change-refused", {"refuse": "internal"}),
    command("a decision that is violated", "constraint-violations", {"id": "v", "violate": 1}),
    view("no such view", "state-view-not-found", "1/state-views/nothing/1", view="nothing"),
    view("a parameter missing", "parameter-error", "1/state-views/credits/1"),
)  # fmt: skip


@pytest.fixture
def credited(rules: str, stub: Stub) -> str:
    """A database with rules, and one event of account a-1, in transaction t-1."""
    first = prospective_to(event(1, subject="a-1", data='{"amount": 5}'))
    stub.Transact(database_name=rules, events=[first], transaction_id="t-1")
    return rules


@pytest.mark.parametrize("question", REFUSALS, ids=lambda question: question.name)
def test_a_refusal_says_the_same_on_both_interfaces(
    question: Question, credited: str, stub: Stub, web: httpx.Client
) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        question.asked(stub, credited)
    sent = dict(question.sent)
    if sent.get("json") == {"name": "BANK"}:
        sent["json"] = {"name": credited}
    answer = web.request(question.method, question.path.replace("BANK", credited), **sent)
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert (problem["code"], problem["detail"]) == (
        reason(refused.value).lower().replace("_", "-"),
        said(refused.value),
    )
    assert answer.status_code == problem["status"] == CODES[refused.value.code()]
    assert problem["code"] == question.code


def test_a_database_is_the_same(credited: str, stub: Stub, web: httpx.Client) -> None:
    state = state_from(stub.FetchLatestDatabase(database_name=credited).database)
    assert web.get(f"/api/v1/db/{credited}").json() == state_json(state)
    assert web.get(f"/api/v1/db/{credited}/1").json() == state_json(state)
    assert state_json(state) in web.get("/api/v1/databases").json()["databases"]
    assert state_json(state) in web.get("/v1/databases").json()["databases"]
    assert web.get("/api/v1/catalog").json()["databases"] == [
        each.database_name for each in stub.FetchCatalog()
    ]
    at = {"recorded_at": state_json(state)["revision_timestamp"]}
    assert web.get(f"/api/v1/db/{credited}", params=at).json() == state_json(state)


def asked(stub: Stub, bank: str, selector: Any, revision: int) -> list[Event]:
    query = domain_pb2.DatabaseQuery(selector=selector_to(selector))
    replies = stub.QueryEvents(
        database_name=bank, revision=revision, include_event_detail=True, query=query
    )
    return [event_from(each.detail, "detail") for each in replies]


def test_events_are_the_same(credited: str, stub: Stub, web: httpx.Client) -> None:
    others = [event(2, subject="a-2"), event(3, stream="others", data=b"\x00\xff"), event(4)]
    stub.Transact(database_name=credited, events=[prospective_to(each) for each in others])
    expected = [event_json(each) for each in asked(stub, credited, ACCOUNTS, 4)]
    assert len(expected) == 3
    where = f"/api/v1/db/{credited}"
    assert web.get(f"{where}/latest/events", params={"stream": "accounts"}).json() == expected
    assert (
        web.get("/v1/events", params={"database": credited, "stream": "accounts"}).json()
        == expected
    )
    sent = {"selector": {"equals": {"stream": {"stream": "accounts"}}}}
    assert web.post(f"{where}/4/events/query", json=sent).json() == expected
    assert len(web.get(f"{where}/latest/events").json()) == 4
    found = stub.FetchEventsByRevisions(database_name=credited, event_revisions=[4, 1]).events
    assert web.get(f"{where}/events?revisions=4,1").json() == [
        event_json(event_from(each, "event")) for each in found
    ]
    for part, number in (("streams", 0), ("subjects", 1), ("event-types", 2)):
        scanned = stub.ScanIndexKeys(database_name=credited, revision=4, index_key_type=number)
        assert web.get(f"{where}/4/{part}").json() == [each.index_key for each in scanned]


def test_transactions_are_the_same_but_for_the_way_they_came(
    credited: str, stub: Stub, web: httpx.Client
) -> None:
    sent = {"events": [event_json(event(2))], "commit_message": "second", "causation_id": "c"}
    answer = web.post(f"/api/v1/db/{credited}/transactions", json=sent)
    assert answer.status_code == 201
    log = stub.ScanDatabaseLog(database_name=credited)
    expected = [summary_json(summary_from(each.summary)) for each in log]
    assert [each["metadata"]["transport"] for each in expected] == ["grpc", "http"]
    assert web.get(f"/api/v1/db/{credited}/transactions").json() == expected
    assert answer.json() == expected[1]
    detail = web.get(answer.headers["location"]).json()
    assert (detail.pop("events")[0]["id"], detail) == ("e-2", expected[1])


def test_commands_decide_the_same(credited: str, stub: Stub, web: httpx.Client) -> None:
    where = f"/api/v1/db/{credited}/state-changes/credit"
    first = web.post(f"{where}/1", json={"id": "x", "times": 2})
    request = service_pb2.CommandRequest(body=b'{"id": "y", "times": 2}')
    reply = stub.ExecuteStateChange(
        database_name=credited, state_change_name="credit", version=1, request=request
    )
    second = summary_json(summary_from(reply.result.transaction_summary))
    assert (first.status_code, first.json()["revision"], second["revision"]) == (201, 3, 5)
    assert first.json()["metadata"] == second["metadata"] | {"transport": "http"}
    assert first.headers["x-evidentsource-served-by"] == "python"
    nothing = web.post(f"{where}/latest", json={"id": "z", "times": 0})
    assert (nothing.status_code, nothing.json()["revision"], nothing.json()["id"]) == (200, 5, "")
    alias = {"database": credited, "name": "credit", "command": {"id": "w"}}
    assert web.post("/v1/commands", json=alias).json()["revision"] == 6


def test_views_are_the_same(credited: str, stub: Stub, web: httpx.Client) -> None:
    reply = stub.FetchStateViewAtRevision(
        database_revision=1,
        state_view_identity=domain_pb2.StateViewIdentity(
            database_name=credited, state_view_name="credits", state_view_version=1
        ),
        parameters=parameters_to({"account_id": Selector.subject("a-1").attribute}),
    )
    path = f"/api/v1/db/{credited}/latest/state-views/credits/latest"
    answer = web.get(path, params={"subject.account_id": "a-1"})
    assert answer.content == reply.state_view.data == b"1"
    assert answer.headers["content-type"] == reply.state_view.content_type
    assert answer.headers["x-evidentsource-last-modified-revision"] == "1"
    alias = web.get("/v1/state-views/credits", params={"database": credited, "account_id": "a-1"})
    assert (alias.content, alias.headers["etag"]) == (answer.content, answer.headers["etag"])
    never = web.get(path, params={"subject.account_id": "a-9"})
    assert (never.status_code, never.content) == (204, b"")


def test_who_may_not_ask_is_told_the_same(credited: str, server: Server, web: httpx.Client) -> None:
    with grpc.insecure_channel(server.grpc.target) as channel:
        stub = Stub(channel, (("x-dev-grants", '["reader:other"]'),))
        with pytest.raises(grpc.RpcError) as refused:
            stub.FetchLatestDatabase(database_name=credited)
    answer = web.get(f"/api/v1/db/{credited}", headers={"x-dev-grants": '["reader:other"]'})
    assert (answer.status_code, answer.json()["detail"]) == (403, said(refused.value))
    unknown = web.get(f"/api/v1/db/{credited}", headers={"authorization": "Bearer nonsense"})
    assert (unknown.status_code, unknown.headers["www-authenticate"]) == (401, "Bearer")
