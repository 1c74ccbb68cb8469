"""Build the bank's components and play the story through them, on a file: ``make demo``.

Each run goes on from the one before, with customers of its own; ``--anew`` begins with an empty bank.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

import evidentsource_runtime
from evidentsource_core import CommandRequest, Event, EvidentSourceError, Selector
from evidentsource_runtime.build import BuildError, ProjectResult, build_project
from evidentsource_runtime.database import Database, Snapshot
from evidentsource_runtime.host import CompileProgress, Host
from examples.savings_account.bank import HERE, Clock
from examples.savings_account.story import STORY

FILE = HERE / "dist" / "bank.db"
OWN = ("reference", "account_id", "from_account", "to_account")
"""What every run names in a way of its own."""
OPENED = Selector.event_type("account.opened")

_COLOURS = {"bold": "1", "dim": "2", "red": "31", "green": "32", "blue": "36"}


def paint(text: str, colour: str) -> str:
    return f"\033[{_COLOURS[colour]}m{text}\033[0m" if sys.stdout.isatty() else text


def cents(amount: int) -> str:
    return f"{'-' if amount < 0 else ''}{abs(amount) // 100}.{abs(amount) % 100:02d}"


class Progress:
    """One line that tells how the builds and compilations are getting on."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._started = time.monotonic()
        self._told: set[str] = set()

    def build(self, name: str, what: str, seconds: float) -> None:
        if what == "done":
            took = "from the cache" if seconds < 1 else f"{seconds:.0f} s"
            self._line(f"built {name}", f"  built {name} ({took})")

    def compile(self, progress: CompileProgress) -> None:
        if not progress.done:
            self._line(
                f"compiling {progress.component}",
                f"  compiling {progress.component} for this machine, once ...",
            )

    def _line(self, key: str, text: str) -> None:
        with self._lock:
            if key not in self._told:
                self._told.add(key)
                print(paint(text, "dim"), flush=True)


def build(progress: Progress) -> ProjectResult:
    print(paint("Building the bank's components", "bold"))
    print(paint("  the first time this takes a minute or two; after that it takes a moment", "dim"))
    return build_project(HERE, progress=progress.build)


def show_event(event: Event) -> str:
    data = {
        key: cents(value) if key == "amount" else value
        for key, value in event.data_as_json().items()
    }
    details = ", ".join(f"{key} {value}" for key, value in data.items())
    when = "" if event.time is None else f", effective {event.time:%Y-%m-%d}"
    return f"#{event.revision()} {event.event_type} {event.subject}  {details}{when}"


def play(bank: Database, suffix: str) -> None:
    for name, fields in STORY:
        command = {k: f"{v}{suffix}" if k in OWN else v for k, v in fields.items()}
        arguments = "  ".join(f"{k}={v}" for k, v in command.items() if k != "reference")
        print(f"\n{paint(name, 'bold')}  {arguments}")
        try:
            result = bank.execute(name, None, CommandRequest.json(command))
        except EvidentSourceError as refusal:
            print(paint(f"  refused: {refusal}", "red"))
            continue
        for event in result.events:
            print(paint(f"  {show_event(event)}", "green"))


def show_views(bank: Database, suffix: str) -> None:
    latest = bank.latest()
    print(f"\n{paint('The views, as of revision ' + str(latest.revision), 'bold')}")
    for account in ("ann", "bob"):
        show_view(latest, "account-summary", {"account_id": account + suffix})
    show_view(latest, "active-accounts", {})
    show_view(latest, "end-of-day-balance", {"account_id": f"ann{suffix}"})


def show_trace(bank: Database) -> None:
    *_, last = bank.log()
    trace = bank.trace(last.id)
    if trace is None or trace.origin is None:
        return
    print(f"\n{paint(f'Why revision {last.revision} is there', 'bold')}")
    print(f"  {trace.state_change}.v{trace.version} decided on revision {trace.decided_on}")
    print(
        f"  component {trace.origin.digest[:12]}, built from {(trace.origin.input_hash or '')[:12]}"
    )
    for view in trace.views:
        print(f"  having read {view.name}.v{view.version} {view.parameters}")
    for query in trace.queries:
        print(f"  having queried: {query.selector} ({query.events} events)")


def show_view(database: Snapshot, name: str, parameters: dict[str, str]) -> None:
    view = database.view_state(name, 1, parameters)
    if view is None:
        return
    content = json.dumps(money(view.json()), ensure_ascii=False)
    given = "".join(f"  {key}={value}" for key, value in parameters.items())
    print(f"{paint(name, 'blue')}{given}\n  {content}")


def money(content: dict[str, Any]) -> dict[str, Any]:
    if "balance" in content:
        content["balance"] = cents(content["balance"])
    if "days" in content:
        content["days"] = {day: cents(amount) for day, amount in content["days"].items()}
    return content


def open_bank(file: Path, host: Host) -> tuple[Database, str]:
    """The bank, and what this run's customers have behind their names."""
    clock = Clock()
    file.parent.mkdir(exist_ok=True)
    bank = evidentsource_runtime.open(file, clock=clock, host=host)
    latest = bank.latest()
    clock.go_on_from(latest.revision_timestamp)
    runs = len(latest.query_events(Selector.subject_starts_with("ann") & OPENED))
    return bank, f"-{runs + 1}" if runs else ""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m examples.savings_account.demo")
    parser.add_argument("--anew", action="store_true", help="begin with an empty bank")
    if parser.parse_args().anew:
        for path in FILE.parent.glob(f"{FILE.name}*"):
            path.unlink()
    started = time.monotonic()
    progress = Progress()
    try:
        project = build(progress)
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    bank, suffix = open_bank(FILE, Host(progress=progress.compile))
    with bank:
        before = bank.latest().revision
        bank.publish_project(HERE)
        ready = time.monotonic() - started
        print(paint(f"  {len(project.results)} components ready after {ready:.1f} s", "dim"))
        print(f"The bank is in {FILE}, at revision {before}")
        play(bank, suffix)
        show_views(bank, suffix)
        show_trace(bank)
    print(f"\n{paint('The bank is in ' + str(FILE) + '; another run goes on from here', 'dim')}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
