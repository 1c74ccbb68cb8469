"""Take money out: speculate, look at the view as it would be, and refuse an overdraft."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from evidentsource_functions import (
    DatabaseAccess,
    DecideResult,
    StateChangeError,
    StateChangeMetadata,
)
from evidentsource_functions.wasm import StateChangeAdapter

from .accounts import (
    DEBITED,
    cents,
    event,
    require_amount,
    require_open,
    summary,
    unchanged,
)


@dataclass
class Withdraw:
    reference: str
    account_id: str
    amount: int
    effective_at: datetime | None = None


def decide(db: DatabaseAccess, command: Withdraw, metadata: StateChangeMetadata) -> DecideResult:
    require_amount(command.amount)
    require_open(db, command.account_id)
    debited = event(
        DEBITED, command.account_id, command.reference, command.effective_at, amount=command.amount
    )
    after = summary(db.speculate_with_transaction([debited]), command.account_id)
    if after is None or after["balance"] < 0:
        short = 0 if after is None else -after["balance"]
        raise StateChangeError.conflict(
            f"account {command.account_id} would be overdrawn by {cents(short)}"
        )
    return [debited], unchanged(db, command.account_id)


class WitWorld(StateChangeAdapter):
    command_type = Withdraw
    decide_func = decide
