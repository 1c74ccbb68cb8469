"""State views and state changes, over gRPC."""

from __future__ import annotations

from typing import Any

import grpc
import pytest

from evidentsource_core import SubjectAttribute
from evidentsource_core.domain.identifiers import EventSubject
from evidentsource_runtime.server import Server
from evidentsource_runtime.server.protobuf.events import prospective_to
from evidentsource_runtime.server.protobuf.generated import domain_pb2
from evidentsource_runtime.server.protobuf.selectors import parameters_to
from evidentsource_runtime.server.protobuf.transactions import summary_from
from evidentsource_runtime.server.protobuf.views import view_from
from evidentsource_runtime.server.service import Origin, Transport
from tests.server.conftest import CHANGE, SOMEBODY, credit, event
from tests.server.stub import Stub, details, reason, said

JSON = "application/json"


def execute(stub: Stub, bank: str, body: bytes, **fields: Any) -> Any:
    request = {"body": body, "content_type": JSON} | fields.pop("request", {})
    asked = {"database_name": bank, "state_change_name": "credit", "version": 1}
    return stub.ExecuteStateChange(**asked | {"request": request} | fields).result


def view(stub: Stub, bank: str, revision: int, subject: str = "a-1", **fields: Any) -> Any:
    identity = {"database_name": bank, "state_view_name": "credits", "state_view_version": 1}
    parameters = parameters_to({"account_id": SubjectAttribute(EventSubject(subject))})
    asked: dict[str, Any] = {
        "state_view_identity": identity,
        "database_revision": revision,
        "parameters": parameters,
    }
    return stub.FetchStateViewAtRevision(**asked | fields).state_view


def test_what_a_state_change_decides_is_one_transaction(stub: Stub, rules: str) -> None:
    summary = summary_from(
        execute(stub, rules, b'{"id": 1, "times": 2}', correlation_id="c-1").transaction_summary
    )
    assert (summary.basis, summary.revision) == (0, 2)
    assert summary.about.origin == Origin(Transport.GRPC, "credit", 1)
    assert summary.about.correlation_id == "c-1"
    found = stub.FetchTransactionById(database_name=rules, transaction_id=summary.id)
    assert [each.id for each in found.transaction.events] == ["e-1-0", "e-1-1"]
    assert found.transaction.metadata.origin.grpc_state_change.name == "credit"


def test_a_decision_without_events_writes_nothing_and_succeeds(stub: Stub, rules: str) -> None:
    execute(stub, rules, b'{"id": 1}')
    summary = execute(stub, rules, b'{"id": 2, "times": 0}').transaction_summary
    assert (summary.id, summary.basis, summary.revision) == ("", 1, 1)
    assert stub.FetchLatestDatabase(database_name=rules).database.revision == 1


def test_headers_reach_the_decision(stub: Stub, rules: str) -> None:
    execute(stub, rules, b'{"id": 1}', request={"headers": [{"key": "X-Trace", "value": "7"}]})
    reply = stub.FetchEventsByRevisions(database_name=rules, event_revisions=[1])
    assert "('X-Trace', '7')" in reply.events[0].text_data


def test_version_0_is_the_latest(server: Server, stub: Stub, rules: str) -> None:
    server.ask(server.service.views.publish_state_change(SOMEBODY, rules, CHANGE, credit))
    result = execute(stub, rules, b'{"id": 1}', version=0)
    assert result.transaction_summary.metadata.origin.grpc_state_change.version == 2


def test_a_command_is_executed_once_for_its_transaction_id(stub: Stub, rules: str) -> None:
    first = execute(stub, rules, b'{"id": 1}', transaction_id="t-1")
    assert execute(stub, rules, b'{"id": 1}', transaction_id="t-1") == first
    with pytest.raises(grpc.RpcError) as caught:
        execute(stub, rules, b'{"id": 2}', transaction_id="t-1")
    assert caught.value.code() is grpc.StatusCode.ALREADY_EXISTS


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("validation", grpc.StatusCode.INVALID_ARGUMENT),
        ("conflict", grpc.StatusCode.FAILED_PRECONDITION),
        ("not_found", grpc.StatusCode.NOT_FOUND),
        ("unauthorized", grpc.StatusCode.PERMISSION_DENIED),
        ("internal", grpc.StatusCode.INTERNAL),
    ],
)
def test_each_refusal_of_a_state_change_has_its_code(
    stub: Stub, rules: str, kind: str, code: grpc.StatusCode
) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        execute(stub, rules, b'{"id": 1, "refuse": "%s"}' % kind.encode())
    assert caught.value.code() is code
    assert "as the command says" in said(caught.value)
    assert reason(caught.value) == "STATE_CHANGE_REFUSED"


def test_a_failure_in_a_state_change_is_internal_and_says_what_failed(
    stub: Stub, rules: str
) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        execute(stub, rules, b'{"id": 1, "fail": true}')
    assert caught.value.code() is grpc.StatusCode.INTERNAL
    assert stub.FetchLatestDatabase(database_name=rules).database.revision == 0


@pytest.mark.parametrize(
    ("fields", "code", "expected"),
    [
        ({"state_change_name": "none"}, grpc.StatusCode.NOT_FOUND, "STATE_CHANGE_NOT_FOUND"),
        ({"version": 7}, grpc.StatusCode.NOT_FOUND, "STATE_CHANGE_NOT_FOUND"),
        ({"state_change_name": "7"}, grpc.StatusCode.INVALID_ARGUMENT, "INVALID_STATE_CHANGE_NAME"),
        ({"database_name": "none"}, grpc.StatusCode.NOT_FOUND, "DATABASE_NOT_FOUND"),
        ({"last_seen_revision": 9}, grpc.StatusCode.OUT_OF_RANGE, "DATABASE_ACCESS_ERROR"),
        ({"transaction_id": " "}, grpc.StatusCode.INVALID_ARGUMENT, "INVALID_TRANSACTION_ID"),
        ({"request": {"body": b""}}, grpc.StatusCode.INVALID_ARGUMENT, "NO_BODY"),
        (
            {"request": {"headers": [{"value": "x"}]}},
            grpc.StatusCode.INVALID_ARGUMENT,
            "INVALID_REQUEST",
        ),
    ],
)
def test_a_command_that_cannot_be_executed_is_refused(
    stub: Stub, rules: str, fields: dict[str, Any], code: grpc.StatusCode, expected: str
) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        execute(stub, rules, b'{"id": 1}', **fields)
    assert (caught.value.code(), reason(caught.value)) == (code, expected)


def test_conditions_of_a_decision_that_do_not_hold_are_named(stub: Stub, rules: str) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        execute(stub, rules, b'{"id": 1, "violate": true}')
    assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert "conditions[0]" in said(caught.value)


def test_a_view_is_read_at_its_revision_with_its_selector_bound(stub: Stub, rules: str) -> None:
    execute(stub, rules, b'{"id": 1}')
    second = execute(stub, rules, b'{"id": 2}').transaction_summary
    found = view_from(view(stub, rules, 2))
    assert (found.content, found.last_modified_revision) == (b"2", 2)
    assert found.last_modified_timestamp == summary_from(second).timestamp
    assert "a-1" in repr(found.event_selector)
    assert view_from(view(stub, rules, 1)).content == b"1"
    empty = view(stub, rules, 0)
    assert (empty.WhichOneof("content"), empty.last_modified_revision) == (None, 0)
    assert empty.HasField("event_selector")


def test_a_view_is_read_as_of_an_effective_time(stub: Stub, rules: str) -> None:
    from evidentsource_core.times import from_parts

    for number in (10, 20, 30):
        proposed = prospective_to(event(number, time=from_parts(number)))
        stub.Transact(database_name=rules, events=[proposed])
    identity = {"database_name": rules, "state_view_name": "effective", "state_view_version": 1}
    found = stub.FetchStateViewAtRevision(
        state_view_identity=identity, database_revision=3, effective_time_end_at={"seconds": 20}
    )
    assert found.state_view.data == b"2"


@pytest.mark.parametrize(
    ("fields", "code", "expected"),
    [
        ({"database_revision": 9}, grpc.StatusCode.OUT_OF_RANGE, "DATABASE_ACCESS_ERROR"),
        ({"parameters": None}, grpc.StatusCode.INVALID_ARGUMENT, "PARAMETER_ERROR"),
        (
            {"parameters": {"bindings": {"account_id": {"stream": "accounts"}}}},
            grpc.StatusCode.INVALID_ARGUMENT,
            "PARAMETER_ERROR",
        ),
        (
            {"parameters": {"bindings": {"account_id": {}}}},
            grpc.StatusCode.INVALID_ARGUMENT,
            "INVALID_REQUEST",
        ),
        (
            {"effective_time_end_at": {"nanos": -1}},
            grpc.StatusCode.INVALID_ARGUMENT,
            "INVALID_TIMESTAMP",
        ),
    ],
)
def test_a_view_that_cannot_be_read_so_is_refused(
    stub: Stub, rules: str, fields: dict[str, Any], code: grpc.StatusCode, expected: str
) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        view(stub, rules, 0, **fields)
    assert (caught.value.code(), reason(caught.value)) == (code, expected)


def test_a_view_that_there_is_not_is_not_found(stub: Stub, rules: str) -> None:
    for name, version in (("none", 1), ("credits", 7)):
        identity = {
            "database_name": rules,
            "state_view_name": name,
            "state_view_version": version,
        }
        with pytest.raises(grpc.RpcError) as caught:
            view(stub, rules, 0, state_view_identity=identity)
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND
        assert reason(caught.value) == "STATE_VIEW_NOT_FOUND"


def test_a_view_that_fails_is_internal_and_names_the_event(stub: Stub, rules: str) -> None:
    poison = prospective_to(event("bad", subject="a-1", data="poison"))
    stub.Transact(database_name=rules, events=[poison])
    with pytest.raises(grpc.RpcError) as caught:
        view(stub, rules, 1)
    assert caught.value.code() is grpc.StatusCode.INTERNAL
    assert "'e-bad'" in said(caught.value)
    assert "the event is poison" in said(caught.value)
    assert view(stub, rules, 1, "a-2").data == b""


def test_everything_that_is_published_is_listed(stub: Stub, rules: str) -> None:
    views = [
        (reply.state_view_name, reply.state_view_version)
        for reply in stub.ListStateViewDefinitions(database_name=rules)
    ]
    assert views == [("credits", 1), ("effective", 1)]
    changes = [(r.name, r.version) for r in stub.ListStateChanges(database_name=rules)]
    assert changes == [("credit", 1)]
    inactive = stub.ListStateViewDefinitions(
        database_name=rules, status=domain_pb2.StateViewStatus.INACTIVE
    )
    assert list(inactive) == []


def test_no_detail_of_an_error_is_without_its_code(stub: Stub, rules: str) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        execute(stub, rules, b'{"id": 1}', state_change_name="none")
    info: Any = details(caught.value)[0]
    assert (info.domain, info.metadata["name"]) == ("evidentsource", "none")
