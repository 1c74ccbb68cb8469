"""Instant components against built ones: ``python -m benchmarks.instant``.

Item (j): from source text to the first answer, with a warm cache. Item (k): the two kinds of build,
by time, size, and the first and later calls. Ratios stand first; every figure is the median of
several runs, in milliseconds. Nothing is measured while something is built or compiled: whatever is
missing in the cache is made before.
"""

from __future__ import annotations

import logging
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from evidentsource_core import Command, StateChangeMetadata
from evidentsource_core.reference import ReferenceDatabase
from evidentsource_runtime.build import BuildResult, build
from evidentsource_runtime.host import Host

EXAMPLE = Path(__file__).parents[1] / "examples" / "savings_account"
CHANGE = "savings.open_account"
MOMENT = datetime(2024, 1, 1, tzinfo=UTC)
METADATA = StateChangeMetadata("open-account", 1, 0, MOMENT, [])
COMMAND = Command(b'{"reference": "r-1", "account_id": "ann", "owner": "Ann"}')
TARGET_J = 50.0
RUNS = 15


def timed(work: Callable[[], object], runs: int = RUNS) -> float:
    """The median of several runs, in milliseconds."""
    taken: list[float] = []
    for _ in range(runs):
        started = time.perf_counter()
        work()
        taken.append((time.perf_counter() - started) * 1000)
    return median(taken)


def decide(component: Any, database: Any) -> Any:
    return component.decide(database, COMMAND, METADATA)


def edited(project: Path) -> None:
    """An edit, so that no bytecode of an earlier run serves."""
    source = project / "savings" / "open_account.py"
    source.write_text(f"{source.read_text()}# {time.monotonic_ns()}\n")


def source_to_answer(project: Path, database: Any) -> tuple[float, float, float]:
    """(j) after an edit, without one, and each in a host that has run nothing yet."""
    host = Host()

    def answer(host: Host) -> None:
        decide(host.load_source(CHANGE, directory=project), database)

    def after_edit() -> None:
        edited(project)
        answer(host)

    after_edit()
    return (
        timed(after_edit),
        timed(lambda: answer(host)),
        timed(lambda: answer(Host()), runs=5),
    )


def calls(component: Any, database: Any) -> float:
    """One decision, each in an instance of its own."""
    for _ in range(3):
        decide(component, database)
    return timed(lambda: decide(component, database))


def table(rows: list[tuple[str, ...]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )


def main() -> int:
    logging.disable(logging.WARNING)
    database = ReferenceDatabase("bank", created_at=MOMENT).latest()
    print(f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}\n")
    with tempfile.TemporaryDirectory(prefix="evidentsource-bench-") as name:
        project = Path(name) / "project"
        shutil.copytree(EXAMPLE, project, ignore=shutil.ignore_patterns("dist", "__pycache__"))

        def made(kind: str, *, force: bool = False) -> BuildResult:
            return build(
                CHANGE,
                directory=project,
                output=Path(name) / f"{kind}.wasm",
                reproducible=kind == "filled",
                force=force,
            )

        made("filled")
        started = time.perf_counter()
        ordinary = made("ordinary", force=True)
        build_ordinary = (time.perf_counter() - started) * 1000
        filled = made("filled")
        build_filled = timed(lambda: made("filled"), runs=5)
        host = Host()
        compiled: dict[str, float] = {}
        components: dict[str, Any] = {}
        for kind, result in (("ordinary", ordinary), ("filled", filled)):
            fresh = Host(Path(name) / f"compiled-{kind}")
            if kind == "filled":
                # Its base is compiled once for all of its kind: by a first component of it.
                edited(project)
                other = made("filled")
                fresh.load(other.path)
            compiled[kind] = timed(lambda f=fresh, r=result: f.load(r.path), runs=1)  # type: ignore[misc]
            components[kind] = host.load(result.path)
        components["source"] = host.load_source(CHANGE, directory=project)
        per_call = {kind: calls(component, database) for kind, component in components.items()}
        cold, warm, first = source_to_answer(project, database)
    print("(j) from source text to the first answer, warm cache")
    table(
        [
            ("", "ms", "of the target"),
            ("after an edit", f"{cold:.1f}", f"{cold / TARGET_J:.2f}"),
            ("unchanged", f"{warm:.1f}", f"{warm / TARGET_J:.2f}"),
            ("unchanged, in a new host", f"{first:.1f}", f"{first / TARGET_J:.2f}"),
        ]
    )
    print("\n(k) the two kinds of build")
    rows = [
        ("build, ms", build_ordinary, build_filled),
        (
            "compile, or make of the base's compiled form, ms",
            compiled["ordinary"],
            compiled["filled"],
        ),
        ("size, MB", ordinary.size / 1e6, filled.size / 1e6),
        ("one decision in an instance of its own, ms", per_call["ordinary"], per_call["filled"]),
        ("  the same, loaded from source, ms", per_call["ordinary"], per_call["source"]),
    ]
    table(
        [
            ("", "filled / ordinary", "ordinary", "filled"),
            *((what, f"{b / a:.3f}", f"{a:.1f}", f"{b:.1f}") for what, a, b in rows),
        ]
    )
    return 0 if cold < TARGET_J else 1


if __name__ == "__main__":
    sys.exit(main())
