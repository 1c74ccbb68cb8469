"""Stores of a test's own, with clocks that can be set."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from evidentsource_core import ProspectiveEvent
from evidentsource_core.reference import ReferenceDatabase
from evidentsource_runtime.store import SqliteStore
from tests.unit.core.reference.helpers import START, Clock


def event(event_id: str, subject: str | None = "a-1", **fields: Any) -> ProspectiveEvent:
    known = {"stream": "accounts", "event_type": "account.credited"} | fields
    return ProspectiveEvent(event_id, subject=subject, **known)


def bank(folder: Path, **arguments: Any) -> SqliteStore:
    """A store named bank, whose clock stands still unless another is given."""
    defaults: dict[str, Any] = {"clock": Clock()}
    return SqliteStore.open(folder / "bank.db", **(defaults | arguments))


@contextmanager
def pair(folder: Path, **limits: Any) -> Iterator[tuple[SqliteStore, ReferenceDatabase, Clock]]:
    """A store and a reference database that share a clock."""
    clock = Clock()
    reference = ReferenceDatabase("bank", clock=clock, created_at=START)
    with bank(folder, clock=clock) as store:
        yield store, reference, clock
