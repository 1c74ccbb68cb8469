"""What is told of a transaction, as the database keeps it: in the transaction's trace."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final, TypeVar

from evidentsource_core.rules import TransactionResult
from evidentsource_runtime.database import Database, Trace
from evidentsource_runtime.server.service.values import (
    About,
    Committed,
    Origin,
    Summary,
    Transport,
)
from evidentsource_runtime.store import TransactionRecord

__all__ = ["about_of", "as_principal", "committed", "logged", "summary", "told"]

R = TypeVar("R", bound=TransactionRecord | TransactionResult)

_SELECT: Final = "SELECT revision, trace FROM database_trace WHERE revision BETWEEN ? AND ?"
_WORDS: Final = ("last_read_revision", "commit_message", "correlation_id", "causation_id")
_AT_ONCE: Final = 64


def as_principal(about: About) -> dict[str, Any]:
    """What a trace keeps as its principal. The state change stands in the trace itself.

    >>> as_principal(About(Origin(Transport.GRPC), commit_message="first"))
    {'transport': 'grpc', 'attributes': {}, 'commit_message': 'first'}
    """
    transport = about.origin.transport
    kept: dict[str, Any] = {
        "transport": None if transport is None else transport.value,
        "attributes": dict(about.principal_attributes),
    }
    words = {name: getattr(about, name) for name in _WORDS}
    return kept | {name: value for name, value in words.items() if value is not None}


def about_of(trace: Trace | None) -> About:
    """The same out of a trace; nothing is known of a transaction without one."""
    if trace is None:
        return About()
    kept: Mapping[str, Any] = trace.principal or {}
    transport = kept.get("transport")
    origin = Origin(
        None if transport is None else Transport(transport), trace.state_change, trace.version
    )
    # What an embedding program has given as its principal is kept whole, in whatever form.
    given = kept.get("attributes", kept)
    attributes = {str(name): str(value) for name, value in given.items()}
    return About(origin, principal_attributes=attributes, **{n: kept.get(n) for n in _WORDS})


def summary(database: Database, record: TransactionRecord | TransactionResult) -> Summary:
    """A transaction, with what is told of it."""
    page: list[TransactionRecord | TransactionResult] = [record]
    return next(logged(database, page))[0]


def committed(database: Database, result: TransactionResult) -> Committed:
    """A transaction with its events, and what is told of it."""
    return Committed(summary(database, result), result.events)


def logged(database: Database, records: Iterable[R]) -> Iterator[tuple[Summary, R]]:
    """Transactions with what is told of them, which is read for many of them at once."""
    remaining = iter(records)
    while page := list(islice(remaining, _AT_ONCE)):
        bounds = (page[0].revision, page[-1].revision)
        with database.store.read() as db:
            rows: list[Any] = db.execute(_SELECT, (min(bounds), max(bounds))).fetchall()
        traces = dict(rows)
        for record in page:
            text = traces.get(record.revision)
            trace = None if text is None else Trace.from_text(text, record.id, record.revision)
            yield told(database.name, record, about_of(trace)), record


def told(name: str, record: TransactionRecord | TransactionResult, about: About) -> Summary:
    """A transaction of that database, of which this is told."""
    return Summary(name, record.id, record.basis, record.revision, record.timestamp, about)
