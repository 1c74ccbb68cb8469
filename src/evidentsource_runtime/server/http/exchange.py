"""What is done around every request: who asks is found out, limits are kept, errors become problems."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from evidentsource_core.jsontext import dumps
from evidentsource_runtime.server.access import (
    EVERYTHING,
    Admission,
    Principal,
    RequestTooLarge,
)
from evidentsource_runtime.server.http.asking import Ask
from evidentsource_runtime.server.http.operations import Operation
from evidentsource_runtime.server.http.problems import PROBLEM, problem_of
from evidentsource_runtime.server.http.streaming import until_gone
from evidentsource_runtime.server.metrics import Metrics
from evidentsource_runtime.server.service import InvalidRequest, Kind, Service
from evidentsource_runtime.server.service.served import INPUT_HASH
from evidentsource_runtime.server.tracing import Ended

__all__ = ["Exchange", "problem_response"]

_FAILED: Final = frozenset({Kind.INTERNAL, Kind.COMPONENT, Kind.UNCERTAIN})
_ROOM: Final = 1024 * 1024
"""Bytes of an upload beside the component."""
_NOBODY: Final = Principal("anybody", EVERYTHING, anonymous=True)
_log = logging.getLogger("evidentsource.server.http")


class Exchange:
    """The ASGI application of the operations of one path.

    Args:
        operations: by method.
        service: answers.
        admission: lets callers in.
        metrics: counts.
    """

    def __init__(
        self,
        operations: Mapping[str, Operation],
        service: Service,
        admission: Admission,
        metrics: Metrics,
    ) -> None:
        self._operations = operations
        self._service = service
        self._admission = admission
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        operation = self._operations["GET" if scope["method"] == "HEAD" else scope["method"]]
        began = time.perf_counter()
        request = Request(scope, self._bounded(scope, receive, operation))
        caller: Principal | None = None
        beside: dict[str, str] = {}
        code = ""
        try:
            caller = await self._enter(request, operation)
            _check_query(request, operation)
            ask = Ask(request, caller, self._service, self._admission, operation, beside)
            response = await self._answer(ask)
        except ClientDisconnect:
            self._note(operation, 499, "client-gone", caller, began)
            return
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller is told
            response, code = self._refused(error)
        response.headers.update(beside)
        served = beside.get(INPUT_HASH)
        self._note(operation, response.status_code, code, caller, began, served)
        self._metrics.ended(lambda: _ended(request, operation, response, code, began, served))
        with self._metrics.answering(operation.name):
            await response(scope, receive, send)

    async def _enter(self, request: Request, operation: Operation) -> Principal:
        if operation.public:
            return _NOBODY
        return await self._admission.enter(request.headers)

    async def _answer(self, ask: Ask) -> Response:
        if not ask.operation.untimed:
            async with asyncio.timeout(self._admission.limits.seconds):
                return await ask.operation.handle(ask)
        # It may wait for long, so it has to notice that nobody waits for it any more.
        with self._admission.stream(ask.caller):
            answer = asyncio.ensure_future(ask.operation.handle(ask))
            gone = asyncio.ensure_future(until_gone(ask.request.receive))
            try:
                await asyncio.wait({answer, gone}, return_when=asyncio.FIRST_COMPLETED)
                if not answer.done():
                    raise ClientDisconnect
                return answer.result()
            finally:
                for task in (answer, gone):
                    task.cancel()

    def _bounded(self, scope: Scope, receive: Receive, operation: Operation) -> Receive:
        """What comes in, up to the size that a request may have."""
        limits = self._admission.limits
        most = limits.component_bytes + _ROOM if operation.component else limits.request_bytes
        told = next((v for k, v in scope["headers"] if k == b"content-length"), b"")
        length = int(told) if told.isdigit() and len(told) < 20 else 0
        taken = 0

        async def bounded() -> Message:
            nonlocal taken
            if length > most:
                raise RequestTooLarge(length, most)
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > most:
                raise RequestTooLarge(taken, most)
            return message

        return bounded

    def _refused(self, error: Exception) -> tuple[Response, str]:
        response, kind, code = problem_response(error)
        if kind in _FAILED:
            _log.warning("%s: %s", code, type(error).__name__)
        return response, code

    def _note(
        self,
        operation: Operation,
        status: int,
        code: str,
        caller: Principal | None,
        began: float,
        served: str | None = None,
    ) -> None:
        seconds = time.perf_counter() - began
        self._metrics.answered("http", operation.name, str(status), seconds)
        facts: dict[str, Any] = {
            "call": operation.name,
            "code": status,
            "reason": code,
            "subject": None if caller is None else caller.subject,
            "seconds": round(seconds, 6),
        }
        if served is not None:
            facts["input_hash"] = served
        text = f"{status} {code}".strip()
        _log.debug("%s %s in %.1f ms", operation.name, text, seconds * 1000, extra=facts)


def _ended(
    request: Request,
    operation: Operation,
    response: Response,
    reason: str,
    began: float,
    served: str | None,
) -> Ended:
    _, _, written = response.headers.get("location", "").partition("/transactions/")
    asked = request.path_params.get("transaction_id") or request.query_params.get("transaction_id")
    return Ended(
        "http",
        operation.name,
        str(response.status_code),
        time.perf_counter() - began,
        request.headers,
        reason,
        request.path_params.get("database"),
        written or asked,
        served,
    )


def problem_response(error: BaseException) -> tuple[Response, Kind, str]:
    """The answer to a request that did not succeed."""
    status, headers, document, refusal = problem_of(error)
    return Response(dumps(document), status, headers, PROBLEM), refusal.kind, refusal.code


def _check_query(request: Request, operation: Operation) -> None:
    seen: set[str] = set()
    for name, _ in request.query_params.multi_items():
        if not operation.takes(name):
            known = ", ".join(each.name for each in operation.query if not each.header)
            raise InvalidRequest(name, f"is no parameter here; known are: {known or 'none'}")
        if name in seen:
            raise InvalidRequest(name, "is there more than once in the query string")
        seen.add(name)
