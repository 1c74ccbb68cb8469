"""What a component can ask of the database it was given.

The contract's functions, over any object that has the protocol ``DatabaseAccess`` of
:mod:`evidentsource_functions`.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from evidentsource_core.domain.errors import DatabaseAccessError, InvalidType
from evidentsource_core.domain.events import Event, ProspectiveEvent
from evidentsource_core.domain.queries import QueryOptions
from evidentsource_core.domain.selectors import EventAttribute, EventSelector
from evidentsource_core.domain.state_view import RenderedStateView, StateView, StateViewContext
from evidentsource_core.times import EPOCH
from evidentsource_runtime.host.convert.codec import HostFunction

_ALL_FORWARD = QueryOptions()


def _query_events(database: Any, query: tuple[EventSelector, QueryOptions]) -> list[Event]:
    selector, options = query
    # Databases of the published package's form know no options, and mostly none are needed.
    arguments = (selector,) if options == _ALL_FORWARD else (selector, options)
    if len(arguments) > 1 and not _accepts(database.query_events, arguments):
        raise DatabaseAccessError.query_failed(
            f"{type(database).__name__}.query_events takes a selector only, and the component asked "
            "for a range, a direction or a limit; give it a database whose "
            "query_events(selector, options) takes QueryOptions"
        )
    found = database.query_events(*arguments)
    if inspect.isawaitable(found) or hasattr(found, "__aiter__"):
        raise InvalidType(
            "database.query_events(...)",
            "a list of events",
            found,
            "decide needs a database that answers at once, not an asynchronous one",
        )
    return list(found)


def _accepts(function: Any, arguments: tuple[Any, ...]) -> bool:
    try:
        inspect.signature(function).bind(*arguments)
    except TypeError:
        return False
    except ValueError:  # a builtin that does not tell its signature: calling it will show
        return True
    return True


def _view_state(
    database: Any, name: str, version: int, parameters: list[tuple[str, EventAttribute]]
) -> RenderedStateView | None:
    view = database.view_state(name, version, parameters)
    if view is None or isinstance(view, RenderedStateView):
        return view
    if not isinstance(view, StateView):
        raise InvalidType("database.view_state(...)", "a StateView or None", view)
    if view.last_modified_revision is None and view.content is None:
        return None
    context = StateViewContext(
        database=str(view.database),
        name=str(view.name),
        version=view.version,
        database_revision=database.revision,
        database_revision_timestamp=database.revision_timestamp,
        content_type=view.content_type,
        content_schema=view.content_schema_url,
    )
    return RenderedStateView(
        context,
        view.content,
        view.last_modified_revision or 0,
        view.last_modified_timestamp or EPOCH,
    )


def _effective_timestamp(database: Any) -> datetime | None:
    bound: datetime | None = getattr(database, "effective_timestamp", None)
    return bound


def _speculate(database: Any, events: list[ProspectiveEvent]) -> Any:
    return database.speculate_with_transaction(events)


_SHARED: Mapping[str, HostFunction] = {
    "at-effective-timestamp": lambda database, time: database.at_effective_timestamp(time),
    "speculate-with-batch": _speculate,
    "query-events": _query_events,
    "view-state": _view_state,
    "name": lambda database: str(database.name),
    "created-at": lambda database: database.created_at,
    "revision": lambda database: database.revision,
    "revision-timestamp": lambda database: database.revision_timestamp,
    "effective-timestamp": _effective_timestamp,
}

FUNCTIONS: Mapping[str, HostFunction] = {
    **{f"database.{name}": function for name, function in _SHARED.items()},
    **{f"speculative-database.{name}": function for name, function in _SHARED.items()},
    "database.at-revision": lambda database, revision: database.at_revision(revision),
    "speculative-database.basis": lambda database: database.basis,
    "speculative-database.speculated-event-count": (
        lambda database: database.speculated_event_count
    ),
}
"""Every function of the contract, by ``resource.function``."""
