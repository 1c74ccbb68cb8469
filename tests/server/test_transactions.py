"""Transactions and the log, over gRPC."""

from __future__ import annotations

from typing import Any

import grpc
import pytest

from evidentsource_core import Constraint, Range, Selector
from evidentsource_runtime.server.protobuf.events import event_from, prospective_to
from evidentsource_runtime.server.protobuf.generated import domain_pb2, service_pb2
from evidentsource_runtime.server.protobuf.selectors import condition_to
from evidentsource_runtime.server.protobuf.transactions import committed_from, summary_from
from evidentsource_runtime.server.service import Origin, Transport
from tests.server.conftest import event
from tests.server.stub import Stub, details, reason, said


def transact(stub: Stub, bank: str, *events: Any, **fields: Any) -> Any:
    conditions = [condition_to(each) for each in fields.pop("conditions", ())]
    return stub.Transact(
        database_name=bank,
        events=[prospective_to(each) for each in events],
        conditions=conditions,
        **fields,
    ).result


def refused(stub: Stub, bank: str, *events: Any, **fields: Any) -> grpc.RpcError:
    before = stub.FetchLatestDatabase(database_name=bank).database.revision
    with pytest.raises(grpc.RpcError) as caught:
        transact(stub, bank, *events, **fields)
    assert stub.FetchLatestDatabase(database_name=bank).database.revision == before
    return caught.value


def test_a_transaction_moves_the_revision_by_its_events(stub: Stub, bank: str) -> None:
    transact(stub, bank, event(1))
    summary = summary_from(transact(stub, bank, event(2), event(3)).transaction_summary)
    assert (summary.database, summary.basis, summary.revision) == (bank, 1, 3)


def test_what_is_told_of_a_transaction_is_kept_with_it(stub: Stub, bank: str) -> None:
    told = {
        "last_read_revision": 0,
        "principal_attributes": {"user": "ann"},
        "commit_message": "the first",
        "correlation_id": "c-1",
        "causation_id": "c-0",
    }
    transact(stub, bank, event(1), transaction_id="t-1", **told)
    found = stub.FetchTransactionById(database_name=bank, transaction_id="t-1").transaction
    log = [reply.summary for reply in stub.ScanDatabaseLog(database_name=bank, start_at_revision=0)]
    for about in (committed_from(found).summary.about, summary_from(log[0]).about):
        assert about.origin == Origin(Transport.GRPC)
        assert {name: getattr(about, name) for name in told} == told


def test_what_a_transaction_answers_is_what_is_read_of_it_later(stub: Stub, bank: str) -> None:
    told = {"correlation_id": "c-1", "principal_attributes": {"user": "ann"}}
    for number, fields in ((1, {}), (2, {"transaction_id": "t-2"}), (3, told)):
        answered = transact(stub, bank, event(number), **fields).transaction_summary
        later = stub.FetchTransactionById(database_name=bank, transaction_id=answered.id)
        assert committed_from(later.transaction).summary == summary_from(answered)


def test_a_transaction_id_is_done_once(stub: Stub, bank: str) -> None:
    first = transact(stub, bank, event(1), transaction_id="t-1")
    assert transact(stub, bank, event(1), transaction_id="t-1") == first
    error = refused(stub, bank, event(2), transaction_id="t-1")
    assert error.code() is grpc.StatusCode.ALREADY_EXISTS
    assert reason(error) == "DUPLICATE_TRANSACTION_ID"


def test_an_empty_transaction_id_is_none(stub: Stub, bank: str) -> None:
    ids = {transact(stub, bank, event(n), transaction_id="").transaction_summary.id for n in (1, 2)}
    assert len(ids) == 2
    assert "" not in ids


def test_conditions_that_do_not_hold_are_a_failed_precondition_that_names_each(
    stub: Stub, bank: str
) -> None:
    transact(stub, bank, event(1, subject="a-1"))
    subject = Selector.subject("a-1")
    conditions = [
        Constraint.must_exist(subject),
        Constraint.must_not_exist(subject),
        Constraint.range(subject, Range(2, 3)),
    ]
    error = refused(stub, bank, event(2), conditions=conditions)
    assert error.code() is grpc.StatusCode.FAILED_PRECONDITION
    message = said(error)
    assert "conditions[1]" in message
    assert "conditions[2]" in message
    assert "conditions[0]" not in message
    failure: Any = details(error)[1]
    assert [each.subject for each in failure.violations] == ["conditions[1]", "conditions[2]"]


def test_invalid_events_come_back_each_with_everything_that_is_wrong(stub: Stub, bank: str) -> None:
    transact(stub, bank, event(1))
    bad = event(" ", stream="7", event_type=" ")
    error = refused(stub, bank, event(1), event(2), bad)
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    found: list[Any] = [
        each for each in details(error) if isinstance(each, domain_pb2.InvalidEvent)
    ]
    assert [each.event.id for each in found] == ["e-1", bad.id]
    assert [p.WhichOneof("error") for p in found[0].errors] == ["duplicate_event_id"]
    assert [p.WhichOneof("error") for p in found[1].errors] == [
        "invalid_stream_name",
        "invalid_event_type",
    ]


def test_events_that_are_all_there_already_exist(stub: Stub, bank: str) -> None:
    transact(stub, bank, event(1))
    error = refused(stub, bank, event(1))
    assert error.code() is grpc.StatusCode.ALREADY_EXISTS


def test_ten_thousand_problems_still_make_an_error_that_a_client_can_read(
    stub: Stub, bank: str
) -> None:
    error = refused(stub, bank, *(event(n, event_type="ü" * 300) for n in range(10_000)))
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "10000 invalid events" in said(error)
    assert reason(error) == "INVALID_EVENTS"


def test_a_transaction_without_events_is_refused(stub: Stub, bank: str) -> None:
    error = refused(stub, bank)
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert reason(error) == "EMPTY_TRANSACTION"


def test_too_many_events_are_refused_as_too_large(stub: Stub, bank: str) -> None:
    error = refused(stub, bank, *(event(n) for n in range(10_001)))
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    facts: Any = details(error)[0]
    assert (facts.metadata["actual"], facts.metadata["max"]) == ("10001", "10000")


def test_more_than_4_mib_go_in_and_come_out(stub: Stub, bank: str) -> None:
    payload = "x" * (6 * 1024 * 1024)
    transact(stub, bank, event(1, data=payload), transaction_id="t-1")
    found = stub.FetchTransactionById(database_name=bank, transaction_id="t-1")
    assert event_from(found.transaction.events[0], "").data_as_string() == payload


def test_a_stored_event_has_its_source_and_what_the_database_says_of_it(
    stub: Stub, bank: str
) -> None:
    full = event(
        1,
        subject="a-1",
        data=b"\x00\xff",
        datacontenttype="application/octet-stream",
        dataschema="https://example.org/schema",
        extensions={"tenant": "acme", "retry": 3, "late": True, "digest": b"\x01"},
    )
    transact(stub, bank, full, transaction_id="t-1")
    found = stub.FetchTransactionById(database_name=bank, transaction_id="t-1").transaction
    message = found.events[0]
    assert message.source == f"https://localhost/db/{bank}/streams/accounts"
    assert message.attributes["sequence"].ce_string == "00000000000000000001"
    assert message.attributes["recordedtime"].WhichOneof("attr") == "ce_string"
    assert message.attributes["dataschema"].ce_uri == "https://example.org/schema"
    stored = event_from(message, "event")
    assert (stored.subject, stored.data, stored.datacontenttype) == (
        full.subject, full.data, full.datacontenttype,
    )  # fmt: skip
    assert {name: stored.extensions[name] for name in full.extensions} == dict(full.extensions)


def test_a_source_may_be_the_uri_of_the_stream_but_of_no_other_database(
    stub: Stub, bank: str
) -> None:
    message = prospective_to(event(1))
    message.source = f"https://elsewhere/db/{bank}/streams/accounts"
    stub.Transact(database_name=bank, events=[message])
    for source in (f"https://elsewhere/db/other{bank}/streams/accounts", "urn:x/y", ""):
        message.source = source
        with pytest.raises(grpc.RpcError) as caught:
            stub.Transact(database_name=bank, events=[message])
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert said(caught.value).startswith("events[0].source")
        assert domain_pb2.InvalidEventSource(event_source=source) in details(caught.value)


def test_the_log_starts_where_it_is_asked_to_and_ends(stub: Stub, bank: str) -> None:
    for number in (1, 3, 5):
        transact(stub, bank, event(number), event(number + 1))

    def log(start: int, detail: bool) -> list[service_pb2.DatabaseLogReply]:
        return list(
            stub.ScanDatabaseLog(
                database_name=bank, start_at_revision=start, include_event_detail=detail
            )
        )

    assert [reply.summary.revision for reply in log(0, False)] == [2, 4, 6]
    assert [reply.summary.basis for reply in log(3, False)] == [2, 4]
    assert [reply.summary.basis for reply in log(4, False)] == [2, 4]
    detail = log(5, True)
    assert [reply.WhichOneof("transaction") for reply in detail] == ["detail"]
    assert [each.id for each in detail[0].detail.events] == ["e-5", "e-6"]
    assert log(7, False) == []


def test_a_transaction_that_there_is_not_is_not_found(stub: Stub, bank: str) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        stub.FetchTransactionById(database_name=bank, transaction_id="none")
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
    assert reason(caught.value) == "TRANSACTION_NOT_FOUND"
