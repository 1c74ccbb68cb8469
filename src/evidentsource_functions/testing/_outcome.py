"""What came of a scenario, and what a test says of it."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from re import Pattern
from typing import Any, Self

from evidentsource_core import (
    AppendCondition,
    Event,
    EvidentSourceError,
    InvalidValue,
    ProspectiveEvent,
)
from evidentsource_core.domain.definitions import ViewParameter
from evidentsource_functions.errors import StateChangeError, StateChangeErrorKind
from evidentsource_functions.testing import _words as words
from evidentsource_functions.testing._builder import as_moment
from evidentsource_functions.testing._events import AnySpec, as_spec
from evidentsource_functions.testing._failure import Story, conditions_differ, events_differ
from evidentsource_functions.testing._refusal import Refusal
from evidentsource_functions.testing._stage import Attempt, Outcome
from evidentsource_functions.testing._view_check import ViewCheck


class Decided:
    """What came of a command; ``when`` gives it.

    Attributes:
        history: what had happened before.
        outcome: the events, the append conditions, or the error.
    """

    def __init__(
        self, check: ViewCheck, history: list[Event], attempt: Attempt, outcome: Outcome
    ) -> None:
        self._check = check
        self._attempt = attempt
        self._outcome = outcome
        self._looked_at = False
        self.history = history

    def __del__(self) -> None:
        if not getattr(self, "_looked_at", True):
            warnings.warn(
                f"nobody looked at what came of the command to {self._attempt.change.name}: "
                "end the scenario with then(...), then_nothing() or then_rejected(...)",
                stacklevel=2,
            )

    @property
    def outcome(self) -> Outcome:
        """The events, the append conditions, or the error."""
        self._looked_at = True
        return self._outcome

    @property
    def events(self) -> tuple[ProspectiveEvent, ...]:
        """What was decided; nothing where the command was refused.

        Raises:
            ScenarioFailed: it was refused.
        """
        __tracebackhide__ = True
        return self._accepted("events").events

    def then(self, *events: AnySpec) -> Self:
        """These events were decided and committed, in this order, and no others.

        Raises:
            ScenarioFailed: with what differs.
        """
        __tracebackhide__ = True
        self._looked_at = True
        if not events:
            raise InvalidValue("then", "names no event", "a decision without any is then_nothing()")
        return self._then(events)

    def then_nothing(self) -> Self:
        """The command was accepted, and nothing happened.

        Raises:
            ScenarioFailed: with the events, or why it was refused.
        """
        __tracebackhide__ = True
        return self._then(())

    def then_rejected(
        self,
        kind: str | StateChangeErrorKind | type[EvidentSourceError],
        text: str | Pattern[str] | None = None,
    ) -> Self:
        """The command was refused, by the rule or at the commit, and nothing was written.

        Args:
            kind: a rule's own kind: ``validation``, ``conflict``, ``not_found``, ``unauthorized``,
                ``internal``. For a commit that did not happen the error's class or code, such as
                ``ConstraintViolations``.
            text: the whole message; or a pattern that is found somewhere in it.

        Raises:
            ScenarioFailed: it was not refused, or for another reason.
        """
        __tracebackhide__ = True
        self._looked_at = True
        wanted = Refusal(kind, text)
        error = self.outcome.error
        if error is None:
            lines = [f"expected: {wanted}", "got:"]
            lines += [
                f"  {each}" for each in words.event_lines(self._outcome.events) or ["nothing"]
            ]
            raise self._story().told("the command was not rejected", lines)
        if not wanted.matches(error):
            lines = [f"expected: {wanted}", "got:"]
            lines += [f"  {line}" for line in words.error_lines(error)]
            raise self._story().told("the command was rejected for another reason", lines)
        return self

    def then_conditions(self, *conditions: AppendCondition) -> Self:
        """The decision had these append conditions, in whatever order, and no others.

        Raises:
            ScenarioFailed: with what differs.
        """
        __tracebackhide__ = True
        decided = self.outcome.conditions
        if decided is None:
            return self
        if isinstance(self._outcome.error, StateChangeError):
            self._accepted("conditions")
        lines = conditions_differ(conditions, decided)
        if lines:
            raise self._story().told("the append conditions differ", lines)
        return self

    def as_of(
        self, *, effective: datetime | str | None = None, revision: int | None = None
    ) -> Self:
        """Read the views that follow as of an effective time, a revision, or both."""
        moment = None if effective is None else as_moment(effective, "as_of(effective=...)")
        self._check = replace(self._check, revision=revision, effective_at=moment)
        return self

    def then_view(
        self,
        expected: Any,
        view: str | type[Any] | None = None,
        /,
        **parameters: ViewParameter,
    ) -> Self:
        """Check what a state view contains after it; the arguments are those of a ``given``.

        Raises:
            ScenarioFailed: it contains something else.
        """
        __tracebackhide__ = True
        self._looked_at = True
        self._check.then_view(expected, view, parameters, self._attempt)
        return self

    def _then(self, events: Sequence[AnySpec]) -> Self:
        __tracebackhide__ = True
        outcome = self._accepted("events")
        stream = self._check.book.stream
        wrong = events_differ([as_spec(each) for each in events], outcome.events, stream)
        if wrong is not None:
            raise self._story().told(*wrong)
        return self

    def _accepted(self, what: str) -> Outcome:
        __tracebackhide__ = True
        outcome = self.outcome
        if outcome.error is None:
            return outcome
        lines = words.error_lines(outcome.error)
        if isinstance(outcome.error, StateChangeError):
            raise self._story().told(
                f"the command was rejected, so there are no {what}", lines
            ) from outcome.error
        if not outcome.events:
            raise self._story().told("the command could not be executed", lines) from outcome.error
        lines += ["decided were:", *(f"  {each}" for each in words.event_lines(outcome.events))]
        raise self._story().told("the decision could not be committed", lines) from outcome.error

    def _story(self) -> Story:
        attempt = self._attempt
        return Story(self._check.level, self.history, attempt, attempt.last_seen)
