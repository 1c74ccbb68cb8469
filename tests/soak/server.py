"""A server's bad days in a row, in a process of its own: ``make soak``.

Wrong tokens, clients that vanish in the middle of a query, slow ones, many subscriptions, uploads of
100 MB, nonsense as a component. Prints the server's memory, open files and streams after each round,
and fails where they do not come back, or where somebody else has to wait for seconds.
"""
# ruff: noqa: T201 - telling how it goes is what it does

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

from evidentsource_runtime.server import Server, Settings, serve
from evidentsource_runtime.server.access import EVERYTHING, Principal, StaticTokens
from tests.soak.days import BANK, DAYS, GOOD, Place, path

MEMORY_GROWTH = 64 * 1024 * 1024
"""Bytes that memory may grow by after the first two rounds, which fill whatever is kept. What lay in
buffers of many MB on many threads, the allocator gives back when it likes."""
WARM = 2
MORE_FILES = 100
"""Open files that may come after the first round: each of 32 threads opens the database when it first
reads. What a round opens and closes is some thousands."""
LONGEST_WAIT = 5.0
"""Seconds that somebody else may have to wait meanwhile."""


def serve_it(folder: str) -> None:
    """The server's process."""

    def started(server: Server) -> None:
        assert server.http is not None
        print(json.dumps({"grpc": server.grpc.target, "http": server.http.url}), flush=True)

    tokens = StaticTokens.of({"good": Principal("good", EVERYTHING)})
    serve(Settings(folder, grpc_port=0, http_port=0, authenticator=tokens), started)


@contextmanager
def served() -> Iterator[Place]:
    """A server in a process of its own, and a folder that is gone at the end."""
    with tempfile.TemporaryDirectory(prefix="evidentsource-soak-") as folder:
        command = [sys.executable, "-m", "tests.soak.server", "--serve", folder]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            try:
                told = json.loads(server.stdout.readline())
                yield Place(told["grpc"], told["http"], server.pid)
            finally:
                server.terminate()


@asynccontextmanager
async def somebody_else(place: Place) -> AsyncIterator[list[float]]:
    """Somebody who asks one thing after the other meanwhile; how long each took, in seconds."""
    waits: list[float] = []

    async def ask() -> None:
        async with place.channel() as channel, place.web() as web:
            latest: Any = channel.unary_unary(path("FetchLatestDatabase"))
            while True:
                for over_http in (False, True):
                    began = time.monotonic()
                    if over_http:
                        assert (await web.get("/health")).status_code == 200
                    else:
                        await latest(BANK, metadata=GOOD, timeout=60)
                    waits.append(time.monotonic() - began)
                await asyncio.sleep(0.02)

    asking = asyncio.create_task(ask())
    try:
        yield waits
    finally:
        asking.cancel()
        with suppress(asyncio.CancelledError):
            await asking  # which raises where somebody else was not answered


async def settled(place: Place, files: int) -> None:
    """Streams and files have come back; waits a little for those that are on their way."""
    end = time.monotonic() + 20
    while await place.streams() or place.files() > files + MORE_FILES:
        assert time.monotonic() < end, f"{await place.streams()} streams, {place.files()} files"
        await asyncio.sleep(0.05)


async def rounds(place: Place, count: int, share: float) -> int:
    """Rounds of everything; 1 where something does not come back."""
    await place.fill(2_000)
    first, longest = 0, 0.0
    files = 500  # each thread that reads opens the database for itself, once
    for number in range(1, count + 1):
        for day in DAYS:
            began = time.monotonic()
            async with somebody_else(place) as waits:
                await day.happens(place, max(1, round(day.much * share)))
            longest = max(longest, *waits)
            took, name = time.monotonic() - began, day.happens.__name__
            print(
                f"  {name:26} {took:6.1f} s, somebody else {max(waits):.3f} s at most", flush=True
            )
        await settled(place, files)
        memory, files = place.memory(), min(files, place.files())
        print(f"round {number}: {memory / 2**20:7.1f} MiB {place.files():4} open files", flush=True)
        first = memory if number <= WARM else first
    grown = memory - first
    print(f"grown by {grown / 2**20:.1f} MiB since round {WARM}; waits of {longest:.3f} s at most")
    return int(grown > MEMORY_GROWTH or longest > LONGEST_WAIT)


def main() -> int:
    """Start the server and play."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--serve", metavar="FOLDER", help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--share", type=float, default=1.0, help="how bad the days are, 1 for all")
    asked = parser.parse_args()
    if asked.serve:
        serve_it(asked.serve)
        return 0
    with served() as place:
        return asyncio.run(rounds(place, asked.rounds, asked.share))


if __name__ == "__main__":
    sys.exit(main())
