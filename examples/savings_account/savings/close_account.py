"""Close an account, once it is empty."""

from __future__ import annotations

from dataclasses import dataclass

from evidentsource_functions import (
    DatabaseAccess,
    DecideResult,
    StateChangeError,
    StateChangeMetadata,
)
from evidentsource_functions.wasm import StateChangeAdapter

from .accounts import CLOSED, cents, event, require_open, unchanged


@dataclass
class CloseAccount:
    reference: str
    account_id: str


def decide(
    db: DatabaseAccess, command: CloseAccount, metadata: StateChangeMetadata
) -> DecideResult:
    balance = require_open(db, command.account_id)["balance"]
    if balance:
        raise StateChangeError.conflict(
            f"account {command.account_id} still holds {cents(balance)}; withdraw it first"
        )
    closed = event(CLOSED, command.account_id, command.reference)
    return [closed], unchanged(db, command.account_id)


class WitWorld(StateChangeAdapter):
    decide_func = decide
