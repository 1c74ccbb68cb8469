"""Transactions of somebody who does not wait with the thread that writes, as event loops do."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from evidentsource_core import AppendCondition, ProspectiveEvent
from evidentsource_runtime.store import SqliteStore, TransactionRecord
from evidentsource_runtime.store.work import Told


def submitted(
    store: SqliteStore,
    events: Iterable[ProspectiveEvent],
    conditions: Iterable[AppendCondition] = (),
    *,
    transaction_id: str | None = None,
) -> TransactionRecord:
    """Submit a transaction, and its outcome as soon as that is told."""
    decided = threading.Event()
    outcome = store.submit(
        events, conditions, transaction_id=transaction_id, post=call_all, told=decided.set
    )
    decided.wait()
    return outcome()


def call_all(told: list[Told]) -> None:
    """Has everything called by the thread that tells."""
    for tell in told:
        tell()
