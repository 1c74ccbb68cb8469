"""A view of the SDK's adapter whose content is what it saw; some types of events make it misbehave."""

from __future__ import annotations

import sys
from typing import Any

from evidentsource_functions import Event
from evidentsource_functions.wasm import StateViewAdapter

HALF = b"\xff"
"""No UTF-8: a content that begins with it goes as bytes."""


class Mirror:
    def __init__(self, seen: bytes | None) -> None:
        self.seen = seen

    def evolve_event(self, event: Event) -> None:
        order = ORDERS.get(event.event_type)
        if order is not None:
            order(self, event)
        if self.seen is not None:
            self.seen += repr(event).encode() + b"\n"

    @classmethod
    def from_bytes(cls, data: bytes | None, content_type: str | None, schema: str | None) -> Mirror:
        return cls(f"{content_type} {schema}\n".encode() if data is None else data)

    def to_bytes(self, content_type: str | None, schema: str | None) -> bytes | None:
        return self.seen


def _fail(_mirror: Mirror, event: Event) -> None:
    raise ValueError(f"cannot take {event.id}")


def _exit(_mirror: Mirror, _event: Event) -> None:
    sys.exit(3)


def _print(_mirror: Mirror, event: Event) -> None:
    print(f"saw {event.id}")  # noqa: T201 - printing is what it is for
    print(f"beware of {event.id}", file=sys.stderr)  # noqa: T201 - as above


def _recurse(mirror: Mirror, event: Event) -> None:
    _recurse(mirror, event)


def _loop(_mirror: Mirror, _event: Event) -> None:
    while True:
        pass


def _take_memory(_mirror: Mirror, _event: Event) -> None:
    kept = []
    while True:
        kept.append(bytes(1_000_000))


def _ask_too_much(_mirror: Mirror, _event: Event) -> None:
    bytes(2**30)


def _grow(mirror: Mirror, event: Event) -> None:
    mirror.seen = bytes(int(event.data_as_string() or 0))


def _halve(mirror: Mirror, _event: Event) -> None:
    mirror.seen = HALF + (mirror.seen or b"")


def _forget(mirror: Mirror, _event: Event) -> None:
    mirror.seen = None


ORDERS: dict[str, Any] = {
    "do-fail": _fail,
    "do-exit": _exit,
    "do-print": _print,
    "do-recurse": _recurse,
    "do-loop": _loop,
    "do-take-memory": _take_memory,
    "do-ask-too-much": _ask_too_much,
    "do-grow": _grow,
    "do-halve": _halve,
    "do-forget": _forget,
}


class WitWorld(StateViewAdapter):
    state_view_type = Mirror
