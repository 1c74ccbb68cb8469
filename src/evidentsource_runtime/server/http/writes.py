"""Transactions and commands."""

from __future__ import annotations

from typing import Any, Final

from starlette.responses import Response

from evidentsource_core.domain.constraints import AppendCondition
from evidentsource_core.domain.events import ProspectiveEvent
from evidentsource_core.domain.revision import MAX_REVISION
from evidentsource_core.domain.state_change import CommandRequest, media_type
from evidentsource_runtime.cloudevents import BATCH, STRUCTURED, prospective_event
from evidentsource_runtime.server.http.answers import as_json
from evidentsource_runtime.server.http.asking import Ask, checked_object
from evidentsource_runtime.server.http.binary import events_from, is_events
from evidentsource_runtime.server.http.values import condition_from, summary_json
from evidentsource_runtime.server.service import (
    About,
    Execution,
    InvalidRequest,
    Origin,
    Submission,
    Summary,
    Transport,
)
from evidentsource_runtime.server.service.served import telling

__all__ = ["WORDS", "execute", "executed", "transact"]

WORDS: Final = ("transaction_id", "correlation_id", "causation_id", "commit_message")
_TRANSPORT: Final = frozenset(
    "accept accept-encoding accept-language authorization cache-control connection content-encoding "
    "content-length content-type cookie expect host keep-alive origin prefer proxy-authorization "
    "referer te trailer transfer-encoding upgrade user-agent".split()
)
"""Headers that are the transport's business, or say who somebody is: no rule is given them."""
_LATER: Final = "respond-async"


async def transact(ask: Ask) -> Response:
    """Events, committed; or accepted, where ``Prefer: respond-async`` asks for that."""
    submission = await _submission(ask)
    if _later(ask):
        correlation = await ask.service.writes.transact_later(ask.caller, submission)
        return _accepted(ask.database, submission.transaction_id, correlation)
    return _written(await ask.service.writes.transact(ask.caller, submission))


async def execute(ask: Ask) -> Response:
    """A command, executed; or accepted."""
    command = CommandRequest(
        tuple(
            (name, value)
            for name, value in ask.request.headers.items()
            if name not in _TRANSPORT and not name.startswith("x-dev-")
        ),
        await ask.request.body() or None,
        ask.header("content-type"),
        ask.text("content_schema"),
    )
    words = {name: ask.text(name) for name in WORDS}
    seen = ask.whole("last_seen_revision")
    return await executed(ask, ask.database, ask.path("name"), ask.version(), command, seen, words)


async def executed(
    ask: Ask,
    database: str,
    name: str,
    version: int | None,
    command: CommandRequest,
    seen: int | None,
    words: dict[str, Any],
) -> Response:
    """What becomes of a command, whichever route it came by."""
    about = _about(Origin(Transport.HTTP, name, version), seen, {}, words)
    execution = Execution(
        database, name, version, command, seen, words.get("transaction_id"), about
    )
    if _later(ask):
        correlation = await ask.service.writes.execute_later(ask.caller, execution)
        return _accepted(database, execution.transaction_id, correlation)
    views = ask.service.views
    async with telling(lambda: views.code_of_change(database, name, version), ask.beside.update):
        summary = await ask.service.writes.execute(ask.caller, execution)
    return _written(summary)


def _later(ask: Ask) -> bool:
    return _LATER in (ask.header("prefer") or "")


def _written(summary: Summary) -> Response:
    if not summary.wrote:
        return as_json(summary_json(summary), 200)
    where = f"/api/v1/db/{summary.database}/transactions/{summary.id}"
    return as_json(summary_json(summary), 201, {"location": where})


def _accepted(database: str, transaction_id: str | None, correlation: str) -> Response:
    headers = {
        "location": f"/api/v1/db/{database}/transactions/{transaction_id}",
        "preference-applied": _LATER,
    }
    facts = {"transaction_id": transaction_id, "correlation_id": correlation}
    return as_json(facts, 202, headers)


async def _submission(ask: Ask) -> Submission:
    if is_events(ask):
        sent = await events_from(ask, ask.database)
        words: dict[str, Any] = {name: ask.text(name) for name in WORDS}
        return _made(ask, sent, (), ask.whole("last_read_revision"), {}, words)
    media = media_type(ask.header("content-type"))
    if media != "application/json":
        known = f"application/json, {BATCH}, {STRUCTURED}, or binary mode with ce- headers"
        raise InvalidRequest("content-type", f"{media} is not read here; send {known}")
    given = await ask.object(
        "events", "conditions", "last_read_revision", "principal_attributes", *WORDS
    )
    events = _array(given, "events")
    conditions = _array(given, "conditions")
    proposed = tuple(
        prospective_event(each, f"events[{i}]", ask.database) for i, each in enumerate(events)
    )
    wanted = tuple(condition_from(each, f"conditions[{i}]") for i, each in enumerate(conditions))
    words = {name: _word(given, name) or ask.text(name) for name in WORDS}
    seen = _revision(given, "last_read_revision")
    attributes = given.get("principal_attributes") or {}
    checked_object(attributes, "body.principal_attributes", tuple(attributes))
    for name, value in attributes.items():
        if not isinstance(value, str):
            raise InvalidRequest(f"body.principal_attributes.{name}", "must be a text")
    return _made(ask, proposed, wanted, seen, attributes, words)


def _made(
    ask: Ask,
    events: tuple[ProspectiveEvent, ...],
    conditions: tuple[AppendCondition, ...],
    seen: int | None,
    attributes: dict[str, str],
    words: dict[str, Any],
) -> Submission:
    about = _about(Origin(Transport.HTTP), seen, attributes, words)
    return Submission(ask.database, events, conditions, words["transaction_id"] or None, about)


def _about(
    origin: Origin, seen: int | None, attributes: dict[str, str], words: dict[str, Any]
) -> About:
    return About(
        origin,
        seen,
        attributes,
        words.get("commit_message") or None,
        words.get("correlation_id") or None,
        words.get("causation_id") or None,
    )


def _array(given: dict[str, Any], name: str) -> list[Any]:
    value = given.get(name, [])
    if not isinstance(value, list):
        raise InvalidRequest(f"body.{name}", "must be an array")
    return value


def _word(given: dict[str, Any], name: str) -> str | None:
    value = given.get(name)
    if value is not None and not isinstance(value, str):
        raise InvalidRequest(f"body.{name}", "must be a text")
    return value


def _revision(given: dict[str, Any], name: str) -> int | None:
    value = given.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_REVISION:
        raise InvalidRequest(f"body.{name}", "must be a revision, a whole number")
    return value
