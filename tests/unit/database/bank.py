"""A small bank in plain Python, for what tests of the database need."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field

from evidentsource_core import (
    CommandRequest,
    Constraint,
    Event,
    Parameter,
    ProspectiveEvent,
    QueryTemporality,
    Selector,
    SelectorTemplate,
    StateChangeDefinition,
    StateChangeName,
    StateViewDefinition,
    StateViewName,
)
from evidentsource_core.domain.state_view import RenderedStateView
from evidentsource_functions import (
    DatabaseAccess,
    DecideResult,
    StateChangeError,
    StateChangeMetadata,
    StateViewBase,
)

BY_EFFECT = QueryTemporality.EFFECTIVE_TIMESTAMP


@dataclass
class Balance(StateViewBase):
    """What an account holds; an event without an amount cannot be folded."""

    amount: int = 0
    events: int = 0

    def evolve_event(self, event: Event) -> None:
        self.amount += event.data_as_json()["amount"]
        self.events += 1


@dataclass
class Deposit:
    account: str
    amount: int
    ids: list[str] = field(default_factory=list)


def deposit(db: DatabaseAccess, command: Deposit, metadata: StateChangeMetadata) -> DecideResult:
    """Pays in once for each id, if nothing happened to the account since it was looked at."""
    account = Selector.stream("accounts") & Selector.subject(command.account)
    if command.amount <= 0:
        raise StateChangeError.validation("an amount is more than 0")
    view = db.view_state("balance", 1, {"who": command.account})
    held = 0 if view is None else view.json()["amount"]
    if held + command.amount > 1_000_000:
        raise StateChangeError.conflict("the account is full")
    events = [paid(each, command.account, command.amount) for each in command.ids]
    return events, [Constraint.unchanged_since(account, db.revision)]


def paid(event_id: str, account: str | None = "ann", amount: int | None = 5) -> ProspectiveEvent:
    data = {} if amount is None else {"amount": amount}
    return ProspectiveEvent(event_id, "accounts", "account.credited", account, json.dumps(data))


def order(event_id: str, account: str = "ann", amount: int = 5) -> CommandRequest:
    return CommandRequest.json({"account": account, "amount": amount, "ids": [event_id]})


def balance() -> StateViewDefinition:
    selector = Selector.stream("accounts") & Parameter.subject("who")
    return StateViewDefinition(StateViewName("balance"), selector)


def total(temporality: QueryTemporality = QueryTemporality.REVISION) -> StateViewDefinition:
    template = SelectorTemplate.of(Selector.stream("accounts"))
    return StateViewDefinition(StateViewName("total"), template, temporality=temporality)


CHANGE = StateChangeDefinition(StateChangeName("deposit"))


class Counting:
    """A view that counts events, and how often and with how many it was called."""

    def __init__(self) -> None:
        self.calls: list[int] = []
        self._lock = threading.Lock()

    def __call__(self, state: RenderedStateView, events: list[Event]) -> bytes:
        with self._lock:
            self.calls.append(len(events))
        return str(int(state.content or b"0") + len(events)).encode()
