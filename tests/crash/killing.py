"""kill -9 in the middle of writing, again and again, on one and the same store.

    python -m tests.crash.killing --times 200

A process writes with four threads and tells of each transaction once it is acknowledged. It is killed
at a random moment; the next one opens what it left. In the end everything that was told must be
there, each transaction whole, revisions without gaps.
"""
# ruff: noqa: T201 - telling how it goes is what it does

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from evidentsource_core import Constraint, ProspectiveEvent, Selector
from evidentsource_runtime.store import SqliteStore, StoreInUse, verify
from tests.crash.levels import small_levels
from tests.crash.submitting import submitted

ROOT = Path(__file__).parents[2]
WRITERS = 4


@dataclass
class Outcome:
    """What became of the store."""

    kills: int
    told: int
    found: int
    refused_openings: int
    faults: list[str]

    def __str__(self) -> str:
        return (
            f"{self.kills} kills: {self.told} transactions were acknowledged, {self.found} are there, "
            f"{self.refused_openings} second writers refused, {len(self.faults)} faults"
        )


def run(path: Path, kills: int, seed: int) -> Outcome:
    """Kill so many writers of a store, then look at it."""
    chance = random.Random(seed)
    told: dict[str, int] = {}
    refused = 0
    faults: list[str] = []
    for number in range(kills):
        with _started(path, number) as writer:
            assert writer.stdout is not None
            first = writer.stdout.readline()
            if number % 5 == 0 and first:
                refused += _second_is_refused(path)
            time.sleep(chance.random() * 0.15)
            writer.send_signal(signal.SIGKILL)
            rest = writer.stdout.read()
        for line in (first + rest).splitlines(keepends=True):
            # The last line may be cut off in the middle: it was not told then.
            if line.startswith("ok ") and line.endswith("\n"):
                _, name, revision = line.split()
                told[name] = int(revision)
    with SqliteStore.open(path) as store:
        faults += [str(fault) for fault in verify(store)]
        faults += _missing(store, told)
        faults += _halves(store)
        found = sum(1 for _ in store.log())
    return Outcome(kills, len(told), found, refused, faults)


def _started(path: Path, number: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.crash.killing", "--write", str(path), str(number)]
    environment = os.environ | {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment)


def _second_is_refused(path: Path) -> int:
    try:
        SqliteStore.open(path).close()
    except StoreInUse:
        return 1
    raise AssertionError("a second writer was let in")


def _missing(store: SqliteStore, told: dict[str, int]) -> Iterator[str]:
    for name, revision in told.items():
        kept = store.transaction(name)
        if kept is None or kept.revision != revision:
            yield f"{name} was acknowledged at {revision} and is {kept}"


def _halves(store: SqliteStore) -> Iterator[str]:
    """Each transaction says in its events how many it has."""
    basis = 0
    for each in store.log(detail=True):
        sizes = {event.data_as_json() for event in each.events}
        if sizes != {len(each.events)} or each.basis != basis:
            yield f"{each.id} has {len(each.events)} events, of {sizes}, after {basis}"
        basis = each.revision


def _write(path: str, number: str) -> None:
    """What the killed process does: four threads, some of them in each other's way."""
    store = SqliteStore.open(path)

    def work(thread: int) -> None:
        chance = random.Random(f"{number}-{thread}")
        transact = partial(submitted, store) if thread % 2 else store.transact
        for turn in range(1_000_000):
            size = chance.choice((1, 1, 3, 20))
            name = f"{number}-{thread}-{turn}"
            events = [
                ProspectiveEvent(
                    f"{name}-{index}",
                    f"stream-{thread}",
                    "written",
                    f"s-{turn % 50}",
                    data=str(size),
                )
                for index in range(size)
            ]
            own = Selector.stream(f"stream-{thread}")
            unchanged = Constraint.unchanged_since(own, store.highest(own))
            result = transact(events, [unchanged], transaction_id=name)
            # One write: a line is there whole, or cut off by the kill.
            os.write(1, f"ok {name} {result.revision}\n".encode())
            if turn % 20 == thread:
                store.gather()

    threads = [threading.Thread(target=work, args=(thread,)) for thread in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main() -> None:
    """Be killed, or kill as often as was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", nargs=2, metavar=("PATH", "NUMBER"), help="be the writer")
    parser.add_argument("--times", type=int, default=200, help="how many writers to kill")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="when to kill them")
    asked = parser.parse_args()
    if asked.write:
        with small_levels(scale=16):
            _write(*asked.write)
        return
    with tempfile.TemporaryDirectory() as folder:
        outcome = run(Path(folder) / "bank.db", asked.times, asked.seed)
    print(f"seed {asked.seed}: {outcome}")
    for fault in outcome.faults:
        print(f"  {fault}")
    if outcome.faults:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
