"""Build the bank's components and play the story through them: ``make demo``."""

from __future__ import annotations

import json
import sys
import threading
import time
from typing import Any

from evidentsource_core import CommandRequest, Event, EvidentSourceError
from evidentsource_core.reference import ReferenceDatabase
from evidentsource_runtime.build import BuildError, ProjectResult, build_project
from evidentsource_runtime.host import CompileProgress, Host
from examples.savings_account.bank import HERE, component_rules, open_bank
from examples.savings_account.story import STORY

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


def play(bank: ReferenceDatabase) -> None:
    for name, command in STORY:
        arguments = "  ".join(f"{k}={v}" for k, v in command.items() if k != "reference")
        print(f"\n{paint(name, 'bold')}  {arguments}")
        try:
            result = bank.execute(name, None, CommandRequest.json(command))
        except EvidentSourceError as refusal:
            print(paint(f"  refused: {refusal}", "red"))
            continue
        for event in () if result.transaction is None else result.transaction.events:
            print(paint(f"  {show_event(event)}", "green"))


def show_views(bank: ReferenceDatabase) -> None:
    latest = bank.latest()
    print(f"\n{paint('The views, as of revision ' + str(latest.revision), 'bold')}")
    for account in ("ann", "bob"):
        show_view(latest, "account-summary", {"account_id": account})
    show_view(latest, "active-accounts", {})
    show_view(latest, "end-of-day-balance", {"account_id": "ann"})


def show_view(database: Any, name: str, parameters: dict[str, str]) -> None:
    view = database.view_state(name, 1, parameters)
    content = json.dumps(money(view.json()), ensure_ascii=False)
    given = "".join(f"  {key}={value}" for key, value in parameters.items())
    print(f"{paint(name, 'blue')}{given}\n  {content}")


def money(content: dict[str, Any]) -> dict[str, Any]:
    if "balance" in content:
        content["balance"] = cents(content["balance"])
    if "days" in content:
        content["days"] = {day: cents(amount) for day, amount in content["days"].items()}
    return content


def main() -> int:
    started = time.monotonic()
    progress = Progress()
    try:
        project = build(progress)
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    bank = open_bank(component_rules(project, Host(progress=progress.compile)))
    ready = time.monotonic() - started
    print(paint(f"  {len(project.results)} components ready after {ready:.1f} s", "dim"))
    play(bank)
    show_views(bank)
    return 0


if __name__ == "__main__":
    sys.exit(main())
