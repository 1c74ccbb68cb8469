"""A view of what an account holds, from JSON payloads, as the SDK has one write it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from evidentsource_functions import Event, StateViewBase
from evidentsource_functions.wasm import StateViewAdapter


@dataclass
class Summary(StateViewBase):
    balance: int = 0
    transaction_count: int = 0

    def evolve_event(self, event: Event) -> None:
        if event.event_type == "account.credited":
            self.balance += json.loads(event.data_as_string() or "{}")["amount"]
            self.transaction_count += 1

    def to_dict(self) -> dict[str, Any]:
        return {"balance": self.balance, "transaction_count": self.transaction_count}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Summary:
        return cls(data.get("balance", 0), data.get("transaction_count", 0))


class WitWorld(StateViewAdapter):
    state_view_type = Summary
