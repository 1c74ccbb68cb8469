"""What is done around every call: who asks is found out, limits are kept, errors become statuses."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext, suppress
from typing import Any, Final, TypeAlias

import grpc
from google.protobuf.message import DecodeError, Message

from evidentsource_core.domain.events import ProspectiveEvent
from evidentsource_runtime.server.access import Admission, Principal
from evidentsource_runtime.server.grpc.servicer import Servicer
from evidentsource_runtime.server.grpc.status import status_of
from evidentsource_runtime.server.metrics import Metrics
from evidentsource_runtime.server.protobuf.events import prospective_from
from evidentsource_runtime.server.protobuf.generated import service_pb2
from evidentsource_runtime.server.service import InvalidRequest, Kind
from evidentsource_runtime.server.service.served import INPUT_HASH, Find, telling
from evidentsource_runtime.server.tracing import Ended

__all__ = ["SERVICE", "handlers"]

SERVICE: Final = service_pb2.DESCRIPTOR.services_by_name["EvidentSource"]
_WAITING: Final = frozenset({"AwaitDatabase"})
"""Calls that take as long as the client stays."""
_FAILED: Final = frozenset({Kind.INTERNAL, Kind.COMPONENT, Kind.UNCERTAIN})

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
_log = logging.getLogger("evidentsource.server.grpc")


def handlers(servicer: Servicer, admission: Admission, metrics: Metrics) -> grpc.GenericRpcHandler:
    """The calls of the contract, as the server takes them.

    Args:
        servicer: has a method for each.
        admission: lets callers in.
        metrics: counts.
    """
    calls = Calls(admission, metrics, servicer.code_of)
    table: dict[str, grpc.RpcMethodHandler[Any, Any]] = {}
    for method in SERVICE.methods:
        ask = getattr(servicer, method.name)
        kind = getattr(service_pb2, method.input_type.name)
        encode = getattr(service_pb2, method.output_type.name).SerializeToString
        if method.server_streaming:
            run = calls.streaming(method.name, kind, ask)
            table[method.name] = grpc.unary_stream_rpc_method_handler(run, None, encode)
        else:
            once = calls.single(method.name, kind, ask)
            table[method.name] = grpc.unary_unary_rpc_method_handler(once, None, encode)
    return grpc.method_handlers_generic_handler(SERVICE.full_name, table)


class Calls:
    """Wraps the methods of a servicer.

    Args:
        admission: lets callers in.
        metrics: counts.
        code_of: how to find the code that answers a request; None for a request that none does.
    """

    def __init__(
        self, admission: Admission, metrics: Metrics, code_of: Callable[[Message], Find | None]
    ) -> None:
        self._code_of = code_of
        self._admission = admission
        self._metrics = metrics

    def single(
        self, name: str, kind: type[Message], ask: Callable[[Principal, Any], Awaitable[Message]]
    ) -> Callable[[bytes, Context], Awaitable[Message]]:
        """A call with one reply."""

        async def run(content: bytes, context: Context) -> Message:
            call = _Call(name, context, self._metrics)
            request: Message | None = None
            try:
                call.caller = await self._admission.enter(call.headers())
                request = _decoded(kind, content)
                async with self._bounds(name, call.caller), self._telling(request, call):
                    reply = await ask(call.caller, request)
            except Exception as error:  # noqa: BLE001 - whatever it is, the caller is told
                await call.fail(error, request)
            call.done(request, reply)
            return reply

        return run

    def streaming(
        self,
        name: str,
        kind: type[Message],
        ask: Callable[[Principal, Any], AsyncIterator[Message]],
    ) -> Callable[[bytes, Context], AsyncIterator[Message]]:
        """A call with a stream of replies."""

        async def run(content: bytes, context: Context) -> AsyncIterator[Message]:
            call = _Call(name, context, self._metrics)
            request: Message | None = None
            try:
                call.caller = await self._admission.enter(call.headers())
                request = _decoded(kind, content)
                with self._admission.stream(call.caller):
                    async for reply in ask(call.caller, request):
                        yield reply
            except Exception as error:  # noqa: BLE001 - whatever it is, the caller is told
                await call.fail(error, request)
            call.done(request)

        return run

    def _telling(self, request: Message, call: _Call) -> AbstractAsyncContextManager[None]:
        """Have the call's trailing metadata say which code has answered, where code has."""
        find = self._code_of(request)
        return nullcontext() if find is None else telling(find, call.beside.update)

    @asynccontextmanager
    async def _bounds(self, name: str, caller: Principal) -> AsyncIterator[None]:
        """What waits for as long as its client stays counts as a stream; the rest has its time."""
        if name in _WAITING:
            with self._admission.stream(caller):
                yield
        else:
            async with asyncio.timeout(self._admission.limits.seconds):
                yield


def _decoded(kind: type[Message], content: bytes) -> Message:
    """The request of a known caller. grpc itself would answer bytes that are none with UNKNOWN."""
    try:
        return kind.FromString(content)
    except DecodeError as error:
        reason = f"is no {kind.DESCRIPTOR.name}, or nested on more levels than protobuf reads (100)"
        raise InvalidRequest("request", reason) from error


class _Call:
    """One call, for the log."""

    def __init__(self, name: str, context: Context, metrics: Metrics) -> None:
        self._name = name
        self._context = context
        self._metrics = metrics
        self._began = time.perf_counter()
        self.caller: Principal | None = None
        self.beside: dict[str, str] = {}

    def headers(self) -> dict[str, str]:
        """The call's metadata; where a key comes twice, the first value counts."""
        found: dict[str, str] = {}
        for key, value in self._context.invocation_metadata() or ():
            if isinstance(value, str):
                found.setdefault(key, value)
        return found

    async def fail(self, error: Exception, request: Any) -> None:
        """End the call with an error."""
        status = status_of(error, self._events(request))
        level = logging.WARNING if status.refusal.kind in _FAILED else logging.DEBUG
        self._note(level, status.code.name, status.refusal.code)
        self._metrics.ended(
            lambda: self._ended(status.code.name, status.refusal.code, request, None)
        )
        trailers: list[tuple[str, str | bytes]] = [*status.trailers, *self.beside.items()]
        await self._context.abort(status.code, status.message, tuple(trailers))

    def done(self, request: Any, reply: Any = None) -> None:
        """The call has ended well."""
        if self.beside:
            self._context.set_trailing_metadata(tuple(self.beside.items()))
        self._note(logging.DEBUG, "OK", "")
        self._metrics.ended(lambda: self._ended("OK", "", request, reply))

    def _ended(self, code: str, reason: str, request: Any, reply: Any) -> Ended:
        view = getattr(request, "state_view_identity", None)
        result = getattr(reply, "result", None)
        written = "" if result is None else result.transaction_summary.id
        return Ended(
            "grpc",
            self._name,
            code,
            time.perf_counter() - self._began,
            self.headers(),
            reason,
            getattr(request if view is None else view, "database_name", None),
            written or getattr(request, "transaction_id", None),
            self.beside.get(INPUT_HASH),
        )

    def _events(self, request: Any) -> Iterator[ProspectiveEvent]:
        if isinstance(request, service_pb2.TransactionRequest):
            with suppress(InvalidRequest):
                for event in request.events:
                    yield prospective_from(event, "events", request.database_name)

    def _note(self, level: int, code: str, reason: str) -> None:
        seconds = time.perf_counter() - self._began
        self._metrics.answered("grpc", self._name, code, seconds)
        if not _log.isEnabledFor(level):
            return
        facts: dict[str, Any] = {
            "call": self._name,
            "code": code,
            "reason": reason,
            "subject": None if self.caller is None else self.caller.subject,
            "seconds": round(seconds, 6),
        }
        if INPUT_HASH in self.beside:
            facts["input_hash"] = self.beside[INPUT_HASH]
        text = f"{code} {reason}".strip()
        _log.log(level, "%s %s in %.1f ms", self._name, text, seconds * 1000, extra=facts)
