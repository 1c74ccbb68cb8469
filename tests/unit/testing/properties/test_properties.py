"""Ready-made properties: each finds the mistake it is for, tells a short story, and passes without."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import strategies as st

from evidentsource_core import Parameter, ProspectiveEvent, Selector
from evidentsource_functions import Event, StateChangeError, StateViewBase
from evidentsource_functions.testing import Scenarios
from evidentsource_runtime.testing.properties import (
    PropertyFailed,
    check_batches,
    check_change,
    check_content,
    check_evolve,
    check_refusals,
    check_repeatable,
    check_view,
)
from evidentsource_runtime.testing.strategies import commands, events

CREDITED = events("credited", stream="accounts", subject="ann", time=None, amount=st.integers(0, 9))


@dataclass
class Balance(StateViewBase):
    amount: int = 0

    def evolve_event(self, event: Event) -> None:
        self.amount += event.data_as_json()["amount"]


class LastBatch(Balance):
    """Adds up the batch, and forgets what was before."""

    def evolve(self, events: list[Event]) -> None:
        self.amount = sum(event.data_as_json()["amount"] for event in events)


@dataclass
class Forgetful(Balance):
    largest: int = 0

    def evolve_event(self, event: Event) -> None:
        super().evolve_event(event)
        self.largest = max(self.largest, self.amount)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Forgetful:
        return cls(amount=data.get("amount", 0))


class Picky(Balance):
    def evolve_event(self, event: Event) -> None:
        self.amount += 10 // (event.data_as_json()["amount"] - 3)


def test_a_view_that_is_right_passes() -> None:
    check_view(Balance, of=[CREDITED], examples=20)


def test_a_view_that_fails_on_an_event_is_found_with_the_event() -> None:
    with pytest.raises(PropertyFailed) as found:
        check_evolve(Picky, of=[CREDITED])
    text = str(found.value)
    assert text.startswith("Picky fails: ")
    assert "ZeroDivisionError" in text
    assert text.splitlines()[-2:] == ["history", '    1  credited  accounts  ann  {"amount": 3}']


def test_a_view_that_depends_on_its_batches_is_found_with_two_events() -> None:
    with pytest.raises(PropertyFailed) as found:
        check_batches(LastBatch, of=[CREDITED])
    assert str(found.value) == (
        "LastBatch is another one in other batches\n"
        '  in one batch of 2:  {"amount": 1}\n'
        '  in batches of 1, 1:  {"amount": 0}\n'
        "history\n"
        '    1  credited  accounts  ann  {"amount": 1}\n'
        '    2  credited  accounts  ann  {"amount": 0}'
    )


def test_a_view_that_does_not_read_back_what_it_wrote_is_found() -> None:
    with pytest.raises(PropertyFailed) as found:
        check_content(Forgetful, of=[CREDITED])
    assert str(found.value) == (
        "Forgetful is another one when it is read back from its content\n"
        '  content:    {"amount": 1, "largest": 1}\n'
        '  read back:  {"amount": 1, "largest": 0}\n'
        "history\n"
        '    1  credited  accounts  ann  {"amount": 1}'
    )


@dataclass
class Withdraw:
    account: str
    amount: int


def withdrawn(command: Withdraw, event_id: str) -> ProspectiveEvent:
    data = json.dumps({"amount": -command.amount})
    return ProspectiveEvent(event_id, "accounts", "debited", command.account or None, data)


def careful(db: Any, command: Withdraw, metadata: Any) -> Any:
    view = db.view_state("balance", 1, {"who": "ann"})
    if view is None or not 0 < command.amount <= view.json()["amount"]:
        raise StateChangeError.conflict("not enough")
    return [withdrawn(command, f"w-{db.revision}")]


def careless(db: Any, command: Withdraw, metadata: Any) -> Any:
    return [withdrawn(command, f"w-{100 // (command.amount - 2)}")]


numbers = itertools.count()


def changing(db: Any, command: Withdraw, metadata: Any) -> Any:
    return [withdrawn(Withdraw(command.account, next(numbers)), "w-1")]


def new_id(db: Any, command: Withdraw, metadata: Any) -> Any:
    return [withdrawn(command, f"w-{next(numbers)}")]


def rules(decide: Callable[..., Any]) -> Scenarios[Any]:
    found: Scenarios[Any] = Scenarios("bank", stream="accounts")
    template = Selector.stream("accounts") & Parameter.subject("who")
    return found.view(Balance, selector=template).change(decide)


WITHDRAWALS: Sequence[st.SearchStrategy[Withdraw]] = [
    commands(Withdraw, account=st.sampled_from(["ann", "bob"]), amount=st.integers(-2, 9))
]


@pytest.mark.parametrize("decide", [careful, new_id], ids=lambda each: each.__name__)
def test_a_change_that_refuses_as_a_rule_does_passes_and_ids_may_differ(
    decide: Callable[..., Any],
) -> None:
    check_change(rules(decide), WITHDRAWALS, given=[CREDITED], examples=20)


def test_a_rule_that_fails_is_found_with_the_command() -> None:
    with pytest.raises(PropertyFailed) as found:
        check_refusals(rules(careless), WITHDRAWALS, given=[CREDITED])
    text = str(found.value)
    assert text.startswith("careless fails, where a rule raises StateChangeError and nothing else")
    assert "ZeroDivisionError" in text
    assert '  1. careless {"account": "ann", "amount": 2}' in text
    assert "given" not in text


def test_a_rule_that_decides_otherwise_the_second_time_is_found() -> None:
    with pytest.raises(PropertyFailed) as found:
        check_repeatable(rules(changing), WITHDRAWALS)
    assert "changing decides otherwise when it is asked again" in str(found.value)
    assert str(found.value).count("1. changing") == 2


@dataclass
class Names(StateViewBase):
    names: list[str] = field(default_factory=list)

    def evolve_event(self, event: Event) -> None:
        self.names.append(event.id)


def test_a_property_holds_for_a_handler_in_place_of_a_class() -> None:
    check_view(
        lambda view, events: (view.content or b"") + b"x" * len(events), of=[CREDITED], examples=10
    )
