"""State views and queries."""

from __future__ import annotations

from datetime import datetime

from evidentsource_core.domain.errors import StateViewServerError
from evidentsource_core.domain.identifiers import DatabaseName, StateViewName
from evidentsource_core.domain.queries import (
    EffectiveTimeRange,
    QueryDirection,
    QueryOptions,
    QueryRange,
    RangeCursor,
    RevisionRange,
)
from evidentsource_core.domain.selectors import EventSelector
from evidentsource_core.domain.state_view import StateView
from evidentsource_runtime.server.protobuf.generated import domain_pb2 as pb
from evidentsource_runtime.server.protobuf.moments import moment_from, put_moment
from evidentsource_runtime.server.protobuf.selectors import selector_from, selector_to
from evidentsource_runtime.server.service.errors import InvalidRequest, reading

__all__ = ["query_from", "query_to", "view_from", "view_to"]


def query_from(message: pb.DatabaseQuery, field: str) -> tuple[EventSelector, QueryOptions]:
    """Which events are asked for, and how they are to come.

    Raises:
        InvalidRequest: the selector is missing or means nothing, a time is none, or the direction
            is one that this server does not know.
    """
    if not message.HasField("selector"):
        raise InvalidRequest(f"{field}.selector", "is missing; say which events to select")
    selector = selector_from(message.selector, f"{field}.selector")
    if message.direction not in (pb.FORWARD, pb.REVERSE):
        reason = f"{message.direction} is neither FORWARD (0) nor REVERSE (1)"
        raise InvalidRequest(f"{field}.direction", reason)
    reverse = message.direction == pb.REVERSE
    direction = QueryDirection.REVERSE if reverse else QueryDirection.FORWARD
    limit = message.limit if message.HasField("limit") else None
    return selector, QueryOptions(direction, limit, _range_from(message.range, f"{field}.range"))


def query_to(selector: EventSelector, options: QueryOptions) -> pb.DatabaseQuery:
    """The message of a query."""
    reverse = options.get_direction() is QueryDirection.REVERSE
    message = pb.DatabaseQuery(
        selector=selector_to(selector),
        direction=pb.REVERSE if reverse else pb.FORWARD,
        limit=options.get_limit(),
    )
    wanted = options.range
    if isinstance(wanted, RevisionRange):
        message.range.revision.SetInParent()
        if wanted.start_at is not None:
            message.range.revision.start_at = wanted.start_at
    elif wanted is not None:
        bounds = message.range.effective_time
        bounds.SetInParent()
        if wanted.start_at is not None:
            bounds.start_at.revision = wanted.start_at.revision
            put_moment(bounds.start_at.timestamp, wanted.start_at.timestamp)
        if wanted.end_at is not None:
            put_moment(bounds.end_at, wanted.end_at)
    return message


def _range_from(message: pb.QueryRange, field: str) -> QueryRange | None:
    kind = message.WhichOneof("range")
    if kind is None:
        return None
    if kind == "revision":
        part = message.revision
        return RevisionRange(part.start_at if part.HasField("start_at") else None)
    here = f"{field}.effective_time"
    bounds = message.effective_time
    start: RangeCursor | None = None
    if bounds.HasField("start_at"):
        if not bounds.start_at.HasField("timestamp"):
            raise InvalidRequest(f"{here}.start_at.timestamp", "is missing")
        at = moment_from(bounds.start_at.timestamp, f"{here}.start_at.timestamp")
        start = RangeCursor(at, bounds.start_at.revision)
    end: datetime | None = None
    if bounds.HasField("end_at"):
        end = moment_from(bounds.end_at, f"{here}.end_at")
    return EffectiveTimeRange(start, end)


def view_to(view: StateView) -> pb.StateView:
    """The message of a state view."""
    if view.event_selector is None:
        raise StateViewServerError(f"{view.name}.v{view.version} came without its selector")
    identity = pb.StateViewIdentity(
        database_name=str(view.database),
        state_view_name=str(view.name),
        state_view_version=view.version,
    )
    message = pb.StateView(
        identity=identity,
        event_selector=selector_to(view.event_selector),
        last_modified_revision=view.last_modified_revision or 0,
        content_type=view.content_type,
        content_schema_url=view.content_schema_url,
    )
    if view.last_modified_timestamp is not None:
        put_moment(message.last_modified, view.last_modified_timestamp)
    if view.content is not None:
        message.data = view.content
    return message


def view_from(message: pb.StateView, field: str = "state_view") -> StateView:
    """A state view, as a client reads it."""
    at = message.last_modified if message.HasField("last_modified") else None
    identity = message.identity
    with reading(f"{field}.identity"):
        database = DatabaseName(identity.database_name)
        name = StateViewName(identity.state_view_name)
    return StateView(
        database,
        name,
        identity.state_view_version,
        selector_from(message.event_selector, f"{field}.event_selector"),
        message.last_modified_revision or None,
        None if at is None else moment_from(at, f"{field}.last_modified"),
        message.content_type,
        message.content_schema_url if message.HasField("content_schema_url") else None,
        message.data if message.WhichOneof("content") == "data" else None,
    )
