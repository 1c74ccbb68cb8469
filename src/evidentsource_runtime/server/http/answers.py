"""Answers with a JSON body, and answers that a client has already (304)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from starlette.responses import Response

from evidentsource_core.jsontext import dumps
from evidentsource_runtime.server.http.asking import Ask

__all__ = ["JSON", "as_json", "unchanged"]

JSON: Final = "application/json"


def as_json(
    value: Any, status: int = 200, headers: Mapping[str, str] | None = None, media: str = JSON
) -> Response:
    """An answer of JSON."""
    return Response(dumps(value), status, dict(headers or {}), media)


def unchanged(ask: Ask, tag: str) -> Response | None:
    """The answer to a client that has what the tag stands for; None for any other.

    Source: RFC 9110, section 13.1.2. A tag is asked for with ``If-None-Match``.
    """
    given = ask.header("if-none-match")
    if given is None:
        return None
    tags = {each.strip().removeprefix("W/") for each in given.split(",")}
    if tag in tags or "*" in tags:
        return Response(status_code=304, headers={"etag": tag, "cache-control": "no-cache"})
    return None
