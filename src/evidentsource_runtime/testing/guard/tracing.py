"""Runs a rule line by line and keeps what its variables held, to find where two runs part."""

from __future__ import annotations

import re
import sys
import sysconfig
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import evidentsource_core
from evidentsource_runtime.testing.guard.watched import WATCHED

_MOST_STEPS = 20_000
_MOST_TEXT = 300
_DEPTH = 4
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")
_NOT_THE_USERS = (
    sysconfig.get_path("stdlib"),
    sysconfig.get_path("purelib"),
    str(Path(evidentsource_core.__file__).parents[1] / "evidentsource_"),
    "<",
)


@dataclass(frozen=True, slots=True)
class Place:
    """A line of the user's code."""

    file: str
    line: int
    function: str


@dataclass(frozen=True, slots=True)
class Step:
    """What the variables held when a line was about to run, or what a function returned.

    Args:
        place: that line.
        after: the line that ran before it in the same call, whose doing the values are.
        values: the variables' values in words; a set is told in sorted order.
    """

    place: Place
    after: Place
    values: dict[str, str]


@dataclass
class Trace:
    """Every step of one run, and the watched calls with the lines that led to them."""

    steps: list[Step] = field(default_factory=list)
    calls: list[tuple[str, Place]] = field(default_factory=list)


def traced(run: Callable[[], Any]) -> Trace:
    """Run something and keep its steps. What it raises is of no interest here."""
    tracer = _Tracer()
    before = sys.gettrace(), sys.getprofile()
    sys.setprofile(tracer.profile)
    sys.settrace(tracer.trace)
    try:
        run()
    except Exception:  # noqa: BLE001, S110 - the caller has the error from the run without a trace
        pass
    finally:
        sys.settrace(before[0])
        sys.setprofile(before[1])
    return tracer.result


class Untraced:
    """A database whose own doing is not traced: in the other process, it happens in this one."""

    def __init__(self, database: Any) -> None:
        self._database = database

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._database, name)
        if not callable(found):
            return Untraced(found) if hasattr(found, "query_events") else found

        def call(*arguments: Any, **named: Any) -> Any:
            before = sys.gettrace(), sys.getprofile()
            sys.settrace(None)
            sys.setprofile(None)
            try:
                answer = found(*arguments, **named)
            finally:
                sys.setprofile(before[1])
                sys.settrace(before[0])
            return Untraced(answer) if hasattr(answer, "query_events") else answer

        return call


class _Tracer:
    def __init__(self) -> None:
        self.result = Trace()
        self._last: dict[FrameType, Place] = {}

    def trace(self, frame: FrameType, event: str, argument: Any) -> Any:
        if not _is_users(frame.f_code) or len(self.result.steps) >= _MOST_STEPS:
            return None
        place = _place(frame)
        if event == "call":
            # What a function is given is the doing of the line that calls it.
            caller = _users(frame.f_back)
            self._last[frame] = place if caller is None else _place(caller)
        elif event == "exception":
            self.result.steps.append(Step(place, place, {"what is raised": told(argument[1])}))
        else:
            values = {name: told(value) for name, value in frame.f_locals.items()}
            if event == "return":
                values["return value"] = told(argument)
            self.result.steps.append(Step(place, self._last.get(frame, place), values))
            self._last[frame] = place
        return self.trace

    def profile(self, frame: FrameType, event: str, argument: Any) -> None:
        if event == "c_call":
            name, caller = _name_of_builtin(argument), _users(frame)
        elif event == "call":
            module = frame.f_globals.get("__name__", "?")
            name, caller = f"{module}.{frame.f_code.co_qualname}", _users(frame.f_back)
        else:
            return
        if name in WATCHED and caller is not None:
            self.result.calls.append((name, _place(caller)))


def _name_of_builtin(function: Any) -> str:
    owner = getattr(function, "__self__", None)
    module = getattr(function, "__module__", None)
    if module is None and owner is not None:
        kind = owner if isinstance(owner, type) else type(owner)
        return f"{kind.__module__}.{kind.__name__}.{function.__name__}"
    return f"{module}.{getattr(function, '__qualname__', function)}"


def _users(frame: FrameType | None) -> FrameType | None:
    while frame is not None and not _is_users(frame.f_code):
        frame = frame.f_back
    return frame


def _is_users(code: CodeType) -> bool:
    return not code.co_filename.startswith(_NOT_THE_USERS)


def _place(frame: FrameType) -> Place:
    return Place(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name)


def told(value: Any, depth: int = _DEPTH) -> str:
    """A value in words that are the same in another process, if the value is.

    >>> told({"b", "a"})
    "{'a', 'b'}"
    """
    return _ADDRESS.sub("", _told(value, depth))[:_MOST_TEXT]


def _told(value: Any, depth: int) -> str:
    if depth == 0:
        return "..."
    if isinstance(value, (set, frozenset)):
        return "{" + ", ".join(sorted(_told(each, depth - 1) for each in value)) + "}"
    if isinstance(value, (list, tuple)):
        inner = ", ".join(_told(each, depth - 1) for each in value)
        return f"[{inner}]" if isinstance(value, list) else f"({inner})"
    if isinstance(value, dict):
        return (
            "{"
            + ", ".join(f"{key!r}: {_told(item, depth - 1)}" for key, item in value.items())
            + "}"
        )
    if hasattr(value, "query_events"):
        return "the database"
    own: Any = type(value).__repr__
    if own is object.__repr__:
        fields = ", ".join(f"{key}={_told(item, depth - 1)}" for key, item in _fields(value))
        return f"{type(value).__name__}({fields})"
    try:
        return repr(value)
    except Exception:  # noqa: BLE001 - whatever a class of the user's says of itself
        return type(value).__name__


def _fields(value: Any) -> Iterator[tuple[str, Any]]:
    yield from getattr(value, "__dict__", {}).items()


@dataclass(frozen=True, slots=True)
class Parting:
    """Where two runs part.

    Args:
        place: the line that did it.
        name: the variable that differs there; None where the runs went different ways.
        here: its value in this process.
        there: its value in the other one.
    """

    place: Place
    name: str | None = None
    here: str = ""
    there: str = ""


def parting(here: Trace, there: Trace) -> Parting | None:
    """The first step at which two runs part; None if they do not, as far as they were kept."""
    for one, other in zip(here.steps, there.steps, strict=False):
        if one.place != other.place:
            return Parting(one.after)
        for name in one.values:
            if one.values[name] != other.values.get(name):
                return Parting(one.after, name, one.values[name], other.values.get(name, "nothing"))
    return None
