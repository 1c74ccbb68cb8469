"""Open an account. Nobody else may have opened one of that id, not even a moment ago."""

from __future__ import annotations

from dataclasses import dataclass

from evidentsource_functions import (
    Constraint,
    DatabaseAccess,
    DecideResult,
    StateChangeError,
    StateChangeMetadata,
)
from evidentsource_functions.wasm import StateChangeAdapter

from .accounts import OPENED, account, event


@dataclass
class OpenAccount:
    reference: str
    account_id: str
    owner: str


def decide(db: DatabaseAccess, command: OpenAccount, metadata: StateChangeMetadata) -> DecideResult:
    if not command.owner.strip():
        raise StateChangeError.validation("command.owner: must not be blank")
    if db.query_events(account(command.account_id), limit=1):
        raise StateChangeError.conflict(f"account {command.account_id} exists already")
    opened = event(OPENED, command.account_id, command.reference, owner=command.owner)
    return [opened], [Constraint.must_not_exist(account(command.account_id))]


class WitWorld(StateChangeAdapter):
    command_type = OpenAccount
    decide_func = decide
