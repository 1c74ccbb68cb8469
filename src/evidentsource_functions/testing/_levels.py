"""The levels that a test can run at, and which one it runs at now."""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from evidentsource_core import EvidentSourceError, InvalidValue
from evidentsource_functions.testing._rules import RuleBook
from evidentsource_functions.testing._stage import STARTED, MemoryStage, NativeRules, Rules, Stage

NATIVE = "native"
ALL = "all"


class LevelUnavailable(EvidentSourceError):
    """A level cannot run here, or not what a test asks of it; the message says what it needs.

    ``level`` is its name.
    """

    code = "level-unavailable"

    def __init__(self, level: str, reason: str, hint: str | None = None) -> None:
        super().__init__(f"level {level}: {reason}" + (f"; {hint}" if hint else ""))
        self.level = level
        self.reason = reason
        self.hint = hint


class Level(ABC):
    """A way to run the rules that a test is about.

    A level that runs them for a database in memory defines :meth:`rules`. One that has databases
    of its own, say of a running server, defines :meth:`stage`.
    """

    @property
    @abstractmethod
    def name(self) -> str:
        """What it is called on the command line."""

    def rules(self) -> Rules:
        """How rules are run for a database in memory, one for each database.

        Raises:
            LevelUnavailable: they only run in databases of the level's own.
        """
        raise LevelUnavailable(
            self.name,
            "its rules do not run in a database in memory",
            'use scenarios here, or mark the test @pytest.mark.es_level("native")',
        )

    def stage(self, book: RuleBook, started: datetime = STARTED) -> Stage:
        """A new database for one scenario, with the rules published.

        Args:
            book: the rules.
            started: when the database was created, where the level can choose.
        """
        return MemoryStage(self.rules(), book, started)

    def database(  # noqa: B027 - most levels have no databases of their own
        self, book: RuleBook, clock: Callable[[], datetime] | None = None
    ) -> Any:
        """A new database with the rules published, for a test that is no scenario.

        Args:
            book: the rules.
            clock: what tells the time of what happens in it, where the level can choose.

        Returns:
            None where it is one in memory, whose rules run as :meth:`rules` says.
        """

    def release(self) -> None:  # noqa: B027 - most levels keep nothing
        """Let go of what tests have left with the level; no test uses it any more."""


class NativeLevel(Level):
    """The rules as they are: Python in this process, in microseconds."""

    name = NATIVE

    def rules(self) -> Rules:
        """Run them as they are."""
        return NativeRules()


_makers: dict[str, Callable[[], Level]] = {NATIVE: NativeLevel}
_made: dict[str, Level] = {}
# One for the process, since what a test starts on another thread belongs to that test.
_current: list[Level] = []


def register_level(name: str, make: Callable[[], Level]) -> None:
    """Make a level known.

    Args:
        name: what it is called on the command line.
        make: makes it, when it is first asked for; it raises :class:`LevelUnavailable` where the
            level cannot run.
    """
    _makers[name] = make
    _made.pop(name, None)


def level_names() -> list[str]:
    """The levels that are known."""
    return list(_makers)


def level_named(name: str) -> Level:
    """The level of that name.

    Raises:
        InvalidValue: there is none.
        LevelUnavailable: it cannot run here.
    """
    if name not in _makers:
        hint = f"known are: {', '.join(_makers)}"
        if len(_makers) == 1:
            hint += "; others come with `import evidentsource_runtime.testing.levels`"
        raise InvalidValue("level", f"{name!r} is unknown", hint)
    if name not in _made:
        _made[name] = _makers[name]()
    return _made[name]


def current_level() -> Level:
    """The level that scenarios and databases run at now."""
    return _current[-1] if _current else level_named(NATIVE)


@contextlib.contextmanager
def use_level(level: str | Level) -> Iterator[Level]:
    """Let scenarios and databases run at another level, as ``pytest --es-level`` does.

    The levels beyond ``native`` are known once :mod:`evidentsource_runtime.testing` is imported.

    Args:
        level: its name, or the level itself.

    Raises:
        InvalidValue: there is none of that name.
        LevelUnavailable: it cannot run here.

    >>> with use_level("native") as level:
    ...     level.name
    'native'
    """
    chosen = level if isinstance(level, Level) else level_named(level)
    _current.append(chosen)
    try:
        yield chosen
    finally:
        _current.pop()
        if chosen not in _current:
            chosen.release()
