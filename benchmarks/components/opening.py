"""A change that opens an account, if there is none of that name, as the SDK has one write it."""

from __future__ import annotations

from dataclasses import dataclass

from evidentsource_functions import (
    Constraint,
    DatabaseAccess,
    DecideResult,
    ProspectiveEvent,
    Selector,
    StateChangeError,
    StateChangeMetadata,
)
from evidentsource_functions.wasm import StateChangeAdapter


@dataclass
class Open:
    id: str


def decide(db: DatabaseAccess, command: Open, _metadata: StateChangeMetadata) -> DecideResult:
    account = Selector.stream("accounts") & Selector.subject(command.id)
    if db.query_events(account):
        raise StateChangeError.conflict(f"account {command.id} is open")
    opened = ProspectiveEvent(f"{command.id}-opened", "accounts", "account.opened", command.id)
    return [opened], [Constraint.must_not_exist(account)]


class WitWorld(StateChangeAdapter):
    command_type = Open
    decide_func = staticmethod(decide)
