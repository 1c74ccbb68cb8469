"""The bank's rules, command by command."""

from __future__ import annotations

import re

import pytest

from evidentsource_core import Constraint, ConstraintViolations, InvalidEvents, Selector
from evidentsource_functions.testing import command, event
from examples.savings_account.savings.accounts import account
from examples.savings_account.savings.close_account import CloseAccount
from examples.savings_account.savings.deposit import Deposit
from examples.savings_account.savings.open_account import OpenAccount
from examples.savings_account.savings.transfer import Transfer
from examples.savings_account.savings.withdraw import Withdraw

from .bank import Commands, bank, closed, credited, debited, given, opened

ANN = (opened("ann"), credited("ann", 100))
BOTH = (*ANN, opened("bob"))


# --- open-account -------------------------------------------------------------------------------


def test_an_account_is_opened() -> None:
    (
        bank.when(OpenAccount("r-1", "ann", "Ann"))
        .then(event("account.opened", subject="ann", id="r-1.account.opened", owner="Ann"))
        .then_conditions(Constraint.must_not_exist(account("ann")))
    )


def test_an_account_is_opened_once() -> None:
    (
        given(opened("ann"))
        .when(OpenAccount("r-1", "ann", "Bob"))
        .then_rejected("conflict", "account ann exists already")
    )


def test_others_may_open_theirs() -> None:
    given(opened("bob")).when(OpenAccount("r-1", "ann", "Ann")).then(opened("ann"))


def test_two_who_open_the_same_account_at_once_get_one() -> None:
    (
        given(opened("ann"))
        .last_seen(0)
        .when(OpenAccount("r-1", "ann", "Bob"))
        .then_rejected(ConstraintViolations)
    )


@pytest.mark.parametrize("owner", ["", " "])
def test_an_owner_has_a_name(owner: str) -> None:
    refusal = "command.owner: must not be blank"
    bank.when(OpenAccount("r-1", "ann", owner)).then_rejected("validation", refusal)


# --- deposit and withdraw -----------------------------------------------------------------------


def test_a_deposit_is_credited_while_the_account_is_not_closed() -> None:
    still_open = Constraint.must_not_exist(account("ann") & Selector.event_type("account.closed"))
    (
        given(*ANN)
        .when(Deposit("r-1", "ann", 5))
        .then(
            event(
                "account.credited",
                subject="ann",
                id="r-1.account.credited",
                content_type="application/json",
                amount=5,
            )
        )
        .then_conditions(still_open)
    )


@pytest.mark.parametrize(
    ("name", "kind"), [("deposit", "account.credited"), ("withdraw", "account.debited")]
)
def test_money_moves_when_the_command_says(name: str, kind: str) -> None:
    noon = "2024-01-29T12:00:00Z"
    late = command(name, reference="r-1", account_id="ann", amount=5, effective_at=noon)
    given(*ANN).when(late).then(event(kind, subject="ann", time=noon, amount=5))


def test_a_deposit_that_says_nothing_takes_effect_when_it_is_recorded() -> None:
    given(*ANN).when(Deposit("r-1", "ann", 5)).then(credited("ann", 5, time=None))


def test_two_deposits_decided_on_the_same_revision_both_happen() -> None:
    given(*ANN, credited("ann", 1)).last_seen(2).when(Deposit("r-1", "ann", 1)).then(
        credited("ann", 1)
    )


def test_a_closed_account_gets_no_money_even_if_it_was_closed_a_moment_ago() -> None:
    given(opened("ann"), closed("ann")).last_seen(1).when(Deposit("r-1", "ann", 5)).then_rejected(
        ConstraintViolations
    )


def test_a_withdrawal_is_debited_while_nothing_else_happens_to_the_account() -> None:
    (
        given(*ANN)
        .when(Withdraw("r-1", "ann", 30))
        .then(event("account.debited", subject="ann", id="r-1.account.debited", amount=30))
        .then_conditions(Constraint.unchanged_since(account("ann"), 2))
    )


def test_a_withdrawal_may_empty_the_account() -> None:
    given(*ANN).when(Withdraw("r-1", "ann", 100)).then(debited("ann", 100))


def test_a_withdrawal_may_not_overdraw_the_account() -> None:
    (
        given(*ANN)
        .when(Withdraw("r-1", "ann", 101))
        .then_rejected("conflict", "account ann would be overdrawn by 0.01")
    )


def test_two_withdrawals_decided_on_the_same_revision_do_not_both_happen() -> None:
    (
        given(*ANN, debited("ann", 80))
        .last_seen(2)
        .when(Withdraw("r-1", "ann", 80))
        .then_rejected(ConstraintViolations)
    )


@pytest.mark.parametrize("amount", [0, -1])
@pytest.mark.parametrize(
    "kind", [Deposit, Withdraw, lambda ref, who, amount: Transfer(ref, who, "bob", amount)]
)
def test_money_moves_in_positive_amounts(kind: type[Deposit | Withdraw], amount: int) -> None:
    refusal = f"command.amount: must be positive, got {amount}"
    given(*BOTH).when(kind("r-1", "ann", amount)).then_rejected("validation", refusal)


def test_the_smallest_amount_moves() -> None:
    given(*ANN).when(Deposit("r-1", "ann", 1)).then(credited("ann", 1))


@pytest.mark.parametrize("name", ["deposit", "withdraw"])
def test_an_amount_is_a_whole_number(name: str) -> None:
    wrong = command(name, reference="r-1", account_id="ann", amount="5")
    given(*ANN).when(wrong).then_rejected("validation", "command.amount: expected int, got str")


@pytest.mark.parametrize(
    "sent",
    [Deposit("r", "cid", 5), Withdraw("r", "cid", 5), CloseAccount("r", "cid")],
    ids=lambda sent: type(sent).__name__,
)
def test_an_account_that_was_never_opened_does_not_exist(sent: Commands) -> None:
    given(*ANN).when(sent).then_rejected("not_found", "there is no account cid")


@pytest.mark.parametrize(
    "sent",
    [Deposit("r", "ann", 5), Withdraw("r", "ann", 5), CloseAccount("r", "ann")],
    ids=lambda sent: type(sent).__name__,
)
def test_a_closed_account_is_closed(sent: Commands) -> None:
    given(opened("ann"), closed("ann")).when(sent).then_rejected(
        "conflict", "account ann is closed"
    )


def test_a_command_sent_twice_is_refused_as_a_duplicate() -> None:
    first = event("account.credited", subject="ann", id="same.account.credited", amount=1)
    (
        given(*ANN, first)
        .when(Deposit("same", "ann", 1))
        .then_rejected(InvalidEvents, re.compile("duplicate event id"))
    )


# --- transfer -----------------------------------------------------------------------------------


def test_a_transfer_moves_money_in_one_transaction() -> None:
    (
        given(*BOTH)
        .when(Transfer("r-1", "ann", "bob", 60))
        .then(
            event(
                "account.debited",
                subject="ann",
                id="r-1.account.debited",
                amount=60,
                counterparty="bob",
            ),
            event(
                "account.credited",
                subject="bob",
                id="r-1.account.credited",
                amount=60,
                counterparty="ann",
            ),
        )
        .then_conditions(
            Constraint.unchanged_since(account("ann"), 3),
            Constraint.unchanged_since(account("bob"), 3),
        )
    )


def test_a_transfer_may_empty_the_account_and_not_overdraw_it() -> None:
    given(*BOTH).when(Transfer("r-1", "ann", "bob", 100)).then(
        event("account.debited", subject="ann", amount=100, counterparty="bob"),
        event("account.credited", subject="bob", amount=100, counterparty="ann"),
    )
    refusal = "account ann has 1.00, too little to transfer 1.01"
    given(*BOTH).when(Transfer("r-1", "ann", "bob", 101)).then_rejected("conflict", refusal)


@pytest.mark.parametrize("touched", ["ann", "bob"])
def test_a_transfer_does_not_happen_where_either_account_has_changed(touched: str) -> None:
    (
        given(*BOTH, credited(touched, 1))
        .last_seen(3)
        .when(Transfer("r-1", "ann", "bob", 60))
        .then_rejected(ConstraintViolations)
    )


@pytest.mark.parametrize(
    ("source", "target", "missing"), [("cid", "ann", "cid"), ("ann", "cid", "cid")]
)
def test_a_transfer_needs_two_accounts(source: str, target: str, missing: str) -> None:
    refusal = f"there is no account {missing}"
    given(*BOTH).when(Transfer("r-1", source, target, 1)).then_rejected("not_found", refusal)


def test_a_transfer_needs_two_different_accounts() -> None:
    refusal = "command.to_account: must differ from from_account"
    given(*BOTH).when(Transfer("r-1", "ann", "ann", 1)).then_rejected("validation", refusal)


# --- close-account ------------------------------------------------------------------------------


def test_an_empty_account_is_closed_while_nothing_else_happens_to_it() -> None:
    (
        given(opened("ann"))
        .when(CloseAccount("r-1", "ann"))
        .then(event("account.closed", subject="ann", id="r-1.account.closed", data={}))
        .then_conditions(Constraint.unchanged_since(account("ann"), 1))
    )


@pytest.mark.parametrize(("cents", "said"), [(1, "0.01"), (100, "1.00"), (12_345, "123.45")])
def test_an_account_that_holds_money_is_not_closed(cents: int, said: str) -> None:
    (
        given(opened("ann"), credited("ann", cents))
        .when(CloseAccount("r-1", "ann"))
        .then_rejected("conflict", f"account ann still holds {said}; withdraw it first")
    )
