"""The two calls that accept something to be done later."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest

from evidentsource_core import Constraint, Selector
from evidentsource_runtime.server import Settings, running
from evidentsource_runtime.server.protobuf.events import prospective_to
from evidentsource_runtime.server.protobuf.generated import domain_pb2
from evidentsource_runtime.server.protobuf.selectors import condition_to
from tests.server.conftest import SOMEBODY, event
from tests.server.stub import Stub, details, reason, said

ACCOUNTS = Selector.stream("accounts")


def later(stub: Stub, bank: str, number: int | str, **fields: Any) -> Any:
    asked = {"database_name": bank, "transaction_id": f"t-{number}"}
    return stub.TransactAsync(**asked | fields, events=[prospective_to(event(number))])


def outcome(stub: Stub, bank: str, number: int | str) -> Any:
    """The outcome, as soon as there is one: the transaction, or the error."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        try:
            return stub.FetchTransactionById(
                database_name=bank, transaction_id=f"t-{number}"
            ).transaction
        except grpc.RpcError as error:
            if reason(error) != "TRANSACTION_PENDING":
                return error
        time.sleep(0.01)
    raise AssertionError("it is still pending")


def test_what_was_accepted_is_committed_in_its_order(stub: Stub, bank: str) -> None:
    for number in range(20):
        assert later(stub, bank, number).correlation_id == f"t-{number}"
    assert [each.id for each in outcome(stub, bank, 19).events] == ["e-19"]
    log = [reply.summary.id for reply in stub.ScanDatabaseLog(database_name=bank)]
    assert log == [f"t-{number}" for number in range(20)]


def test_a_correlation_id_is_given_back_and_kept(stub: Stub, bank: str) -> None:
    assert later(stub, bank, 1, correlation_id="c-1").correlation_id == "c-1"
    metadata = outcome(stub, bank, 1).metadata
    assert metadata.correlation_id == "c-1"
    assert metadata.origin.HasField("grpc_transaction")


def test_a_command_is_executed_later(stub: Stub, rules: str) -> None:
    stub.ExecuteStateChangeAsync(
        database_name=rules,
        state_change_name="credit",
        request={"body": b'{"id": 1, "times": 2}', "content_type": "application/json"},
        transaction_id="t-1",
    )
    found = outcome(stub, rules, 1)
    assert [each.id for each in found.events] == ["e-1-0", "e-1-1"]
    assert found.metadata.origin.grpc_state_change.version == 1


def test_the_outcome_of_what_was_refused_is_the_refusal(stub: Stub, bank: str) -> None:
    condition = condition_to(Constraint.must_exist(ACCOUNTS))
    later(stub, bank, 1, conditions=[condition])
    error = outcome(stub, bank, 1)
    assert error.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert "conditions[0]" in said(error)
    found = details(error)[1]
    assert isinstance(found, domain_pb2.AsyncTransactionError)
    assert found.error_code == "constraint-violations"


def test_nothing_is_accepted_without_a_transaction_id(stub: Stub, rules: str) -> None:
    command: dict[str, Any] = {"state_change_name": "credit"}
    for call, fields in ((stub.TransactAsync, {}), (stub.ExecuteStateChangeAsync, command)):
        with pytest.raises(grpc.RpcError) as caught:
            call(database_name=rules, **fields)
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert said(caught.value).startswith("transaction_id: is missing")


def test_one_transaction_id_is_accepted_for_one_request(stub: Stub, bank: str) -> None:
    # A refused one stays known, so that the answer is the same whenever it is asked.
    condition = condition_to(Constraint.must_exist(ACCOUNTS))
    later(stub, bank, 1, conditions=[condition])
    outcome(stub, bank, 1)
    later(stub, bank, 1, conditions=[condition])
    with pytest.raises(grpc.RpcError) as caught:
        later(stub, bank, 1)
    assert caught.value.code() is grpc.StatusCode.ALREADY_EXISTS


def test_a_database_of_the_same_name_knows_nothing_of_what_the_deleted_one_refused(
    stub: Stub, bank: str
) -> None:
    later(stub, bank, 1, conditions=[condition_to(Constraint.must_exist(ACCOUNTS))])
    outcome(stub, bank, 1)
    stub.DeleteDatabase(database_name=bank)
    stub.CreateDatabase(database_name=bank)
    assert reason(outcome(stub, bank, 1)) == "TRANSACTION_NOT_FOUND"


def test_what_was_accepted_is_done_after_a_restart(
    tmp_path: Path, connected: Callable[..., Stub]
) -> None:
    settings = Settings(tmp_path, grpc_port=0)
    with running(settings) as server:
        stub = connected(server)
        server.ask(server.service.databases.create(SOMEBODY, "bank"))
        server.service.queue.pause()
        for number in range(3):
            later(stub, "bank", number)
        assert stub.FetchLatestDatabase(database_name="bank").database.revision == 0
        with pytest.raises(grpc.RpcError) as caught:
            stub.FetchTransactionById(database_name="bank", transaction_id="t-2")
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND
        assert "ask again" in said(caught.value)
    with running(settings) as server:
        stub = connected(server)
        assert outcome(stub, "bank", 2).basis == 2
        assert stub.FetchLatestDatabase(database_name="bank").database.revision == 3
