"""State views and state changes: which there are, what views have come to, and publishing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.responses import Response

from evidentsource_core.domain.attributes import EventAttribute
from evidentsource_core.domain.errors import DeserializationFailed
from evidentsource_core.domain.state_change import media_type
from evidentsource_core.domain.state_view import StateView
from evidentsource_core.jsontext import loads
from evidentsource_core.times import format_rfc3339
from evidentsource_runtime.server.access import RequestTooLarge
from evidentsource_runtime.server.http.answers import as_json, unchanged
from evidentsource_runtime.server.http.asking import Ask
from evidentsource_runtime.server.http.streaming import EVENT_STREAM, live
from evidentsource_runtime.server.http.values import (
    ATTRIBUTES,
    definition_json,
    etag,
    identity_json,
    live_view_json,
)
from evidentsource_runtime.server.publishing import publish
from evidentsource_runtime.server.service import InvalidRequest
from evidentsource_runtime.server.service.errors import reading
from evidentsource_runtime.server.service.served import telling

__all__ = ["list_changes", "list_views", "publish_change", "publish_view", "rendered", "view"]

_MOST_METADATA = 1024 * 1024


async def list_views(ask: Ask) -> Response:
    """Every version of every state view."""
    found = await ask.service.views.state_views(ask.caller, ask.database)
    return as_json({"state_views": [definition_json(each) for each in found]})


async def list_changes(ask: Ask) -> Response:
    """Every version of every state change."""
    found = await ask.service.views.state_changes(ask.caller, ask.database)
    return as_json({"state_changes": [definition_json(each) for each in found]})


async def view(ask: Ask) -> Response:
    """What a state view has come to; or, as it changes, again and again."""
    name, version, parameters = ask.path("name"), ask.version(), _parameters(ask)
    effective = ask.moment("effective_at")
    if ask.accepts(EVENT_STREAM):
        if ask.revision() is not None:
            raise InvalidRequest("revision", "a view that changes is that of the latest revision")
        found = ask.service.live.view(
            ask.caller,
            ask.database,
            name,
            version,
            parameters,
            effective_at=effective,
            after=ask.last_event(),
        )
        return await live(ask, found, "state-view", live_view_json)
    return await rendered(ask, ask.database, name, version, parameters, ask.revision(), effective)


async def rendered(
    ask: Ask,
    database: str,
    name: str,
    version: int | None,
    parameters: Mapping[str, EventAttribute],
    revision: int | None,
    effective_at: datetime | None,
) -> Response:
    """The content of a view with its tag, whichever route it was asked by."""
    views = ask.service.views
    async with telling(lambda: views.code_of_view(database, name, version), ask.beside.update):
        found = await views.view(
            ask.caller,
            database,
            name,
            version,
            parameters,
            revision=revision,
            effective_at=effective_at,
        )
    tag = etag(found.content_type, found.last_modified_revision, found.content)
    headers = {
        "etag": tag,
        "cache-control": "no-cache",
        "x-evidentsource-version": str(found.version),
        **_modified(found),
    }
    known = unchanged(ask, tag)
    if known is not None:
        known.headers.update(headers)
        return known
    if found.content is None:
        return Response(status_code=204, headers=headers)
    return Response(found.content, 200, {**headers, "content-type": found.content_type})


def _modified(found: StateView) -> dict[str, str]:
    headers = {}
    if found.last_modified_revision is not None:
        headers["x-evidentsource-last-modified-revision"] = str(found.last_modified_revision)
    if found.last_modified_timestamp is not None:
        headers["x-evidentsource-last-modified"] = format_rfc3339(found.last_modified_timestamp)
    if found.content_schema_url is not None:
        headers["x-evidentsource-content-schema"] = found.content_schema_url
    return headers


def _parameters(ask: Ask) -> dict[str, EventAttribute]:
    """The parameters of a view: ``subject.account_id=a-1`` binds ``account_id`` to a subject."""
    found: dict[str, EventAttribute] = {}
    for written, value in ask.request.query_params.items():
        kind, dot, name = written.partition(".")
        if not dot:
            continue
        if name in found:
            raise InvalidRequest(written, f"the parameter {name!r} is bound twice")
        with reading(written):
            found[name] = ATTRIBUTES[kind](value)
    return found


# --- publishing ----------------------------------------------------------------------------------


async def publish_view(ask: Ask) -> Response:
    """The next version of a state view."""
    return await _published(ask, "state-view")


async def publish_change(ask: Ask) -> Response:
    """The next version of a state change."""
    return await _published(ask, "state-change")


async def _published(ask: Ask, world: str) -> Response:
    media = media_type(ask.header("content-type") or "application/octet-stream")
    if media != "multipart/form-data":
        raise InvalidRequest(
            "content-type",
            f"{media} is not read here; send multipart/form-data with the parts metadata and wasm",
        )
    form = ask.request.form(max_files=2, max_fields=2, max_part_size=_MOST_METADATA)
    try:
        async with form as parts:
            metadata, content = await _metadata(parts), await _component(ask, parts)
    except HTTPException as error:  # what a multipart body that is none ends with
        raise InvalidRequest("body", error.detail) from error
    definition = await publish(ask.service, ask.caller, ask.database, world, metadata, content)
    facts = identity_json(definition)
    where = f"/api/v1/db/{ask.database}/{world}s/{definition.name}/{definition.version}"
    return as_json(facts, 201, {"location": where})


async def _metadata(form: FormData) -> Any:
    part = form.get("metadata")
    if part is None:
        raise InvalidRequest("metadata", "is missing: a part of application/json")
    text = await part.read(_MOST_METADATA + 1) if isinstance(part, UploadFile) else part
    if len(text) > _MOST_METADATA:
        raise InvalidRequest("metadata", f"is longer than {_MOST_METADATA:,} bytes")
    try:
        return loads(text)
    except DeserializationFailed as error:
        raise InvalidRequest("metadata", str(error), error) from error


async def _component(ask: Ask, form: FormData) -> bytes:
    part = form.get("wasm")
    if not isinstance(part, UploadFile):
        missing = "is missing" if part is None else "has no file name, so it came as text"
        raise InvalidRequest("wasm", f"{missing}; send the file as a part of application/wasm")
    most = ask.admission.limits.component_bytes
    if part.size is not None and part.size > most:
        raise RequestTooLarge(part.size, most)
    return await part.read()
