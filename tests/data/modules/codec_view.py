"""A view with bytes of its own: it has the codec's two methods, and no StateViewBase at all."""

from __future__ import annotations

from evidentsource_functions import Event
from evidentsource_functions.wasm import StateViewAdapter


class Packed:
    def __init__(self, seen: bytes) -> None:
        self.seen = seen

    def evolve(self, events: list[Event]) -> None:
        for event in events:
            if event.event_type == "fail":
                raise ValueError(f"cannot take {event.id}")
            self.seen += event.id.encode() + b"\xff"

    @classmethod
    def from_bytes(cls, data: bytes | None, content_type: str | None, schema: str | None) -> Packed:
        return cls(f"{content_type}|{schema}|".encode() if data is None else data)

    def to_bytes(self, content_type: str | None, schema: str | None) -> bytes | None:
        return self.seen


class WitWorld(StateViewAdapter):
    state_view_type = Packed
