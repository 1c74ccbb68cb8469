"""A server's bad days, one function each, on both interfaces; how bad is for the caller to say."""

from __future__ import annotations

import asyncio
import http.client
import io
import json
import os
import re
import secrets
import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import grpc
import httpx

from evidentsource_core import ProspectiveEvent, QueryOptions, Selector
from evidentsource_runtime.server.grpc.calls import SERVICE
from evidentsource_runtime.server.protobuf.events import prospective_to
from evidentsource_runtime.server.protobuf.generated import service_pb2
from evidentsource_runtime.server.protobuf.views import query_to

TOKEN: Final = {"authorization": "Bearer good"}
GOOD: Final = tuple(TOKEN.items())
API: Final = "/api/v1/db/bank"
_STREAM: Final = TOKEN | {"accept": "text/event-stream"}
_AT_ONCE: Final = 100
BANK: Final = b"\n\x04bank"
"""The request of a call that needs no more than the database's name."""


@dataclass
class Place:
    """A server in a process of its own, with a database of ``events`` events of 10,000 bytes.

    Args:
        target: where gRPC clients connect.
        url: its address over HTTP.
        process: its id.
        events: how many events the database has.
    """

    target: str
    url: str
    process: int
    events: int = 0

    def channel(self) -> grpc.aio.Channel:
        options = [("grpc.use_local_subchannel_pool", 1)]
        return grpc.aio.insecure_channel(self.target, options)

    def web(self) -> httpx.AsyncClient:
        limits = httpx.Limits(max_connections=None)
        return httpx.AsyncClient(base_url=self.url, limits=limits, timeout=120.0)

    def memory(self) -> int:
        """Bytes in use."""
        pages = int(Path(f"/proc/{self.process}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGESIZE")

    def files(self) -> int:
        """Open files."""
        return len(list(Path(f"/proc/{self.process}/fd").iterdir()))

    async def streams(self) -> int:
        """Open streams, as the server counts them."""
        async with self.web() as web:
            text = (await web.get("/metrics", headers=TOKEN)).text
        found = re.search(r"^evidentsource_streams_open (\S+)$", text, re.MULTILINE)
        assert found is not None
        return int(float(found[1]))

    async def fill(self, count: int) -> None:
        """Make the database."""
        async with self.channel() as channel:
            create: Any = channel.unary_unary(path("CreateDatabase"))
            await create(BANK, metadata=GOOD)
            transact: Any = channel.unary_unary(path("Transact"))
            for start in range(0, count, 200):
                events = [
                    prospective_to(
                        ProspectiveEvent(f"e-{n}", "accounts", "said", data="x" * 10_000)
                    )
                    for n in range(start, min(start + 200, count))
                ]
                request = service_pb2.TransactionRequest(database_name="bank", events=events)
                await transact(request.SerializeToString(), metadata=GOOD)
        self.events = count


def path(call: str) -> str:
    """A call, as it is named on the wire."""
    return f"/{SERVICE.full_name}/{call}"


# --- wrong tokens --------------------------------------------------------------------------------


async def wrong_tokens_over_grpc(place: Place, much: int) -> None:
    """Calls of nobody."""
    async with place.channel() as channel:
        ask: Any = channel.unary_unary(path("FetchLatestDatabase"))

        async def one(number: int) -> None:
            call = ask(BANK, metadata=(("authorization", f"Bearer wrong-{number}"),))
            assert await call.code() is grpc.StatusCode.UNAUTHENTICATED

        for start in range(0, much, _AT_ONCE):
            await asyncio.gather(*map(one, range(start, min(start + _AT_ONCE, much))))


async def wrong_tokens_over_http(place: Place, much: int) -> None:
    """Requests of nobody, over four connections."""
    where = urlsplit(place.url)

    def some(first: int) -> None:
        connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=60)
        for number in range(first, much, 4):
            connection.request("GET", API, headers={"authorization": f"Bearer wrong-{number}"})
            answer = connection.getresponse()
            assert answer.status == 401, answer.read()
            answer.read()
        connection.close()

    await asyncio.gather(*(asyncio.to_thread(some, first) for first in range(4)))


# --- clients that vanish, and slow ones ----------------------------------------------------------


def _everything(place: Place, channel: grpc.aio.Channel) -> Any:
    request = service_pb2.EventQueryRequest(
        database_name="bank",
        revision=place.events,
        include_event_detail=True,
        query=query_to(Selector.stream("accounts"), QueryOptions()),
    )
    query: Any = channel.unary_stream(path("QueryEvents"))
    return query(request.SerializeToString(), metadata=GOOD)


async def vanishing_over_grpc(place: Place, much: int) -> None:
    """Clients that ask for everything, and are gone after the first event."""
    for _ in range(much):
        async with place.channel() as channel:
            await _everything(place, channel).read()


async def vanishing_over_http(place: Place, much: int) -> None:
    """Clients that ask for everything, and are gone after the first piece."""
    events = f"{API}/{place.events}/events?stream=accounts"
    for _ in range(much):
        async with place.web() as web, web.stream("GET", events, headers=TOKEN) as answer:
            await anext(answer.aiter_raw())


async def slow_over_grpc(place: Place, much: int) -> None:
    """A client that reads one event, then for a while nothing, and in the end misses none."""
    async with place.channel() as channel:
        call = _everything(place, channel)
        await call.read()
        await asyncio.sleep(much / 1000)
        seen = 1
        while await call.read() is not grpc.aio.EOF:
            seen += 1
        assert seen == place.events


async def slow_over_http(place: Place, much: int) -> None:
    """The same over HTTP, a line of JSON an event."""
    events = f"{API}/{place.events}/events?stream=accounts"
    headers = TOKEN | {"accept": "application/x-ndjson"}
    async with place.web() as web, web.stream("GET", events, headers=headers) as answer:
        lines = answer.aiter_lines()
        await anext(lines)
        await asyncio.sleep(much / 1000)
        assert 1 + len([line async for line in lines]) == place.events


# --- many subscriptions --------------------------------------------------------------------------


async def subscriptions_over_grpc(place: Place, much: int) -> None:
    """Many subscriptions; each is told of a commit, and then all are gone."""
    async with place.channel() as channel:
        subscribe: Any = channel.unary_stream(path("SubscribeDatabaseUpdates"))
        calls = [subscribe(BANK, metadata=GOOD) for _ in range(much)]
        for call in calls:
            await call.read()
        revision = await _commit(place)
        for call in calls:
            told = service_pb2.DatabaseReply.FromString(await call.read())
            assert told.database.revision == revision
        for call in calls:
            call.cancel()


async def subscriptions_over_http(place: Place, much: int) -> None:
    """The same over server-sent events."""
    async with place.web() as web, AsyncExitStack() as held:
        told = []
        for _ in range(much):
            stream = web.stream("GET", f"{API}/updates", headers=_STREAM)
            answer = await held.enter_async_context(stream)
            told.append(_ids(answer))
            await anext(told[-1])
        revision = await _commit(place)
        for each in told:
            assert await anext(each) == revision


async def _ids(answer: httpx.Response) -> AsyncIterator[int]:
    async for line in answer.aiter_lines():
        if line.startswith("id: "):
            yield int(line[4:])


async def _commit(place: Place) -> int:
    event = {"specversion": "1.0", "id": secrets.token_hex(8), "source": "told", "type": "told"}
    async with place.web() as web:
        done = await web.post(f"{API}/transactions", json={"events": [event]}, headers=TOKEN)
    revision: int = done.json()["revision"]
    return revision


# --- uploads -------------------------------------------------------------------------------------


async def large_uploads(place: Place, much: int) -> None:
    """A component of so many MiB that is none; and one longer than may be, which is not read."""
    refused = [(await _uploaded(place, bytes(much * 1024 * 1024))).json()["field"]]
    assert refused == ["wasm"]

    async def endless() -> AsyncIterator[bytes]:
        yield _HEAD
        for _ in range(4 * 110):
            yield bytes(256 * 1024)

    headers = TOKEN | {"content-type": "multipart/form-data; boundary=b"}
    async with place.web() as web:
        answer = await web.post(f"{API}/state-changes", content=endless(), headers=headers)
    assert answer.status_code == 413


async def large_transactions(place: Place, much: int) -> None:
    """A transaction over gRPC of so many MiB more than a request may have."""
    async with place.channel() as channel:
        transact: Any = channel.unary_unary(path("Transact"))
        event = prospective_to(ProspectiveEvent("e", "accounts", "said", data="x" * 2**20))
        request = service_pb2.TransactionRequest(database_name="bank", events=[event] * (24 + much))
        call = transact(request.SerializeToString(), metadata=GOOD)
        assert await call.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


async def nonsense(place: Place, much: int) -> None:
    """Archives, and bytes, that are no components."""
    for number in range(much):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("nonsense.wasm", secrets.token_bytes(1000 * (number + 1)))
        for content in (file.getvalue(), b"\0asm\x0d\0\1\0" + secrets.token_bytes(1000)):
            answer = await _uploaded(place, content)
            assert (answer.status_code, answer.json()["field"]) == (400, "wasm")


async def _uploaded(place: Place, content: bytes) -> httpx.Response:
    files: dict[str, Any] = {
        "metadata": (None, json.dumps({"state_change_name": "nonsense"}), "application/json"),
        "wasm": ("nonsense.wasm", content, "application/wasm"),
    }
    async with place.web() as web:
        return await web.post(f"{API}/state-changes", files=files, headers=TOKEN)


_HEAD: Final = (
    b'--b\r\nContent-Disposition: form-data; name="metadata"\r\n\r\n{}\r\n--b\r\n'
    b'Content-Disposition: form-data; name="wasm"; filename="w"\r\n\r\n'
)


@dataclass(frozen=True)
class Day:
    """One bad day: what happens, and how much of it in the test run and in the long form."""

    happens: Callable[[Place, int], Awaitable[None]]
    little: int
    much: int


DAYS: Final = (
    Day(wrong_tokens_over_grpc, 200, 10_000),
    Day(wrong_tokens_over_http, 200, 10_000),
    Day(vanishing_over_grpc, 5, 50),
    Day(vanishing_over_http, 5, 50),
    Day(slow_over_grpc, 300, 5_000),
    Day(slow_over_http, 300, 5_000),
    Day(subscriptions_over_grpc, 50, 500),
    Day(subscriptions_over_http, 40, 200),
    Day(large_uploads, 10, 100),
    Day(large_transactions, 1, 100),
    Day(nonsense, 2, 50),
)
