"""What the database needs of a store beyond reading and writing events: tables of its own beside them.

Components, kept views and the traces of decisions lie in the same file as the events, in tables of a
:class:`evidentsource_runtime.store.schema.Module`. A trace is written in the same transaction as the
events that it explains, so there is never one without the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeVar

import apsw

from evidentsource_core.domain.constraints import AppendCondition
from evidentsource_core.domain.events import ProspectiveEvent
from evidentsource_core.rules import TransactionResult

__all__ = ["RecordingStore"]

T = TypeVar("T")


class RecordingStore(Protocol):
    """A store with room for tables beside its events."""

    def transact(
        self,
        events: Iterable[ProspectiveEvent],
        conditions: Iterable[AppendCondition] = (),
        *,
        transaction_id: str | None = None,
        request: bytes | None = None,
        beside: Callable[[apsw.Connection, Any], None] | None = None,
    ) -> TransactionResult:
        """Commit events, and whatever ``beside`` writes with them.

        Args:
            events: as in ``EventStore.transact``.
            conditions: the same.
            transaction_id: the same.
            request: what the transaction id stands for, in place of the events and conditions.
            beside: called with the writing connection and the transaction's record (id, basis,
                revision, timestamp) inside of the same commit, after the events are in; what it
                raises refuses the transaction as a whole. Not called where the id was committed
                before.
        """
        ...

    def committed(self, transaction_id: str, request: bytes) -> TransactionResult | None:
        """What was committed under that id; ``DuplicateTransactionId`` if for another request."""
        ...

    def write(self, work: Callable[[apsw.Connection], T]) -> T:
        """Have ``work`` write to tables beside the events, in a durable commit of its own."""
        ...

    def read(self, work: Callable[[apsw.Connection], T]) -> T:
        """Have ``work`` read from tables beside the events, as they are at one moment."""
        ...
