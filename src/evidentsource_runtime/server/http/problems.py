"""Refusals as HTTP says them: a status, and a document of type ``application/problem+json``.

Source: RFC 9457. The ``type`` of a problem is a URN of its stable code; ``code``, the facts and, where
a part of the request is at fault, ``field`` go beside.
"""

from __future__ import annotations

import math
from typing import Any, Final

from evidentsource_core.domain import errors as core
from evidentsource_runtime.server.service import Kind, Refusal, refusal_of

__all__ = ["PROBLEM", "STATUSES", "problem_json", "problem_of", "status_of"]

PROBLEM: Final = "application/problem+json"

STATUSES: Final = {
    Kind.INVALID: (400, "The request means nothing here"),
    Kind.UNAUTHENTICATED: (401, "Who asks is not known"),
    Kind.DENIED: (403, "Not allowed"),
    Kind.NOT_FOUND: (404, "Not found"),
    Kind.EXISTS: (409, "It exists already"),
    Kind.CONFLICT: (409, "A condition does not hold"),
    Kind.ABORTED: (409, "Another writer was faster"),
    Kind.OUT_OF_RANGE: (404, "There is no such revision yet"),
    Kind.TOO_LARGE: (413, "Too large"),
    Kind.TOO_MANY: (429, "Too many requests"),
    Kind.TIMEOUT: (504, "It took too long"),
    Kind.UNAVAILABLE: (503, "Not now"),
    Kind.UNCERTAIN: (500, "The outcome is not known"),
    Kind.COMPONENT: (500, "A component failed"),
    Kind.INTERNAL: (500, "The server failed"),
}
"""The status of each kind of refusal, and its title."""
_MOST: Final = 100


def problem_of(error: BaseException) -> tuple[int, dict[str, str], dict[str, Any], Refusal]:
    """How a request ends with an error: status, headers, document, and what it was made of.

    >>> status, headers, document, _ = problem_of(core.DatabaseNotFound("bank"))
    >>> (status, document["type"], document["detail"])
    (404, 'urn:evidentsource:error:database-not-found', "database 'bank' not found")
    """
    refusal = refusal_of(error)
    headers: dict[str, str] = {}
    if refusal.kind is Kind.UNAUTHENTICATED:
        headers["www-authenticate"] = "Bearer"
    if refusal.retry_after is not None:
        headers["retry-after"] = str(max(1, math.ceil(refusal.retry_after)))
    return status_of(refusal.kind), headers, problem_json(refusal), refusal


def status_of(kind: Kind) -> int:
    """The status of a kind of refusal."""
    return STATUSES[kind][0]


def problem_json(refusal: Refusal) -> dict[str, Any]:
    """The document of a refusal."""
    status, title = STATUSES[refusal.kind]
    document: dict[str, Any] = {
        "type": f"urn:evidentsource:error:{refusal.code}",
        "title": title,
        "status": status,
        "detail": refusal.message,
        "code": refusal.code,
    }
    if refusal.field is not None:
        document["field"] = refusal.field
    if refusal.retry_after is not None:
        document["retry_after"] = refusal.retry_after
    return document | dict(refusal.facts) | _parts(refusal.error)


def _parts(error: BaseException | None) -> dict[str, Any]:
    """Each of several things that are wrong together."""
    if isinstance(error, core.InvalidEvents):
        parts = [{"code": each.code, "detail": str(each)} for each in error.errors[:_MOST]]
        return {"errors": parts}
    if isinstance(error, core.ConstraintViolations):
        return {"violations": list(error.violations[:_MOST])}
    return {}
