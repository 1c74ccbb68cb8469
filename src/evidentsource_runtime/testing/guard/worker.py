"""What runs in the other process: rules, at another time, asking the first process for their data."""

from __future__ import annotations

import copyreg
import datetime as dt
import functools
import importlib
import importlib.util
import io
import os
import pickle
import sys
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any, BinaryIO

from evidentsource_functions import create_state_change_handler, create_state_view_handler
from evidentsource_functions.wasm import StateChangeAdapter, StateViewAdapter
from evidentsource_runtime.testing.guard.compare import Result
from evidentsource_runtime.testing.guard.elsewhere import Request, Target
from evidentsource_runtime.testing.guard.result import result_of
from evidentsource_runtime.testing.guard.tracing import traced
from evidentsource_runtime.testing.guard.watched import SHIFT_SECONDS

_DATETIME, _DATE = dt.datetime, dt.date
_SHIFT = dt.timedelta(seconds=SHIFT_SECONDS)


class _Link:
    """Messages to and from the first process."""

    def __init__(self, source: BinaryIO, sink: BinaryIO) -> None:
        self._source, self._sink = source, sink

    def receive(self) -> Any:
        return pickle.load(self._source)  # noqa: S301 - from the process that started this one

    def send(self, message: object) -> None:
        buffer = io.BytesIO()
        pickler = pickle.Pickler(buffer)
        # The names of these classes stand for others here, by which pickle would not find them.
        pickler.dispatch_table = copyreg.dispatch_table | {_DATETIME: _reduced, _DATE: _reduced}
        pickler.dump(message)
        self._sink.write(buffer.getvalue())
        self._sink.flush()


def _reduced(moment: Any) -> Any:
    return (_rebuilt, (type(moment).__name__, *moment.__reduce__()[1]))


def _rebuilt(kind: str, *arguments: Any) -> Any:
    return (_DATETIME if kind == "datetime" else _DATE)(*arguments)


class RemoteDatabase:
    """A database that is in the first process."""

    def __init__(self, link: _Link, number: int, facts: dict[str, Any]) -> None:
        self.__dict__.update(facts)
        self._link, self._number = link, number

    def __getattr__(self, method: str) -> Any:
        if method.startswith("_"):
            raise AttributeError(method)
        if method == "basis":
            return self._asked(method)
        return functools.partial(self._asked, method)

    def _asked(self, method: str, *arguments: Any, **named: Any) -> Any:
        self._link.send(("call", self._number, method, arguments, named))
        kind, *answer = self._link.receive()
        if kind == "error":
            raise answer[0]
        return RemoteDatabase(self._link, *answer) if kind == "database" else answer[0]


class _Shifted(type):
    """A class of times that takes the place of the real one, and only tells another present."""

    real: type[Any]

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, cls.real)

    def __subclasscheck__(cls, other: type) -> bool:
        return issubclass(other, cls.real)

    def __eq__(cls, other: object) -> bool:
        return other is cls or other is cls.real

    def __hash__(cls) -> int:
        return hash(cls.real)


def _shifted(real: type[Any], **present: Callable[..., Any]) -> type[Any]:
    members: dict[str, Any] = {name: staticmethod(call) for name, call in present.items()}
    members["__new__"] = lambda _cls, *arguments, **named: real(*arguments, **named)
    members["__module__"] = real.__module__
    made = _Shifted(real.__name__, (real,), members)
    made.real = real
    return made


def shift_clocks() -> None:
    """Let every clock that modules imported from now on can reach tell another time."""
    now = time.time
    replaced: dict[str, Callable[..., Any]] = {
        name: functools.partial(_later, getattr(time, name), unit)
        for name, unit in (
            ("time", 1),
            ("time_ns", 10**9),
            ("monotonic", 1),
            ("monotonic_ns", 10**9),
            ("perf_counter", 1),
            ("perf_counter_ns", 10**9),
        )
    }
    for name in ("localtime", "gmtime", "ctime"):
        real = getattr(time, name)
        replaced[name] = lambda seconds=None, real=real: real(
            now() + SHIFT_SECONDS if seconds is None else seconds
        )
    strftime, localtime = time.strftime, replaced["localtime"]
    replaced["strftime"] = lambda form, moment=None: strftime(form, moment or localtime())
    for name, call in replaced.items():
        setattr(time, name, call)
    dt.datetime = _shifted(  # type: ignore[misc]  # that is the point
        _DATETIME,
        now=lambda tz=None: _DATETIME.now(tz) + _SHIFT,
        utcnow=lambda: _DATETIME.now(dt.UTC).replace(tzinfo=None) + _SHIFT,
        today=lambda: _DATETIME.now() + _SHIFT,
    )
    dt.date = _shifted(  # type: ignore[misc]  # the same
        _DATE,
        today=_today,
    )


def _today() -> dt.date:
    return (_DATETIME.now() + _SHIFT).date()


def _later(real: Callable[[], Any], unit: int) -> Any:
    return real() + SHIFT_SECONDS * unit


@functools.cache
def _rule(target: Target) -> Callable[..., Any]:
    """The rule as a handler: from values to values."""
    if target.directory is not None:
        _look_in(target.directory, target.module)
    found: Any = _module(target)
    for name in target.attribute.split("."):
        found = getattr(found, name)
    if isinstance(found, type) and issubclass(found, StateChangeAdapter):
        rule: Callable[..., Any] = found().decide
    elif isinstance(found, type) and issubclass(found, StateViewAdapter):
        rule = found().evolve
    elif isinstance(found, type):
        rule = create_state_view_handler(found)
    elif target.command_type is not None:
        module, name = target.command_type
        command_type: Any = importlib.import_module(module)
        for each in name.split("."):
            command_type = getattr(command_type, each)
        rule = create_state_change_handler(command_type, found)
    else:
        rule = create_state_change_handler(found)
    # From here on: what a module reads while it is imported, it reads at build time.
    os.environ.clear()
    return rule


def _look_in(directory: str, module: str) -> None:
    """Let a module come from this folder, also where another project's has the same name."""
    if directory in sys.path:
        sys.path.remove(directory)
    sys.path.insert(0, directory)
    top = module.partition(".")[0]
    known = getattr(sys.modules.get(top), "__file__", None) or ""
    if top in sys.modules and not known.startswith(directory):
        for name in [each for each in sys.modules if each.partition(".")[0] == top]:
            del sys.modules[name]
    importlib.invalidate_caches()


def _module(target: Target) -> ModuleType:
    try:
        return importlib.import_module(target.module)
    except ModuleNotFoundError:
        if target.file is None:
            raise
    spec = importlib.util.spec_from_file_location(target.module, target.file)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(f"no module in {target.file}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[target.module] = module
    spec.loader.exec_module(module)
    return module


def _answer(link: _Link, request: Request) -> tuple[Any, ...]:
    try:
        rule = _rule(request.target)
    except BaseException as error:  # noqa: BLE001 - whatever importing the user's module leads to
        what = f"{request.target.module}.{request.target.attribute}"
        return ("unavailable", f"{what} cannot be imported in another process: {error!r}")
    arguments = request.arguments
    if request.facts is not None:
        arguments = (RemoteDatabase(link, 0, request.facts), *arguments)
    results: list[Result] = []

    def run() -> None:
        results.append(result_of(rule, *arguments))

    trace = traced(run) if request.trace else None
    if trace is None:
        run()
    return ("done", results[0], trace)


def main() -> None:
    """Answer until the first process has ended."""
    # What the user's code prints must not get between the messages.
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    link = _Link(sys.stdin.buffer, sink)
    shift_clocks()
    while True:
        try:
            request = link.receive()
        except EOFError:
            return
        link.send(_answer(link, request))
