"""Random commands against state changes, and what has to hold after each of them.

>>> from dataclasses import dataclass
>>> from hypothesis import strategies as st
>>> from evidentsource_core import ProspectiveEvent
>>> from evidentsource_functions.testing import Scenarios
>>> from evidentsource_runtime.testing.strategies import commands
>>> @dataclass
... class Add:
...     amount: int
>>> def add(db, command: Add, metadata):
...     return [ProspectiveEvent(f"{db.revision}", "sums", "added", data=str(command.amount))]
>>> class Sum(DeciderMachine):
...     rules = Scenarios("sums").change(add)
...     commands = [commands(Add, amount=st.integers(-9, 9))]
...     @invariant
...     def is_positive(self, now):
...         assert sum(event.data_as_json() for event in now.history) >= 0
>>> Sum.check()
Traceback (most recent call last):
...
evidentsource_runtime.testing._trials.PropertyFailed: is_positive does not hold: AssertionError
  1. add {"amount": -1}
       added  sums  -  -1
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, TypeAlias, TypeVar

from evidentsource_core import Event, StateView
from evidentsource_core.domain.definitions import ViewParameter
from evidentsource_functions.errors import InvalidDefinition
from evidentsource_functions.testing import Outcome, Scenarios
from evidentsource_functions.testing import _words as words
from evidentsource_functions.testing._events import AnySpec, as_spec
from evidentsource_runtime.testing._hypothesis import st
from evidentsource_runtime.testing._play import Play, problem_of
from evidentsource_runtime.testing._shortening import shortened
from evidentsource_runtime.testing._trials import PropertyFailed, for_all

__all__ = ["DeciderMachine", "Now", "PropertyFailed", "invariant"]

_Step: TypeAlias = tuple[Any, int]
"""A command, and how many revisions behind the latest it is decided."""

_Check = TypeVar("_Check", bound=Callable[..., None])


def invariant(check: _Check) -> _Check:
    """Mark a method of a machine as something that has to hold, first and after each command."""
    vars(check)["is_invariant"] = True
    return check


class Now:
    """The database as it is after a command; what an invariant is given."""

    def __init__(self, play: Play, outcome: Outcome | None) -> None:
        self._play = play
        self._outcome = outcome

    @property
    def history(self) -> list[Event]:
        """Every event so far, in the order of revisions."""
        return self._play.history

    @property
    def last(self) -> Outcome | None:
        """What the last command led to; None before the first."""
        return self._outcome

    def view(self, view: str | type[Any], /, **parameters: ViewParameter) -> StateView | None:
        """A state view by its name or class; None where no event modified it."""
        return self._play.view(view, parameters)


class DeciderMachine:
    """Plays random commands against state changes, and checks invariants after each.

    Derive a class, set what follows, mark methods with :func:`invariant`, and call :meth:`check` in a
    test. What fails is made as short as can be, and told as a story.

    Attributes:
        rules: the state changes, and the views that they and the invariants read.
        commands: the commands to play, such as ``commands(Deposit, account=...)``. Few different
            accounts, names and amounts find more than many.
        given: events that had happened before.
        behind: how many revisions behind the latest a command may be decided on, as if its sender
            had not seen them yet. Append conditions are there for that; 0 plays without.
        longest: the most commands in one history.
        examples: how many histories to play.
    """

    rules: ClassVar[Scenarios[Any]]
    commands: ClassVar[Sequence[st.SearchStrategy[Any]]]
    given: ClassVar[Sequence[AnySpec]] = ()
    behind: ClassVar[int] = 2
    longest: ClassVar[int] = 12
    examples: ClassVar[int] = 100

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if not isinstance(getattr(cls, "rules", None), Scenarios):
            raise InvalidDefinition(f"{cls.__name__}.rules: set it to the Scenarios of the rules")
        if not getattr(cls, "commands", None):
            raise InvalidDefinition(
                f"{cls.__name__}.commands: name at least one, such as commands(Deposit)"
            )

    @classmethod
    def check(cls, *, examples: int | None = None) -> None:
        """Play.

        Args:
            examples: how many histories; the class's own number by default.

        Raises:
            PropertyFailed: an invariant does not hold, or a rule fails, with the shortest history
                found that leads there.
            InvalidDefinition: there is no invariant.
        """
        machine = cls()
        checks = [each for _, each in inspect.getmembers(machine, _is_invariant)]
        if not checks:
            raise InvalidDefinition(f"{cls.__name__} has no method marked with @invariant")
        step = st.tuples(st.one_of(*cls.commands), st.integers(0, cls.behind))
        steps = st.lists(step, min_size=1, max_size=cls.longest)
        failing: list[_Step] = []

        def play(drawn: list[_Step]) -> None:
            failure = machine._failure(drawn, checks)
            if failure is not None:
                failing[:] = drawn
                raise failure

        try:
            for_all(steps, play, examples or cls.examples)
        except PropertyFailed as failure:
            shortest = shortened(failing, lambda drawn: bool(machine._failure(drawn, checks)))
            raise machine._failure(shortest, checks) or failure from failure.__cause__

    def _failure(
        self, steps: list[_Step], checks: list[Callable[[Now], None]]
    ) -> PropertyFailed | None:
        try:
            self._play(steps, checks)
        except PropertyFailed as failure:
            return failure
        return None

    def _play(self, steps: list[_Step], checks: list[Callable[[Now], None]]) -> None:
        play = Play(self.rules.book)
        stream = self.rules.book.stream
        specs = enumerate(map(as_spec, self.given), 1)
        play.commit([each.prospective(stream, f"given-{number}") for number, each in specs])
        self._hold(checks, play, None)
        for command, behind in steps:
            sent = play.send(command, behind)
            problem = problem_of(sent)
            if problem is not None:
                raise PropertyFailed(f"{problem}\n{play.story()}")
            self._hold(checks, play, sent.outcome)

    def _hold(
        self, checks: list[Callable[[Now], None]], play: Play, outcome: Outcome | None
    ) -> None:
        for check in checks:
            try:
                check(Now(play, outcome))
            except Exception as error:
                told = next(iter(str(error).splitlines()), "")
                if not told or not isinstance(error, AssertionError):
                    told = words.error_lines(error)[0] if told else type(error).__name__
                name = getattr(check, "__name__", "an invariant")
                raise PropertyFailed(f"{name} does not hold: {told}\n{play.story()}") from error


def _is_invariant(member: object) -> bool:
    return inspect.ismethod(member) and getattr(member, "is_invariant", False)
