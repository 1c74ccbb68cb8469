"""Instant components against built ones: ``python -m benchmarks.instant``.

Item (j): from source text to the first answer, with a warm cache. Item (k): the two kinds of build,
by time, size, and the calls. Ratios stand first; every figure is the median of several runs, in
milliseconds: by the clock, and of this thread's processor time, which a busy machine changes less.
Nothing is measured while something is built or compiled: whatever is missing in the cache is made
before.
"""

from __future__ import annotations

import logging
import os
import platform
import shutil
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

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


class Taken(NamedTuple):
    """Milliseconds, by the clock and of this thread's processor time."""

    clock: float
    cpu: float


def timed(work: Callable[[], object], runs: int = RUNS) -> Taken:
    """The medians of several runs."""
    taken: list[tuple[float, float]] = []
    for _ in range(runs):
        clock, cpu = time.perf_counter(), time.thread_time()
        work()
        taken.append((time.perf_counter() - clock, time.thread_time() - cpu))
    return Taken(*(median(column) * 1000 for column in zip(*taken, strict=True)))


def decide(component: Any, database: Any) -> Any:
    return component.decide(database, COMMAND, METADATA)


def edited(project: Path) -> None:
    """An edit, so that no bytecode of an earlier run serves."""
    source = project / "savings" / "open_account.py"
    source.write_text(f"{source.read_text()}# {time.monotonic_ns()}\n")


def source_to_answer(project: Path, database: Any) -> list[tuple[str, Taken]]:
    """(j) after an edit, without one, and each in a host that has run nothing yet."""
    host = Host()

    def answer(host: Host) -> None:
        decide(host.load_source(CHANGE, directory=project), database)

    def after_edit() -> None:
        edited(project)
        answer(host)

    after_edit()
    return [
        ("after an edit", timed(after_edit)),
        ("unchanged", timed(lambda: answer(host))),
        ("unchanged, in a new host", timed(lambda: answer(Host()), runs=5)),
    ]


def calls(component: Any, database: Any) -> Taken:
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


def main() -> None:
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
        build_ordinary = timed(lambda: made("ordinary", force=True), runs=1)
        ordinary = made("ordinary")
        filled = made("filled")
        build_filled = timed(lambda: made("filled"), runs=5)
        host = Host()
        compiled: dict[str, Taken] = {}
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
        answers = source_to_answer(project, database)
    print("(j) from source text to the first answer, warm cache")
    table(
        [
            (f"of the target, {TARGET_J:.0f} ms", "", "ms", "of that processor time"),
            *(
                (f"{taken.clock / TARGET_J:.2f}", what, f"{taken.clock:.1f}", f"{taken.cpu:.1f}")
                for what, taken in answers
            ),
        ]
    )
    print("\n(k) the two kinds of build")
    rows: list[tuple[str, float, float]] = [
        ("build, ms", build_ordinary.clock, build_filled.clock),
        (
            "compile, or fill the base's compiled form, ms",
            compiled["ordinary"].clock,
            compiled["filled"].clock,
        ),
        ("size, MB", ordinary.size / 1e6, filled.size / 1e6),
        *(
            (
                f"one decision, {what}, ms {how}",
                per_call["ordinary"][column],
                per_call[kind][column],
            )
            for kind, what in (("filled", "filled"), ("source", "loaded from source"))
            for column, how in ((0, "by the clock"), (1, "of processor time"))
        ),
    ]
    table(
        [
            ("filled / ordinary", "", "ordinary", "filled"),
            *((f"{b / a:.3f}", what, f"{a:.1f}", f"{b:.1f}") for what, a, b in rows),
        ]
    )


if __name__ == "__main__":
    main()
