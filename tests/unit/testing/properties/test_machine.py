"""The decider machine: it finds short histories, races among them, and tells them as stories."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
from hypothesis import strategies as st

from evidentsource_core import Constraint, Parameter, ProspectiveEvent, Selector
from evidentsource_functions import Event, StateChangeError, StateViewBase
from evidentsource_functions.errors import InvalidDefinition
from evidentsource_functions.testing import Scenarios, event
from evidentsource_runtime.testing.machine import DeciderMachine, Now, PropertyFailed, invariant
from evidentsource_runtime.testing.strategies import commands
from examples.savings_account.savings.account_summary import AccountSummary
from examples.savings_account.savings.close_account import CloseAccount
from examples.savings_account.savings.deposit import Deposit
from examples.savings_account.savings.open_account import OpenAccount
from examples.savings_account.savings.transfer import Transfer
from examples.savings_account.savings.withdraw import Withdraw
from examples.savings_account.tests.bank import bank


@dataclass
class Balance(StateViewBase):
    amount: int = 0

    def evolve_event(self, event: Event) -> None:
        self.amount += event.data_as_json()


@dataclass
class Move:
    amount: int


numbers = itertools.count()


def move(db: Any, command: Move, metadata: Any) -> Any:
    view = db.view_state("balance", 1)
    before = 0 if view is None else view.json()["amount"]
    if before + command.amount < 0:
        raise StateChangeError.conflict("too little")
    moved = ProspectiveEvent(f"m-{next(numbers)}", "moves", "moved", data=str(command.amount))
    return [moved]


def guarded_move(db: Any, command: Move, metadata: Any) -> Any:
    return move(db, command, metadata), [
        Constraint.unchanged_since(Selector.stream("moves"), db.revision)
    ]


def rules(decide: Any) -> Scenarios[Any]:
    found: Scenarios[Any] = Scenarios("moves", stream="moves")
    return found.view(Balance, selector=Selector.stream("moves")).change(decide, "move")


class Moves(DeciderMachine):
    rules = rules(guarded_move)
    commands: ClassVar = [commands(Move, amount=st.integers(-5, 5))]

    @invariant
    def nothing_is_below_zero(self, now: Now) -> None:
        view = now.view(Balance)
        assert view is None or view.json()["amount"] >= 0, view.content

    @invariant
    def the_view_is_the_sum(self, now: Now) -> None:
        view = now.view("balance")
        total = sum(each.data_as_json() for each in now.history)
        assert total == (0 if view is None else view.json()["amount"])


def test_rules_that_keep_their_invariants_pass() -> None:
    Moves.check(examples=40)


def test_a_race_that_no_condition_guards_against_is_found_as_a_story_of_three_commands() -> None:
    class Racing(Moves):
        rules = rules(move)
        commands: ClassVar = [commands(Move, amount=st.sampled_from([1, -1]))]

    with pytest.raises(PropertyFailed) as found:
        Racing.check()
    lines = str(found.value).splitlines()
    assert lines[0].startswith("nothing_is_below_zero does not hold: ")
    numbered = [line for line in lines if line[:3].strip().isdigit()]
    assert len(numbered) == 3
    assert "decided on revision" in numbered[-1]


def test_without_commands_that_lag_behind_the_race_is_not_seen() -> None:
    class OneByOne(Moves):
        rules = rules(move)
        behind = 0

    OneByOne.check(examples=40)


def test_a_rule_that_fails_is_found_without_any_invariant_about_it() -> None:
    def fails(db: Any, command: Move, metadata: Any) -> Any:
        return [ProspectiveEvent(str(1 // (command.amount - 3)), "moves", "moved", data="0")]

    class Failing(Moves):
        rules = rules(fails)

    with pytest.raises(PropertyFailed, match="ZeroDivisionError") as found:
        Failing.check()
    assert '  1. move {"amount": 3}' in str(found.value)


def test_what_had_happened_before_is_part_of_the_story() -> None:
    class Before(Moves):
        given = (event("moved", stream="moves", data=-1),)

    with pytest.raises(PropertyFailed) as found:
        Before.check()
    assert "given\n    1  moved" in str(found.value)


def test_a_machine_that_cannot_work_is_refused_when_it_is_defined() -> None:
    with pytest.raises(InvalidDefinition, match=r"Bare\.rules"):
        type("Bare", (DeciderMachine,), {})
    with pytest.raises(InvalidDefinition, match=r"Idle\.commands"):
        type("Idle", (DeciderMachine,), {"rules": rules(move), "commands": []})
    nothing = type("Nothing", (DeciderMachine,), {"rules": rules(move), "commands": Moves.commands})
    with pytest.raises(InvalidDefinition, match="no method marked with @invariant"):
        nothing.check()  # type: ignore[attr-defined]  # made by hand


ACCOUNTS = st.sampled_from(["ann", "bob"])
REFERENCES = st.integers(0, 999).map(str)
AMOUNTS = st.integers(-1, 50)


class Bank(DeciderMachine):
    rules = bank
    commands: ClassVar = [
        commands(OpenAccount, reference=REFERENCES, account_id=ACCOUNTS, owner="Ann"),
        commands(
            Deposit, reference=REFERENCES, account_id=ACCOUNTS, amount=AMOUNTS, effective_at=None
        ),
        commands(
            Withdraw, reference=REFERENCES, account_id=ACCOUNTS, amount=AMOUNTS, effective_at=None
        ),
        commands(
            Transfer,
            reference=REFERENCES,
            from_account=ACCOUNTS,
            to_account=ACCOUNTS,
            amount=AMOUNTS,
        ),
        commands(CloseAccount, reference=REFERENCES, account_id=ACCOUNTS),
    ]

    @invariant
    def no_account_is_overdrawn(self, now: Now) -> None:
        for account_id in ("ann", "bob"):
            view = now.view(AccountSummary, account_id=account_id)
            assert view is None or view.json()["balance"] >= 0

    @invariant
    def a_closed_account_is_empty(self, now: Now) -> None:
        for account_id in ("ann", "bob"):
            view = now.view(AccountSummary, account_id=account_id)
            assert view is None or view.json()["status"] == "open" or view.json()["balance"] == 0


def test_the_savings_account_keeps_its_invariants_also_in_races() -> None:
    Bank.check(examples=30)


def test_a_parameter_of_a_view_is_given_by_name_and_what_came_of_a_command_is_told() -> None:
    template = Selector.stream("moves") & Parameter.subject("who")
    found: Scenarios[Any] = Scenarios("moves", stream="moves")

    class ByName(DeciderMachine):
        rules = found.view(Balance, selector=template).change(lucky, "move")
        commands: ClassVar = [commands(Move, amount=st.integers(-1, 1))]
        given = (event("moved", subject="ann", data=3),)

        @invariant
        def ann_has_what_she_had(self, now: Now) -> None:
            view = now.view(Balance, who="ann")
            assert view is not None
            assert view.json() == {"amount": 3}
            assert now.view(Balance, who="bob") is None
            refused = now.last is not None and now.last.error is not None
            assert refused or now.last is None or len(now.last.events) == 1

    ByName.check(examples=10)


def lucky(db: Any, command: Move, metadata: Any) -> Any:
    if command.amount < 0:
        raise StateChangeError.conflict("no luck")
    return [ProspectiveEvent(f"m-{db.revision}", "moves", "moved", data=str(command.amount))]
