"""A view that overrides serialize and deserialize, and keeps lines of text."""

from __future__ import annotations

from evidentsource_functions import Event, StateViewBase
from evidentsource_functions.wasm import StateViewAdapter


class Lines(StateViewBase):
    def __init__(self, lines: list[str]) -> None:
        self.lines = lines

    def evolve_event(self, event: Event) -> None:
        self.lines.append(f"{event.id} {event.data_as_json()['n']}")

    def serialize(self, content_type: str | None = None) -> bytes | None:
        return "\n".join([str(content_type), *self.lines]).encode("utf-16-le")

    @classmethod
    def deserialize(cls, data: bytes | None, content_type: str | None = None) -> Lines:
        if data is None:
            return cls([])
        head, *lines = data.decode("utf-16-le").split("\n")
        if head != content_type:
            raise ValueError(f"kept as {head}")
        return cls(lines)


class WitWorld(StateViewAdapter):
    state_view_type = Lines
