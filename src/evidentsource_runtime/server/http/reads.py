"""Events and transactions, read."""

from __future__ import annotations

import string
from collections.abc import AsyncIterator, Callable
from functools import reduce
from itertools import islice
from typing import Any, Final

from starlette.responses import Response

from evidentsource_core.domain.queries import (
    EffectiveTimeRange,
    QueryDirection,
    QueryOptions,
    QueryRange,
    RangeCursor,
    RevisionRange,
)
from evidentsource_core.domain.selectors import EventSelector, Selector
from evidentsource_core.times import parse_rfc3339
from evidentsource_runtime.cloudevents import BATCH, STRUCTURED, event_json
from evidentsource_runtime.server.http.answers import JSON, as_json, unchanged
from evidentsource_runtime.server.http.asking import Ask, checked_object, whole_number
from evidentsource_runtime.server.http.binary import event_response
from evidentsource_runtime.server.http.streaming import EVENT_STREAM, listed, live
from evidentsource_runtime.server.http.values import (
    committed_json,
    etag,
    selector_from,
    summary_json,
)
from evidentsource_runtime.server.service import InvalidRequest
from evidentsource_runtime.server.service.errors import reading
from evidentsource_runtime.store import Index

__all__ = ["by_id", "by_revisions", "events", "keys", "log", "query", "trace", "transaction"]

_LEAVES: Final[dict[str, Callable[[str], EventSelector]]] = {
    "stream": Selector.stream,
    "subject": Selector.subject,
    "type": Selector.event_type,
    "stream_starts_with": Selector.stream_starts_with,
    "subject_starts_with": Selector.subject_starts_with,
    "type_starts_with": Selector.event_type_starts_with,
}
FILTERS: Final = (*_LEAVES, "no_subject")
_INDEXES: Final = {
    "streams": Index.STREAM,
    "subjects": Index.SUBJECT,
    "event-types": Index.EVENT_TYPE,
}


def _any_event() -> EventSelector:
    """Selects everything: the name of a stream begins with a letter."""
    leaves: list[EventSelector] = [
        Selector.stream_starts_with(letter) for letter in string.ascii_letters
    ]
    while len(leaves) > 1:
        pairs = iter(leaves)
        leaves = [reduce(lambda a, b: a | b, islice(pairs, n)) for n in _twos(len(leaves))]
    return leaves[0]


def _twos(count: int) -> list[int]:
    return [2] * (count // 2) + [1] * (count % 2)


EVERY_EVENT: Final = _any_event()


def filtered(ask: Ask) -> EventSelector:
    """The selector of the query string; every event where it names none."""
    parts: list[EventSelector] = []
    for name, make in _LEAVES.items():
        text = ask.text(name)
        if text is not None:
            with reading(name):
                parts.append(make(text))
    if ask.flag("no_subject"):
        parts.append(Selector.no_subject())
    return reduce(lambda left, right: left & right, parts) if parts else EVERY_EVENT


async def events(ask: Ask) -> Response:
    """The events of the query string's selector, once or as they come."""
    selector = filtered(ask)
    if ask.accepts(EVENT_STREAM):
        return await _followed(ask, selector)
    reverse = ask.one_of("direction", "forward", "reverse") == "reverse"
    options = QueryOptions(
        QueryDirection.REVERSE if reverse else QueryDirection.FORWARD,
        ask.whole("limit", most=2**32 - 1),
        RevisionRange(ask.whole("start_at")),
    )
    return await _selected(ask, selector, options)


async def query(ask: Ask) -> Response:
    """The events of any selector, in any range."""
    given = await ask.object("selector", "direction", "limit", "range")
    selector = selector_from(given.get("selector"), "body.selector")
    direction = given.get("direction", "forward")
    if direction not in {"forward", "reverse"}:
        raise InvalidRequest("body.direction", f"must be forward or reverse, got {direction!r}")
    with reading("body"):
        options = QueryOptions(
            QueryDirection[direction.upper()], given.get("limit"), _range(given.get("range"))
        )
    return await _selected(ask, selector, options)


def _range(value: Any) -> QueryRange | None:
    if value is None:
        return None
    field = "body.range"
    given = checked_object(value, field, ("revision", "effective_time"))
    if len(given) != 1:
        raise InvalidRequest(field, 'has one member, "revision" or "effective_time"')
    if "revision" in given:
        part = checked_object(given["revision"], f"{field}.revision", ("start_at",))
        return RevisionRange(part.get("start_at"))
    here = f"{field}.effective_time"
    bounds = checked_object(given["effective_time"], here, ("start_at", "end_at"))
    start = None
    if bounds.get("start_at") is not None:
        cursor = checked_object(bounds["start_at"], f"{here}.start_at", ("timestamp", "revision"))
        at = parse_rfc3339(cursor.get("timestamp", ""), f"{here}.start_at.timestamp")
        start = RangeCursor(at, cursor.get("revision", 0))
    end = bounds.get("end_at")
    return EffectiveTimeRange(start, None if end is None else parse_rfc3339(end, f"{here}.end_at"))


async def _selected(ask: Ask, selector: EventSelector, options: QueryOptions) -> Response:
    effective = ask.moment("effective_at")
    hosted = await ask.service.databases.readable(ask.caller, ask.database)
    revision = ask.revision()
    # A name for "latest" at once, so that the tag and the events are of the same revision.
    at = hosted.pulse.head.revision if revision is None else revision
    tag = etag(ask.database, hosted.store.created_at, at)
    if ask.request.method == "GET" and (known := unchanged(ask, tag)):
        return known
    found = ask.service.events.query(
        ask.caller, ask.database, selector, options, revision=at, effective_at=effective
    )
    headers = {"etag": tag, "cache-control": "no-cache", "x-evidentsource-revision": str(at)}
    return await listed(ask, found, BATCH, headers, event_json)


async def _followed(ask: Ask, selector: EventSelector) -> Response:
    """Live events: those behind ``Last-Event-ID``, from ``start_at`` on, or all that there are."""
    for name in ("limit", "direction", "effective_at"):
        if ask.text(name) is not None:
            raise InvalidRequest(name, "means nothing for events as they come")
    await ask.service.databases.readable(ask.caller, ask.database)
    after: int | None = ask.last_event()
    if after is None:
        new = ask.text("start_at") == "now"
        after = None if new else max(0, (ask.whole("start_at") or 0) - 1)
    found = ask.service.live.events(ask.caller, ask.database, selector, after)
    return await live(ask, found, "event", lambda event: (event.revision() or 0, event_json(event)))


async def by_id(ask: Ask) -> Response:
    """The event of an id: structured, or binary where ``mode=binary`` asks for that."""
    binary = ask.one_of("mode", "structured", "binary") == "binary"
    event = await ask.service.events.by_id(
        ask.caller,
        ask.database,
        ask.path("stream"),
        ask.path("event_id"),
        revision=ask.revision(),
    )
    if binary:
        return event_response(event)
    return as_json(event_json(event), media=STRUCTURED)


async def by_revisions(ask: Ask) -> Response:
    """The events of some revisions, in the order asked."""
    parts = ask.needed("revisions").split(",")
    wanted = [whole_number(part.strip(), f"revisions[{i}]") for i, part in enumerate(parts)]
    found = await ask.service.events.by_revisions(ask.caller, ask.database, wanted)
    return as_json([event_json(event) for event in found], media=BATCH)


async def keys(ask: Ask) -> Response:
    """Every stream, subject or type."""
    index = _INDEXES[ask.request.url.path.rpartition("/")[2]]
    found = ask.service.events.keys(
        ask.caller, ask.database, index, prefix=ask.text("prefix") or "", revision=ask.revision()
    )
    return await listed(ask, found, JSON, {}, lambda key: key)


async def log(ask: Ask) -> Response:
    """The transactions from a revision on."""
    calls, start = ask.service.events, ask.whole("start_at_revision") or 0
    limit = ask.whole("limit", least=1)
    if ask.flag("detail"):
        detailed = calls.log_detail(ask.caller, ask.database, start)
        return await listed(ask, _most(detailed, limit), JSON, {}, committed_json)
    found = calls.log(ask.caller, ask.database, start)
    return await listed(ask, _most(found, limit), JSON, {}, summary_json)


async def _most(items: AsyncIterator[Any], limit: int | None) -> AsyncIterator[Any]:
    left = limit
    async for item in items:
        yield item
        if left is not None:
            left -= 1
            if not left:
                return


async def transaction(ask: Ask) -> Response:
    """A transaction with its events."""
    wanted = ask.path("transaction_id")
    found = await ask.service.events.transaction(ask.caller, ask.database, wanted)
    return as_json(committed_json(found))


async def trace(ask: Ask) -> Response:
    """Why a transaction was committed."""
    wanted = ask.path("transaction_id")
    found = await ask.service.events.trace(ask.caller, ask.database, wanted)
    return as_json(found.to_json())
