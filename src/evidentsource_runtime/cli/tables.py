"""Rows for people, and lines of JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from evidentsource_runtime.cli.asked import Json

__all__ = ["Column", "print_rows", "print_table", "print_trace"]

_WIDEST = 200


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name, and what of a row stands in it."""

    name: str
    value: Callable[[Json], str]


def print_rows(
    rows: Iterator[Json], columns: tuple[Column, ...], *, as_json: bool, live: bool
) -> None:
    """Print rows.

    Args:
        rows: the rows.
        columns: what is shown of them.
        as_json: whether each is printed as one JSON object a line, with everything it has.
        live: whether each is printed as it comes.
    """
    if as_json:
        for row in rows:
            print(json.dumps(row, ensure_ascii=False), flush=live)
        return
    if live:
        for row in rows:
            print("  ".join(column.value(row) or "-" for column in columns), flush=True)
        return
    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column.name, overflow="fold")
    for row in rows:
        table.add_row(*(escape(column.value(row)) for column in columns))
    _show(table)


def print_table(value: object) -> None:
    """Print a JSON value: the members of an object as rows, all else as it is."""
    if not isinstance(value, dict):
        print(value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False))
        return
    _facts(value)


def print_trace(trace: Json) -> None:
    """Print why a transaction was committed; what is not known is left out."""
    origin, command = trace.get("origin") or {}, trace.get("command") or {}
    change = trace.get("state_change")
    facts = {
        "transaction": trace["transaction_id"],
        "revision": trace["revision"],
        "state change": f"{change}.v{trace['version']}" if change else "none: events were appended",
        "command": command.get("body", command.get("base64")),
        "code": origin.get("name"),
        "input hash": origin.get("input_hash"),
        "asked by": trace.get("principal"),
        "received": trace.get("received_at"),
        "decided on": trace.get("decided_on"),
        "attempts": trace.get("attempts") or None,
    }
    reads = {
        f"view {each['name']}.v{each['version']}": f"{each['parameters']} at revision {each['revision']}"
        for each in trace.get("views", ())
    }
    queries = {
        f"query {number}": f"{each['selector']}: {each['events']} events"
        for number, each in enumerate(trace.get("queries", ()), 1)
    }
    _facts({k: v for k, v in facts.items() if v not in (None, {}, "")} | reads | queries)


def _facts(values: Json) -> None:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, value in values.items():
        table.add_row(escape(str(name)), escape(_text(value)))
    _show(table)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _show(table: Table) -> None:
    console = Console()
    if not console.is_terminal:
        # A pipe has no width: nothing is folded for it.
        console = Console(width=_WIDEST)
    console.print(table)
