"""Another process in which rules run again: under another hash seed, clock, zone and environment."""

from __future__ import annotations

import atexit
import inspect
import os
import pickle
import subprocess
import sys
import threading
from dataclasses import dataclass
from typing import Any

from evidentsource_core import EvidentSourceError
from evidentsource_functions.testing import RuleSource
from evidentsource_runtime.testing.guard.compare import Result
from evidentsource_runtime.testing.guard.tracing import Trace
from evidentsource_runtime.testing.guard.watched import HASH_SEED, OTHER_ZONE

# Not with -m: a report of an error leaves out our own modules by their names.
_WORKER = "evidentsource_runtime.testing.guard.worker"

FACTS = (
    "name",
    "created_at",
    "revision",
    "revision_timestamp",
    "effective_timestamp",
    "speculated_event_count",
)
"""What a database tells of itself without being asked anything."""


class GuardUnavailable(EvidentSourceError):
    """A rule cannot be run in another process; the message says why, and what to do."""

    code = "guard-unavailable"


@dataclass(frozen=True, slots=True)
class Target:
    """Where another process finds a rule.

    Args:
        module: the module's name.
        attribute: the function or class within it.
        file: the module's file, where it cannot be imported by name.
        directory: a folder to import from.
        command_type: module and name of the command's class, where the rule does not annotate it.
    """

    module: str
    attribute: str
    file: str | None = None
    directory: str | None = None
    command_type: tuple[str, str] | None = None

    @classmethod
    def of(cls, rule: Any, command_type: type[Any] | None = None) -> Target:
        """Where a function, a class or a component's module stands.

        Raises:
            GuardUnavailable: nowhere that another process could import.
        """
        if isinstance(rule, RuleSource):
            return cls(rule.module, "WitWorld", directory=str(rule.directory))
        rule = inspect.unwrap(rule)
        module = sys.modules.get(getattr(rule, "__module__", ""))
        name = getattr(rule, "__qualname__", "")
        if module is None or "<" in name or module.__name__ == "__main__":
            raise GuardUnavailable(
                f"{name or rule!r} cannot be run in another process: define it at the top of a "
                "module that can be imported"
            )
        known = (
            None if command_type is None else (command_type.__module__, command_type.__qualname__)
        )
        return cls(module.__name__, name, getattr(module, "__file__", None), None, known)


@dataclass(frozen=True, slots=True)
class Request:
    """What to run: a rule, what it is given, and whether every step is kept.

    ``arguments`` are (state_view, events) of a view, or (command, metadata) of a change, whose
    database then is asked in the first process.
    """

    target: Target
    arguments: tuple[Any, ...]
    facts: dict[str, Any] | None = None
    trace: bool = False


class Elsewhere:
    """The other process. It starts when it is first needed, and ends with this one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, request: Request, database: Any = None) -> tuple[Result, Trace | None]:
        """Run a rule there.

        Raises:
            GuardUnavailable: it cannot be imported there, or what it is given cannot be sent.
        """
        with self._lock:
            try:
                self._send(request)
                return self._serve([database])
            except (OSError, EOFError, pickle.PickleError, AttributeError, TypeError) as error:
                self.close()
                reason = f"{type(error).__name__}: {error}"
                raise GuardUnavailable(
                    f"{request.target.attribute} cannot be run in another process: {reason}"
                ) from error

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None:
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    stream.close()
            process.kill()
            process.wait()

    def _serve(self, databases: list[Any]) -> tuple[Result, Trace | None]:
        """Answer what the rule asks its database, until it has come to an end."""
        while True:
            kind, *rest = self._receive()
            if kind == "done":
                return rest[0], rest[1]
            if kind == "unavailable":
                raise GuardUnavailable(rest[0])
            number, method, arguments, named = rest
            try:
                asked = getattr(databases[number], method)
                answer = asked(*arguments, **named) if callable(asked) else asked
            except Exception as error:  # noqa: BLE001 - it goes to the rule, which asked for it
                self._send(("error", error))
                continue
            if hasattr(answer, "query_events"):
                databases.append(answer)
                self._send(("database", len(databases) - 1, facts_of(answer)))
            else:
                self._send(("value", answer))

    def _send(self, message: object) -> None:
        # Made before anything is sent: what cannot be pickled leaves the other side waiting for nothing.
        data = pickle.dumps(message)
        process = self._started()
        assert process.stdin is not None  # noqa: S101 - it was opened as a pipe
        process.stdin.write(data)
        process.stdin.flush()

    def _receive(self) -> Any:
        process = self._started()
        assert process.stdout is not None  # noqa: S101 - it was opened as a pipe
        return pickle.load(process.stdout)  # noqa: S301 - from our own process

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            environment = os.environ | {
                "PYTHONHASHSEED": HASH_SEED
                if os.environ.get("PYTHONHASHSEED") != HASH_SEED
                else "1",
                "PYTHONPATH": os.pathsep.join(each for each in sys.path if each),
                "TZ": OTHER_ZONE,
            }
            self._process = subprocess.Popen(
                [sys.executable, "-c", f"import {_WORKER}; {_WORKER}.main()"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment,
            )
        return self._process


def facts_of(database: Any) -> dict[str, Any]:
    """What a database tells of itself."""
    return {name: getattr(database, name, None) for name in FACTS}


ELSEWHERE = Elsewhere()
atexit.register(ELSEWHERE.close)
