"""A server's bad days in a row, in a process of its own: ``make soak``.

Wrong tokens, clients that vanish in the middle of a query, and many subscriptions that come and go.
Prints the server's memory, open files and streams after each round, and fails where they do not come
back, or where somebody else has to wait for seconds.
"""
# ruff: noqa: T201 - telling how it goes is what it does

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import grpc

from evidentsource_core import ProspectiveEvent, QueryOptions, Selector
from evidentsource_runtime.server import Server, Settings, serve
from evidentsource_runtime.server.access import EVERYTHING, Principal, StaticTokens
from evidentsource_runtime.server.grpc.calls import SERVICE
from evidentsource_runtime.server.protobuf.events import prospective_to
from evidentsource_runtime.server.protobuf.generated import service_pb2
from evidentsource_runtime.server.protobuf.views import query_to

GOOD = (("authorization", "Bearer good"),)
MEMORY_GROWTH = 64 * 1024 * 1024
"""Bytes that memory may grow by after the first round, which fills whatever is kept. What 20 clients
are sent at once lies in buffers of 10 MB, which the allocator gives back when it likes."""
LONGEST_WAIT = 2.0
"""Seconds that somebody else may have to wait meanwhile."""


def serve_it(folder: str) -> None:
    """The server's process."""

    def started(server: Server) -> None:
        print(server.grpc.target, flush=True)

    tokens = StaticTokens.of({"good": Principal("good", EVERYTHING)})
    serve(Settings(folder, grpc_port=0, authenticator=tokens), started)


def path(call: str) -> str:
    """A call, as it is named on the wire."""
    return f"/{SERVICE.full_name}/{call}"


async def wrong_tokens(channel: grpc.aio.Channel, count: int) -> None:
    """Requests of nobody, 200 at once."""
    ask: Any = channel.unary_unary(path("FetchLatestDatabase"))
    for start in range(0, count, 200):
        wrong = [f"Bearer wrong-{start + n}" for n in range(200)]
        calls = [ask(b"\n\x04bank", metadata=(("authorization", each),)) for each in wrong]
        for call in calls:
            assert await call.code() is grpc.StatusCode.UNAUTHENTICATED


async def vanishing(target: str, count: int) -> None:
    """Clients that ask for everything and are gone after the first event."""
    query = query_to(Selector.stream("accounts"), QueryOptions())
    asked = service_pb2.EventQueryRequest(
        database_name="bank", revision=2_000, include_event_detail=True, query=query
    ).SerializeToString()
    for _ in range(count):
        async with grpc.aio.insecure_channel(target) as channel:
            ask: Any = channel.unary_stream(path("QueryEvents"))
            await ask(asked, metadata=GOOD).read()


async def subscriptions(channel: grpc.aio.Channel, count: int) -> None:
    """Many subscriptions, each read once."""
    subscribe: Any = channel.unary_stream(path("SubscribeDatabaseUpdates"))
    calls = [subscribe(b"\n\x04bank", metadata=GOOD) for _ in range(count)]
    for call in calls:
        await call.read()
    for call in calls:
        call.cancel()


async def somebody_else(channel: grpc.aio.Channel, waits: list[float]) -> None:
    """Asks one thing after the other, and notes how long each takes."""
    ask: Any = channel.unary_unary(path("FetchLatestDatabase"))
    while True:
        began = time.monotonic()
        await ask(b"\n\x04bank", metadata=GOOD)
        waits.append(time.monotonic() - began)
        await asyncio.sleep(0.05)


async def fill(channel: grpc.aio.Channel) -> None:
    """A database with 2,000 events of 10,000 bytes."""
    create: Any = channel.unary_unary(path("CreateDatabase"))
    transact: Any = channel.unary_unary(path("Transact"))
    await create(b"\n\x04bank", metadata=GOOD)
    for start in range(0, 2_000, 500):
        events = [
            prospective_to(
                ProspectiveEvent(f"e-{start + n}", "accounts", "said", data="x" * 10_000)
            )
            for n in range(500)
        ]
        request = service_pb2.TransactionRequest(database_name="bank", events=events)
        await transact(request.SerializeToString(), metadata=GOOD)


def resources(process: int) -> tuple[int, int]:
    """Bytes of memory in use, and open files."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE"), len(list(Path(f"/proc/{process}/fd").iterdir()))


async def rounds(target: str, process: int, tokens: int, count: int) -> int:
    """Rounds of everything; 1 where something does not come back."""
    waits: list[float] = []
    async with grpc.aio.insecure_channel(target) as channel:
        await fill(channel)
        other = asyncio.create_task(somebody_else(channel, waits))
        first = (0, 0)
        for number in range(1, count + 1):
            await wrong_tokens(channel, tokens // count)
            await vanishing(target, 20)
            await subscriptions(channel, 200)
            await asyncio.sleep(0.5)
            memory, files = resources(process)
            longest = max(waits)
            print(
                f"round {number}: {memory / 2**20:7.1f} MiB {files:4} open files, "
                f"somebody else waited {longest:.3f} s at most"
            )
            first = first if number > 1 else (memory, files)
        other.cancel()
    grown = memory - first[0]
    print(f"grown by {grown / 2**20:.1f} MiB since the first round")
    return int(grown > MEMORY_GROWTH or files > first[1] + 16 or max(waits) > LONGEST_WAIT)


def main() -> int:
    """Start the server and play."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--serve", metavar="FOLDER", help=argparse.SUPPRESS)
    parser.add_argument("--tokens", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    if asked.serve:
        serve_it(asked.serve)
        return 0
    with tempfile.TemporaryDirectory(prefix="evidentsource-soak-") as folder:
        command = [sys.executable, "-m", "tests.soak.server", "--serve", folder]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            target = server.stdout.readline().strip()
            try:
                return asyncio.run(rounds(target, server.pid, asked.tokens, asked.rounds))
            finally:
                server.terminate()


if __name__ == "__main__":
    sys.exit(main())
