"""A view whose content is everything it was given; some contents ask it to misbehave instead."""

from __future__ import annotations

import encodings.idna  # noqa: F401 - socket looks it up when it is too late
import json
import os
import socket
import sys
from pathlib import Path
from typing import Any

from plain import dump  # type: ignore[import-not-found]  # beside this file, in the component

calls: list[bytes | None] = []


class WitWorld:
    def evolve(self, state_view: Any, events: list[Any]) -> Any:
        calls.append(state_view.content)
        order, _, argument = (state_view.content or b"").partition(b":")
        if order.startswith(b"do-"):
            return ORDERS[order.decode()](argument, events)
        return json.dumps({"view": dump(state_view), "events": dump(events)}).encode()


def _fail(_argument: bytes, events: list[Any]) -> Any:
    return {"first": events[0].id}["second"].encode()


def _fail_on(argument: bytes, events: list[Any]) -> bytes:
    """Fold the ids of the events, and fail at the one that the content names."""
    wanted, _, seen = argument.partition(b",")
    for event in events:
        if event.id.encode() == wanted:
            raise ValueError(f"at {event.id} after {seen.decode()}")
        seen += event.id.encode() + b" "
    return b"do-fail-on:" + wanted + b"," + seen


def _recurse(argument: bytes, events: list[Any]) -> bytes:
    return _recurse(argument, events)


def _exit(argument: bytes, _events: list[Any]) -> None:
    sys.exit(int(argument))


def _print(argument: bytes, _events: list[Any]) -> None:
    for number in range(int(argument)):
        print(f"line {number}")  # noqa: T201 - printing is what it is for
        print(f"warning {number}", file=sys.stderr)  # noqa: T201 - as above


def _look_around(_argument: bytes, _events: list[Any]) -> bytes:
    def attempt(look: Any) -> Any:
        try:
            return look()
        except OSError as error:
            return type(error).__name__

    def connect() -> str:
        with socket.socket() as wire:
            wire.connect(("127.0.0.1", 9))
        return "connected"

    return json.dumps(
        {
            "environment": dict(os.environ),
            "arguments": sys.argv,
            "root": attempt(lambda: [path.name for path in Path("/").iterdir()]),
            "file": attempt(Path("/etc/hostname").read_text),
            "written": attempt(lambda: Path("/tmp/x").write_text("x")),
            "input": attempt(sys.stdin.read),
            "network": attempt(connect),
        }
    ).encode()


ORDERS: dict[str, Any] = {
    "do-fail": _fail,
    "do-fail-on": _fail_on,
    "do-recurse": _recurse,
    "do-exit": _exit,
    "do-print": _print,
    "do-look-around": _look_around,
    "do-return-int": lambda *_: 5,
    "do-return-none": lambda *_: None,
    "do-return-bytes": lambda argument, _: bytes(int(argument)),
    "do-return-size": lambda argument, events: str(len(events)).encode(),
    "do-count-calls": lambda *_: str(len(calls)).encode(),
    "do-keep-counting": lambda *_: b"do-keep-counting:%d" % len(calls),
}
