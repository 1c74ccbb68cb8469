"""Servers in processes of their own, and who asks them: for ``benchmarks.server``."""

from __future__ import annotations

import http.client
import json
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import grpc

from evidentsource_core import CommandRequest
from evidentsource_runtime.database import Database
from evidentsource_runtime.server.protobuf.generated import service_pb2 as pb

SERVICE = "com.evidentsource.EvidentSource"
API = "/api/v1/db/bank"
JSON = {"content-type": "application/json"}

Ask = Callable[[str], object]
"""Has the account of that name opened."""
Client = Callable[[ExitStack], Ask]
"""A client of its own for one thread."""


@dataclass(frozen=True)
class Where:
    """Where a server listens."""

    grpc: str
    http: str


@contextmanager
def process(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], Where]]:
    """``evidentsource`` with these arguments on free ports, ended at the end."""
    ports = ("--grpc-port", "0", "--http-port", "0", "--json", "--log-level", "error")
    command = (sys.executable, "-m", "evidentsource_runtime.cli", *arguments, *ports)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout is not None
        try:
            told = json.loads(started.stdout.readline())
            yield started, Where(told["grpc"], told["http"])
        finally:
            started.send_signal(signal.SIGINT)
            started.wait(timeout=60)


class Web:
    """One connection over HTTP, without anything that a benchmark would measure with it."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port)

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, Any, bytes]:
        self._connection.request(method, path, body, headers or {})
        answer = self._connection.getresponse()
        return answer.status, answer.headers, answer.read()

    def close(self) -> None:
        self._connection.close()


def embedded(database: Database) -> Client:
    def client(_held: ExitStack) -> Ask:
        return lambda name: database.execute("open", None, CommandRequest.json({"id": name}))

    return client


def over_grpc(where: Where) -> Client:
    def client(held: ExitStack) -> Ask:
        channel = held.enter_context(connected(where))
        execute = call(channel, "ExecuteStateChange", pb.ExecuteStateChangeReply)

        def ask(name: str) -> object:
            body = json.dumps({"id": name}).encode()
            request = pb.CommandRequest(body=body, content_type="application/json")
            return execute(
                pb.ExecuteStateChangeRequest(
                    database_name="bank", state_change_name="open", request=request
                )
            )

        return ask

    return client


def over_http(where: Where) -> Client:
    def client(held: ExitStack) -> Ask:
        web = Web(where.http)
        held.callback(web.close)

        def ask(name: str) -> object:
            body = json.dumps({"id": name}).encode()
            status, _, said = web.ask("POST", f"{API}/state-changes/open/latest", body, JSON)
            assert status == 201, said
            return said

        return ask

    return client


def connected(where: Where) -> grpc.Channel:
    # Each client has a connection of its own, as clients in processes of their own would.
    return grpc.insecure_channel(where.grpc, [("grpc.use_local_subchannel_pool", 1)])


def call(channel: grpc.Channel, name: str, reply: Any) -> Any:
    return channel.unary_unary(
        f"/{SERVICE}/{name}", lambda message: message.SerializeToString(), reply.FromString
    )


@dataclass(frozen=True)
class Figures:
    """What some clients were answered: how many a second, and milliseconds."""

    per_second: float
    p50: float
    p99: float

    def __str__(self) -> str:
        return f"{self.per_second:,.0f} commands/s, p50 {self.p50:.1f} ms, p99 {self.p99:.1f} ms"


def in_turns(
    ways: list[Client], clients: int, seconds: float, turns: int, mark: str
) -> list[Figures]:
    """Each way with so many clients at once, in turns, so that a busy machine slows all of them."""
    taken: list[list[float]] = [[] for _ in ways]
    for turn in range(turns):
        for number, way in enumerate(ways):
            taken[number] += _round(way, clients, seconds, f"{mark}-{clients}-{number}-{turn}")
    return [_figures(each, seconds * turns) for each in taken]


def _round(way: Client, clients: int, seconds: float, mark: str) -> list[float]:
    taken: list[float] = []
    failed: list[BaseException] = []
    begin = threading.Barrier(clients)

    def work(client: int) -> None:
        own: list[float] = []
        try:
            with ExitStack() as held:
                ask = way(held)
                ask(f"{mark}-{client}-first")
                begin.wait()
                end, number = time.perf_counter() + seconds, 0
                while (started := time.perf_counter()) < end:
                    ask(f"{mark}-{client}-{number}")
                    own.append(time.perf_counter() - started)
                    number += 1
        except BaseException as error:  # noqa: BLE001 - it is raised where the round was asked for
            failed.append(error)
            begin.abort()
        taken.extend(own)

    threads = [threading.Thread(target=work, args=(each,)) for each in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return taken


def _figures(taken: list[float], seconds: float) -> Figures:
    ordered = sorted(taken)
    return Figures(
        len(ordered) / seconds,
        statistics.median(ordered) * 1e3,
        ordered[int(len(ordered) * 0.99)] * 1e3,
    )


def first_answer(file: Path) -> float:
    """Seconds from the start of a process to the first answer that reads the database."""
    began = time.perf_counter()
    with process("serve", "--data", str(file)) as (_, where):
        web = Web(where.http)
        status, _, said = web.ask("GET", API)
        assert status == 200, said
        web.close()
        return time.perf_counter() - began
