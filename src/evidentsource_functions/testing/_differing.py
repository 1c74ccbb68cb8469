"""What differs between two levels, in the results and errors of rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from evidentsource_core import EvidentSourceError
from evidentsource_core.jsontext import loads
from evidentsource_functions._report import describe
from evidentsource_functions.errors import StateChangeError
from evidentsource_functions.state_change import DecideResult
from evidentsource_functions.testing import _words as words
from evidentsource_functions.testing._diff import (
    Difference,
    exact_differences,
    value_differences,
)
from evidentsource_functions.testing._stage import Outcome


@dataclass(frozen=True, slots=True)
class Result:
    """What a rule returned or raised at one level."""

    level: str
    value: Any = None
    error: Exception | None = None

    @classmethod
    def of(cls, level: str, call: Callable[[], Any]) -> Result:
        """Call it, whatever comes of it."""
        try:
            return cls(level, call())
        except Exception as error:  # noqa: BLE001 - whatever a rule raises is what is compared
            return cls(level, error=error)

    def give(self) -> Any:
        """Return or raise it."""
        if self.error is not None:
            raise self.error
        return self.value


def content_lines(expected: bytes | None, got: bytes | None) -> list[str]:
    """Where the contents of two views differ, in bytes; as JSON if that tells more."""
    if expected == got:
        return []
    try:
        found = list(value_differences(loads(expected or b""), loads(got or b""), ""))
    except EvidentSourceError:
        found = []
    return words.difference_lines(found or [Difference("content", expected, got)])


def decision_lines(expected: DecideResult, got: DecideResult) -> list[str]:
    """Where two decisions differ, in any field of any event and any condition."""
    if expected == got:
        return []
    (events, conditions), (other_events, other_conditions) = expected, got
    found: list[Difference] = []
    if len(events) != len(other_events):
        found.append(Difference("number of events", len(events), len(other_events)))
    for index, (left, right) in enumerate(zip(events, other_events, strict=False), 1):
        found += [
            Difference(f"event {index}: {each.path}", each.expected, each.got)
            for each in exact_differences(left, right)
        ]
    if conditions != other_conditions:
        left_lines = [words.condition_line(each) for each in conditions]
        right_lines = [words.condition_line(each) for each in other_conditions]
        found.append(Difference("conditions", left_lines, right_lines))
    return words.difference_lines(found)


def outcome_lines(expected: Outcome, got: Outcome) -> list[str]:
    """Where two outcomes of a command differ, as far as both levels can tell."""
    if expected.error is not None or got.error is not None:
        return error_lines(Result("", None, expected.error), Result("", None, got.error))
    # A level that cannot tell the conditions is not held to them.
    conditions = expected.conditions if got.conditions is None else got.conditions
    left = (list(expected.events), list(expected.conditions or ()))
    right = (list(got.events), list(conditions or ()))
    return [] if same_but_ids(left, right) else decision_lines(left, right)


def error_lines(first: Result, other: Result) -> list[str]:
    """Where two failures differ."""
    if first.error is None or other.error is None:
        return words.difference_lines([Difference("error", _said(first), _said(other))])
    if _same_error(first.error, other.error):
        return []
    return words.difference_lines([Difference("error", _said(first), _said(other))])


def _same_error(expected: Exception, got: Exception) -> bool:
    if isinstance(expected, StateChangeError) or isinstance(got, StateChangeError):
        return expected == got
    if (type(expected), str(expected)) == (type(got), str(got)):
        return True
    # A view in a component can only trap; why stands in what the guest wrote before it did.
    written = str(getattr(got, "guest_traceback", ""))
    return str(expected).partition("\n")[0] in written


def _said(result: Result) -> str:
    if result.error is None:
        return "(none)"
    written = str(getattr(result.error, "guest_traceback", ""))
    return describe(result.error) + (f"\n{written}" if written else "")


def same_but_ids(left: DecideResult, right: DecideResult) -> bool:
    """Whether two decisions differ in the ids of events at most."""
    if left[1] != right[1] or len(left[0]) != len(right[0]):
        return False
    return all(
        {each.path for each in exact_differences(*pair)} <= {"id"}
        for pair in zip(left[0], right[0], strict=True)
    )
