"""The same view as ``summary``, written against the contract itself, without the SDK's adapters."""

from __future__ import annotations

import json
from typing import Any


class WitWorld:
    def evolve(self, state_view: Any, events: list[Any]) -> bytes | None:
        state = json.loads(state_view.content or b'{"balance": 0, "transaction_count": 0}')
        for event in events:
            if event.type == "account.credited":
                state["balance"] += json.loads(event.data.value)["amount"]
                state["transaction_count"] += 1
        return json.dumps(state).encode()
