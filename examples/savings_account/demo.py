"""Start a server, publish the bank's rules, and play the story over gRPC and HTTP: ``make demo``.

Each run goes on from the one before, with customers of its own; ``--anew`` begins with an empty bank.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from itertools import cycle
from typing import Any

from evidentsource_runtime.cli import main as evidentsource
from examples.savings_account.asking import (
    API,
    DATABASE,
    Client,
    CloudEvent,
    OverGrpc,
    OverHttp,
    Refused,
    Where,
    served,
)
from examples.savings_account.bank import HERE
from examples.savings_account.story import STORY

FILE = HERE / "dist" / f"{DATABASE}.db"
OWN = ("reference", "account_id", "from_account", "to_account")
"""What every run names in a way of its own."""
BESIDE = ("", "-lock", "-wal", "-shm", ".server-lock", ".queue.sqlite", ".queue.sqlite-wal",
          ".queue.sqlite-shm", ".queue.sqlite-lock")  # fmt: skip

_COLOURS = {"bold": "1", "dim": "2", "red": "31", "green": "32", "blue": "36"}


def paint(text: str, colour: str) -> str:
    return f"\033[{_COLOURS[colour]}m{text}\033[0m" if sys.stdout.isatty() else text


def say(text: str, colour: str | None = None) -> None:
    # What commands print goes to the same place, in order.
    print(paint(text, colour) if colour else text, flush=True)


def cents(amount: int) -> str:
    return f"{'-' if amount < 0 else ''}{abs(amount) // 100}.{abs(amount) % 100:02d}"


def publish(where: Where) -> bool:
    say("\nBuilding the bank's eight components, and publishing those that it has not got", "bold")
    say("  the first time this takes a minute or two; after that it takes a moment", "dim")
    say(f"  $ evidentsource publish --yes --url {where.http}", "dim")
    return evidentsource(["publish", "--yes", "--project", str(HERE), "--url", where.http]) == 0


def show_event(event: CloudEvent) -> str:
    data = {k: cents(v) if k == "amount" else v for k, v in (event.get("data") or {}).items()}
    details = ", ".join(f"{key} {value}" for key, value in data.items())
    when = f", effective {event['time'][:10]}" if "time" in event else ""
    text = f"#{int(event['sequence'])} {event['type']} {event['subject']}"
    return f"{text}  {details}{when}".rstrip()


def play(clients: list[Client], suffix: str) -> None:
    say("\nThe story, every other command over HTTP", "bold")
    for client, (name, fields) in zip(cycle(clients), STORY, strict=False):
        command = {k: f"{v}{suffix}" if k in OWN else v for k, v in fields.items()}
        arguments = "  ".join(f"{k}={v}" for k, v in command.items() if k != "reference")
        say(f"\n{paint(client.name, 'dim')}  {paint(name, 'bold')}  {arguments}")
        try:
            events = client.execute(name, command)
        except Refused as refusal:
            say(f"  refused: {refusal}", "red")
            continue
        for event in events:
            say(f"  {show_event(event)}", "green")


def show_views(clients: list[Client], suffix: str) -> None:
    say("\nThe views", "bold")
    over_grpc, over_http = clients
    for client, name, account in (
        (over_grpc, "account-summary", "ann"),
        (over_http, "account-summary", "bob"),
        (over_grpc, "active-accounts", None),
        (over_http, "end-of-day-balance", "ann"),
    ):
        given = {} if account is None else {"account_id": account + suffix}
        content = money(client.view(name, given))
        told = "".join(f"  {key}={value}" for key, value in given.items())
        say(f"{paint(client.name, 'dim')}  {paint(name, 'blue')}{told}")
        say(f"  {json.dumps(content, ensure_ascii=False)}")


def money(content: dict[str, Any]) -> dict[str, Any]:
    if "balance" in content:
        content["balance"] = cents(content["balance"])
    if "days" in content:
        content["days"] = {day: cents(amount) for day, amount in content["days"].items()}
    return content


def show_trace(web: OverHttp) -> None:
    revision = web.ask("GET", API).json()["revision"]
    newest = {"start_at_revision": revision}
    last = web.ask("GET", f"{API}/transactions", params=newest).json()[-1]
    trace = web.ask("GET", f"{API}/transactions/{last['id']}/trace").json()
    origin = trace["origin"]
    say(f"\nWhy revision {last['revision']} is there", "bold")
    say(f"  {trace['state_change']}.v{trace['version']} decided on revision {trace['decided_on']}")
    say(f"  component {origin['digest'][:12]}, built from {(origin['input_hash'] or '')[:12]}")
    for view in trace["views"]:
        given = "".join(f"  {k}={value}" for k, _, value in json.loads(view["parameters"]))
        say(f"  having read {view['name']}.v{view['version']}{given}")
    for query in trace["queries"]:
        say(f"  having queried: {query['selector']} ({query['events']} events)")


def suffix_of_this_run(web: OverHttp) -> str:
    """What this run's customers have behind their names."""
    opened = web.ask("GET", f"{API}/latest/events", params={"type": "account.opened"}).json()
    runs = sum(each["subject"].startswith("ann") for each in opened)
    return f"-{runs + 1}" if runs else ""


def show(where: Where, started: float) -> int:
    say(f"The server answers after {time.monotonic() - started:.1f} s, on ports that were free")
    say(f"  gRPC  {where.grpc}\n  HTTP  {where.http}  (described in /openapi.json)", "dim")
    if not publish(where):
        return 1
    web = OverHttp(where)
    clients: list[Client] = [OverGrpc(where), web]
    try:
        suffix = suffix_of_this_run(web)
        revision = web.ask("GET", API).json()["revision"]
        say(f"\nThe bank is in {FILE}, at revision {revision}")
        play(clients, suffix)
        show_views(clients, suffix)
        show_trace(web)
    finally:
        for client in clients:
            client.close()
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m examples.savings_account.demo")
    parser.add_argument("--anew", action="store_true", help="begin with an empty bank")
    if parser.parse_args().anew:
        for ending in BESIDE:
            FILE.with_name(FILE.name + ending).unlink(missing_ok=True)
    FILE.parent.mkdir(exist_ok=True)
    started = time.monotonic()
    try:
        with served(FILE) as where:
            status = show(where, started)
    except Refused as refusal:
        say(f"The demo cannot go on: {refusal}", "red")
        return 1
    say("\nThe server has ended.")
    if not status:
        say(f"The bank is in {FILE}; another run goes on from here", "dim")
        say(f"  $ evidentsource log --data {FILE}", "dim")
    return status


if __name__ == "__main__":
    sys.exit(main())
