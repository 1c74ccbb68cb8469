"""The HTTP application: the operations of the table, and what is asked about the server itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from evidentsource_core.jsontext import dumps
from evidentsource_runtime.server.access import Admission
from evidentsource_runtime.server.http.answers import as_json
from evidentsource_runtime.server.http.asking import Ask
from evidentsource_runtime.server.http.exchange import Exchange
from evidentsource_runtime.server.http.openapi import document
from evidentsource_runtime.server.http.operations import Answer, Operation, named
from evidentsource_runtime.server.http.problems import PROBLEM
from evidentsource_runtime.server.http.schemas import STRING
from evidentsource_runtime.server.http.table import OPERATIONS
from evidentsource_runtime.server.metrics import Metrics
from evidentsource_runtime.server.service import ServerStopping, Service

__all__ = ["application"]

_CODES: Final = {404: "no-such-path", 405: "no-such-method"}


def application(service: Service, admission: Admission, metrics: Metrics) -> Starlette:
    """The ASGI application over a service.

    Args:
        service: answers.
        admission: lets callers in.
        metrics: counts.
    """
    operations = (*OPERATIONS, *_about_the_server(metrics))
    return Starlette(
        routes=_routes(operations, service, admission, metrics),
        exception_handlers={HTTPException: _no_such},
    )


def _routes(
    operations: Iterable[Operation], service: Service, admission: Admission, metrics: Metrics
) -> list[BaseRoute]:
    by_path: dict[str, dict[str, Operation]] = {}
    for operation in operations:
        by_path.setdefault(operation.path, {})[operation.method] = operation
    return [
        Route(path, Exchange(methods, service, admission, metrics), methods=list(methods))
        for path, methods in by_path.items()
    ]


def _about_the_server(metrics: Metrics) -> tuple[Operation, ...]:
    async def health(ask: Ask) -> Response:  # noqa: ARG001 - it answers, which is all that is asked
        return as_json({"status": "ok"})

    async def ready(ask: Ask) -> Response:
        if ask.service.stopping:
            raise ServerStopping
        return as_json({"status": "ready"})

    async def measured(ask: Ask) -> Response:  # noqa: ARG001 - it counts whoever asks
        return Response(metrics.text(), headers={"content-type": metrics.content_type})

    async def described(ask: Ask) -> Response:  # noqa: ARG001 - the same for everybody
        return as_json(whole, headers={"cache-control": "no-cache"})

    healthy = {200: Answer("It is.", {"application/json": named("Health")}, {})}
    text = {200: Answer("The metrics.", {"text/plain": STRING}, {})}
    about = (
        Operation("health", "GET", "/health", health, "Whether the server lives.",
                  answers=healthy, public=True),
        Operation("ready", "GET", "/ready", ready, "Whether it takes requests.",
                  answers=healthy, public=True),
        Operation("metrics", "GET", "/metrics", measured, "What it has done, for Prometheus.",
                  answers=text),
        *(
            Operation(name, "GET", path, described, "This document.", public=True, answers={
                200: Answer("The document.", {"application/json": {"type": "object"}}, {})})
            for name, path in (("openapi", "/openapi.json"), ("openapiV1", "/api/v1/openapi.json"))
        ),
    )  # fmt: skip
    whole = document((*OPERATIONS, *about))
    return about


async def _no_such(request: Request, error: Exception) -> Response:
    """The answer to what no operation is for."""
    if not isinstance(error, HTTPException):
        raise error
    code = _CODES.get(error.status_code, "refused")
    problem = {
        "type": f"urn:evidentsource:error:{code}",
        "title": error.detail,
        "status": error.status_code,
        "detail": f"{request.method} {request.url.path}: {error.detail}; see /openapi.json",
        "code": code,
    }
    return Response(dumps(problem), error.status_code, error.headers, PROBLEM)
