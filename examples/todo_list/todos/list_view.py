"""View ``list``: one list, by its id."""

from __future__ import annotations

from dataclasses import dataclass, field

from evidentsource_functions import Event, StateViewBase
from evidentsource_functions.wasm import StateViewAdapter


@dataclass
class TodoList(StateViewBase):
    open: list[str] = field(default_factory=list)
    done: list[str] = field(default_factory=list)

    def evolve_event(self, event: Event) -> None:
        item = event.data_as_json()["item"]
        if event.event_type == "item.added":
            self.open.append(item)
        elif event.event_type == "item.removed":
            self.done.remove(item)
        elif event.event_type == "item.ticked":
            self.open.remove(item)
            self.done.append(item)
        elif event.event_type == "item.unticked":
            self.done.remove(item)
            self.open.append(item)


class WitWorld(StateViewAdapter):
    state_view_type = TodoList
