"""What a transaction has come to, for whoever wrote it: its fields are made when they are read."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

from evidentsource_core.rules import TransactionResult
from evidentsource_runtime.store.preparing import Prepared
from evidentsource_runtime.store.rows import moment
from evidentsource_runtime.store.writing import Written


class StoredResult(TransactionResult):
    """A transaction that was just committed.

    Most who write do not look at what they wrote, and those who do look at it once.
    """

    __slots__ = ("_known",)
    _known: tuple[Prepared, Written, str]

    id = property(lambda result: result._known[0].id)  # noqa: SLF001 - its own
    basis = property(lambda result: result._known[1].basis)  # noqa: SLF001
    revision = property(lambda result: result._known[1].revision)  # noqa: SLF001

    def __new__(cls, *args: Any, **fields: Any) -> TransactionResult:  # type: ignore[misc]  # see below
        """An ordinary result: whoever calls the class has all fields, as ``dataclasses.replace``."""
        return TransactionResult(*args, **fields)

    def __getattr__(self, name: str) -> Any:
        # Only called for a slot that is still empty.
        if name not in {"timestamp", "events"}:
            raise AttributeError(f"'TransactionResult' object has no attribute {name!r}")
        prepared, written, source = self._known
        if name == "timestamp":
            timestamp = moment(written.recorded)
            _set_timestamp(self, timestamp)
            return timestamp
        events = tuple(written.events(prepared, source))
        _set_events(self, events)
        return events

    def __reduce__(self) -> Any:
        return (TransactionResult, _all_of(self))

    def __repr__(self) -> str:
        return repr(TransactionResult(*_all_of(self)))


_all_of = attrgetter(*TransactionResult.__slots__)
_set_timestamp = TransactionResult.__dict__["timestamp"].__set__
_set_events = TransactionResult.__dict__["events"].__set__
_set_known = StoredResult.__dict__["_known"].__set__


def stored_result(prepared: Prepared, written: Written, source: str) -> TransactionResult:
    """A transaction that was just committed.

    Args:
        prepared: the transaction.
        written: what became of it.
        source: what the sources of its events have before the stream.
    """
    result: TransactionResult = object.__new__(StoredResult)
    _set_known(result, (prepared, written, source))
    return result
