"""The guard around a level's rules: whatever runs in a test is repeated elsewhere and compared."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any

from evidentsource_core import (
    AppendCondition,
    Command,
    Event,
    ProspectiveEvent,
    RenderedStateView,
    StateChangeMetadata,
)
from evidentsource_core.reference import DatabaseSnapshot, Decide, Evolve
from evidentsource_functions.testing import ChangeRule, Level, Rules, ViewRule, level_named
from evidentsource_runtime.testing.guard import (
    GuardUnavailable,
    NotDeterministic,
    check_decide,
    check_evolve,
)

__all__ = ["GuardedLevel", "GuardedRules", "guarded"]

_log = logging.getLogger("evidentsource.testing")


class GuardedRules(Rules):
    """Runs rules as others do, and checks that each gives the same result elsewhere.

    A rule that cannot be repeated elsewhere runs unguarded; the logger ``evidentsource.testing``
    says why, once.

    Args:
        rules: how the rules are run.
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._failure: NotDeterministic | None = None
        self._unguarded: set[str] = set()

    def evolve(self, view: ViewRule) -> Evolve:
        """What folds a view."""
        inner = self._rules.evolve(view)

        def evolve(rendered: RenderedStateView, events: list[Event]) -> bytes | None:
            content = inner(rendered, events)
            where: Any = view.source or view.state_class
            self._checked(
                view.name,
                lambda: check_evolve(where, rendered, events, native=view.evolve, name=view.name),
            )
            return content

        return evolve

    def decide(self, change: ChangeRule) -> Decide:
        """What decides a command."""
        inner = self._rules.decide(change)

        def decide(
            database: DatabaseSnapshot, command: Command, metadata: StateChangeMetadata
        ) -> tuple[Iterable[ProspectiveEvent], Iterable[AppendCondition]]:
            where: Any = change.source or change.rule or change.decide
            self._checked(
                change.name,
                lambda: check_decide(
                    where,
                    database,
                    command,
                    metadata,
                    command_type=change.command_type,
                    native=change.decide,
                    name=change.name,
                ),
            )
            return inner(database, command, metadata)

        return decide

    def check(self) -> None:
        """Raise what the guard has found, which a rule may have taken for its own error."""
        self._rules.check()
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure

    def _checked(self, name: str, check: Callable[[], None]) -> None:
        if name in self._unguarded:
            return
        try:
            check()
        except GuardUnavailable as error:
            self._unguarded.add(name)
            _log.warning(
                "whether %s gives the same when it is repeated is not checked: %s", name, error
            )
        except NotDeterministic as error:
            # The first one; what follows from it would say less.
            self._failure = self._failure or error


class GuardedLevel(Level):
    """A level whose rules are guarded.

    Args:
        level: how they are run.
    """

    def __init__(self, level: Level) -> None:
        self._level = level

    @property
    def name(self) -> str:
        """The level's own name."""
        return self._level.name

    def rules(self) -> Rules:
        """The level's rules, guarded."""
        return GuardedRules(self._level.rules())


def guarded(level: str | Level = "native") -> Level:
    """A level whose rules are checked to give the same results when they are repeated.

    The sandbox is guarded by itself; elsewhere this is the word:

        with use_level(guarded()):
            given(...).when(...).then(...)

    Args:
        level: its name, or the level itself.

    Raises:
        InvalidValue: there is none of that name.
        LevelUnavailable: it cannot run here.
    """
    return GuardedLevel(level if isinstance(level, Level) else level_named(level))
