"""A view that tells which events it was given, in which order, and all of the last one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from evidentsource_functions import Event, StateViewBase
from evidentsource_functions.wasm import StateViewAdapter

FAILS = "contract.fails"
"""An event of this type makes the view fail."""
FORGETS = "contract.forgets"
"""While the last event is of this type, the view has no content."""


@dataclass
class Seen(StateViewBase):
    """What was seen so far."""

    ids: list[str] = field(default_factory=list)
    last: dict[str, Any] = field(default_factory=dict)

    def evolve_event(self, event: Event) -> None:
        """Note one event."""
        if event.event_type == FAILS:
            raise ValueError(f"told to fail by {event.id}")
        self.ids.append(event.id)
        self.last = {
            "stream": event.stream(),
            "type": event.event_type,
            "subject": event.subject,
            "data": None if event.data is None else event.data.as_bytes().decode(errors="replace"),
            "revision": event.revision(),
        }

    def serialize(self, content_type: str | None = None) -> bytes | None:
        """The content; none after an event that forgets."""
        return None if self.last["type"] == FORGETS else super().serialize(content_type)


class WitWorld(StateViewAdapter):
    """The component."""

    state_view_type = Seen
