"""A rule from end to end on a mock: conditions are checked, views fold what was committed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from evidentsource_core import (
    Command,
    CommandRequest,
    Constraint,
    ConstraintViolations,
    DuplicateTransactionId,
    Event,
    InvalidEvents,
    Parameter,
    Selector,
    StateChangeMetadata,
    StateChangeNotFound,
)
from evidentsource_functions import (
    DatabaseAccess,
    DecideResult,
    InvalidDefinition,
    StateChangeError,
    StateChangeErrorKind,
    StateViewBase,
)
from evidentsource_functions.testing import EventBuilder, MockDatabase, create_prospective_event

ACCOUNTS = Selector.stream("accounts")


@dataclass
class Balance(StateViewBase):
    amount: int = 0

    def evolve_event(self, event: Event) -> None:
        self.amount += event.data_as_json()["amount"]


@dataclass
class Move:
    account: str
    amount: int


def move(db: DatabaseAccess, command: Move, _metadata: StateChangeMetadata) -> DecideResult:
    """Speculates and reads the balance that would be left; guards it by the account's revision."""
    event = (
        EventBuilder("moved")
        .stream("accounts")
        .subject(command.account)
        .data({"amount": command.amount})
        .build()
    )
    after = db.speculate_with_transaction([event])
    view = after.view_state("balance", 1, parameters=[("account", command.account)])
    if view is not None and view.json()["amount"] < 0:
        raise StateChangeError.conflict("overdrawn")
    return [event], [Constraint.unchanged_since(Selector.subject(command.account), db.revision)]


def bank() -> MockDatabase:
    db = MockDatabase("bank")
    db.publish_state_view("balance", Balance, Parameter.subject("account"))
    db.publish_state_change("move", move)
    return db


def balance(db: MockDatabase, account: str = "a-1") -> int:
    view = db.view_state("balance", 1, {"account": account})
    return 0 if view is None else int(view.json()["amount"])


def test_a_rule_runs_from_command_to_view() -> None:
    db = bank()
    result = db.execute("move", {"account": "a-1", "amount": 5})
    assert (result.revision, db.revision, balance(db)) == (1, 1, 5)
    assert db.execute("move", Command.json(b'{"account": "a-1", "amount": -3}')).revision == 2
    request = CommandRequest.json({"account": "b-1", "amount": 1})
    assert db.execute("move", request, version=1).revision == 3
    assert (balance(db), balance(db, "b-1")) == (2, 1)
    assert [event.revision() for event in db.all_events()] == [1, 2, 3]


def test_a_refusal_reaches_the_caller_and_writes_nothing() -> None:
    db = bank()
    with pytest.raises(StateChangeError) as refused:
        db.execute("move", {"account": "a-1", "amount": -1})
    assert refused.value.kind is StateChangeErrorKind.CONFLICT
    with pytest.raises(StateChangeError, match="amount") as invalid:
        db.execute("move", {"account": "a-1"})
    assert invalid.value.kind is StateChangeErrorKind.VALIDATION
    assert (db.revision, db.all_events()) == (0, [])


def test_append_conditions_are_checked() -> None:
    db = bank()
    db.execute("move", {"account": "a-1", "amount": 5})
    with pytest.raises(ConstraintViolations, match="subject is 'a-1'"):
        db.execute("move", {"account": "a-1", "amount": 1}, last_seen_revision=0)
    with pytest.raises(ConstraintViolations):
        db.transact([create_prospective_event("x")], [Constraint.must_not_exist(ACCOUNTS)])
    assert db.revision == 1


def test_a_transaction_is_committed_behind_what_was_described() -> None:
    db = MockDatabase("bank").with_revision(100)
    guard = [Constraint.must_not_exist(ACCOUNTS)]
    event = create_prospective_event("x", stream="accounts")
    result = db.transact([event], guard, transaction_id="t-1")
    assert (result.basis, result.revision, db.revision) == (100, 101, 101)
    assert list(result.events) == db.all_events()
    assert db.transact([event], guard, transaction_id="t-1") == result
    assert (db.revision, len(db.all_events())) == (101, 1)
    with pytest.raises(DuplicateTransactionId):
        db.transact([event], transaction_id="t-1")
    with pytest.raises(InvalidEvents, match="duplicate event id"):
        db.transact([event])
    db.insert_event(create_prospective_event("y", stream="accounts"))
    db.with_created_at(datetime(2020, 1, 1, tzinfo=UTC))
    assert [found.revision() for found in db.all_events()] == [101, 102]


def test_an_execution_is_told_what_came_with_the_command() -> None:
    moment = datetime(2024, 1, 1, tzinfo=UTC)
    db = MockDatabase("bank").with_revision(7).with_revision_timestamp(moment)
    seen: list[StateChangeMetadata] = []

    def decide(_db: DatabaseAccess, _command: Command, metadata: StateChangeMetadata) -> Any:
        seen.append(metadata)
        return []

    db.publish_state_change("noop", decide)
    result = db.execute("noop", Command(b""), headers=[("X-Trace", "7")])
    assert (result.revision, result.transaction) == (7, None)
    assert seen == [StateChangeMetadata("noop", 1, 7, moment, [("X-Trace", "7")])]


def test_a_rule_sees_the_contents_that_were_stated() -> None:
    db = MockDatabase("bank").with_revision(7)
    db.insert_state_view("limits", 1, {"max": 3}, 5)
    seen: list[Any] = []

    def decide(database: DatabaseAccess, _command: Command, _metadata: Any) -> Any:
        view = database.view_state("limits", 1)
        seen.append(None if view is None else view.json())
        return [create_prospective_event("x")]

    db.publish_state_change("probe", decide)
    db.execute("probe", Command(b""))
    db.execute("probe", Command(b""), last_seen_revision=4)
    assert seen == [{"max": 3}, None]


def test_a_command_type_can_be_named_where_the_rule_has_no_annotation() -> None:
    db = bank()
    seen: list[Any] = []

    def decide(_db, command, _metadata):  # type: ignore[no-untyped-def]  # it is the point
        seen.append(command)
        return []

    db.publish_state_change("other", decide, Move)
    db.execute("other", {"account": "a-1", "amount": 5})
    assert seen == [Move("a-1", 5)]
    with pytest.raises(InvalidDefinition, match="command"):
        db.publish_state_change("other", decide)


def test_a_state_change_that_was_never_published_is_not_found() -> None:
    with pytest.raises(StateChangeNotFound):
        MockDatabase("bank").execute("move", {})


def test_published_rules_stay_whatever_is_described_later() -> None:
    db = bank().with_revision(50)
    assert db.execute("move", {"account": "a-1", "amount": 5}).revision == 51
