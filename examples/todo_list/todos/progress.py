"""View ``progress``: how much of everything is done. It has no parameters."""

from __future__ import annotations

from dataclasses import dataclass

from evidentsource_functions import Event, StateViewBase
from evidentsource_functions.wasm import StateViewAdapter


@dataclass
class Progress(StateViewBase):
    items: int = 0
    done: int = 0

    def evolve_event(self, event: Event) -> None:
        if event.event_type == "item.added":
            self.items += 1
        elif event.event_type == "item.ticked":
            self.done += 1
        elif event.event_type == "item.unticked":
            self.done -= 1
        else:
            self.items -= 1
            self.done -= 1


class WitWorld(StateViewAdapter):
    state_view_type = Progress
