"""Answers that go on: events as they come (server-sent events), and lists too long to be kept.

Source of the format of server-sent events: the HTML standard, section 9.2.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import ExitStack, suppress
from typing import Any, Final

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from evidentsource_core.domain.errors import EvidentSourceError
from evidentsource_core.jsontext import dumps
from evidentsource_runtime.server.http.asking import Ask
from evidentsource_runtime.server.http.problems import problem_of
from evidentsource_runtime.server.service import ServerStopping

__all__ = ["EVENT_STREAM", "NDJSON", "Streamed", "listed", "live", "until_gone"]

EVENT_STREAM: Final = "text/event-stream"
NDJSON: Final = "application/x-ndjson"
HEARTBEAT: Final = 15.0
"""Seconds after which an idle stream says that it is still there."""
_SOON: Final = 0.25
"""Seconds in which an error of a stream that has just begun still becomes an answer's status."""
_END: Final = object()


class Streamed(Response):
    """An answer that is sent piece by piece. It ends when the client goes, even while it waits.

    Args:
        pieces: the pieces.
        media: their type.
        headers: further headers.
        idle: what is sent after each ``HEARTBEAT`` seconds without a piece; None for nothing.
        held: closed when it is over, however it ends.
    """

    def __init__(
        self,
        pieces: AsyncIterator[bytes],
        media: str,
        headers: Mapping[str, str],
        idle: bytes | None,
        held: ExitStack,
    ) -> None:
        super().__init__(status_code=200, headers=dict(headers), media_type=media)
        del self.headers["content-length"]
        self._pieces = pieces
        self._idle = idle
        self._held = held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Send it."""
        gone = asyncio.ensure_future(until_gone(receive))
        item: asyncio.Future[Any] | None = None
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            while not gone.done():
                item = item or asyncio.ensure_future(_next(self._pieces))
                await asyncio.wait(
                    {item, gone},
                    timeout=None if self._idle is None else HEARTBEAT,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                if item.done():
                    piece = item.result()
                    item = None
                    if piece is _END:
                        break
                    await send(_body(piece, more=True))
                elif self._idle is not None and not gone.done():
                    await send(_body(self._idle, more=True))
            if not gone.done():
                await send(_body(b"", more=False))
        finally:
            await self._finish(gone, item)

    async def _finish(self, *tasks: asyncio.Future[Any] | None) -> None:
        for task in tasks:
            if task is not None:
                task.cancel()
                with suppress(asyncio.CancelledError, Exception):
                    await task
        if isinstance(self._pieces, AsyncGenerator):
            with suppress(Exception):
                await self._pieces.aclose()
        self._held.close()


def _body(content: bytes, *, more: bool) -> dict[str, Any]:
    return {"type": "http.response.body", "body": content, "more_body": more}


async def _next(pieces: AsyncIterator[Any]) -> Any:
    return await anext(pieces, _END)


async def until_gone(receive: Receive) -> None:
    """Returns when the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def begun(ask: Ask, items: AsyncIterator[Any]) -> tuple[AsyncIterator[Any], ExitStack]:
    """A stream that is counted, and whose first item, or error, has come if it comes soon."""
    held = ExitStack()
    held.enter_context(ask.admission.stream(ask.caller))
    first: asyncio.Future[Any] = asyncio.ensure_future(_next(items))
    try:
        await asyncio.wait({first}, timeout=_SOON)
        if first.done():
            first.result()
    except BaseException:
        first.cancel()
        held.close()
        raise
    return _from(first, items), held


async def _from(first: asyncio.Future[Any], items: AsyncIterator[Any]) -> AsyncIterator[Any]:
    try:
        item = await first
        while item is not _END:
            yield item
            item = await _next(items)
    finally:
        first.cancel()
        if isinstance(items, AsyncGenerator):
            await items.aclose()


# --- server-sent events --------------------------------------------------------------------------


async def live(
    ask: Ask, items: AsyncIterator[Any], kind: str, told: Callable[[Any], tuple[int, Any]]
) -> Streamed:
    """An answer of server-sent events.

    An error in the middle is an event ``problem`` with the document that would have been the answer,
    and ends the stream. Clients come back by themselves, and say the last id that they got.

    Args:
        ask: the request.
        items: what there is to tell.
        kind: the events' name.
        told: an item's id, and its JSON value.
    """
    running, held = await begun(ask, items)
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return Streamed(_events(running, kind, told), EVENT_STREAM, headers, b":\n\n", held)


async def _events(
    items: AsyncIterator[Any], kind: str, told: Callable[[Any], tuple[int, Any]]
) -> AsyncIterator[bytes]:
    try:
        async for item in items:
            number, value = told(item)
            yield b"id: %d\nevent: %s\ndata: %s\n\n" % (number, kind.encode(), dumps(value))
    except ServerStopping:
        yield b"retry: 1000\nevent: stopping\ndata: {}\n\n"
    except EvidentSourceError as error:
        yield b"event: problem\ndata: %s\n\n" % dumps(problem_of(error)[2])


# --- long lists ----------------------------------------------------------------------------------


async def listed(
    ask: Ask,
    items: AsyncIterator[Any],
    media: str,
    headers: Mapping[str, str],
    value: Callable[[Any], Any],
    around: tuple[bytes, bytes] = (b"[", b"]"),
) -> Streamed:
    """An answer that is a list, sent as it is read; as lines of JSON where those were asked for.

    Args:
        ask: the request.
        items: the items.
        media: the media type of the list.
        headers: further headers.
        value: an item's JSON value.
        around: what stands before the first and after the last item.
    """
    running, held = await begun(ask, items)
    if ask.accepts(NDJSON):
        return Streamed(_lines(running, value), NDJSON, headers, None, held)
    return Streamed(_list(running, value, around), media, headers, None, held)


async def _lines(items: AsyncIterator[Any], value: Callable[[Any], Any]) -> AsyncIterator[bytes]:
    async for item in items:
        yield dumps(value(item)) + b"\n"


async def _list(
    items: AsyncIterator[Any], value: Callable[[Any], Any], around: tuple[bytes, bytes]
) -> AsyncIterator[bytes]:
    yield around[0]
    between = b""
    async for item in items:
        yield between + dumps(value(item))
        between = b",\n"
    yield around[1]
