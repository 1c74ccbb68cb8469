"""Many calls of good and of hostile components in one host: ``make soak``.

Prints memory and open files as the calls go on, and fails where they do not stay flat.
"""
# ruff: noqa: T201 - telling how it goes is what it does

from __future__ import annotations

import argparse
import gc
import itertools
import os
import sys
import tempfile
import time
from pathlib import Path

from evidentsource_core import Command, StateChangeMetadata
from evidentsource_core.times import EPOCH
from evidentsource_functions import StateChangeError
from evidentsource_runtime.host import ComponentError, Host, Limits, StateChangeComponent
from tests.component.host.hostile import NONE, decision, selecting, state_change

COMMAND = Command(b"{}")
METADATA = StateChangeMetadata("open", 1, 0, EPOCH)
MEMORY_GROWTH = 16 * 1024 * 1024
"""Bytes that memory may grow by after the first tenth of the calls, which fills whatever is kept."""
BODIES = (
    "unreachable",
    "(call $deeper (i32.const 0))",
    decision(events=(NONE, 4)),
    decision(events=(NONE, 1)),
    selecting((2, 0, 0)),
    "(call $exit (i32.const 1)) (i32.const 0)",
    "(call $drop (i32.const 77)) (i32.const 0)",
)


class Database:
    """As much of a database as these components look at."""

    name = "bank"


def resources() -> tuple[int, int]:
    """Bytes of memory in use, and open files."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE"), len(list(Path("/proc/self/fd").iterdir()))


def load(host: Host, component: bytes) -> StateChangeComponent:
    """A component, as what it is."""
    loaded = host.load(component)
    assert isinstance(loaded, StateChangeComponent)
    return loaded


def call(component: StateChangeComponent) -> str:
    """How a call ends."""
    try:
        component.decide(Database(), COMMAND, METADATA)
    except StateChangeError as error:
        return error.message
    except ComponentError as error:
        return error.code
    return "answered"


def main() -> int:
    """Run the calls; 1 where something grows or a good component gives another answer."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=20_000)
    calls: int = parser.parse_args().calls
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="evidentsource-soak-") as directory:
        host = Host(directory, limits=Limits(events=3))
        good = load(host, state_change())
        bad = [load(host, state_change(body)) for body in BODIES]
        before = resources()
        for index, (hostile, _) in enumerate(zip(itertools.cycle(bad), range(calls // 2)), 1):
            if call(hostile) == "answered" or call(good) != "bank":
                print(f"call {index * 2}: not the answer it has to be")
                return 1
            if index % max(calls // 20, 1) == 0:
                memory, files = resources()
                print(f"{index * 2:>8,} calls {memory / 2**20:8.1f} MiB {files:4} open files")
                if index == calls // 20:
                    before = memory, files
    memory, files = resources()
    grown = memory - before[0]
    print(f"{time.monotonic() - started:.0f} s; grown by {grown / 2**20:.1f} MiB since a tenth")
    return int(grown > MEMORY_GROWTH or files > before[1])


if __name__ == "__main__":
    sys.exit(main())
