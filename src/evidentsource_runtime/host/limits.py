"""What a component may use up before its call is ended.

>>> from evidentsource_runtime.host import Limits
>>> Limits(time_seconds=0.5).memory_bytes
104857600
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, fields
from typing import Final

from wasmtime import Store

from evidentsource_core.domain.errors import InvalidType, InvalidValue
from evidentsource_runtime.host.errors import ComponentLimitError
from evidentsource_runtime.host.trace import causes

_MIB = 1024 * 1024
_INSTANCES = 1_000
_TABLES = 100
_TABLE_ELEMENTS = 1_000_000
"""Elements take 8 bytes each, outside of the component's memory."""
MEMORIES = 1
"""Memories of one component; since wasmtime limits each by itself, more would multiply the limit."""
_STACK = range(64 * 1024, _MIB + 1)
"""wasmtime takes a component's stack out of the thread's own, which mostly has 8 MiB, and overrunning
that ends the process."""
NESTED_CALLS = 6
"""Calls that may go on inside of each other on one thread, each with a stack of its own: a database
that a component calls may run another component, and that one must not end the process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one call of a component may take; beyond it, a ``ComponentLimitError`` says what was.

    Attributes:
        time_seconds: how long a call may take, what it spends in the database included. A view is
            called once for each batch of events. It is looked at some twenty times a second.
        memory_bytes: the component's memory. A component that asks for more is told that there is
            none, and may go on: a Python guest gets a ``MemoryError``.
        content_bytes: one value that crosses the boundary: the content of a view, a command's body,
            an event's binary payload. wasmtime has a limit of its own between 2.5 and 3 MB.
        events: the events that a decision may have.
        conditions: the append conditions that a decision may have.
        stack_bytes: the WebAssembly stack, from 64 KiB to 1 MiB.

    Raises:
        InvalidType: a limit is no number.
        InvalidValue: a limit is out of its range.
    """

    time_seconds: float = 30.0
    memory_bytes: int = 100 * _MIB
    content_bytes: int = 2 * _MIB
    events: int = 10_000
    conditions: int = 1_000
    stack_bytes: int = 512 * 1024

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            whole = field.name != "time_seconds"
            kinds = int if whole else (int, float)
            if isinstance(value, bool) or not isinstance(value, kinds):
                expected = "a whole number" if whole else "a number"
                raise InvalidType(f"limits.{field.name}", expected, value)
            if value < 0 or not math.isfinite(value):
                raise InvalidValue(f"limits.{field.name}", f"must not be negative, got {value}")
        if not self.time_seconds:
            raise InvalidValue("limits.time_seconds", "must be more than 0")
        if self.stack_bytes not in _STACK:
            raise InvalidValue(
                "limits.stack_bytes",
                f"must be from {_STACK.start:,} to {_STACK.stop - 1:,}, got {self.stack_bytes:,}",
            )

    def check_decision(self, component: str, events: int, conditions: int) -> None:
        """Refuse a decision of ``component`` that has too many of one.

        Raises:
            ComponentLimitError: it has.
        """
        for name, allowed, count in (
            ("events", self.events, events),
            ("conditions", self.conditions, conditions),
        ):
            if count > allowed:
                raise ComponentLimitError(component, f"decide.{name}", allowed, count, name)

    def apply(self, store: Store) -> None:
        """Let ``store`` take no more memory than this."""
        store.set_limits(
            memory_size=self.memory_bytes,
            table_elements=_TABLE_ELEMENTS,
            instances=_INSTANCES,
            tables=_TABLES,
            memories=MEMORIES,
        )


OUT_OF_TIME: Final = "wasm trap: interrupt"
"""wasmtime's words for a call that reached its deadline, and ours for one that is watched."""
_OUT_OF_STACK = "call stack exhausted"
_TOO_LARGE = re.compile(r"memory minimum size of (\d+) pages exceeds memory limits")
_TOO_MANY = re.compile(r"resource limit exceeded: (\w+) count too high at (\d+)")
_PAGE = 64 * 1024
_NO_MEMORY = re.compile(r"MemoryError\b|memory allocation of \d+ bytes failed")


def exceeded_limit(
    component: str, limits: Limits, trap: str, words: str, seconds: float
) -> ComponentLimitError | None:
    """The limit that a failed call came up against; None where it failed for another reason.

    Args:
        component: its name.
        limits: what it was allowed.
        trap: wasmtime's word for how it ended.
        words: what it wrote to its stderr.
        seconds: how long it took.
    """
    if OUT_OF_TIME in trap:
        reached = round(seconds, 2)
        return ComponentLimitError(
            component, "time", limits.time_seconds, reached, "seconds", guest_traceback=words
        )
    if _OUT_OF_STACK in trap:
        return ComponentLimitError(
            component, "stack", limits.stack_bytes, None, guest_traceback=words
        )
    if found := _TOO_LARGE.search(trap):
        return ComponentLimitError(
            component, "memory", limits.memory_bytes, int(found[1]) * _PAGE, guest_traceback=words
        )
    if found := _TOO_MANY.search(trap):
        allowed = {"memory": MEMORIES, "instance": _INSTANCES, "table": _TABLES}[found[1]]
        kinds = {"memory": "memories", "instance": "instances", "table": "tables"}[found[1]]
        return ComponentLimitError(component, kinds, allowed, int(found[2]), kinds)
    return exceeded_memory(component, limits, words)


def exceeded_memory(component: str, limits: Limits, words: str) -> ComponentLimitError | None:
    """The limit of memory, where a guest's last words say that it had none left."""
    if not any(_NO_MEMORY.match(each) for each in causes(words) or [words]):
        return None
    return ComponentLimitError(
        component, "memory", limits.memory_bytes, None, guest_traceback=words
    )
