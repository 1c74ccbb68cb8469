"""How much memory something takes: the most that the process has while it runs."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from benchmarks.table import Row

_STATUS, _FORGET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def watched(item: str, what: str, rows: Iterator[Row]) -> Iterator[Row]:
    """Rows, and behind them the most memory that the process had while they were measured."""
    before = _forget_most()
    yield from rows
    figures = f"{_most():,.0f} MiB at most, {before:,.0f} MiB before"
    yield Row(item, f"memory: {what}", None, figures)


def _forget_most() -> float:
    """Let the most be what there is now; where the system cannot, it stays the most since the start."""
    with suppress(OSError):
        _FORGET.write_text("5")
    return _most()


def _most() -> float:
    """MiB that the process had at most."""
    try:
        lines = _STATUS.read_text().splitlines()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    (most,) = (line.split()[1] for line in lines if line.startswith("VmHWM:"))
    return int(most) / 1024
