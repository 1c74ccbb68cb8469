"""The bank's rules, natively: in milliseconds, with the same code that goes into the components."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from evidentsource_core import CommandRequest, ConstraintViolations, InvalidEvents
from evidentsource_core.reference import ReferenceDatabase
from evidentsource_functions import StateChangeError, StateChangeErrorKind
from examples.savings_account.bank import native_rules, open_bank
from examples.savings_account.story import STORY


@pytest.fixture
def bank() -> ReferenceDatabase:
    return open_bank(native_rules())


_references = iter(f"t-{n}" for n in range(10_000))


def do(bank: ReferenceDatabase, change: str, seen: int | None = None, **command: Any) -> int:
    command.setdefault("reference", next(_references))
    request = CommandRequest.json(command)
    return bank.execute(change, None, request, last_seen_revision=seen).revision


def refused(bank: ReferenceDatabase, change: str, **command: Any) -> StateChangeError:
    revision = bank.latest().revision
    with pytest.raises(StateChangeError) as caught:
        do(bank, change, **command)
    assert bank.latest().revision == revision
    return caught.value


def read(bank: ReferenceDatabase, view: str, account: str | None = None, **when: Any) -> Any:
    database = bank.latest()
    if "effective" in when:
        database = database.at_effective_timestamp(when["effective"])
    found = database.view_state(view, 1, None if account is None else {"account_id": account})
    return None if found is None else found.json()


@pytest.fixture
def ann(bank: ReferenceDatabase) -> ReferenceDatabase:
    do(bank, "open-account", account_id="ann", owner="Ann")
    do(bank, "deposit", account_id="ann", amount=100)
    return bank


def test_an_account_is_opened_once(ann: ReferenceDatabase) -> None:
    error = refused(ann, "open-account", account_id="ann", owner="Bob")
    assert error == StateChangeError.conflict("account ann exists already")


def test_two_who_open_the_same_account_at_once_get_one(bank: ReferenceDatabase) -> None:
    do(bank, "open-account", account_id="ann", owner="Ann")
    with pytest.raises(ConstraintViolations):
        do(bank, "open-account", seen=0, account_id="ann", owner="Bob")


def test_an_owner_has_a_name(bank: ReferenceDatabase) -> None:
    error = refused(bank, "open-account", account_id="ann", owner=" ")
    assert error == StateChangeError.validation("command.owner: must not be blank")


@pytest.mark.parametrize("change", ["deposit", "withdraw"])
@pytest.mark.parametrize("amount", [0, -1])
def test_money_moves_in_positive_amounts(ann: ReferenceDatabase, change: str, amount: int) -> None:
    error = refused(ann, change, account_id="ann", amount=amount)
    assert error.message == f"command.amount: must be positive, got {amount}"


def test_a_withdrawal_may_empty_the_account_and_not_overdraw_it(ann: ReferenceDatabase) -> None:
    error = refused(ann, "withdraw", account_id="ann", amount=101)
    assert error == StateChangeError.conflict("account ann would be overdrawn by 0.01")
    do(ann, "withdraw", account_id="ann", amount=100)
    assert read(ann, "account-summary", "ann")["balance"] == 0


def test_two_withdrawals_decided_on_the_same_revision_do_not_both_happen(
    ann: ReferenceDatabase,
) -> None:
    seen = ann.latest().revision
    do(ann, "withdraw", seen, account_id="ann", amount=80)
    with pytest.raises(ConstraintViolations):
        do(ann, "withdraw", seen, account_id="ann", amount=80)


def test_two_deposits_decided_on_the_same_revision_both_happen(ann: ReferenceDatabase) -> None:
    seen = ann.latest().revision
    for _ in range(2):
        do(ann, "deposit", seen, account_id="ann", amount=1)
    assert read(ann, "account-summary", "ann")["balance"] == 102


def test_a_transfer_moves_money_in_one_transaction(ann: ReferenceDatabase) -> None:
    do(ann, "open-account", account_id="bob", owner="Bob")
    do(ann, "transfer", from_account="ann", to_account="bob", amount=60)
    assert [read(ann, "account-summary", who)["balance"] for who in ("ann", "bob")] == [40, 60]
    assert len(ann.log()[-1].events) == 2


@pytest.mark.parametrize("touched", ["ann", "bob"])
def test_a_transfer_is_guarded_by_conditions_over_both_accounts(
    ann: ReferenceDatabase, touched: str
) -> None:
    do(ann, "open-account", account_id="bob", owner="Bob")
    seen = ann.latest().revision
    do(ann, "deposit", account_id=touched, amount=1)
    with pytest.raises(ConstraintViolations):
        do(ann, "transfer", seen, from_account="ann", to_account="bob", amount=60)


def test_a_transfer_needs_two_open_accounts_and_the_money(ann: ReferenceDatabase) -> None:
    move = {"from_account": "ann", "to_account": "bob", "amount": 60}
    assert refused(ann, "transfer", **move).kind is StateChangeErrorKind.NOT_FOUND
    do(ann, "open-account", account_id="bob", owner="Bob")
    assert "too little" in refused(ann, "transfer", **(move | {"amount": 101})).message
    assert "must differ" in refused(ann, "transfer", **(move | {"to_account": "ann"})).message


def test_an_account_is_closed_when_it_is_empty_and_then_takes_no_money(
    ann: ReferenceDatabase,
) -> None:
    assert "still holds 1.00" in refused(ann, "close-account", account_id="ann").message
    do(ann, "withdraw", account_id="ann", amount=100)
    assert read(ann, "active-accounts") == {"owners": {"ann": "Ann"}}
    do(ann, "close-account", account_id="ann")
    assert refused(ann, "deposit", account_id="ann", amount=1).message == "account ann is closed"
    assert read(ann, "active-accounts") == {"owners": {}}


def test_a_command_sent_twice_is_refused_as_a_duplicate(ann: ReferenceDatabase) -> None:
    do(ann, "deposit", reference="same", account_id="ann", amount=1)
    with pytest.raises(InvalidEvents, match="duplicate event id"):
        do(ann, "deposit", reference="same", account_id="ann", amount=1)


def test_a_late_event_changes_every_day_from_its_own_on(ann: ReferenceDatabase) -> None:
    do(ann, "deposit", account_id="ann", amount=7, effective_at="2024-01-29T12:00:00Z")
    assert read(ann, "end-of-day-balance", "ann")["days"] == {"2024-01-29": 7, "2024-01-31": 107}
    then = datetime(2024, 1, 30, tzinfo=UTC)
    assert read(ann, "end-of-day-balance", "ann", effective=then)["balance"] == 7


def test_money_is_neither_made_nor_lost_in_the_story(bank: ReferenceDatabase) -> None:
    for change, command in STORY:
        try:
            do(bank, change, **command)
        except StateChangeError:
            continue
    balances = [read(bank, "account-summary", who)["balance"] for who in ("ann", "bob")]
    assert sum(balances) == 100_00 - 30_00 + 7_00 - 25_00
    assert all(balance >= 0 for balance in balances)
