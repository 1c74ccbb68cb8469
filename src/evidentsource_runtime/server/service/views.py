"""State views and state changes: which there are, and what views have come to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from evidentsource_core.domain.attributes import EventAttribute
from evidentsource_core.domain.definitions import (
    AttributeKind,
    StateChangeDefinition,
    StateViewDefinition,
)
from evidentsource_core.domain.errors import StateChangeNotFound, StateViewNotFound
from evidentsource_core.domain.identifiers import (
    DatabaseName,
    StateChangeName,
    StateViewName,
)
from evidentsource_core.domain.state_view import StateView
from evidentsource_runtime.database import Database, Origin, PublishedChange, PublishedView
from evidentsource_runtime.server.access.principals import Principal, Role
from evidentsource_runtime.server.service.databases import DatabaseCalls
from evidentsource_runtime.server.service.hosted import HostedDatabases
from evidentsource_runtime.server.service.workers import Workers

__all__ = ["ViewCalls"]


class ViewCalls:
    """What can be asked of what is published, and publishing itself.

    Args:
        databases: opens what may be read.
        hosted: the databases.
        workers: where blocking work is done.
    """

    def __init__(self, databases: DatabaseCalls, hosted: HostedDatabases, workers: Workers) -> None:
        self._databases = databases
        self._hosted = hosted
        self._workers = workers

    async def state_views(self, caller: Principal, name: str) -> list[PublishedView]:
        """Every version of every state view, by name. All of them are active."""
        hosted = await self._databases.readable(caller, name)
        return await self._workers.run(hosted.database.state_views)

    async def state_changes(self, caller: Principal, name: str) -> list[PublishedChange]:
        """Every version of every state change, by name."""
        hosted = await self._databases.readable(caller, name)
        return await self._workers.run(hosted.database.state_changes)

    async def view(
        self,
        caller: Principal,
        name: str,
        view: str,
        version: int | None = None,
        parameters: Mapping[str, EventAttribute] | None = None,
        *,
        revision: int | None = None,
        effective_at: datetime | None = None,
    ) -> StateView:
        """A state view; one without content where no event ever modified it.

        Args:
            caller: who asks.
            name: the database.
            view: the name of the view.
            version: its version; None for the latest.
            parameters: a value for each of its parameters.
            revision: the revision to read it at, 0 for the empty database; None for the latest.
            effective_at: with only what had taken effect by then.

        Raises:
            StateViewNotFound: there is no such view, or no such version of it.
            ParameterError: the parameters are not those of the view.
            DatabaseAccessError: its code failed, or the database does not reach that revision.
        """
        hosted = await self._databases.readable(caller, name)
        wanted = (StateViewName(view).value, version, dict(parameters or {}))
        return await self._workers.compute(
            _rendered, hosted.database, *wanted, revision, effective_at
        )

    async def parameters(
        self, caller: Principal, name: str, view: str, version: int | None = None
    ) -> dict[str, AttributeKind]:
        """The parameters of a state view, each with what it stands for.

        Raises:
            StateViewNotFound: there is no such view, or no such version of it.
        """
        hosted = await self._databases.readable(caller, name)
        wanted = StateViewName(view).value
        found = await self._workers.run(find_view, hosted.database, wanted, version)
        return found.selector.parameters

    async def code_of_view(self, name: str, view: str, version: int | None) -> Origin | None:
        """Which code a state view is folded by; None where it is gone."""
        hosted = await self._hosted.get(name)
        return await self._workers.run(hosted.database.code_of_state_view, view, version)

    async def code_of_change(self, name: str, change: str, version: int | None) -> Origin | None:
        """Which code a state change is decided by; None where it is gone."""
        hosted = await self._hosted.get(name)
        return await self._workers.run(hosted.database.code_of_state_change, change, version)

    async def publish_state_view(
        self, caller: Principal, name: str, definition: StateViewDefinition, code: Any
    ) -> StateViewDefinition:
        """Make a component the next version of a state view; the definition with that version.

        Raises:
            ComponentLoadError: it is no component that runs here; nothing was published.
            UnusableCode: it is no state view.
        """
        caller.require(Role.PUBLISHER, name, f"publish into database {name!r}")
        hosted = await self._hosted.get(name)
        return await self._workers.compute(hosted.database.publish_state_view, definition, code)

    async def publish_state_change(
        self, caller: Principal, name: str, definition: StateChangeDefinition, code: Any
    ) -> StateChangeDefinition:
        """Make a component the next version of a state change; the definition with that version.

        Raises:
            ComponentLoadError: it is no component that runs here; nothing was published.
            UnusableCode: it is no state change.
        """
        caller.require(Role.PUBLISHER, name, f"publish into database {name!r}")
        hosted = await self._hosted.get(name)
        return await self._workers.compute(hosted.database.publish_state_change, definition, code)


def _rendered(
    database: Database,
    name: str,
    version: int | None,
    parameters: dict[str, EventAttribute],
    revision: int | None,
    effective_at: datetime | None,
) -> StateView:
    snapshot = database.latest() if revision is None else database.at_revision(revision)
    if effective_at is not None:
        snapshot = snapshot.at_effective_timestamp(effective_at)
    definition = find_view(database, name, version)
    selector = definition.selector.bind(parameters)
    found = snapshot.view_state(name, definition.version, parameters)
    return found or StateView(
        DatabaseName(database.name),
        definition.name,
        definition.version,
        selector,
        content_type=definition.content_type,
        content_schema_url=definition.content_schema,
    )


def find_view(database: Database, name: str, version: int | None) -> StateViewDefinition:
    """A published view; the latest version for None.

    Raises:
        StateViewNotFound: it was never published.
    """
    found = [
        each.definition for each in database.state_views() if str(each.definition.name) == name
    ]
    for definition in reversed(found):
        if version in {None, definition.version}:
            return definition
    raise StateViewNotFound(name, version or 0)


def find_change(database: Database, name: str, version: int | None) -> StateChangeDefinition:
    """A published state change; the latest version for None.

    Raises:
        StateChangeNotFound: it was never published.
    """
    wanted = StateChangeName(name).value
    found = [each.definition for each in database.state_changes()]
    for definition in reversed(found):
        if str(definition.name) == wanted and version in {None, definition.version}:
            return definition
    raise StateChangeNotFound(name, version or 0)
