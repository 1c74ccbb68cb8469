"""What the bank's views make of its events."""

from __future__ import annotations

from evidentsource_functions.testing import event
from examples.savings_account.savings.account_summary import AccountSummary
from examples.savings_account.savings.active_accounts import ActiveAccounts
from examples.savings_account.savings.deposit import Deposit
from examples.savings_account.savings.end_of_day_balance import EndOfDayBalance

from .bank import bank, closed, credited, debited, given, opened

STORY = (opened("ann"), credited("ann", 100), opened("bob"), debited("ann", 30), credited("bob", 7))


def test_the_summary_follows_one_account() -> None:
    summary = AccountSummary("ann", owner="Ann", status="open", balance=70, movements=2)
    given(*STORY).then_view(summary, account_id="ann")


def test_the_summary_was_another_at_an_earlier_revision() -> None:
    summary = AccountSummary("ann", owner="Ann", status="open", balance=100, movements=1)
    given(*STORY).as_of(revision=3).then_view(summary, account_id="ann")


def test_the_summary_says_that_an_account_is_closed() -> None:
    summary = AccountSummary("ann", owner="Ann", status="closed")
    given(opened("ann"), closed("ann")).then_view(summary, account_id="ann")


def test_there_is_no_summary_of_an_account_that_was_never_opened() -> None:
    given(*STORY).then_view(None, AccountSummary, account_id="cid")


def test_active_accounts_are_those_that_were_opened_and_not_closed() -> None:
    given(*STORY).then_view(ActiveAccounts({"ann": "Ann", "bob": "Bob"}))
    given(*STORY, closed("ann")).then_view(ActiveAccounts({"bob": "Bob"}))
    given(*STORY, closed("ann"), closed("ann")).then_view(ActiveAccounts({"bob": "Bob"}))


def test_an_account_that_was_opened_without_a_subject_has_no_name() -> None:
    nameless = event("account.opened", owner="Nobody")
    given(nameless).then_view(ActiveAccounts({"": "Nobody"}))
    summary = AccountSummary(owner="Nobody", status="open")
    given(nameless).then_view(summary, account_id=None)


def test_each_day_ends_with_a_balance() -> None:
    (
        bank.given_at("2024-01-30T09:00:00Z", opened("ann"), credited("ann", 100))
        .given_at("2024-01-31T09:00:00Z", debited("ann", 30), credited("ann", 5))
        .then_view(EndOfDayBalance(75, {"2024-01-30": 100, "2024-01-31": 75}), account_id="ann")
    )


def test_a_late_event_changes_every_day_from_its_own_on() -> None:
    days = {"2024-01-29": 7, "2024-01-31": 107}
    (
        bank.given_at("2024-01-31T09:00:00Z", opened("ann"), credited("ann", 100))
        .given(credited("ann", 7, time="2024-01-29T12:00:00Z"))
        .then_view(EndOfDayBalance(107, days), account_id="ann")
        .as_of(effective="2024-01-30")
        .then_view(EndOfDayBalance(7, {"2024-01-29": 7}), account_id="ann")
    )


def test_a_deposit_shows_in_the_view_after_it() -> None:
    summary = AccountSummary("ann", owner="Ann", status="open", balance=5, movements=1)
    (
        given(opened("ann"))
        .when(Deposit("r-1", "ann", 5))
        .then(credited("ann", 5))
        .then_view(summary, account_id="ann")
    )
