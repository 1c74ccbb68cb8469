"""View ``active-accounts``: who has an open account. It has no parameters."""

from __future__ import annotations

from dataclasses import dataclass, field

from evidentsource_functions import Event, StateViewBase
from evidentsource_functions.wasm import StateViewAdapter

from .accounts import CLOSED, OPENED


@dataclass
class ActiveAccounts(StateViewBase):
    owners: dict[str, str] = field(default_factory=dict)

    def evolve_event(self, event: Event) -> None:
        account_id = event.subject or ""
        if event.event_type == OPENED:
            self.owners[account_id] = event.data_as_json()["owner"]
        elif event.event_type == CLOSED:
            self.owners.pop(account_id, None)


class WitWorld(StateViewAdapter):
    state_view_type = ActiveAccounts
