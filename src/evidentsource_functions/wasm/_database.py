"""The database that a ``decide`` is given inside a component: the host's handles as domain objects.

A handle is given back to the host as soon as nobody holds its object any more, and all of them when
the decision ends: a contract that lends the database traps where one is kept.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Self

from evidentsource_core.domain.checks import check_earlier, check_events, check_view
from evidentsource_core.domain.definitions import ViewParameters, view_parameters
from evidentsource_core.domain.errors import DatabaseAccessError
from evidentsource_core.domain.events import Event, ProspectiveEvent
from evidentsource_core.domain.identifiers import DatabaseName, StateViewName
from evidentsource_core.domain.queries import (
    EffectiveTimeRange,
    QueryDirection,
    QueryOptions,
    QueryRange,
    RangeCursor,
    merged_options,
)
from evidentsource_core.domain.revision import check_revision
from evidentsource_core.domain.selectors import EventSelector
from evidentsource_core.domain.state_view import StateView
from evidentsource_functions._lift import lift_datetime, lift_stored_events
from evidentsource_functions._lower import Lowering
from evidentsource_functions.wasm import _bindings


class _Handle:
    """One of the host's resources, and every further one that came from it."""

    def __init__(self, raw: Any, lowering: Lowering) -> None:
        self._raw = raw
        self._lowering = lowering
        self._known: dict[str, Any] = {}
        self._derived: weakref.WeakSet[_Handle] = weakref.WeakSet()

    def close(self) -> None:
        """Give the handle back, and those that came from it. A second time does nothing."""
        raw = self.release()
        if raw is not None:
            raw.__exit__(None, None, None)

    def release(self) -> Any:
        """Give back those that came from this handle; the handle itself, if it is still held."""
        for derived in list(self._derived):
            derived.close()
        raw, self._raw = self._raw, None
        return raw

    def __del__(self) -> None:
        self.close()

    def _resource(self) -> Any:
        if self._raw is None:
            raise DatabaseAccessError.query_failed(
                "the database was used after decide had returned; read what you need inside of it"
            )
        return self._raw

    def _constant(self, name: str) -> Any:
        # A handle looks at one revision for ever, and a call to the host costs.
        if name not in self._known:
            self._known[name] = getattr(self._resource(), name)()
        return self._known[name]

    def _derive(self, kind: type[Any], raw: Any) -> Any:
        derived = kind(raw, self._lowering)
        self._derived.add(derived)
        return derived

    @property
    def name(self) -> str:
        """The database's name."""
        name: str = self._constant("name")
        return name

    @property
    def created_at(self) -> datetime:
        """When the database was created."""
        return lift_datetime(self._constant("created_at"))

    @property
    def revision(self) -> int:
        """The revision that is looked at."""
        revision: int = self._constant("revision")
        return revision

    @property
    def revision_timestamp(self) -> datetime:
        """When that revision was recorded."""
        return lift_datetime(self._constant("revision_timestamp"))

    @property
    def effective_timestamp(self) -> datetime | None:
        """Only what took effect by then is seen; None for everything."""
        moment = self._constant("effective_timestamp")
        return None if moment is None else lift_datetime(moment)

    def at_effective_timestamp(self, timestamp: datetime) -> Self:
        """Only what took effect by ``timestamp``."""
        moment = self._lowering.datetime(timestamp, "timestamp")
        derived: Self = self._derive(type(self), self._resource().at_effective_timestamp(moment))
        return derived

    def speculate_with_transaction(
        self, events: Iterable[ProspectiveEvent]
    ) -> GuestSpeculativeDatabase:
        """The database as if ``events`` had been committed."""
        batch = check_events(events)
        lowered = [self._lowering.prospective(event) for event in batch]
        derived: GuestSpeculativeDatabase = self._derive(
            GuestSpeculativeDatabase, self._resource().speculate_with_batch(lowered)
        )
        return derived

    def query_events(
        self,
        selector: EventSelector,
        options: QueryOptions | None = None,
        *,
        range: QueryRange | None = None,  # noqa: A002 - the contract's word
        direction: QueryDirection | None = None,
        limit: int | None = None,
    ) -> list[Event]:
        """The selected events."""
        query = self._query(selector, merged_options(options, range, direction, limit))
        try:
            cloudevents = self._resource().query_events(query)
        except _bindings.Err as error:
            raise DatabaseAccessError.query_failed(str(error.value)) from None
        return lift_stored_events(cloudevents)

    def query_events_with_options(
        self, selector: EventSelector, options: QueryOptions
    ) -> list[Event]:
        """The selected events, in the direction, range and number asked for."""
        return self.query_events(selector, options)

    def view_state(
        self, name: str, version: int, parameters: ViewParameters | None = None
    ) -> StateView | None:
        """A state view's content; None where there is no such view or nothing touched it yet."""
        view, number = check_view(name, version)
        pairs = [
            (key, self._lowering.event_attribute(value))
            for key, value in view_parameters(parameters)
        ]
        try:
            rendered = self._resource().view_state(view, check_revision(number, "version"), pairs)
        except _bindings.Err as error:
            raise DatabaseAccessError.state_view_failed(str(error.value)) from None
        return None if rendered is None else _state_view(rendered)

    def _query(self, selector: EventSelector, options: QueryOptions) -> Any:
        changes = _bindings.changes
        reverse = options.direction is QueryDirection.REVERSE
        return changes.DatabaseQuery(
            self._lowering.selector(selector),
            None if options.range is None else self._range(options.range),
            changes.QueryDirection.REVERSE if reverse else changes.QueryDirection.FORWARD,
            options.get_limit(),
        )

    def _range(self, wanted: QueryRange) -> Any:
        changes = _bindings.changes
        if not isinstance(wanted, EffectiveTimeRange):
            return changes.QueryRange_Revision(changes.RevisionRange(wanted.start_at))
        return changes.QueryRange_EffectiveTime(
            changes.EffectiveTimeRange(
                None if wanted.start_at is None else self._cursor(wanted.start_at),
                None if wanted.end_at is None else self._lowering.datetime(wanted.end_at),
            )
        )

    def _cursor(self, cursor: RangeCursor) -> Any:
        moment = self._lowering.datetime(cursor.timestamp)
        return _bindings.changes.RangeCursor(moment, cursor.revision)


class GuestDatabase(_Handle):
    """The database at one revision."""

    @classmethod
    @contextmanager
    def lent(cls, raw: Any, lowering: Lowering) -> Iterator[GuestDatabase]:
        """The database of a decision, which the host may have given or only lent.

        The component's runtime ends a loan itself when the call returns, and a handle that was given
        goes with its object. So it is only forgotten here, and not given back.
        """
        database = cls(raw, lowering)
        try:
            yield database
        finally:
            database.release()

    def at_revision(self, revision: int) -> GuestDatabase:
        """The same database as of an earlier revision."""
        check_earlier(revision, self.revision)
        try:
            raw = self._resource().at_revision(revision)
        except _bindings.Err as error:
            raise DatabaseAccessError.invalid_revision(str(error.value)) from None
        derived: GuestDatabase = self._derive(GuestDatabase, raw)
        return derived


class GuestSpeculativeDatabase(_Handle):
    """The database as if some events had been committed."""

    @property
    def basis(self) -> GuestDatabase:
        """The database without the speculated events."""
        derived: GuestDatabase = self._derive(GuestDatabase, self._resource().basis())
        return derived

    @property
    def speculated_event_count(self) -> int:
        """How many events were speculated."""
        count: int = self._constant("speculated_event_count")
        return count


def _state_view(rendered: Any) -> StateView:
    context = rendered.context
    return StateView(
        database=DatabaseName(context.database),
        name=StateViewName(context.name),
        version=context.version,
        last_modified_revision=rendered.last_modified_revision or None,
        last_modified_timestamp=lift_datetime(rendered.last_modified_timestamp),
        content_type=context.content_type or "application/json",
        content_schema_url=context.content_schema,
        content=rendered.content,
    )
