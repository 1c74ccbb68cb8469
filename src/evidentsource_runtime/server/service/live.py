"""What is live: what there is first, and then whatever comes, until the client goes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from evidentsource_core.domain.attributes import EventAttribute
from evidentsource_core.domain.events import Event
from evidentsource_core.domain.queries import QueryOptions, RevisionRange
from evidentsource_core.domain.revision import check_revision
from evidentsource_core.domain.selectors import EventSelector
from evidentsource_core.domain.state_view import StateView
from evidentsource_runtime.server.access.principals import Principal
from evidentsource_runtime.server.service.databases import DatabaseCalls
from evidentsource_runtime.server.service.events import EventCalls
from evidentsource_runtime.server.service.hosted import states_after
from evidentsource_runtime.server.service.values import DatabaseState
from evidentsource_runtime.server.service.views import ViewCalls, find_view
from evidentsource_runtime.server.service.workers import Workers

__all__ = ["LiveCalls", "LiveView"]


@dataclass(frozen=True, slots=True)
class LiveView:
    """A state view as it was at a revision of the database.

    Args:
        revision: the revision it was read at; whoever goes on later begins behind it.
        view: the view.
    """

    revision: int
    view: StateView


class LiveCalls:
    """Streams that do not end by themselves.

    A slow reader costs nothing: what it missed is read when it asks, and of a view it gets the latest.

    Args:
        databases: opens what may be read.
        events: reads events.
        views: reads views.
        workers: where blocking work is done.
    """

    def __init__(
        self, databases: DatabaseCalls, events: EventCalls, views: ViewCalls, workers: Workers
    ) -> None:
        self._databases = databases
        self._events = events
        self._views = views
        self._workers = workers

    async def updates(
        self, caller: Principal, name: str, after: int | None = None
    ) -> AsyncIterator[DatabaseState]:
        """A database as it is now, and then after each transaction.

        Args:
            caller: who asks.
            name: the database.
            after: the revision that the caller has seen; only what comes behind it is given.
        """
        if after is None:
            async for state in self._databases.updates(caller, name):
                yield state
            return
        hosted = await self._databases.readable(caller, name)
        async for state in states_after(hosted, self._workers, check_revision(after, "after")):
            yield state

    async def events(
        self, caller: Principal, name: str, selector: EventSelector, after: int | None = 0
    ) -> AsyncIterator[Event]:
        """The selected events behind a revision, and then each new one; none missed, none twice.

        Args:
            caller: who asks.
            name: the database.
            selector: which events.
            after: 0 for all there are, None for those that are committed from now on.
        """
        hosted = await self._databases.readable(caller, name)
        at = hosted.pulse.head.revision if after is None else check_revision(after, "after")
        while True:
            head = await hosted.pulse.after(at)
            options = QueryOptions(range=RevisionRange(at + 1))
            async for event in self._events.query(
                caller, name, selector, options, revision=head.revision
            ):
                yield event
            at = head.revision

    async def view(
        self,
        caller: Principal,
        name: str,
        view: str,
        version: int | None = None,
        parameters: Mapping[str, EventAttribute] | None = None,
        *,
        effective_at: datetime | None = None,
        after: int | None = None,
    ) -> AsyncIterator[LiveView]:
        """A state view as it is now, and again whenever an event of it was committed.

        Args:
            caller: who asks.
            name: the database.
            view: the name of the view.
            version: its version; None for the latest.
            parameters: a value for each of its parameters.
            effective_at: with only what had taken effect by then.
            after: the revision that the caller has seen it at; None for none.

        Raises:
            StateViewNotFound, ParameterError, DatabaseAccessError: as for reading it once.
        """
        hosted = await self._databases.readable(caller, name)
        at = hosted.pulse.head.revision
        found = await self._views.view(
            caller, name, view, version, parameters, revision=at, effective_at=effective_at
        )
        version = found.version

        def highest(revision: int) -> int:
            """The revision of the last event in the view."""
            definition = find_view(hosted.database, view, version)
            selector = definition.selector.bind(dict(parameters or {}))
            return hosted.store.highest(selector, revision=revision)

        if after is None or await self._workers.run(highest, at) > after:
            yield LiveView(at, found)
        while True:
            head = await hosted.pulse.after(at)
            if await self._workers.run(highest, head.revision) > at:
                found = await self._views.view(
                    caller,
                    name,
                    view,
                    version,
                    parameters,
                    revision=head.revision,
                    effective_at=effective_at,
                )
                yield LiveView(head.revision, found)
            at = head.revision
