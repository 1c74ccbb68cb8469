"""Events, conditions, commands and failures in words, for the person who reads a failed test."""

from __future__ import annotations

import json
import linecache
import traceback
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from evidentsource_core import (
    AppendCondition,
    BinaryEventData,
    Command,
    Event,
    EvidentSourceError,
    ProspectiveEvent,
    StringEventData,
)
from evidentsource_core.jsontext import loads
from evidentsource_core.rules import selector_in_words
from evidentsource_core.times import format_rfc3339
from evidentsource_functions._report import user_frames
from evidentsource_functions.errors import StateChangeError
from evidentsource_functions.testing._diff import Difference
from evidentsource_functions.testing._events import EventSpec, structured_payload

SHOWN_HISTORY = 20
"""Events of the history that a failure shows, the last ones."""
_SHOWN_TEXT = 200


def value(given: Any) -> str:
    """A value in one line: as JSON where it has such a form.

    >>> value({"amount": 5, "by": None})
    '{"amount": 5, "by": null}'
    """
    if isinstance(given, datetime):
        return format_rfc3339(given)
    if isinstance(given, (StringEventData, BinaryEventData)):
        given = given.data
    if given is None or isinstance(given, (bool, int, float, str, list, dict)):
        try:
            return _short(json.dumps(given, ensure_ascii=False))
        except (TypeError, ValueError):
            return _short(repr(given))
    return _short(repr(given))


def event_line(made: ProspectiveEvent | Event) -> str:
    """An event in one line: type, stream, subject, payload, and when it took effect."""
    return "  ".join(_event_parts(made))


def spec_line(expected: EventSpec, stream: str | None) -> str:
    """An expected event in one line."""
    parts = [expected.event_type, expected.stream_in(stream), expected.subject or "-"]
    if expected.payload is not None:
        parts.append(value(expected.payload))
    return "  ".join(parts)


def event_lines(events: Sequence[ProspectiveEvent | Event]) -> list[str]:
    """Events, one in a line, in columns."""
    rows = [_event_parts(each) for each in events]
    widths = [max(len(row[column]) for row in rows) for column in range(3)] if rows else []
    return [
        "  ".join(
            [*(f"{part:<{width}}" for part, width in zip(row, widths, strict=False)), *row[3:]]
        )
        for row in rows
    ]


def history_lines(
    history: Sequence[Event], marked: int | None = None, mark: str = "last seen"
) -> list[str]:
    """What happened, one line a revision; ``mark`` is said of the revision ``marked``."""
    hidden = max(0, len(history) - SHOWN_HISTORY)
    lines = [f"... {hidden} earlier"] if hidden else []
    for revision, text in enumerate(event_lines(history[hidden:]), hidden + 1):
        line = f"{revision:>3}  {text.rstrip()}"
        lines.append(f"{line}  <- {mark}" if revision == marked else line)
    return lines or ["nothing"]


def command_line(command: Command) -> str:
    """A command's body in one line, as JSON where it is."""
    try:
        return value(loads(command.body or b""))
    except EvidentSourceError:
        return value(command.body)


def condition_line(condition: AppendCondition) -> str:
    """An append condition in one line: what it demands of the last event that is selected."""
    low, high = condition.min_revision(), condition.max_revision()
    if high is None:
        wanted = "exists" if low == 1 else f"is at revision {low} or later"
    elif low is None:
        wanted = "does not exist" if high == 0 else f"is at revision {high} or earlier"
    else:
        wanted = f"is at revision {low}" if low == high else f"is from revision {low} to {high}"
    return f"the last event where {selector_in_words(condition.selector)} {wanted}"


def difference_lines(
    found: Iterable[Difference], left: str = "expected", right: str = "got"
) -> list[str]:
    """Each part that differs, with both values under each other."""
    lines: list[str] = []
    width = max(len(left), len(right)) + 1
    for each in found:
        lines.append(each.path)
        lines.append(f"  {left + ':':<{width}} {value(each.expected)}")
        lines.append(f"  {right + ':':<{width}} {value(each.got)}")
    return lines


def error_lines(error: BaseException) -> list[str]:
    """A refusal or a failure, with the lines of the user's code that it came from."""
    title = str(error) if isinstance(error, EvidentSourceError) else repr(error)
    if not isinstance(error, StateChangeError):
        title = f"{getattr(error, 'code', type(error).__name__)}: {title}"
    places = _source_lines(_origin(error))
    # A report of a failure names the same places, without their source.
    lines = [line for line in title.splitlines() if not (places and line.startswith("  at "))]
    lines += places
    for note in getattr(error, "__notes__", ()):
        lines += str(note).splitlines()
    return lines


def _origin(error: BaseException) -> BaseException:
    """The error that the user's code raised, of those that one led to."""
    found: BaseException | None = error
    while found is not None and not user_frames(found.__traceback__):
        found = found.__cause__
    return found or error


def _event_parts(made: ProspectiveEvent | Event) -> list[str]:
    stream = made.stream if isinstance(made, ProspectiveEvent) else made.stream()
    payload, structured = structured_payload(made)
    parts = [made.event_type, stream or "?", made.subject or "-"]
    if not (payload is None and structured):
        parts.append(value(payload))
    if made.time is not None:
        parts.append(f"at {format_rfc3339(made.time)}")
    return parts


def _source_lines(error: BaseException) -> list[str]:
    lines: list[str] = []
    for frame, number in traceback.walk_tb(error.__traceback__):
        if not user_frames(TracebackType(None, frame, frame.f_lasti, number)):
            continue
        code = frame.f_code
        lines.append(f"  {_relative(code.co_filename)}:{number} in {code.co_name}")
        text = linecache.getline(code.co_filename, number, frame.f_globals).strip()
        if text:
            lines.append(f"    {text}")
    return lines


def _relative(file: str) -> str:
    try:
        return Path(file).relative_to(Path.cwd()).as_posix()
    except ValueError:
        return file


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN_TEXT else f"{text[: _SHOWN_TEXT - 4]} ..."
