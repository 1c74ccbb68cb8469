"""The database at one revision for ``await``, by the protocols of ``evidentsource_core.protocols``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any, Final, Generic, ParamSpec, TypeVar

from anyio import to_thread

from evidentsource_core.domain.definitions import StateViewDefinition, ViewParameters
from evidentsource_core.domain.errors import StateViewNotFound
from evidentsource_core.domain.events import Event, ProspectiveEvent
from evidentsource_core.domain.identifiers import DatabaseName, StateViewName
from evidentsource_core.domain.queries import QueryOptions
from evidentsource_core.domain.selectors import EventSelector
from evidentsource_core.domain.state_view import StateView
from evidentsource_runtime.database.snapshots import Snapshot, SpeculativeSnapshot

__all__ = ["AsyncBoundSnapshot", "AsyncSnapshot", "AsyncSpeculativeSnapshot", "in_thread", "stream"]

PAGE: Final = 256
"""Items that one visit to a worker thread brings."""

T = TypeVar("T")
P = ParamSpec("P")
S = TypeVar("S", Snapshot, SpeculativeSnapshot)


async def in_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Have ``work`` done by a worker thread."""
    return await to_thread.run_sync(partial(work, *args, **kwargs))


async def stream(start: Callable[[], Iterator[T]]) -> AsyncIterator[T]:
    """What an iterator gives, a page at a time."""
    items = await in_thread(start)
    while page := await in_thread(list, islice(items, PAGE)):
        for item in page:
            yield item


class _Readable(Generic[S]):
    """What all of them can do.

    Args:
        snapshot: the database at one revision.
        definition: finds the definition of a view.
    """

    def __init__(
        self, snapshot: S, definition: Callable[[str, int], StateViewDefinition | None]
    ) -> None:
        self._snapshot: S = snapshot
        self._definition = definition

    @property
    def snapshot(self) -> S:
        """The same without ``await``."""
        return self._snapshot

    @property
    def name(self) -> DatabaseName:
        """The database's name."""
        return DatabaseName(self._snapshot.name)

    @property
    def created_at(self) -> datetime:
        """When the database was created."""
        return self._snapshot.created_at

    @property
    def revision(self) -> int:
        """The revision."""
        return self._snapshot.revision

    @property
    def revision_timestamp(self) -> datetime:
        """When that revision was recorded."""
        return self._snapshot.revision_timestamp

    def query_events(self, selector: EventSelector) -> AsyncIterator[Event]:
        """The selected events, oldest first."""
        return stream(partial(self._snapshot.stream_events, selector))

    def query_events_with_options(
        self, selector: EventSelector, options: QueryOptions
    ) -> AsyncIterator[Event]:
        """The selected events, in the direction, range and number asked for."""
        return stream(partial(self._snapshot.stream_events, selector, options))

    async def view_state(self, name: StateViewName | str, version: int) -> StateView:
        """A state view without parameters; without content where no event modified it yet.

        Raises:
            StateViewNotFound: it was never published.
            DatabaseAccessError: its code failed.
        """
        return await self.view_state_with_params(name, version, ())

    async def view_state_with_params(
        self, name: StateViewName | str, version: int, params: ViewParameters
    ) -> StateView:
        """A state view with its parameters bound; without content where no event modified it yet.

        Raises:
            StateViewNotFound: it was never published.
            DatabaseAccessError: the parameters are not those of the view, or its code failed.
        """
        return await in_thread(self._view_state, str(name), version, params)

    def _view_state(self, name: str, version: int, params: ViewParameters) -> StateView:
        definition = self._definition(name, version)
        if definition is None:
            raise StateViewNotFound(name, version)
        found = self._snapshot.view_state(name, version, params)
        if found is not None:
            return found
        return StateView(
            database=self.name,
            name=definition.name,
            version=version,
            content_type=definition.content_type,
            content_schema_url=definition.content_schema,
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._snapshot!r}>"


class _Committed(_Readable[Snapshot]):
    """What can be bound to an effective time, and speculated upon."""

    def at_effective_timestamp(self, effective_timestamp: datetime) -> AsyncBoundSnapshot:
        """Only what had taken effect by then."""
        bound = self._snapshot.at_effective_timestamp(effective_timestamp)
        return AsyncBoundSnapshot(bound, self._definition)

    def speculate_with_transaction(
        self, events: Iterable[ProspectiveEvent]
    ) -> AsyncSpeculativeSnapshot:
        """The database as if ``events`` had been committed."""
        speculated = self._snapshot.speculate_with_transaction(events)
        return AsyncSpeculativeSnapshot(speculated, self._definition)


class AsyncSnapshot(_Committed):
    """A database as of one revision: it never changes."""

    async def at_revision(self, revision: int) -> AsyncSnapshot:
        """The same database as of an earlier revision."""
        return AsyncSnapshot(
            await in_thread(self._snapshot.at_revision, revision), self._definition
        )


class AsyncBoundSnapshot(_Committed):
    """A database as of one revision, with only what had taken effect by a time."""

    @property
    def basis(self) -> AsyncSnapshot:
        """The database without the bound on effective time."""
        return AsyncSnapshot(self._snapshot.unbound(), self._definition)

    @property
    def effective_timestamp(self) -> datetime:
        """The bound, included."""
        bound = self._snapshot.effective_timestamp
        assert bound is not None  # noqa: S101 - it is made with one
        return bound

    async def at_revision(self, revision: int) -> AsyncBoundSnapshot:
        """The same bound as of an earlier revision."""
        return AsyncBoundSnapshot(
            await in_thread(self._snapshot.at_revision, revision), self._definition
        )

    async def at_revision_with_effective_timestamp(self, revision: int) -> AsyncBoundSnapshot:
        """The same as :meth:`at_revision`."""
        return await self.at_revision(revision)


class AsyncSpeculativeSnapshot(_Readable[SpeculativeSnapshot]):
    """A database with events that were never committed."""

    @property
    def basis(self) -> AsyncSnapshot:
        """The database without them."""
        return AsyncSnapshot(self._snapshot.basis, self._definition)

    @property
    def speculated_transactions(self) -> list[list[ProspectiveEvent]]:
        """The events, one list for each call that added some."""
        return self._snapshot.speculated_transactions

    @property
    def speculated_event_count(self) -> int:
        """How many there are."""
        return self._snapshot.speculated_event_count

    async def at_revision(self, revision: int) -> AsyncSnapshot:
        """The database as of an earlier revision, without what was speculated."""
        return await self.basis.at_revision(revision)

    def at_effective_timestamp(self, effective_timestamp: datetime) -> Any:
        """Only what had taken effect by then, speculated events included."""
        bound = self._snapshot.at_effective_timestamp(effective_timestamp)
        return AsyncSpeculativeSnapshot(bound, self._definition)

    def speculate_with_transaction(
        self, events: Iterable[ProspectiveEvent]
    ) -> AsyncSpeculativeSnapshot:
        """The same with further events behind."""
        further = self._snapshot.speculate_with_transaction(events)
        return AsyncSpeculativeSnapshot(further, self._definition)
