"""State changes: races, transaction ids, and the trace of each transaction."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from evidentsource_core import (
    CommandRequest,
    Constraint,
    ConstraintViolations,
    DuplicateTransactionId,
    InvalidType,
    InvalidValue,
    Selector,
    StateChangeNotFound,
)
from evidentsource_functions import StateChangeError
from evidentsource_runtime.database import Database, Trace
from tests.unit.database.bank import CHANGE, Balance, balance, deposit, order, paid

ANN = Selector.subject("ann")


@pytest.fixture
def open_for_business(bank: Database) -> Database:
    bank.publish_state_view(balance(), Balance)
    bank.publish_state_change(CHANGE, deposit)
    return bank


def racing(bank: Database, times: int) -> tuple[Any, list[int]]:
    """A rule beside which somebody else is always faster, as often as it says."""
    decided: list[int] = []

    def decide(db: Any, command: Any, metadata: Any) -> Any:
        decided.append(metadata.last_seen_revision)
        if len(decided) <= times:
            bank.transact([paid(f"faster-{len(decided)}")])
        return [paid("slower")], [Constraint.unchanged_since(ANN, db.revision)]

    return decide, decided


def test_a_lost_race_is_decided_again_on_the_latest_revision(bank: Database) -> None:
    decide, decided = racing(bank, 3)
    bank.publish_state_change(CHANGE, decide)
    result = bank.execute("deposit", None, CommandRequest.json({}), transaction_id="t-1")
    assert (result.revision, decided) == (4, [0, 1, 2, 3])
    trace = bank.trace("t-1")
    assert trace is not None
    assert (trace.attempts, trace.decided_on) == (4, 3)


def test_a_race_is_lost_as_often_as_it_may_be(bank: Database) -> None:
    decide, decided = racing(bank, 5)
    bank.publish_state_change(CHANGE, decide)
    with pytest.raises(ConstraintViolations):
        bank.execute("deposit", None, CommandRequest.json({}), attempts=2)
    assert decided == [0, 1]


def test_on_a_revision_that_the_caller_named_it_is_decided_once(bank: Database) -> None:
    decide, decided = racing(bank, 1)
    bank.publish_state_change(CHANGE, decide)
    with pytest.raises(ConstraintViolations):
        bank.execute("deposit", None, CommandRequest.json({}), last_seen_revision=0)
    assert decided == [0]


def test_a_condition_that_never_held_is_not_tried_again(bank: Database) -> None:
    decided: list[int] = []

    def decide(db: Any, command: Any, metadata: Any) -> Any:
        decided.append(db.revision)
        bank.transact([paid(f"meanwhile-{len(decided)}", "bob")])
        return [paid("e-1")], [Constraint.must_exist(ANN)]

    bank.publish_state_change(CHANGE, decide)
    with pytest.raises(ConstraintViolations):
        bank.execute("deposit", None, CommandRequest.json({}))
    assert decided == [0]


@pytest.mark.parametrize(
    ("attempts", "error"), [(0, InvalidValue), (True, InvalidType), ("2", InvalidType)]
)
def test_attempts_are_a_number_of_decisions(
    open_for_business: Database, attempts: Any, error: type[Exception]
) -> None:
    with pytest.raises(error, match="attempts"):
        open_for_business.execute("deposit", None, order("e-1"), attempts=attempts)


def test_many_at_once_are_all_committed_and_no_condition_is_broken(
    open_for_business: Database,
) -> None:
    bank = open_for_business
    failures: list[BaseException] = []

    def work(worker: int) -> None:
        try:
            for number in range(5):
                bank.execute("deposit", None, order(f"{worker}-{number}"), attempts=100)
        except BaseException as error:  # noqa: BLE001 - told below
            failures.append(error)

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert bank.latest().revision == 20
    for transaction in bank.log():
        trace = bank.trace(transaction.id)
        assert trace is not None
        assert trace.decided_on == transaction.basis, "each was decided on what it follows"


def test_a_transaction_id_stands_for_its_command_after_a_restart(
    open_bank: Callable[..., Database],
) -> None:
    with open_bank() as bank:
        bank.publish_state_change(CHANGE, deposit)
        first = bank.execute("deposit", 1, order("e-1"), transaction_id="t-1")
    with open_bank() as bank:
        again = bank.execute("deposit", 1, order("e-1"), transaction_id="t-1")
        assert again == first, "without its code: nothing is decided"
        with pytest.raises(DuplicateTransactionId):
            bank.execute("deposit", 1, order("e-2"), transaction_id="t-1")


def test_the_same_id_at_the_same_time_is_committed_once(open_for_business: Database) -> None:
    bank = open_for_business
    found: list[int] = []

    def work() -> None:
        result = bank.execute("deposit", None, order("e-1"), transaction_id="t-1")
        found.append(result.revision)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (found, bank.latest().revision) == ([1] * 6, 1)


# --- traces ----------------------------------------------------------------------------------------


def test_a_trace_tells_everything_that_led_to_a_transaction(open_for_business: Database) -> None:
    bank = open_for_business
    bank.transact([paid("e-0")])
    request = order("e-1").with_header("X-Trace", "seven").with_header("Authorization", "Bearer x")
    received = datetime(2024, 5, 1, tzinfo=UTC)
    bank.execute(
        "deposit",
        None,
        request,
        transaction_id="t-1",
        received_at=received,
        principal={"subject": "teller", "grants": ["writer"]},
    )
    trace = bank.trace("t-1")
    assert trace is not None
    assert (trace.transaction_id, trace.revision) == ("t-1", 2)
    assert (trace.state_change, trace.version) == ("deposit", 1)
    assert trace.command is not None
    assert trace.command.body == request.body
    assert ("X-Trace", "seven") in trace.headers
    assert ("Authorization", "(not kept)") in trace.headers
    assert trace.principal == {"subject": "teller", "grants": ["writer"]}
    assert (trace.received_at, trace.decided_on, trace.last_seen) == (received, 1, None)
    assert trace.attempts == 1
    (read,) = trace.views
    assert (read.name, read.version, read.revision, read.last_modified) == ("balance", 1, 1, 1)
    assert read.parameters == '[["who","subject","ann"]]'
    assert trace.origin is not None
    assert trace.origin.name == "tests.unit.database.bank:deposit"
    assert len(trace.origin.digest) == 64
    assert 0 < trace.seconds < 60
    assert trace.to_json()["command"]["body"] == (request.body or b"").decode()


def test_queries_stand_in_the_trace_with_what_they_gave(bank: Database) -> None:
    def decide(db: Any, command: Any, metadata: Any) -> Any:
        found = db.query_events(ANN)
        db.at_revision(0).query_events(ANN)
        return [paid(f"e-{len(found) + 1}")], []

    bank.publish_state_change(CHANGE, decide)
    bank.transact([paid("e-1")])
    bank.execute("deposit", None, CommandRequest(body=b"\xff"), transaction_id="t-1")
    trace = bank.trace("t-1")
    assert trace is not None
    reads = [(each.selector, each.revision, each.events) for each in trace.queries]
    assert reads == [("subject is 'ann'", 1, 1), ("subject is 'ann'", 0, 0)]
    assert trace.command is not None
    assert trace.command.body == b"\xff"


def test_traces_are_there_after_a_restart(open_bank: Callable[..., Database]) -> None:
    with open_bank() as bank:
        bank.publish_state_change(CHANGE, deposit)
        bank.execute("deposit", None, order("e-1"), transaction_id="t-1")
        before = bank.trace("t-1")
    with open_bank(mode="read") as bank:
        assert bank.trace("t-1") == before


def test_events_that_were_appended_as_they_are_have_a_trace_as_well(bank: Database) -> None:
    bank.transact([paid("e-1")], transaction_id="plain")
    bank.transact([paid("e-2")], transaction_id="told", principal={"subject": "importer"})
    assert bank.trace("plain") == Trace("plain", 1)
    assert bank.trace("told") == Trace("told", 2, principal={"subject": "importer"})
    assert bank.trace("none") is None


def test_a_principal_that_is_no_json_is_refused_before_anything_is_written(
    bank: Database,
) -> None:
    with pytest.raises(InvalidType, match="principal"):
        bank.transact([paid("e-1")], principal={"who": object()})
    assert bank.latest().revision == 0


def test_a_refusal_writes_nothing(open_for_business: Database) -> None:
    bank = open_for_business
    with pytest.raises(StateChangeError, match="more than 0"):
        bank.execute("deposit", None, order("e-1", amount=0), transaction_id="t-1")
    with pytest.raises(StateChangeNotFound):
        bank.execute("withdraw", None, order("e-1"))
    assert (bank.latest().revision, bank.trace("t-1")) == (0, None)


def test_a_transaction_and_its_trace_are_written_together_or_not_at_all(
    open_for_business: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    bank = open_for_business

    def fail(_trace: Trace) -> str:
        raise OSError("no room for a trace")

    with monkeypatch.context() as patched:
        patched.setattr(Trace, "to_text", fail)
        with pytest.raises(OSError, match="no room"):
            bank.execute("deposit", None, order("e-1"), transaction_id="t-1")
    assert (bank.latest().revision, bank.trace("t-1")) == (0, None)
    assert bank.execute("deposit", None, order("e-1"), transaction_id="t-1").revision == 1
    assert bank.trace("t-1") is not None
