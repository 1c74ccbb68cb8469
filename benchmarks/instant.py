"""Instant components against built ones: ``python -m benchmarks.instant``.

Item (j): from source text to the first answer, with a warm cache. Item (k): the two kinds of build,
by time, size, and the calls. Every figure is the median of several runs, but builds and first loads,
which are timed once; processor time is this thread's, which a busy machine changes less.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from benchmarks.table import Row, at_most, lines
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


def answers(project: Path, database: Any) -> Iterator[Row]:
    for what, taken in source_to_answer(project, database):
        figures = f"{taken.clock:.1f} ms, {taken.cpu:.1f} of them processor time"
        name = f"source to first answer / {TARGET_J:.0f} ms, {what}"
        yield Row("j", name, taken.clock / TARGET_J, figures, at_most(1))


def compared(what: str, one: float, other: float, unit: str) -> Row:
    return Row(
        "k", f"filled / snapshot: {what}", one / other, f"{one:,.1f} and {other:,.1f} {unit}"
    )


def kinds(folder: Path, project: Path, database: Any) -> Iterator[Row]:
    """(k) the two kinds of build."""

    def made(kind: str, *, force: bool = False) -> BuildResult:
        return build(
            CHANGE,
            directory=project,
            output=folder / f"{kind}.wasm",
            reproducible=kind == "filled",
            force=force,
        )

    made("filled")
    snapshot_build = timed(lambda: made("snapshot", force=True), runs=1)
    snapshot = made("snapshot")
    filled = made("filled")
    filled_build = timed(lambda: made("filled"), runs=5)
    yield compared("build", filled_build.clock, snapshot_build.clock, "ms")
    snapshot_load = loaded_anew(folder / "compiled-snapshot", snapshot.path)
    fresh = folder / "compiled-filled"
    # The base is compiled once for all that are filled from it: by a first one.
    edited(project)
    loaded_anew(fresh, made("filled").path)
    filled_load = loaded_anew(fresh, filled.path)
    yield compared("first load", filled_load.clock, snapshot_load.clock, "ms")
    yield compared("size", filled.size / 1e6, snapshot.size / 1e6, "MB")
    host = Host()
    per_call = calls(host.load(snapshot.path), database)
    source = host.load_source(CHANGE, directory=project)
    for what, component in (("filled", host.load(filled.path)), ("from source", source)):
        taken = calls(component, database)
        figures = f"{taken.cpu:.1f} and {per_call.cpu:.1f} ms of processor time"
        yield Row("k", f"one decision, {what} / snapshot", taken.cpu / per_call.cpu, figures)


def loaded_anew(cache: Path, component: Path) -> Taken:
    host = Host(cache)
    return timed(lambda: host.load(component), runs=1)


def rows() -> Iterator[Row]:
    logging.disable(logging.WARNING)
    database = ReferenceDatabase("bank", created_at=MOMENT).latest()
    with tempfile.TemporaryDirectory(prefix="evidentsource-bench-") as name:
        project = Path(name) / "project"
        shutil.copytree(EXAMPLE, project, ignore=shutil.ignore_patterns("dist", "__pycache__"))
        yield from answers(project, database)
        yield from kinds(Path(name), project, database)
    logging.disable(logging.NOTSET)


if __name__ == "__main__":
    for line in lines(rows()):
        print(line)
