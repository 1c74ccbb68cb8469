"""Pay money in. It may take effect on another day than it is recorded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from evidentsource_functions import (
    Constraint,
    DatabaseAccess,
    DecideResult,
    Selector,
    StateChangeMetadata,
)
from evidentsource_functions.wasm import StateChangeAdapter

from .accounts import CLOSED, CREDITED, account, event, require_amount, require_open


@dataclass
class Deposit:
    reference: str
    account_id: str
    amount: int
    effective_at: datetime | None = None


def decide(db: DatabaseAccess, command: Deposit, metadata: StateChangeMetadata) -> DecideResult:
    require_amount(command.amount)
    require_open(db, command.account_id)
    credited = event(
        CREDITED,
        command.account_id,
        command.reference,
        command.effective_at,
        amount=command.amount,
    )
    # Two deposits at once are fine; only a closed account must not get money.
    closed = account(command.account_id) & Selector.event_type(CLOSED)
    return [credited], [Constraint.must_not_exist(closed)]


class WitWorld(StateChangeAdapter):
    command_type = Deposit
    decide_func = staticmethod(decide)
