"""View ``account-summary``: one account, by its id."""

from __future__ import annotations

from dataclasses import dataclass

from evidentsource_functions import Event, StateViewBase
from evidentsource_functions.wasm import StateViewAdapter

from .accounts import CLOSED, CREDITED, DEBITED, OPENED


@dataclass
class AccountSummary(StateViewBase):
    account_id: str = ""
    owner: str = ""
    status: str = "unknown"
    balance: int = 0
    movements: int = 0

    def evolve_event(self, event: Event) -> None:
        data = event.data_as_json()
        if event.event_type == OPENED:
            self.account_id, self.owner, self.status = event.subject or "", data["owner"], "open"
        elif event.event_type == CLOSED:
            self.status = "closed"
        elif event.event_type in (CREDITED, DEBITED):
            self.balance += data["amount"] if event.event_type == CREDITED else -data["amount"]
            self.movements += 1


class WitWorld(StateViewAdapter):
    state_view_type = AccountSummary
