"""A database in a file, asked by the commands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from functools import reduce
from itertools import islice
from pathlib import Path
from typing import Any, Final

import evidentsource_runtime
from evidentsource_core import CommandRequest, Selector
from evidentsource_core.domain.attributes import (
    EventAttribute,
    EventTypeAttribute,
    StreamAttribute,
    SubjectAttribute,
)
from evidentsource_core.domain.errors import StateViewNotFound
from evidentsource_core.domain.events import Event
from evidentsource_core.domain.identifiers import EventSubject, EventType, StreamName
from evidentsource_core.domain.queries import QueryOptions, RevisionRange
from evidentsource_core.domain.selectors import EventSelector
from evidentsource_core.rules import TransactionResult
from evidentsource_core.times import format_rfc3339
from evidentsource_runtime.cli.asked import Asked, Filter, Json, Rendered
from evidentsource_runtime.cloudevents import event_json
from evidentsource_runtime.problems import Problem, ProblemError

__all__ = ["AskedFile"]

_ATTRIBUTES: Final[dict[str, Any]] = {
    "stream": lambda text: StreamAttribute(StreamName(text)),
    "subject": lambda text: SubjectAttribute(EventSubject(text)),
    "event_type": lambda text: EventTypeAttribute(EventType(text)),
}


class AskedFile(Asked):
    """A database in a file of this machine.

    Args:
        path: the file.
        writes: whether it will be written, which one process can at a time.

    Raises:
        StoreError: it cannot be opened.
    """

    def __init__(self, path: Path, *, writes: bool) -> None:
        mode: Any = "write" if writes else "read"
        self._database = evidentsource_runtime.open(path, mode=mode, create=False)

    def execute(
        self,
        name: str,
        version: int | None,
        body: bytes,
        content_type: str,
        last_seen_revision: int | None,
        transaction_id: str | None,
    ) -> Json:
        """Execute a state change; what it led to."""
        result = self._database.execute(
            name,
            version,
            CommandRequest((), body, content_type),
            last_seen_revision=last_seen_revision,
            transaction_id=transaction_id,
        )
        if result.transaction is not None:
            return self._summary(result.transaction)
        return {"id": "", "database": self._database.name, "revision": result.revision,
                "basis": result.revision, "event_count": 0}  # fmt: skip

    def view(
        self,
        name: str,
        version: int | None,
        parameters: Mapping[str, str],
        revision: int | None,
        effective_at: datetime | None,
    ) -> Rendered:
        """Read a state view."""
        db = self._database
        found = [each.definition for each in db.state_views() if str(each.definition.name) == name]
        definition = next((d for d in reversed(found) if version in {None, d.version}), None)
        if definition is None:
            raise StateViewNotFound(name, version or 0)
        bound = _bound(parameters, definition.selector.parameters)
        snapshot = db.latest() if revision is None else db.at_revision(revision)
        if effective_at is not None:
            snapshot = snapshot.at_effective_timestamp(effective_at)
        view = snapshot.view_state(name, definition.version, bound)
        if view is None:
            return Rendered(definition.version, None, definition.content_type, None)
        return Rendered(view.version, view.content, view.content_type, view.last_modified_revision)

    def events(self, wanted: Filter) -> Iterator[Json]:
        """Events, as CloudEvents."""
        selector = _selector(wanted)
        if selector is None:
            found = self._unselected(wanted)
            yield from map(event_json, islice(found, wanted.limit))
            return
        options = QueryOptions(limit=wanted.limit, range=RevisionRange(wanted.start_at))
        options = options.reverse() if wanted.reverse else options
        yield from map(event_json, self._database.latest().query_events(selector, options))

    def _unselected(self, wanted: Filter) -> Iterator[Event]:
        for each in self._database.log(wanted.start_at, reverse=wanted.reverse):
            events = reversed(each.events) if wanted.reverse else each.events
            yield from (event for event in events if (event.revision() or 0) >= wanted.start_at)

    def follow(self, wanted: Filter) -> Iterator[Json]:
        """Events, and then each new one."""
        selector = _selector(wanted)
        with self._database.follow(max(0, wanted.start_at - 1)) as follower:
            for transaction in follower:
                for event in transaction.events:
                    if (event.revision() or 0) < wanted.start_at:
                        continue
                    if selector is None or selector.matches(event):
                        yield event_json(event)

    def log(self, start_at: int, limit: int | None) -> Iterator[Json]:
        """Transactions, oldest first."""
        yield from map(self._summary, islice(self._database.log(start_at), limit))

    def trace(self, transaction_id: str) -> Json:
        """Why a transaction was committed."""
        found = self._database.trace(transaction_id)
        if found is None:
            message = f"database {self._database.name!r} has no transaction {transaction_id!r}"
            raise ProblemError(Problem("transaction-not-found", message))
        return found.to_json()

    def _summary(self, result: TransactionResult) -> Json:
        return {
            "id": result.id,
            "database": self._database.name,
            "basis": result.basis,
            "revision": result.revision,
            "event_count": result.revision - result.basis,
            "timestamp": format_rfc3339(result.timestamp),
        }

    def close(self) -> None:
        """Close the file."""
        with suppress(KeyboardInterrupt):
            self._database.close()


def _selector(wanted: Filter) -> EventSelector | None:
    parts: list[EventSelector] = []
    if wanted.stream is not None:
        parts.append(Selector.stream(wanted.stream))
    if wanted.subject is not None:
        parts.append(Selector.subject(wanted.subject))
    if wanted.type is not None:
        parts.append(Selector.event_type(wanted.type))
    return reduce(lambda left, right: left & right, parts) if parts else None


def _bound(given: Mapping[str, str], kinds: Mapping[str, str]) -> dict[str, EventAttribute]:
    for name in given:
        if name not in kinds:
            known = ", ".join(kinds) or "none"
            message = f"the view has no parameter {name!r}; its parameters are: {known}"
            raise ProblemError(Problem("parameter-error", message))
    return {name: _ATTRIBUTES[kinds[name]](value) for name, value in given.items()}
