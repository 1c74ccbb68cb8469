"""State changes: publishing, what a decision is given, and how it is committed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from evidentsource_core import (
    Command,
    CommandRequest,
    Constraint,
    ConstraintViolations,
    DatabaseAccessError,
    DuplicateTransactionId,
    InvalidEvents,
    InvalidTimestamp,
    InvalidTransactionId,
    InvalidType,
    Selector,
    StateChangeDefinition,
    StateChangeError,
    StateChangeMetadata,
    StateChangeName,
    StateChangeNotFound,
)
from evidentsource_core.domain.errors import StateChangeExecutionError
from evidentsource_core.reference import DatabaseSnapshot, ReferenceDatabase
from tests.unit.core.reference.helpers import Clock, bank, day, event, ids

DEPOSIT = StateChangeDefinition(StateChangeName("deposit"))
ACCOUNT = Selector.subject("a-1")
JSON = Command.json(b'{"id": "1"}')


def deposit(db: DatabaseSnapshot, command: Command, _metadata: StateChangeMetadata) -> Any:
    """One event with the id that the command names, if nothing happened since it was decided."""
    return (
        [event(command.parse_json()["id"])],
        [Constraint.unchanged_since(ACCOUNT, db.revision)],
    )


def with_deposit(**arguments: Any) -> ReferenceDatabase:
    database = bank(**arguments)
    database.publish_state_change(DEPOSIT, deposit)
    return database


class Recorder:
    """A decision that keeps what it was given and decides what it was told to."""

    def __init__(self, decision: Any = ((), ())) -> None:
        self.decision = decision
        self.seen: list[tuple[DatabaseSnapshot, Command, StateChangeMetadata]] = []

    def __call__(
        self, db: DatabaseSnapshot, command: Command, metadata: StateChangeMetadata
    ) -> Any:
        self.seen.append((db, command, metadata))
        return self.decision


def test_publishing_makes_the_next_version_and_the_latest_is_the_default() -> None:
    database = bank()
    first, second = Recorder(), Recorder()
    assert database.publish_state_change(DEPOSIT, first).version == 1
    assert database.publish_state_change(DEPOSIT, second).version == 2
    database.execute("deposit", None, JSON)
    database.execute(StateChangeName("deposit"), 1, JSON)
    assert [each[2].state_change_version for each in second.seen] == [2]
    assert [each[2].state_change_version for each in first.seen] == [1]


@pytest.mark.parametrize(
    ("definition", "decide", "text"),
    [("deposit", deposit, "definition"), (DEPOSIT, "deposit", "decide")],
)
def test_what_cannot_be_published_is_refused_by_name(
    definition: Any, decide: Any, text: str
) -> None:
    with pytest.raises(InvalidType, match=text):
        bank().publish_state_change(definition, decide)


@pytest.mark.parametrize(
    ("name", "version"), [("withdraw", 1), ("withdraw", None), ("deposit", 0), ("deposit", 2)]
)
def test_a_state_change_that_was_never_published_is_not_found(
    name: str, version: int | None
) -> None:
    with pytest.raises(StateChangeNotFound, match=name):
        with_deposit().execute(name, version, JSON)


def test_the_decision_is_committed_as_one_transaction() -> None:
    database = with_deposit()
    result = database.execute("deposit", 1, JSON, transaction_id="t-1")
    assert (result.revision, ids(result.events)) == (1, ["1"])
    assert result.transaction is database.transaction("t-1")
    assert ids(database.latest().query_events(ACCOUNT)) == ["1"]


def test_a_decision_gets_the_latest_database_and_what_came_with_the_command() -> None:
    clock = Clock(day(2))
    database = bank(clock=clock)
    database.transact([event("1")])
    decide = Recorder()
    database.publish_state_change(DEPOSIT, decide)
    clock.now = day(3)
    database.execute("deposit", 1, JSON, headers=[("X-Trace", "7")])
    snapshot, command, metadata = decide.seen[0]
    assert (snapshot.revision, snapshot.name) == (1, "bank")
    assert command == JSON
    assert metadata == StateChangeMetadata("deposit", 1, 1, day(3), [("X-Trace", "7")])


def test_a_decision_is_made_on_the_last_seen_revision_and_guarded_by_its_conditions() -> None:
    database = with_deposit()
    database.transact([event("0")])
    assert database.execute("deposit", 1, JSON, last_seen_revision=1).revision == 2
    with pytest.raises(ConstraintViolations, match=r"must be at revision 1 or earlier.*revision 2"):
        database.execute("deposit", 1, Command.json(b'{"id": "2"}'), last_seen_revision=1)
    assert database.latest().revision == 2


def test_the_last_seen_revision_must_exist() -> None:
    with pytest.raises(DatabaseAccessError, match="Invalid revision: 5"):
        with_deposit().execute("deposit", 1, JSON, last_seen_revision=5)


def test_a_decision_without_events_writes_nothing_and_succeeds_where_it_was_made() -> None:
    database = bank()
    database.transact([event("1"), event("2")])
    violated = [Constraint.must_not_exist(ACCOUNT)]
    database.publish_state_change(DEPOSIT, Recorder(([], violated)))
    result = database.execute("deposit", 1, JSON, last_seen_revision=1, transaction_id="t-1")
    assert (result.revision, result.transaction, result.events) == (1, None, ())
    assert database.latest().revision == 2
    assert database.transaction("t-1") is None


def test_what_a_decision_raises_reaches_the_caller_and_nothing_is_written() -> None:
    database = bank()
    refusal = StateChangeError("not enough money")

    def decide(_db: Any, _command: Any, _metadata: Any) -> Any:
        raise refusal

    database.publish_state_change(DEPOSIT, decide)
    with pytest.raises(StateChangeError) as raised:
        database.execute("deposit", 1, JSON)
    assert raised.value is refusal
    assert database.latest().revision == 0


def test_a_decision_that_cannot_be_committed_writes_nothing() -> None:
    database = bank()
    database.publish_state_change(DEPOSIT, Recorder(([event("1"), event(" ")], [])))
    with pytest.raises(InvalidEvents):
        database.execute("deposit", 1, JSON)
    assert database.latest().revision == 0


@pytest.mark.parametrize("decision", [None, [event("1")], (1, 2, 3), "ab"])
def test_a_decision_of_another_shape_is_an_error_that_says_the_right_one(decision: Any) -> None:
    database = bank()
    database.publish_state_change(DEPOSIT, Recorder(decision))
    with pytest.raises(StateChangeExecutionError, match=r"deposit.v1.*return \(events, condition"):
        database.execute("deposit", 1, JSON)


@pytest.mark.parametrize(
    ("decision", "text"),
    [((None, []), "events: expected a list"), (([event("1")], None), "conditions: expected")],
)
def test_a_decision_of_two_things_that_are_no_lists_is_refused_by_name(
    decision: Any, text: str
) -> None:
    database = bank()
    database.publish_state_change(DEPOSIT, Recorder(decision))
    with pytest.raises(InvalidType, match=text):
        database.execute("deposit", 1, JSON)


@pytest.mark.parametrize(
    ("request_", "command"),
    [
        (CommandRequest.json({"id": "1"}), Command(b'{"id": "1"}')),
        (CommandRequest(body=b"x"), Command(b"x", "application/json")),
        (CommandRequest(body=b"x", content_type="text/csv"), Command(b"x", "text/csv")),
        (
            CommandRequest((("content-type", "a/b"),), b"x", content_schema="urn:s"),
            Command(b"x", "a/b", "urn:s"),
        ),
        (CommandRequest(), Command(None)),
    ],
)
def test_a_request_becomes_the_command_it_carries(
    request_: CommandRequest, command: Command
) -> None:
    database = bank()
    decide = Recorder()
    database.publish_state_change(DEPOSIT, decide)
    database.execute("deposit", 1, request_, headers=[("X-More", "1")])
    assert decide.seen[0][1] == command
    assert decide.seen[0][2].command_headers == (*request_.headers, ("X-More", "1"))


def test_what_is_no_command_is_refused_by_name() -> None:
    wrong: Any = b"{}"
    with pytest.raises(InvalidType, match="request: expected Command or CommandRequest"):
        with_deposit().execute("deposit", 1, wrong)


def test_the_time_a_command_was_received_can_be_given_and_needs_a_zone() -> None:
    database = bank()
    decide = Recorder()
    database.publish_state_change(DEPOSIT, decide)
    database.execute("deposit", 1, JSON, received_at=day(-9))
    assert decide.seen[0][2].command_received_at == day(-9)
    with pytest.raises(InvalidTimestamp, match="command_received_at"):
        database.execute("deposit", 1, JSON, received_at=datetime(2024, 1, 1))  # noqa: DTZ001


def test_executed_again_a_transaction_id_gives_the_first_result_and_decides_nothing() -> None:
    database = bank()
    decide = Recorder(([event("1")], []))
    database.publish_state_change(DEPOSIT, decide)
    first = database.execute("deposit", None, JSON, transaction_id="t-1")
    database.transact([event("2")])
    database.publish_state_change(DEPOSIT, Recorder())
    again = database.execute(
        "deposit", None, JSON, transaction_id="t-1", received_at=day(9), headers=[("a", "b")]
    )
    assert again == first
    assert len(decide.seen) == 1
    assert database.latest().revision == 2


def test_executed_again_with_another_command_a_transaction_id_is_refused() -> None:
    database = with_deposit()
    database.execute("deposit", 1, JSON, transaction_id="t-1")
    for name, version, command in (
        ("deposit", 1, Command.json(b'{"id": "2"}')),
        ("deposit", None, JSON),
    ):
        with pytest.raises(DuplicateTransactionId, match="t-1"):
            database.execute(name, version, command, transaction_id="t-1")
    with pytest.raises(DuplicateTransactionId):
        database.transact([event("1")], transaction_id="t-1")
    with pytest.raises(InvalidTransactionId):
        database.execute("deposit", 1, JSON, transaction_id="")


def test_an_execution_that_wrote_nothing_leaves_its_transaction_id_free() -> None:
    database = bank()
    decide = Recorder()
    database.publish_state_change(DEPOSIT, decide)
    database.execute("deposit", 1, JSON, transaction_id="t-1")
    decide.decision = ([event("1")], [])
    assert database.execute("deposit", 1, JSON, transaction_id="t-1").revision == 1
