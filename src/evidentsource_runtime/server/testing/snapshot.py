"""A database of a server at one revision, as tests read it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from evidentsource_core import (
    Event,
    EventSelector,
    QueryDirection,
    QueryOptions,
    QueryRange,
    StateView,
    StateViewName,
)
from evidentsource_core.domain import errors
from evidentsource_core.domain.checks import check_selector, check_view
from evidentsource_core.domain.definitions import ViewParameters, view_parameters
from evidentsource_core.domain.queries import EffectiveTimeRange, RevisionRange, merged_options
from evidentsource_core.reference import recorded_time
from evidentsource_core.times import require_aware
from evidentsource_functions.testing import LevelUnavailable
from evidentsource_runtime.server.protobuf.events import event_from
from evidentsource_runtime.server.protobuf.selectors import parameters_to
from evidentsource_runtime.server.protobuf.transactions import state_from
from evidentsource_runtime.server.protobuf.views import query_to, view_from
from evidentsource_runtime.server.service.values import DatabaseState
from evidentsource_runtime.server.testing.client import Client

__all__ = ["ServerSnapshot"]


@dataclass(frozen=True)
class ServerSnapshot:
    """A database at a revision; it does not change.

    Args:
        client: asks the server.
        state: which database, and which revision of it.
        effective_timestamp: read only what had taken effect by then; None reads everything.
    """

    client: Client
    state: DatabaseState
    effective_timestamp: datetime | None = None

    @classmethod
    def latest(cls, client: Client, name: str) -> ServerSnapshot:
        """A database as it is now."""
        return cls(
            client, state_from(client.ask("FetchLatestDatabase", database_name=name).database)
        )

    @property
    def name(self) -> str:
        """The database's name on the server."""
        return self.state.name

    @property
    def created_at(self) -> datetime:
        """When the database was created."""
        return self.state.created_at

    @property
    def revision(self) -> int:
        """The revision that is read."""
        return self.state.revision

    @property
    def revision_timestamp(self) -> datetime:
        """When that revision was recorded."""
        return self.state.revision_timestamp

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
        wanted = merged_options(options, range=range, direction=direction, limit=limit)
        bound = self.effective_timestamp
        within = wanted.range
        if bound is not None and isinstance(within, RevisionRange):
            # Over gRPC a range alone bounds effective times, and here is another one.
            everything = self._queried(selector, replace(wanted, _limit=None))
            found = [each for each in everything if _took_effect(each) <= bound]
            return found[: wanted.get_limit()]
        if bound is not None and not isinstance(within, RevisionRange):
            within = within or EffectiveTimeRange()
            end = bound if within.end_at is None else min(bound, within.end_at)
            wanted = replace(wanted, range=EffectiveTimeRange(within.start_at, end))
        return self._queried(selector, wanted)

    def _queried(self, selector: EventSelector, options: QueryOptions) -> list[Event]:
        replies = self.client.ask(
            "QueryEvents",
            database_name=self.name,
            revision=self.revision,
            include_event_detail=True,
            query=query_to(check_selector(selector), options),
        )
        return [event_from(reply.detail, "event") for reply in replies]

    def view_state(
        self,
        name: str | StateViewName,
        version: int,
        params: ViewParameters | None = None,
        *,
        parameters: ViewParameters | None = None,
    ) -> StateView | None:
        """A state view; None where there is none, or no event modified it.

        Args:
            name: the view's name.
            version: its version.
            params: its parameters, as a mapping or as pairs.
            parameters: the same, under the name it has in a ``decide``.

        Raises:
            DatabaseAccessError: it cannot be read.
        """
        view, number = check_view(name, version)
        if number == 0:
            return None  # which asks for the latest version, over gRPC
        request: dict[str, Any] = {
            "state_view_identity": {
                "database_name": self.name,
                "state_view_name": str(view),
                "state_view_version": number,
            },
            "database_revision": self.revision,
            "parameters": parameters_to(
                view_parameters(params if parameters is None else parameters)
            ),
        }
        if self.effective_timestamp is not None:
            request["effective_time_end_at"] = self.effective_timestamp
        try:
            found = view_from(self.client.ask("FetchStateViewAtRevision", **request).state_view)
        except errors.StateViewNotFound:
            return None
        except LevelUnavailable:
            raise
        except errors.EvidentSourceError as error:
            raise errors.DatabaseAccessError.state_view_failed(str(error)) from error
        return None if found.last_modified_revision is None else found

    def at_revision(self, revision: int) -> ServerSnapshot:
        """The same at an earlier revision.

        Raises:
            DatabaseAccessError: this one does not reach that revision.
        """
        given: object = revision
        if isinstance(given, bool) or not isinstance(given, int) or given < 0:
            raise errors.DatabaseAccessError.invalid_revision(f"{revision!r} is none")
        if revision > self.revision:
            raise errors.DatabaseAccessError.invalid_revision(
                f"{revision} lies after {self.revision}, which is read here"
            )
        reply = self.client.ask("AwaitDatabase", database_name=self.name, at_revision=revision)
        return replace(self, state=state_from(reply.database))

    def at_effective_timestamp(self, timestamp: datetime) -> ServerSnapshot:
        """The same with only what had taken effect by then."""
        return replace(self, effective_timestamp=require_aware("timestamp", timestamp))


def _took_effect(event: Event) -> datetime:
    moment = event.time or recorded_time(event)
    if moment is None:
        raise errors.InvalidTimestamp(
            "recordedtime", f"is missing in event {event.id} of the server"
        )
    return moment
