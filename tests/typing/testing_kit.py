"""What a type checker makes of scenarios: checked by mypy and by pyright, never run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_type

from evidentsource_core import Constraint, Event, Parameter, ProspectiveEvent, Selector
from evidentsource_functions import (
    DatabaseAccess,
    DecideResult,
    StateChangeMetadata,
    StateViewBase,
)
from evidentsource_functions.testing import (
    ANYTHING,
    Database,
    Decided,
    EventSpec,
    Given,
    Scenarios,
    command,
    event,
    use_level,
)
from evidentsource_runtime.testing import project_scenarios


@dataclass
class Balance(StateViewBase):
    total: int = 0

    def evolve_event(self, event: Event) -> None:
        self.total += 1


@dataclass
class Deposit:
    account_id: str
    amount: int


@dataclass
class Close:
    account_id: str


def deposit(db: DatabaseAccess, command: Deposit, metadata: StateChangeMetadata) -> DecideResult:
    return [], []


def close(
    db: DatabaseAccess, command: Close, metadata: StateChangeMetadata
) -> list[ProspectiveEvent]:
    return []


def scenarios_know_their_commands() -> None:
    bank = Scenarios("bank", stream="accounts").change(deposit)
    assert_type(bank, Scenarios[Deposit])
    both = bank.view(Balance, selector=Parameter.subject("account_id")).change(close)
    assert_type(both, Scenarios[Deposit | Close])
    assert_type(both.given(), Given[Deposit | Close])
    both.when(Deposit("ann", 5))
    both.when(Close("ann"))
    both.when(command("deposit", amount="5"))
    bank.when(Close("ann"))  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


def sentences_end_in_what_can_be_looked_at() -> None:
    credited = event("account.credited", subject="ann", amount=ANYTHING)
    assert_type(credited, EventSpec)
    given = Scenarios("bank", stream="accounts").change(deposit).given
    outcome = given(credited).last_seen(1).when(Deposit("ann", 5))
    assert_type(outcome.then(credited), Decided)
    assert_type(outcome.events, tuple[ProspectiveEvent, ...])
    outcome.then_conditions(Constraint.must_exist(Selector.subject("ann")))
    outcome.then_view(Balance(5), account_id="ann")
    assert_type(given(credited).then_view(Balance(5), account_id="ann"), Given[Deposit])


def rules_of_a_manifest_are_annotated() -> None:
    bank: Scenarios[Deposit | Close] = project_scenarios(stream="accounts")
    bank.when(Balance())  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


def a_database_reads_objects_of_a_view() -> None:
    with use_level("native"):
        database = Database.in_memory("bank")
    assert_type(database.read(Balance, {"account_id": "ann"}), Balance | None)
    assert_type(database.submit(Deposit("ann", 5)).revision, int)
