"""The routes of the newest documentation, ``/v1/...``: the same operations by other names."""

from __future__ import annotations

from starlette.responses import Response

from evidentsource_core.domain.attributes import EventAttribute
from evidentsource_core.domain.queries import QueryOptions
from evidentsource_core.domain.state_change import CommandRequest
from evidentsource_core.jsontext import dumps
from evidentsource_runtime.cloudevents import BATCH, event_json
from evidentsource_runtime.server.http.answers import as_json
from evidentsource_runtime.server.http.asking import Ask
from evidentsource_runtime.server.http.reads import filtered
from evidentsource_runtime.server.http.streaming import listed
from evidentsource_runtime.server.http.values import ATTRIBUTES, state_json
from evidentsource_runtime.server.http.views import rendered
from evidentsource_runtime.server.http.writes import WORDS, executed
from evidentsource_runtime.server.service import InvalidRequest
from evidentsource_runtime.server.service.errors import reading

__all__ = ["command", "delete", "events", "view"]

AS_OF = ("asOfTransactionTime", "asOfEffectiveTime")
_VIEW = ("database", "version", *AS_OF)


async def command(ask: Ask) -> Response:
    """A command, executed."""
    given = await ask.object(
        "database", "name", "version", "command", "content_type", "last_seen_revision", *WORDS
    )
    for name in ("database", "name"):
        if not isinstance(given.get(name), str):
            raise InvalidRequest(f"body.{name}", "is missing: a text")
    for name in ("content_type", *WORDS):
        if not isinstance(given.get(name), (str, type(None))):
            raise InvalidRequest(f"body.{name}", "must be a text")
    for name in ("version", "last_seen_revision"):
        value = given.get(name)
        if isinstance(value, bool) or not isinstance(value, (int, type(None))):
            raise InvalidRequest(f"body.{name}", "must be a whole number")
    body = dumps(given["command"]) if "command" in given else None
    media = given.get("content_type") or "application/json"
    return await executed(
        ask,
        given["database"],
        given["name"],
        given.get("version"),
        CommandRequest((), body, media),
        given.get("last_seen_revision"),
        {name: given.get(name) for name in WORDS},
    )


async def events(ask: Ask) -> Response:
    """The events of a database, as of a time of recording and of taking effect."""
    database = ask.needed("database")
    revision = await _revision(ask, database)
    effective = ask.moment("asOfEffectiveTime")
    options = QueryOptions(limit=ask.whole("limit", most=2**32 - 1))
    found = ask.service.events.query(
        ask.caller, database, filtered(ask), options, revision=revision, effective_at=effective
    )
    return await listed(ask, found, BATCH, {}, event_json)


async def view(ask: Ask) -> Response:
    """What a state view has come to; its parameters have their own names."""
    database, name = ask.needed("database"), ask.path("view")
    version = ask.whole("version", least=1)
    kinds = await ask.service.views.parameters(ask.caller, database, name, version)
    parameters: dict[str, EventAttribute] = {}
    for written, value in ask.request.query_params.items():
        if written in _VIEW:
            continue
        if written not in kinds:
            known = ", ".join((*_VIEW, *kinds))
            raise InvalidRequest(written, f"is no parameter here; known are: {known}")
        with reading(written):
            parameters[written] = ATTRIBUTES[kinds[written]](value)
    revision, effective = await _revision(ask, database), ask.moment("asOfEffectiveTime")
    return await rendered(ask, database, name, version, parameters, revision, effective)


async def delete(ask: Ask) -> Response:
    """The last state of a database that is no more."""
    return as_json(state_json(await ask.service.databases.delete(ask.caller, ask.path("name"))))


async def _revision(ask: Ask, database: str) -> int | None:
    recorded = ask.moment("asOfTransactionTime")
    if recorded is None:
        return None
    return (await ask.service.databases.at_time(ask.caller, database, recorded)).revision
