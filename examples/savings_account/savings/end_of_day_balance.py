"""View ``end-of-day-balance``: an account's balance at the end of each day something happened.

The view folds its events in the order in which they took effect, so a deposit that is recorded late
with an earlier date changes every day from that date on. Read as of an effective time, it is the
balance the account had then, as far as it is known now.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from evidentsource_functions import Event, StateViewBase
from evidentsource_functions.wasm import StateViewAdapter

from .accounts import CREDITED, DEBITED


@dataclass
class EndOfDayBalance(StateViewBase):
    balance: int = 0
    days: dict[str, int] = field(default_factory=dict)

    def evolve_event(self, event: Event) -> None:
        if event.event_type not in (CREDITED, DEBITED):
            return
        amount = event.data_as_json()["amount"]
        self.balance += amount if event.event_type == CREDITED else -amount
        self.days[effective_day(event)] = self.balance


def effective_day(event: Event) -> str:
    """The day, in UTC, on which an event took effect: its own time, or when it was recorded."""
    if event.time is not None:
        return event.time.date().isoformat()
    recorded = event.extension("recordedtime")
    return "" if recorded is None else str(recorded.value)[:10]


class WitWorld(StateViewAdapter):
    state_view_type = EndOfDayBalance
