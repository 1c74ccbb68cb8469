"""Power cuts: a store is written, and what the disk would hold at any moment is opened and looked at.

    python -m tests.crash.power --seconds 60

Each cut is taken at some change of a file, while a transaction is on its way, events are gathered or
the log is carried over. What was opened again must have every transaction that had been acknowledged by
then, each whole, and nothing that was never asked for. With ``--synchronous NORMAL`` the same search finds
transactions that are lost, which shows that it can.
"""

# ruff: noqa: T201 - telling how it goes is what it does

from __future__ import annotations

import argparse
import random
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from evidentsource_core import ProspectiveEvent
from evidentsource_runtime.store import SqliteStore, StoreNotFound, commits, verify
from tests.crash.folders import fast_folder
from tests.crash.levels import small_levels
from tests.crash.submitting import submitted
from tests.crash.volatile import Disk, VolatileVfs

CHECKPOINT_PAGES = 40
"""Far fewer than usual, so that the log is carried over and begun anew many times in a run."""
_AFTER = "after-the-cut"


@dataclass
class Findings:
    """What a search found.

    Args:
        cuts: how many there were.
        lost: cuts that lost an acknowledged transaction.
        faults: what else was wrong, in words.
        survivors: transactions that were found though nobody had been told of them yet.
        gathered: events that were laid side by side.
    """

    cuts: int = 0
    lost: int = 0
    survivors: int = 0
    gathered: int = 0
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.cuts} cuts: {self.lost} lost an acknowledged transaction, "
            f"{self.survivors} kept one before it was acknowledged, {len(self.faults)} other faults; "
            f"{self.gathered} events were gathered"
        )


@dataclass
class Search:
    """Writes a store and cuts the power.

    Args:
        folder: an empty one.
        seed: the same seed cuts at the same places.
        share: which part of the changes of a file is a cut.
        synchronous: how the store waits for the disk.
    """

    folder: Path
    seed: int
    share: float
    synchronous: Any = "FULL"

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.disk = Disk(self._maybe_cut)
        self.acknowledged: list[str] = []
        self.asked: list[str] = []
        self.findings = Findings()
        self.cutting = True

    def run(self, until: float, most_cuts: int) -> Findings:
        """Write until it is time, or there were enough cuts."""
        # Registered for as long as the object is there.
        self.vfs = VolatileVfs(f"volatile-{id(self)}", self.disk)
        self.after = VolatileVfs(_AFTER, Disk())
        path = self.folder / "bank.db"
        with (
            _early_checkpoints(),
            small_levels(scale=4),
            SqliteStore.open(
                path, vfs=f"volatile-{id(self)}", synchronous=self.synchronous
            ) as store,
        ):
            number = 0
            while time.monotonic() < until and self.findings.cuts < most_cuts:
                number += 1
                self._transact(store, number)
                if number % 20 == 0:
                    self.findings.gathered += store.gather()
            self.cutting = False
        return self.findings

    def _transact(self, store: SqliteStore, number: int) -> None:
        name = f"t-{number}"
        self.asked.append(name)
        size = self.chance.choice((1, 1, 2, 7, 40))
        transact = partial(submitted, store) if number % 2 else store.transact
        transact(
            [
                ProspectiveEvent(
                    f"{number}-{index}",
                    f"stream-{self.chance.randrange(5)}",
                    "written",
                    subject=f"subject-{self.chance.randrange(200)}",
                    data="x" * self.chance.choice((10, 200, 3000)),
                )
                for index in range(size)
            ],
            transaction_id=name,
        )
        self.acknowledged.append(name)

    def _maybe_cut(self) -> None:
        if self.cutting and self.chance.random() < self.share:
            self.findings.cuts += 1
            after = self.folder / "after"
            after.mkdir()
            self.disk.cut(after, self.chance)
            self._look_at(after / "bank.db")
            shutil.rmtree(after)

    def _look_at(self, path: Path) -> None:
        try:
            with SqliteStore.open(path, vfs=_AFTER, name="bank") as store:
                found = [each.id for each in store.log()]
                faults = [str(fault) for fault in verify(store)]
        except StoreNotFound:
            found, faults = [], []
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not happen
            found, faults = list(self.acknowledged), [f"{type(error).__name__}: {error}"]
        if found[: len(self.acknowledged)] != self.acknowledged:
            self.findings.lost += 1
        elif len(found) > len(self.acknowledged):
            self.findings.survivors += 1
        if found != self.asked[: len(found)]:
            faults.append(f"{found} is no beginning of what was asked for")
        self.findings.faults += [f"cut {self.findings.cuts}: {fault}" for fault in faults]


@contextmanager
def _early_checkpoints() -> Iterator[None]:
    before = commits.CHECKPOINT_PAGES, commits.LOOK_EVERY
    commits.CHECKPOINT_PAGES, commits.LOOK_EVERY = CHECKPOINT_PAGES, 1  # type: ignore[misc]  # for this test alone
    try:
        yield
    finally:
        commits.CHECKPOINT_PAGES, commits.LOOK_EVERY = before  # type: ignore[misc]  # as above


def main() -> None:
    """Search for as long as was asked for, with one seed after the other."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60, help="how long to search")
    parser.add_argument("--seed", type=int, default=1, help="the first seed")
    parser.add_argument("--synchronous", choices=("FULL", "NORMAL"), default="FULL")
    asked = parser.parse_args()
    start = time.monotonic()
    total = Findings()
    seed = asked.seed
    while time.monotonic() < start + asked.seconds:
        with fast_folder() as folder:
            search = Search(folder, seed, 0.1, asked.synchronous)
            found = search.run(start + asked.seconds, most_cuts=500)
        print(f"seed {seed}: {found}")
        for fault in found.faults:
            print(f"  {fault}")
        total.cuts += found.cuts
        total.lost += found.lost
        total.survivors += found.survivors
        total.gathered += found.gathered
        total.faults += found.faults
        seed += 1
    taken = time.monotonic() - start
    print(f"{taken:.0f} s, {total.cuts / taken * 60:.0f} cuts a minute; {total}")
    if asked.synchronous == "FULL" and (total.lost or total.faults):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
