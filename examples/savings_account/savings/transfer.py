"""Move money between two accounts: both events or neither, guarded by conditions over both."""

from __future__ import annotations

from dataclasses import dataclass

from evidentsource_functions import (
    DatabaseAccess,
    DecideResult,
    StateChangeError,
    StateChangeMetadata,
)
from evidentsource_functions.wasm import StateChangeAdapter

from .accounts import (
    CREDITED,
    DEBITED,
    cents,
    event,
    require_amount,
    require_open,
    unchanged,
)


@dataclass
class Transfer:
    reference: str
    from_account: str
    to_account: str
    amount: int


def decide(db: DatabaseAccess, command: Transfer, metadata: StateChangeMetadata) -> DecideResult:
    source, target = command.from_account, command.to_account
    require_amount(command.amount)
    if source == target:
        raise StateChangeError.validation("command.to_account: must differ from from_account")
    balance = require_open(db, source)["balance"]
    require_open(db, target)
    if balance < command.amount:
        raise StateChangeError.conflict(
            f"account {source} has {cents(balance)}, too little to transfer {cents(command.amount)}"
        )
    events = [
        event(DEBITED, source, command.reference, amount=command.amount, counterparty=target),
        event(CREDITED, target, command.reference, amount=command.amount, counterparty=source),
    ]
    return events, unchanged(db, source, target)


class WitWorld(StateChangeAdapter):
    command_type = Transfer


# ``decide_func`` is not set: the module's own ``decide`` is the rule.
