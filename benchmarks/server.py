"""What the server costs beside the embedded database, and how soon it is there.

    python -m benchmarks.server [--seconds 1.5] [--turns 3]

The server is a process of its own, its clients are threads of this one, each with a connection of its
own; the embedded database is asked by as many threads of this process. All of them have the same
component decide, and wait until their transaction is on the disk. The two share the cores of the
machine with their clients.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import evidentsource_runtime
from benchmarks.callers import (
    API,
    JSON,
    SERVICE,
    Web,
    Where,
    call,
    connected,
    embedded,
    first_answer,
    in_turns,
    over_grpc,
    over_http,
    process,
)
from benchmarks.database import deposit, summary
from benchmarks.parts import built
from benchmarks.table import Row, at_most, lines, machine
from evidentsource_core import (
    Parameter,
    Selector,
    StateChangeDefinition,
    StateChangeName,
)
from evidentsource_runtime.server.protobuf.generated import service_pb2 as pb

CLIENTS = (1, 8, 32)
TIMES_EMBEDDED = 2.0
START_SECONDS = 1.5
SAVE_SECONDS = 1.0
EXAMPLE = Path(__file__).parents[1] / "examples" / "savings_account"


@dataclass(frozen=True)
class Sizes:
    """How much is measured."""

    seconds: float = 1.5
    turns: int = 3
    reads: int = 100
    commits: int = 50


def prepared(file: Path) -> None:
    """A database with a state change, a view, and 1,000 events of 100 accounts."""
    with evidentsource_runtime.open(file) as database:
        change = StateChangeDefinition(StateChangeName("open"))
        database.publish_state_change(change, built("opening"))
        selector = Selector.stream("accounts") & Parameter.subject("account_id")
        database.publish_state_view(summary(selector), built("summary"))
        database.transact([deposit(number, f"account-{number % 100}") for number in range(1_000)])


def commands(folder: Path, where: Where, sizes: Sizes) -> Iterator[Row]:
    """Commands that a component decides: over either interface, and embedded."""
    file = folder / "embedded" / "bank.db"
    file.parent.mkdir()
    prepared(file)
    with evidentsource_runtime.open(file) as database:
        ways = [embedded(database), over_grpc(where), over_http(where)]
        for clients in CLIENTS:
            ours, grpc, http = in_turns(ways, clients, sizes.seconds, sizes.turns, "c")
            many = f"{clients} client{'s' * (clients > 1)}"
            target = at_most(TIMES_EMBEDDED) if clients == 1 else None
            yield Row("L", f"a command's p50, {many}: gRPC / embedded", grpc.p50 / ours.p50,
                      f"gRPC {grpc}; embedded {ours}", target)  # fmt: skip
            yield Row("M", f"a command's p50, {many}: HTTP / embedded", http.p50 / ours.p50,
                      f"HTTP {http}")  # fmt: skip


def views(where: Where, sizes: Sizes) -> Iterator[Row]:
    """A view read for the first time, read again, and asked for by somebody who has it."""
    web = Web(where.http)
    try:
        paths = [
            f"{API}/latest/state-views/summary/1?subject.account_id=account-{number}"
            for number in range(100)
        ]
        tags: dict[str, str] = {}

        def read(path: str) -> None:
            status, headers, said = web.ask("GET", path)
            assert status == 200, said
            tags[path] = headers["etag"]

        def known(path: str) -> None:
            status, _, said = web.ask("GET", path, headers={"if-none-match": tags[path]})
            assert status == 304, said

        cold, warm, held = (_median(_each(act, paths)) * 1e3 for act in (read, read, known))
    finally:
        web.close()
    yield Row("N", "a view over HTTP: read again / cold", warm / cold,
              f"{warm:.1f} / {cold:.1f} ms, 10 events of each of 100 accounts")  # fmt: skip
    yield Row("N", "a view over HTTP: with its ETag / cold", held / cold,
              f"{held:.1f} / {cold:.1f} ms")  # fmt: skip
    with connected(where) as channel:
        fetch = call(channel, "FetchStateViewAtRevision", pb.StateViewReply)
        latest = call(channel, "FetchLatestDatabase", pb.DatabaseReply)
        revision = latest(pb.LatestDatabaseRequest(database_name="bank")).database.revision
        taken = _median(_each(lambda n: fetch(_wanted(n, revision)), range(sizes.reads))) * 1e3
    yield Row("N", "a view read again: gRPC / HTTP", taken / warm, f"{taken:.1f} / {warm:.1f} ms")


def _wanted(number: int, revision: int) -> pb.FetchStateViewRequest:
    request = pb.FetchStateViewRequest(database_revision=revision)
    identity = request.state_view_identity
    identity.database_name, identity.state_view_name = "bank", "summary"
    subject = request.parameters.bindings["account_id"].subject
    subject.has_value, subject.value = True, f"account-{number % 100}"
    return request


def delays(where: Where, sizes: Sizes) -> Iterator[Row]:
    """From a commit that is acknowledged to a client that was told of it; below 0: told before."""
    for name, follow in (("gRPC", _followed_by_grpc), ("server-sent events", _followed_by_http)):
        seen: dict[int, float] = {}
        acknowledged: dict[int, float] = {}
        sent: dict[int, float] = {}
        began = threading.Event()
        with ExitStack() as held:
            follow(held, where, seen, began)
            began.wait()
            web = Web(where.http)
            held.callback(web.close)
            for number in range(sizes.commits):
                event = {"specversion": "1.0", "id": f"{name}-{number}", "source": "told",
                         "type": "told"}  # fmt: skip
                asked = time.perf_counter()
                body = json.dumps({"events": [event]}).encode()
                _, _, said = web.ask("POST", f"{API}/transactions", body, JSON)
                revision = json.loads(said)["revision"]
                acknowledged[revision], sent[revision] = time.perf_counter(), asked
                time.sleep(0.01)
            _until(seen, max(acknowledged))
        after = _median([seen[each] - acknowledged[each] for each in acknowledged]) * 1e3
        whole = sorted(seen[each] - sent[each] for each in sent)
        yield Row("O", f"told of a commit over {name}", None,
                  f"{after:+.1f} ms after it was acknowledged; {_median(whole) * 1e3:.1f} ms after it "
                  f"was sent, at most {whole[-1] * 1e3:.1f} ms")  # fmt: skip


def _followed_by_grpc(
    held: ExitStack, where: Where, seen: dict[int, float], began: threading.Event
) -> None:
    channel = held.enter_context(connected(where))
    subscribe: Any = channel.unary_stream(
        f"/{SERVICE}/SubscribeDatabaseUpdates",
        lambda message: message.SerializeToString(),
        pb.DatabaseReply.FromString,
    )
    updates = subscribe(pb.DatabaseUpdatesSubscriptionRequest(database_name="bank"))
    held.callback(updates.cancel)

    def read() -> None:
        try:
            for update in updates:
                seen[update.database.revision] = time.perf_counter()
                began.set()
        except Exception:  # noqa: BLE001, S110 - it was cancelled, which ends it
            pass

    threading.Thread(target=read, daemon=True).start()


def _followed_by_http(
    held: ExitStack, where: Where, seen: dict[int, float], began: threading.Event
) -> None:
    import httpx  # noqa: PLC0415 - for this alone

    web = held.enter_context(httpx.Client(base_url=where.http, timeout=60.0))
    headers = {"accept": "text/event-stream"}
    stream = held.enter_context(web.stream("GET", f"{API}/updates", headers=headers))

    def read() -> None:
        try:
            for line in stream.iter_lines():
                if line.startswith("id: "):
                    seen[int(line[4:])] = time.perf_counter()
                    began.set()
        except httpx.HTTPError:
            pass  # it was closed, which ends it

    threading.Thread(target=read, daemon=True).start()


def starting(file: Path) -> Iterator[Row]:
    """A server from nothing to its first answer."""
    first_answer(file)
    taken = sorted(first_answer(file) for _ in range(5))
    yield Row("P", f"start of a server to its first answer / {START_SECONDS:g} s",
              _median(taken) / START_SECONDS,
              f"{_median(taken):.2f} s, the fastest of 5 {taken[0]:.2f} s", at_most(1))  # fmt: skip


def saving(folder: Path) -> Iterator[Row]:
    """From a save to an answer of what was saved, in ``evidentsource dev``."""
    project = folder / "project"
    shutil.copytree(EXAMPLE, project, ignore=shutil.ignore_patterns("dist", "__pycache__"))
    source = project / "savings" / "open_account.py"
    taken = []
    with process("dev", "--project", str(project), "--level", "source") as (started, where):
        assert started.stdout is not None
        while json.loads(started.stdout.readline())["what"] != "ready":
            pass
        web = Web(where.http)
        for turn in range(6):
            before, began = _opened(web, f"{turn}-before"), time.perf_counter()
            source.write_text(f"{source.read_text()}# {time.monotonic_ns()}\n")
            asked = 0
            while _opened(web, f"{turn}-{asked}") == before:
                asked += 1
            taken.append(time.perf_counter() - began)
        web.close()
    taken = sorted(taken[1:])
    yield Row("Q", f"dev: a save to the new answer / {SAVE_SECONDS:g} s",
              _median(taken) / SAVE_SECONDS,
              f"{_median(taken):.2f} s, at most {taken[-1]:.2f} s of {len(taken)}",
              at_most(1))  # fmt: skip


def _opened(web: Web, name: str) -> str:
    body = json.dumps({"reference": f"r-{name}", "account_id": name, "owner": "Ann"}).encode()
    status, headers, said = web.ask("POST", f"{API}/state-changes/open-account/latest", body, JSON)
    assert status == 201, said
    served: str = headers["x-evidentsource-input-hash"]
    return served


def _each(act: Callable[[Any], object], arguments: Any) -> list[float]:
    taken = []
    for each in arguments:
        began = time.perf_counter()
        act(each)
        taken.append(time.perf_counter() - began)
    return taken


def _until(seen: dict[int, float], revision: int) -> None:
    end = time.monotonic() + 30
    while max(seen) < revision and time.monotonic() < end:
        time.sleep(0.01)


def _median(values: list[float]) -> float:
    return statistics.median(values)


def rows(sizes: Sizes | None = None) -> Iterator[Row]:
    """Everything."""
    chosen = sizes or Sizes()
    with tempfile.TemporaryDirectory(prefix="evidentsource-bench-") as name:
        folder = Path(name)
        file = folder / "bank.db"
        prepared(file)
        with process("serve", "--data", str(file)) as (_, where):
            yield from views(where, chosen)
            yield from commands(folder, where, chosen)
            yield from delays(where, chosen)
        yield from starting(file)
        yield from saving(folder)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.server", description=__doc__)
    parser.add_argument("--seconds", type=float, default=1.5)
    parser.add_argument("--turns", type=int, default=3)
    given = parser.parse_args()
    print(f"{machine()}\n")
    for line in lines(rows(Sizes(given.seconds, given.turns))):
        print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
