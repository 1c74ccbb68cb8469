"""The commands that look after a database: `backup`, `restore`, `verify`, `gather`, `export`, `import`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

import evidentsource_runtime
from evidentsource_core.domain.errors import EvidentSourceError
from evidentsource_core.domain.events import ProspectiveEvent
from evidentsource_core.jsontext import loads
from evidentsource_runtime.cli.output import size_text
from evidentsource_runtime.cloudevents import event_json, prospective_event
from evidentsource_runtime.problems import Problem, ProblemError
from evidentsource_runtime.store.verifying import verify


def backup_command(
    data: Path,
    target: Path,
    /,
    *,
    json_output: Annotated[bool, Parameter(name="--json", negative=())] = False,
) -> None:
    """Copy a database into another file, also while a server has it open.

    The copy is the database as it is at one moment, with everything that is published in it. It is
    checked before it gets its name.

    Parameters
    ----------
    data
        The database's file.
    target
        The file to write; it must not be there.
    json_output
        Print the result, and errors, as JSON.
    """
    _copy(data, target)
    with evidentsource_runtime.open(target, mode="read") as copy:
        facts = {"file": str(target), "name": copy.name, "revision": copy.latest().revision}
    if json_output:
        print(json.dumps({**facts, "size": target.stat().st_size}, indent=2))
    else:
        size = size_text(target.stat().st_size)
        print(f"{target}: database {facts['name']} at revision {facts['revision']}, {size}")


def restore_command(backup: Path, data: Path, /) -> None:
    """Make a database of a backup. It is checked first, and no file is overwritten.

    Parameters
    ----------
    backup
        A file that `evidentsource backup` wrote.
    data
        The file to write; it must not be there.
    """
    _copy(backup, data)
    with evidentsource_runtime.open(data, mode="read") as restored:
        print(f"{data}: database {restored.name} at revision {restored.latest().revision}")


def verify_command(
    data: Path,
    /,
    *,
    json_output: Annotated[bool, Parameter(name="--json", negative=())] = False,
) -> None:
    """Check a database: its file's structure, its counts, and the checksum of every transaction.

    Parameters
    ----------
    data
        The database's file; a server may have it open.
    json_output
        Print the faults as JSON.
    """
    faults = _faults(data)
    if json_output:
        print(json.dumps({"file": str(data), "faults": faults}, indent=2))
    elif not faults:
        print(f"{data}: no fault found")
    if faults:
        raise ProblemError(*(Problem("fault", fault, data) for fault in faults))


def gather_command(
    data: Path,
    /,
    *,
    drop: Annotated[bool, Parameter(negative=())] = False,
    json_output: Annotated[bool, Parameter(name="--json", negative=())] = False,
) -> None:
    """Lay the events of each subject side by side, so that its history is read from few places.

    A database of many events does so by itself while nobody writes; this does it now. The copies take
    up to three quarters of the file's room once more. Ctrl-C ends it: what was copied stays, and the next
    time it goes on behind that.

    Parameters
    ----------
    data
        The database's file; no server may have it open.
    drop
        Drop the copies instead. The file keeps its size and uses the room for new events.
    json_output
        Print the result, and errors, as JSON, and no progress.
    """
    with evidentsource_runtime.open(_existing(data), create=False, gather=False) as database:
        store = database.store
        if drop:
            store.scatter()
        told = sys.stderr.isatty() and not json_output
        copied = 0 if drop else store.gather(_tell_progress if told else None)
    size = data.stat().st_size
    if json_output:
        print(json.dumps({"file": str(data), "copied": copied, "size": size}, indent=2))
    elif drop:
        print(f"{data}: the copies are dropped")
    else:
        print(f"{data}: {copied:,} events laid side by side, {size_text(size)}")


def _tell_progress(done: int, total: int) -> None:
    end = "\n" if done == total else ""
    print(f"\r{done:,} of {total:,} events", end=end, file=sys.stderr, flush=True)


def export_command(
    data: Path, /, *, output: Annotated[Path | None, Parameter(alias="-o")] = None
) -> None:
    """Write every event as a CloudEvent, one JSON object a line, in the order of revisions.

    Parameters
    ----------
    data
        The database's file; a server may have it open.
    output
        The file to write; stdout where left out.
    """
    with evidentsource_runtime.open(_existing(data), mode="read") as database:
        lines = (
            json.dumps(event_json(event), ensure_ascii=False)
            for transaction in database.log()
            for event in transaction.events
        )
        if output is None:
            for line in lines:
                print(line)
            return
        part = _part(output)
        with part.open("w", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)
        part.replace(output)


def import_command(
    file: Path,
    data: Path,
    /,
    *,
    batch: int = 1_000,
    json_output: Annotated[bool, Parameter(name="--json", negative=())] = False,
) -> None:
    """Append events, one CloudEvent a line, to a database; it is made where there is none.

    The events keep their ids, streams, types, subjects, times and payloads; revisions and times of
    recording are new. All lines are read and checked before anything is written, and events are
    committed in transactions that are the same each time: a second import writes nothing twice.

    Parameters
    ----------
    file
        The file; `-` for stdin.
    data
        The database's file.
    batch
        Events in one transaction.
    json_output
        Print the result, and errors, as JSON.
    """
    text = sys.stdin.read() if str(file) == "-" else _read(file)
    events = list(_events(text, file))
    remaining, number, written = iter(events), 0, 0
    with evidentsource_runtime.open(data) as database:
        before = database.latest().revision
        while page := list(islice(remaining, batch)):
            # Its id stands for its first event, so that it is known again.
            first = page[0]
            database.transact(
                page, transaction_id=f"import-{number}-{first.stream}-{first.id}"[:255]
            )
            number, written = number + 1, written + len(page)
        revision = database.latest().revision
    facts = {"read": written, "written": revision - before, "revision": revision}
    if json_output:
        print(json.dumps(facts, indent=2))
    else:
        print(f"{data}: {facts['written']} of {written} events written, revision {revision}")


def _events(text: str, file: Path) -> Iterator[ProspectiveEvent]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            event = prospective_event(loads(line), "event", stored=True)
            problem: Any = next(iter(event.problems()), None)
            if problem is not None:
                raise problem
        except EvidentSourceError as error:
            hint = "nothing was written"
            raise ProblemError(Problem(error.code, str(error), file, number, hint)) from error
        yield event


def _copy(source: Path, target: Path) -> None:
    with evidentsource_runtime.open(_existing(source), mode="read") as database:
        database.backup(target)


def _faults(data: Path) -> list[str]:
    with evidentsource_runtime.open(_existing(data), mode="read") as database:
        return [str(fault) for fault in verify(database.store)]


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise ProblemError(
            Problem("no-database", "there is no database", path, hint="check the path")
        )
    return path


def _part(target: Path) -> Path:
    return target.with_name(f".{target.name}.part")


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ProblemError(Problem("unreadable", str(error), file)) from error
