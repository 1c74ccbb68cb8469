"""Databases as a whole, over gRPC."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import grpc
import pytest

from evidentsource_runtime.server.protobuf.events import prospective_to
from evidentsource_runtime.server.protobuf.transactions import state_from
from tests.server.conftest import event
from tests.server.stub import Stub, reason, said


def commit(stub: Stub, bank: str, *numbers: int) -> Any:
    return stub.Transact(
        database_name=bank, events=[prospective_to(event(number)) for number in numbers]
    ).result.transaction_summary


def test_a_new_database_is_at_revision_0_recorded_when_it_was_created(stub: Stub) -> None:
    state = state_from(stub.CreateDatabase(database_name="fresh").database)
    assert (state.name, state.basis, state.revision) == ("fresh", 0, 0)
    assert state.revision_timestamp == state.created_at


def test_creating_a_database_twice_is_refused(stub: Stub, bank: str) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        stub.CreateDatabase(database_name=bank)
    assert caught.value.code() is grpc.StatusCode.ALREADY_EXISTS
    assert said(caught.value) == f"database '{bank}' already exists"
    assert reason(caught.value) == "DATABASE_ALREADY_EXISTS"


@pytest.mark.parametrize("name", ["", "b", "1st", "bank\n", "a/b", "..", "x" * 129])
def test_a_name_that_none_can_have_is_refused_wherever_it_is_used(stub: Stub, name: str) -> None:
    for call in (stub.CreateDatabase, stub.DeleteDatabase, stub.FetchLatestDatabase):
        with pytest.raises(grpc.RpcError) as caught:
            call(database_name=name)
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert reason(caught.value) == "INVALID_DATABASE_NAME"


def test_names_that_differ_in_capitals_are_two_databases(stub: Stub) -> None:
    stub.CreateDatabase(database_name="Twin")
    stub.CreateDatabase(database_name="twin")
    commit(stub, "Twin", 1)
    assert stub.FetchLatestDatabase(database_name="twin").database.revision == 0


def test_the_catalog_has_every_database_in_order(stub: Stub, bank: str) -> None:
    names = [reply.database_name for reply in stub.FetchCatalog()]
    assert bank in names
    assert names == sorted(names)


def test_a_deleted_database_gives_its_last_state_and_is_gone(stub: Stub, bank: str) -> None:
    commit(stub, bank, 1, 2)
    assert stub.DeleteDatabase(database_name=bank).database.revision == 2
    for ask in (
        lambda: stub.FetchLatestDatabase(database_name=bank),
        lambda: stub.DeleteDatabase(database_name=bank),
        lambda: list(stub.ScanDatabaseLog(database_name=bank)),
        lambda: stub.AwaitDatabase(database_name=bank, at_revision=1),
    ):
        with pytest.raises(grpc.RpcError) as caught:
            ask()
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND
        assert said(caught.value) == f"database '{bank}' not found"
    assert bank not in [reply.database_name for reply in stub.FetchCatalog()]
    assert stub.CreateDatabase(database_name=bank).database.revision == 0


def test_the_state_has_the_basis_of_the_transaction_that_its_revision_is_of(
    stub: Stub, bank: str
) -> None:
    commit(stub, bank, 1)
    commit(stub, bank, 2, 3)
    for call in (stub.FetchLatestDatabase, stub.FetchCachedDatabase):
        state = state_from(call(database_name=bank).database)
        assert (state.basis, state.revision) == (1, 3)
    inside = stub.AwaitDatabase(database_name=bank, at_revision=2).database
    assert (inside.basis, inside.revision) == (1, 2)
    assert stub.AwaitDatabase(database_name=bank, at_revision=0).database.revision == 0


def test_a_database_can_be_had_as_it_was_recorded_at_a_time(stub: Stub, bank: str) -> None:
    first = commit(stub, bank, 1)
    commit(stub, bank, 2)

    def at(moment: Any) -> Any:
        return stub.DatabaseEffectiveAtTimestamp(database_name=bank, at_timestamp=moment).database

    assert at(first.timestamp).revision == 1
    created = state_from(stub.FetchLatestDatabase(database_name=bank).database).created_at
    with pytest.raises(grpc.RpcError) as caught:
        at(created - timedelta(microseconds=1))
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


@pytest.mark.parametrize(
    ("moment", "field"),
    [
        (None, "at_timestamp"),
        ({"seconds": 2**40}, "at_timestamp"),
        ({"nanos": -1}, "at_timestamp"),
    ],
)
def test_a_time_that_is_none_is_refused(stub: Stub, bank: str, moment: Any, field: str) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        stub.DatabaseEffectiveAtTimestamp(database_name=bank, at_timestamp=moment)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert said(caught.value).startswith(field)
