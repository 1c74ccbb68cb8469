"""The level ``all``: every rule runs at every level, and no two may differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from evidentsource_core import (
    Command,
    Event,
    ProspectiveEvent,
    RenderedStateView,
    StateChangeMetadata,
    StateView,
)
from evidentsource_core.reference import DatabaseSnapshot, Decide, Evolve
from evidentsource_functions.state_change import DecideResult
from evidentsource_functions.testing._differing import (
    Result,
    content_lines,
    decision_lines,
    error_lines,
    outcome_lines,
    same_but_ids,
)
from evidentsource_functions.testing._levels import ALL, Level
from evidentsource_functions.testing._rules import ChangeRule, RuleBook, ViewRule
from evidentsource_functions.testing._stage import (
    STARTED,
    Attempt,
    MemoryStage,
    Outcome,
    Reading,
    Rules,
    Stage,
)


class LevelsDiffer(AssertionError):
    """A rule does something else at one level than at another; the text says what."""


class ComparingLevel(Level):
    """Runs everything at several levels and fails where two of them differ.

    Levels that run rules for a database in memory are compared at each call of a rule: the bytes of
    each content, each event, condition and error. Those that have databases of their own are
    compared by what comes of each command and each view that is read.

    Event ids that a rule makes up at random, so that the first level itself gives others when it is
    asked again, are left aside.

    Args:
        rules: levels of the first kind; the first of them is what the others are compared with.
        others: levels of the second kind.
    """

    name = ALL

    def __init__(self, rules: Sequence[Level], others: Sequence[Level] = ()) -> None:
        self._rules = tuple(rules)
        self._others = tuple(others)

    def rules(self) -> Rules:
        """Run each rule at each level that can run it in memory."""
        return ComparingRules([(each.name, each.rules()) for each in self._rules])

    def stage(self, book: RuleBook, started: datetime = STARTED) -> Stage:
        """A database at each level."""
        memory: Stage = MemoryStage(self.rules(), book, started)
        if not self._others:
            return memory
        stages = [(each.name, each.stage(book, started)) for each in self._others]
        return ComparingStage([(self._rules[0].name, memory), *stages])

    def release(self) -> None:
        """Let go of what tests have left at any level."""
        for each in (*self._rules, *self._others):
            each.release()


class ComparingRules(Rules):
    """Runs each rule at each level, compares, and goes on with what the first one gave."""

    def __init__(self, levels: Sequence[tuple[str, Rules]]) -> None:
        self._levels = tuple(levels)
        self._found: list[LevelsDiffer] = []

    def check(self) -> None:
        """Raise the first difference, which a rule may have taken for a failure of its database."""
        for _, rules in self._levels:
            rules.check()
        if self._found:
            found = self._found[0]
            self._found.clear()
            raise found

    def evolve(self, view: ViewRule) -> Evolve:
        """What folds a view."""
        levels = [(name, rules.evolve(view)) for name, rules in self._levels]

        def evolve(rendered: RenderedStateView, events: list[Event]) -> bytes | None:
            first, *others = [
                Result.of(name, partial(fold, rendered, list(events))) for name, fold in levels
            ]
            for other in others:
                self._compare(f"evolve of {view.name}", first, other, content_lines)
            content: bytes | None = first.give()
            return content

        return evolve

    def decide(self, change: ChangeRule) -> Decide:
        """What decides a command."""
        levels = [(name, rules.decide(change)) for name, rules in self._levels]

        def decide(
            database: DatabaseSnapshot, command: Command, metadata: StateChangeMetadata
        ) -> DecideResult:
            def run(name: str, rule: Decide) -> Result:
                return Result.of(name, lambda: _lists(rule(database, command, metadata)))

            first, *others = [run(*each) for each in levels]

            def lines(left: DecideResult, right: DecideResult) -> list[str]:
                found = decision_lines(left, right)
                if found and same_but_ids(left, right):
                    again = run(*levels[0])
                    if again.value is not None and again.value != left:
                        return []
                return found

            for other in others:
                self._compare(f"decide of {change.name}", first, other, lines)
            decided: DecideResult = first.give()
            return decided

        return decide

    def _compare(
        self,
        what: str,
        first: Result,
        other: Result,
        lines: Callable[[Any, Any], list[str]],
    ) -> None:
        if first.error is None and other.error is None:
            found = lines(first.value, other.value)
        else:
            found = error_lines(first, other)
        if found:
            names = f"{first.level} (expected) and {other.level} (got)"
            text = "\n".join(
                [f"{what} differs between {names}", *(f"    {line}" for line in found)]
            )
            difference = LevelsDiffer(text)
            self._found.append(difference)
            raise difference


class ComparingStage:
    """Plays a scenario at each level, compares, and goes on with what the first one gave."""

    def __init__(self, stages: Sequence[tuple[str, Stage]]) -> None:
        self._stages = tuple(stages)

    def commit(self, events: Sequence[ProspectiveEvent], recorded_at: datetime | None) -> None:
        """Commit one transaction at each level."""
        for _, stage in self._stages:
            stage.commit(events, recorded_at)

    def attempt(self, attempt: Attempt) -> Outcome:
        """Send a command to each level."""
        outcomes = [(name, stage.attempt(attempt)) for name, stage in self._stages]
        (first, expected), *others = outcomes
        for other, got in others:
            self._fail(f"{attempt.change.name} differs", first, other, outcome_lines(expected, got))
        return expected

    def view(self, reading: Reading) -> StateView | None:
        """Read a state view at each level."""
        results = [Result.of(name, partial(stage.view, reading)) for name, stage in self._stages]
        first, *others = results
        for other in others:
            if first.error is None and other.error is None:
                lines = content_lines(_content(first.value), _content(other.value))
            else:
                lines = error_lines(first, other)
            self._fail(f"the view {reading.view.name} differs", first.level, other.level, lines)
        view: StateView | None = first.give()
        return view

    def history(self) -> list[Event]:
        """Every event, as the first level has them."""
        return self._stages[0][1].history()

    def _fail(self, what: str, first: str, other: str, lines: list[str]) -> None:
        if lines:
            text = f"{what} between {first} (expected) and {other} (got)"
            raise LevelsDiffer("\n".join([text, *(f"    {line}" for line in lines)]))


def _lists(decision: Any) -> DecideResult:
    events, conditions = decision
    return list(events), list(conditions)


def _content(view: StateView | None) -> bytes | None:
    return None if view is None else view.content
