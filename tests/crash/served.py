"""kill -9 of a server under gRPC clients, again and again, on one and the same database.

    python -m tests.crash.served --times 50

Four clients write: most transactions at once, every fifth to be done later. A call that a kill cut off
is sent again, with the same transaction id, to the server that was started in its place. In the end
everything that was acknowledged must be there, once, whole, and at the revision that was told.
"""
# ruff: noqa: T201 - telling how it goes is what it does

from __future__ import annotations

import argparse
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc

from evidentsource_core import Constraint, ProspectiveEvent, Selector
from evidentsource_runtime.server.protobuf.events import prospective_to
from evidentsource_runtime.server.protobuf.selectors import condition_to
from evidentsource_runtime.store import SqliteStore, verify
from tests.server.stub import Stub

ROOT = Path(__file__).parents[2]
CLIENTS = 4
_AGAIN = [
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.min_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 100),
    ("grpc.use_local_subchannel_pool", 1),
]


@dataclass
class Told:
    """What the clients were told."""

    revisions: dict[str, int] = field(default_factory=dict)
    accepted: set[str] = field(default_factory=set)
    cut_off: int = 0
    failures: list[str] = field(default_factory=list)


@dataclass
class Outcome:
    """What became of the database."""

    kills: int
    told: Told
    found: int
    faults: list[str]

    def __str__(self) -> str:
        told = self.told
        return (
            f"{self.kills} kills under {CLIENTS} clients: {len(told.revisions)} transactions were "
            f"acknowledged, {len(told.accepted)} accepted for later, {told.cut_off} calls cut off and "
            f"sent again, {self.found} are there, {len(self.faults)} faults"
        )


def run(file: Path, kills: int, seed: int) -> Outcome:
    """Kill so many servers of a database, then look at it."""
    chance = random.Random(seed)
    told, stop = Told(), threading.Event()
    port = _free_port()
    threads = [
        threading.Thread(target=_client, args=(f"{seed}-{number}", port, told, stop))
        for number in range(CLIENTS)
    ]
    for thread in threads:
        thread.start()
    try:
        for _ in range(kills):
            with _started(file, port) as server:
                written = len(told.revisions)
                _until(lambda before=written: len(told.revisions) > before)
                time.sleep(chance.random() * 0.3)
                server.send_signal(signal.SIGKILL)
        with _started(file, port) as server:
            stop.set()
            for thread in threads:
                thread.join()
            _until_done(port, told)
            server.send_signal(signal.SIGTERM)
    finally:
        stop.set()
    with SqliteStore.open(file) as store:
        faults = [*told.failures, *(str(fault) for fault in verify(store))]
        faults += _missing(store, told)
        faults += _halves(store)
        found = sum(1 for _ in store.log())
    return Outcome(kills, told, found, faults)


@contextmanager
def _started(file: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    serve = (sys.executable, "-m", "evidentsource_runtime.cli", "serve", "--data", str(file))
    options = ("--grpc-port", str(port), "--http-port", "0", "--json", "--log-level", "error")
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    with subprocess.Popen(
        (*serve, *options), stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        try:
            assert "grpc" in process.stdout.readline()
            yield process
        except BaseException:
            process.kill()
            raise


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
    return port


def _client(name: str, port: int, told: Told, stop: threading.Event) -> None:
    """Writes until it is told to stop; what was cut off is sent until it is answered."""
    with grpc.insecure_channel(f"127.0.0.1:{port}", _AGAIN) as channel:
        stub, turn, last = Stub(channel), 0, 0
        while not stop.is_set():
            turn += 1
            later = turn % 5 == 2
            request = _request(f"{name}-{turn}", name, last, turn, later=later)
            call = stub.TransactAsync if later else stub.Transact
            try:
                reply = _answered(call, request, told)
            except grpc.RpcError as error:
                told.failures.append(f"{request['transaction_id']}: {error}")
                return
            if later:
                told.accepted.add(request["transaction_id"])
            else:
                last = reply.result.transaction_summary.revision
                told.revisions[request["transaction_id"]] = last


def _request(own: str, client: str, last: int, turn: int, *, later: bool) -> dict[str, Any]:
    size = (1, 1, 3, 20)[turn % 4]
    # What comes later goes to a stream of its own, so that it is in no other's way.
    stream = f"s-{client}{'-later' if later else ''}"
    events = [
        prospective_to(ProspectiveEvent(f"{own}-{n}", stream, "written", data=str(size)))
        for n in range(size)
    ]
    unchanged = Constraint.unchanged_since(Selector.stream(stream), last)
    return {
        "database_name": "bank",
        "events": events,
        "conditions": [] if later else [condition_to(unchanged)],
        "transaction_id": own,
    }


def _answered(call: Any, request: dict[str, Any], told: Told) -> Any:
    end = time.monotonic() + 60
    while True:
        try:
            return call(**request)
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.UNAVAILABLE or time.monotonic() > end:
                raise
        told.cut_off += 1
        time.sleep(0.1)


def _until(holds: Any) -> None:
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end, "the server answers nobody"
        time.sleep(0.005)


def _until_done(port: int, told: Told) -> None:
    """Everything that was accepted has had its turn, or a fault says so."""
    with grpc.insecure_channel(f"127.0.0.1:{port}", _AGAIN) as channel:
        stub, end = Stub(channel), time.monotonic() + 60
        for name in told.accepted:
            while True:
                try:
                    found = stub.FetchTransactionById(database_name="bank", transaction_id=name)
                except grpc.RpcError as error:
                    if "waits for" in (error.details() or "") and time.monotonic() < end:
                        time.sleep(0.05)
                        continue
                    told.failures.append(f"{name}, accepted for later: {error.details()}")
                else:
                    told.revisions[name] = found.transaction.basis + len(found.transaction.events)
                break


def _missing(store: SqliteStore, told: Told) -> Iterator[str]:
    for name, revision in told.revisions.items():
        kept = store.transaction(name)
        if kept is None or kept.revision != revision:
            yield f"{name} was acknowledged at {revision} and is {kept}"


def _halves(store: SqliteStore) -> Iterator[str]:
    """Each transaction says in its events how many it has, and there is none twice."""
    basis, seen = 0, set()
    for each in store.log(detail=True):
        sizes = {event.data_as_json() for event in each.events}
        if sizes != {len(each.events)} or each.basis != basis or each.id in seen:
            yield f"{each.id} has {len(each.events)} events, of {sizes}, after {basis}"
        seen.add(each.id)
        basis = each.revision


def main() -> None:
    """Kill as often as was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=50, help="how many servers to kill")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="when to kill them")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        outcome = run(Path(folder) / "bank.db", asked.times, asked.seed)
    print(f"seed {asked.seed}: {outcome}")
    for fault in outcome.faults:
        print(f"  {fault}")
    if outcome.faults:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
