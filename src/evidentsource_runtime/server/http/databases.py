"""Databases as a whole."""

from __future__ import annotations

import asyncio

from starlette.responses import Response

from evidentsource_runtime.server.access import Role
from evidentsource_runtime.server.http.answers import as_json, unchanged
from evidentsource_runtime.server.http.asking import Ask
from evidentsource_runtime.server.http.streaming import live
from evidentsource_runtime.server.http.values import etag, state_json
from evidentsource_runtime.server.service import DatabaseState, InvalidRequest

__all__ = ["await_revision", "catalog", "create", "delete", "list_databases", "show", "updates"]


async def catalog(ask: Ask) -> Response:
    """The names of the databases."""
    names = [name async for name in ask.service.databases.catalog(ask.caller)]
    return as_json({"databases": names})


async def list_databases(ask: Ask) -> Response:
    """The databases that the caller may read, as they are."""
    calls = ask.service.databases
    found = [
        state_json(await calls.cached(ask.caller, name))
        async for name in calls.catalog(ask.caller)
        if ask.caller.grants.allow(Role.READER, name)
    ]
    return as_json({"databases": found})


async def create(ask: Ask) -> Response:
    """A new database."""
    given = await ask.object("name")
    name = given.get("name")
    if not isinstance(name, str):
        raise InvalidRequest("body.name", "must be the name of the database, a text")
    state = await ask.service.databases.create(ask.caller, name)
    return as_json(state_json(state), 201, {"location": f"/api/v1/db/{name}"})


async def show(ask: Ask) -> Response:
    """A database as it is, or as it was recorded at a time."""
    calls, recorded = ask.service.databases, ask.moment("recorded_at")
    if recorded is not None:
        return _state(ask, await calls.at_time(ask.caller, ask.database, recorded))
    if ask.flag("cached"):
        return _state(ask, await calls.cached(ask.caller, ask.database))
    return _state(ask, await calls.latest(ask.caller, ask.database))


async def await_revision(ask: Ask) -> Response:
    """A database at a revision, as soon as that exists."""
    revision = ask.revision()
    if revision is None:
        return _state(ask, await ask.service.databases.latest(ask.caller, ask.database))
    wait = ask.whole("wait", most=86_400)
    # Nobody waits for a database that is not there.
    await ask.service.databases.cached(ask.caller, ask.database)
    async with asyncio.timeout(wait):
        state = await ask.service.databases.at_revision(ask.caller, ask.database, revision)
    return _state(ask, state)


async def delete(ask: Ask) -> Response:
    """The last state of a database that is no more."""
    return as_json(state_json(await ask.service.databases.delete(ask.caller, ask.database)))


async def updates(ask: Ask) -> Response:
    """A database as it is, and after each transaction."""
    await ask.service.databases.readable(ask.caller, ask.database)
    states = ask.service.live.updates(ask.caller, ask.database, ask.last_event())
    return await live(ask, states, "database", lambda state: (state.revision, state_json(state)))


def _state(ask: Ask, state: DatabaseState) -> Response:
    tag = etag(state.name, state.created_at, state.revision)
    headers = {"etag": tag, "cache-control": "no-cache"}
    return unchanged(ask, tag) or as_json(state_json(state), headers=headers)
