"""`evidentsource execute`, `view`, `events`, `log` and `trace`: a database, from the shell."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from evidentsource_core.times import parse_rfc3339
from evidentsource_runtime.cli.asked import Filter
from evidentsource_runtime.cli.tables import Column, print_rows, print_table, print_trace
from evidentsource_runtime.cli.where import Where, asked
from evidentsource_runtime.problems import Problem, ProblemError

_HERE = Where()


def _data(event: dict[str, object]) -> str:
    value = event.get("data", event.get("data_base64", ""))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


_EVENTS = (
    Column("revision", lambda e: str(int(e.get("sequence", "0")))),
    Column("recorded", lambda e: str(e.get("recordedtime", ""))),
    Column("stream", lambda e: str(e["source"]).rpartition("/")[2]),
    Column("subject", lambda e: str(e.get("subject", ""))),
    Column("type", lambda e: str(e["type"])),
    Column("id", lambda e: str(e["id"])),
    Column("data", _data),
)
_LOG = (
    Column("revision", lambda t: str(t["revision"])),
    Column("events", lambda t: str(t["event_count"])),
    Column("recorded", lambda t: str(t.get("timestamp", ""))),
    Column("transaction", lambda t: str(t["id"])),
)


def execute_command(
    state_change: str,
    /,
    *,
    json_command: Annotated[str | None, Parameter(name="--json")] = None,
    file: Path | None = None,
    content_type: str = "application/json",
    last_seen_revision: int | None = None,
    transaction_id: str | None = None,
    where: Where = _HERE,
    print_json: Annotated[bool, Parameter(negative=())] = False,
) -> None:
    """Execute a state change, and say what it led to.

    Parameters
    ----------
    state_change
        Its name, with a version where it is not the latest: `deposit` or `deposit@2`.
    json_command
        The command, as JSON text.
    file
        A file with the command, instead; `-` for what comes on stdin.
    content_type
        What the command is.
    last_seen_revision
        The revision to decide on; the latest where left out.
    transaction_id
        Executed again under the same id, it writes nothing and gives the same result.
    where
        Which database is meant.
    print_json
        Print the result, and errors, as JSON.
    """
    name, version = _versioned(state_change)
    body = _body(json_command, file)
    with asked(where, writes=True) as database:
        facts = database.execute(
            name, version, body, content_type, last_seen_revision, transaction_id
        )
    if print_json:
        print(json.dumps(facts, indent=2, ensure_ascii=False))
    elif facts["event_count"]:
        count = facts["event_count"]
        events = "1 event" if count == 1 else f"{count} events"
        print(f"{events}, revision {facts['revision']}, transaction {facts['id']}")
    else:
        print(f"nothing to write, decided at revision {facts['revision']}")


def view_command(
    state_view: str,
    /,
    *parameters: str,
    revision: int | None = None,
    effective: str | None = None,
    where: Where = _HERE,
    json_output: Annotated[bool, Parameter(name="--json", negative=())] = False,
) -> None:
    """Print what a state view has come to.

    Parameters
    ----------
    state_view
        Its name, with a version where it is not the latest: `account-summary` or `account-summary@1`.
    parameters
        A value for each of its parameters: `account_id=a1`.
    revision
        The revision to read it at; the latest where left out.
    effective
        A time, as `2026-01-31T12:00:00Z`: with only what had taken effect by then.
    where
        Which database is meant.
    json_output
        Print the content with its revision and version, and errors, as JSON.
    """
    name, version = _versioned(state_view)
    bound = dict(_binding(each) for each in parameters)
    at = None if effective is None else _moment(effective)
    with asked(where) as database:
        view = database.view(name, version, bound, revision, at)
    text = None if view.content is None else view.content.decode("utf-8", "replace")
    value = _parsed(text)
    if json_output:
        facts = {
            "name": name,
            "version": view.version,
            "last_modified_revision": view.last_modified_revision,
            "content_type": view.content_type,
            "content": value,
        }
        print(json.dumps(facts, indent=2, ensure_ascii=False))
    elif text is None:
        print(f"{name}.v{view.version} was never modified", file=sys.stderr)
    else:
        print_table(value)


def events_command(
    *,
    stream: str | None = None,
    subject: str | None = None,
    type_: Annotated[str | None, Parameter(name="--type")] = None,
    limit: int | None = None,
    start_at: int = 0,
    reverse: Annotated[bool, Parameter(negative=())] = False,
    follow: Annotated[bool, Parameter(alias="-f", negative=())] = False,
    where: Where = _HERE,
    json_output: Annotated[bool, Parameter(name="--json", negative=())] = False,
) -> None:
    """Print events, and with `--follow` each new one as it is committed.

    Parameters
    ----------
    stream
        Only events of that stream.
    subject
        Only events with that subject.
    type_
        Only events of that type.
    limit
        At most so many.
    start_at
        Only events from this revision on.
    reverse
        Newest first.
    follow
        Go on with each new event until Ctrl-C.
    where
        Which database is meant.
    json_output
        Print each event as a CloudEvent, one JSON object a line.
    """
    wanted = Filter(stream, subject, type_, limit, start_at, reverse)
    if follow and (reverse or limit is not None):
        message = "--follow goes on for ever, oldest first: --reverse and --limit mean nothing"
        raise ProblemError(Problem("usage", message, hint="leave them out"))
    with asked(where) as database:
        found = database.follow(wanted) if follow else database.events(wanted)
        print_rows(found, _EVENTS, as_json=json_output, live=follow)


def log_command(
    *,
    start_at: int = 0,
    limit: int | None = None,
    where: Where = _HERE,
    json_output: Annotated[bool, Parameter(name="--json", negative=())] = False,
) -> None:
    """Print the transactions, oldest first.

    Parameters
    ----------
    start_at
        Only transactions that end at this revision or later.
    limit
        At most so many.
    where
        Which database is meant.
    json_output
        Print each transaction as one JSON object a line.
    """
    with asked(where) as database:
        print_rows(database.log(start_at, limit), _LOG, as_json=json_output, live=False)


def trace_command(
    transaction: str,
    /,
    *,
    where: Where = _HERE,
    json_output: Annotated[bool, Parameter(name="--json", negative=())] = False,
) -> None:
    """Say why a transaction was committed: its command, who asked, which code, and what it had read.

    Parameters
    ----------
    transaction
        The transaction's id.
    where
        Which database is meant.
    json_output
        Print the trace, and errors, as JSON.
    """
    with asked(where) as database:
        facts = database.trace(transaction)
    if json_output:
        print(json.dumps(facts, indent=2, ensure_ascii=False))
    else:
        print_trace(facts)


def _versioned(text: str) -> tuple[str, int | None]:
    """A name, and the version behind it where there is one.

    >>> _versioned("deposit@2"), _versioned("deposit")
    (('deposit', 2), ('deposit', None))
    """
    name, at, number = text.partition("@")
    if not at:
        return name, None
    if not number.isdecimal() or not int(number):
        message = f"{number!r} is no version; versions are whole numbers from 1"
        raise ProblemError(Problem("usage", message, hint=f"write {name}@1, or {name} alone"))
    return name, int(number)


def _body(text: str | None, file: Path | None) -> bytes:
    if (text is None) == (file is None):
        message = "a command is needed, by --json TEXT or by --file FILE, and not by both"
        raise ProblemError(Problem("usage", message))
    if text is not None:
        try:
            json.loads(text)
        except ValueError as error:
            raise ProblemError(Problem("usage", f"--json is no JSON: {error}")) from error
        return text.encode()
    assert file is not None  # noqa: S101 - one of them is there
    if str(file) == "-":
        return sys.stdin.buffer.read()
    try:
        return file.read_bytes()
    except OSError as error:
        raise ProblemError(Problem("unreadable", f"{error.strerror}", file)) from error


def _binding(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        message = f"{text!r} is no parameter"
        raise ProblemError(Problem("usage", message, hint="write NAME=VALUE"))
    return name, value


def _moment(text: str) -> datetime:
    return parse_rfc3339(text, "--effective")


def _parsed(text: str | None) -> object:
    try:
        return None if text is None else json.loads(text)
    except ValueError:
        return text
