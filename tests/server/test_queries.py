"""Reading events, over gRPC."""

from __future__ import annotations

from typing import Any

import grpc
import pytest

from evidentsource_core import EventSelector, QueryOptions, Selector
from evidentsource_core.times import from_parts
from evidentsource_runtime.server.protobuf.events import prospective_to
from evidentsource_runtime.server.protobuf.generated import domain_pb2
from evidentsource_runtime.server.protobuf.views import query_to
from tests.server.conftest import event
from tests.server.stub import Stub, reason, said

ACCOUNTS = Selector.stream("accounts")


@pytest.fixture
def filled(stub: Stub, bank: str) -> str:
    """A database with six events in three streams, of two types."""
    for number in range(1, 7):
        stream = ("accounts", "orders", "zebras")[number % 3]
        fields: dict[str, Any] = {"event_type": "odd"} if number % 2 else {"event_type": "even"}
        proposed = event(number, stream=stream, time=from_parts(100 - number), **fields)
        stub.Transact(database_name=bank, events=[prospective_to(proposed)])
    return bank


def ids(
    stub: Stub,
    bank: str,
    selector: EventSelector = ACCOUNTS,
    options: QueryOptions | None = None,
    revision: int = 6,
) -> list[str]:
    replies = stub.QueryEvents(
        database_name=bank,
        revision=revision,
        include_event_detail=True,
        query=query_to(selector, options or QueryOptions()),
    )
    return [reply.detail.id for reply in replies]


def test_a_query_reads_at_its_revision_and_revision_0_is_the_empty_database(
    stub: Stub, filled: str
) -> None:
    assert ids(stub, filled) == ["e-3", "e-6"]
    assert ids(stub, filled, revision=5) == ["e-3"]
    assert ids(stub, filled, revision=0) == []


def test_trees_of_selectors_are_queried(stub: Stub, filled: str) -> None:
    either = Selector.stream("accounts") | Selector.stream_starts_with("z")
    assert ids(stub, filled, either & Selector.event_type("even")) == ["e-2", "e-6"]


def test_direction_limit_and_ranges_are_kept_to(stub: Stub, filled: str) -> None:
    everything = Selector.stream_starts_with("a") | Selector.no_subject()
    assert ids(stub, filled, everything, QueryOptions().reverse().limit(2)) == ["e-6", "e-5"]
    query = query_to(everything, QueryOptions())
    query.range.revision.start_at = 5
    found = stub.QueryEvents(database_name=filled, revision=6, query=query)
    assert [reply.revision for reply in found] == [5, 6]
    query.range.effective_time.end_at.seconds = 95
    found = stub.QueryEvents(database_name=filled, revision=6, query=query)
    assert [reply.revision for reply in found] == [6, 5]


def test_without_detail_a_query_gives_revisions(stub: Stub, filled: str) -> None:
    query = query_to(ACCOUNTS, QueryOptions())
    replies = list(stub.QueryEvents(database_name=filled, revision=6, query=query))
    assert [reply.WhichOneof("event") for reply in replies] == ["revision", "revision"]
    assert [reply.revision for reply in replies] == [3, 6]


@pytest.mark.parametrize("call", ["QueryEvents", "ScanIndexKeys", "EventById"])
def test_a_revision_that_is_not_there_yet_is_out_of_range(
    stub: Stub, filled: str, call: str
) -> None:
    calls: dict[str, dict[str, Any]] = {
        "QueryEvents": {"query": query_to(ACCOUNTS, QueryOptions())},
        "EventById": {"stream": "accounts", "event_id": "e-3"},
    }
    ask = getattr(stub, call)
    with pytest.raises(grpc.RpcError) as caught:
        list(ask(database_name=filled, revision=7, **calls.get(call, {})))
    assert caught.value.code() is grpc.StatusCode.OUT_OF_RANGE
    assert "7 is not from 0 to 6" in said(caught.value)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda query: query.ClearField("selector"), "query.selector"),
        (lambda query: query.selector.ClearField("equals"), "query.selector"),
        (lambda query: query.selector.equals.ClearField("stream"), "query.selector.equals"),
        (lambda query: setattr(query.selector.equals, "stream", "7"), "query.selector.equals"),
        (lambda query: setattr(query, "direction", 7), "query.direction"),
        (
            lambda query: setattr(query.range.effective_time.end_at, "seconds", 2**50),
            "query.range.effective_time.end_at",
        ),
        (
            lambda query: query.range.effective_time.start_at.SetInParent(),
            "query.range.effective_time.start_at.timestamp",
        ),
    ],
)
def test_what_means_nothing_in_a_query_is_refused_with_its_place(
    stub: Stub, bank: str, change: Any, field: str
) -> None:
    query = query_to(ACCOUNTS, QueryOptions())
    change(query)
    with pytest.raises(grpc.RpcError) as caught:
        list(stub.QueryEvents(database_name=bank, query=query))
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert said(caught.value).startswith(field)


def test_events_come_by_their_revisions_in_the_order_asked(stub: Stub, filled: str) -> None:
    reply = stub.FetchEventsByRevisions(database_name=filled, event_revisions=[5, 1, 5])
    assert [each.id for each in reply.events] == ["e-5", "e-1", "e-5"]
    with pytest.raises(grpc.RpcError) as caught:
        stub.FetchEventsByRevisions(database_name=filled, event_revisions=[1, 7])
    assert caught.value.code() is grpc.StatusCode.OUT_OF_RANGE
    with pytest.raises(grpc.RpcError) as caught:
        stub.FetchEventsByRevisions(database_name=filled, event_revisions=[1] * 10_001)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_an_event_is_found_by_its_id_from_its_revision_on(stub: Stub, filled: str) -> None:
    asked = {"database_name": filled, "stream": "accounts", "event_id": "e-3"}
    assert stub.EventById(**asked, revision=3).detail.id == "e-3"
    for fields in (
        {"revision": 2},
        {"revision": 0},
        {"revision": 6, "stream": "orders"},
        {"revision": 6, "event_id": "e-9"},
    ):
        with pytest.raises(grpc.RpcError) as caught:
            stub.EventById(**asked | fields)
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND
        assert reason(caught.value) == "EVENT_NOT_FOUND"


@pytest.mark.parametrize(
    ("kind", "keys"), [(0, ["accounts", "orders", "zebras"]), (1, []), (2, ["even", "odd"])]
)
def test_index_keys_come_once_in_their_order(
    stub: Stub, filled: str, kind: Any, keys: list[str]
) -> None:
    def scan(revision: int) -> list[str]:
        replies = stub.ScanIndexKeys(database_name=filled, revision=revision, index_key_type=kind)
        return [reply.index_key for reply in replies]

    assert scan(6) == keys
    assert scan(0) == []


def test_an_index_that_there_is_not_is_refused(stub: Stub, bank: str) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        list(stub.ScanIndexKeys(database_name=bank, index_key_type=9))
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_a_prefix_of_one_character_is_enough_and_an_empty_subject_is_none(
    stub: Stub, filled: str
) -> None:
    assert ids(stub, filled, Selector.stream_starts_with("a")) == ["e-3", "e-6"]
    query = query_to(ACCOUNTS, QueryOptions())
    query.selector.equals.subject.CopyFrom(
        domain_pb2.EventAttribute.SubjectValue(has_value=False, value="")
    )
    assert len(list(stub.QueryEvents(database_name=filled, revision=6, query=query))) == 6
