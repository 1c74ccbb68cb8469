"""What a benchmark prints: one line a comparison, the ratio first and what is to be reached beside it."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Target:
    """What a ratio has to reach."""

    limit: float
    at_most: bool = False

    def met(self, ratio: float) -> bool:
        return ratio <= self.limit if self.at_most else ratio >= self.limit

    def __str__(self) -> str:
        return f"{'<=' if self.at_most else '>='} {self.limit:g}"


def at_least(limit: float) -> Target:
    return Target(limit)


def at_most(limit: float) -> Target:
    return Target(limit, at_most=True)


@dataclass(frozen=True)
class Row:
    """One comparison.

    Args:
        item: the letter of what is compared.
        what: in words, as "one / the other".
        ratio: the one divided by the other; None where it could not be measured.
        figures: what was measured, with its unit.
        target: what the ratio has to reach, where there is something to reach.
    """

    item: str
    what: str
    ratio: float | None
    figures: str
    target: Target | None = None

    @property
    def verdict(self) -> str:
        if self.target is None or self.ratio is None:
            return ""
        return "met" if self.target.met(self.ratio) else "MISSED"

    def as_json(self) -> dict[str, Any]:
        return {
            "item": self.item,
            "what": self.what,
            "ratio": self.ratio,
            "figures": self.figures,
            "target": None if self.target is None else str(self.target),
            "verdict": self.verdict or None,
        }


def machine() -> str:
    """The machine, and the versions that figures depend on."""
    return (
        f"{_processor()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}, wasmtime {version('wasmtime')}, "
        f"componentize-py {version('componentize-py')}, load {os.getloadavg()[0]:.1f}"
    )


def _processor() -> str:
    facts = Path("/proc/cpuinfo")
    if facts.exists():
        for line in facts.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown processor"


def lines(rows: Iterable[Row]) -> Iterator[str]:
    """The table, a line at a time, each as soon as it is measured."""
    yield f"{'':<4}{'ratio':>9}  {'to reach':<10}{'':<8}what / against what"
    for row in rows:
        ratio = "-" if row.ratio is None else f"{row.ratio:,.{2 if row.ratio < 10 else 1}f}"
        target = "" if row.target is None else str(row.target)
        yield f"{row.item:<4}{ratio:>9}  {target:<10}{row.verdict:<8}{row.what}: {row.figures}"
