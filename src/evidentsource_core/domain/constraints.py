"""Append conditions: what must hold of the database at the moment of the commit.

Each speaks of L, the highest revision of an event that its selector selects, 0 when there is none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from evidentsource_core.domain.errors import (
    ConstraintConflict,
    IncompatibleSelectors,
    InvalidType,
)
from evidentsource_core.domain.revision import Range, Revision, check_revision
from evidentsource_core.domain.selectors import EventSelector, _Selector


class _Condition:
    __slots__ = ()
    selector: EventSelector

    def get_selector(self) -> EventSelector:
        """The selector."""
        return self.selector

    def min_revision(self) -> int | None:
        """The lower bound of L, if there is one."""
        return None

    def max_revision(self) -> int | None:
        """The upper bound of L, if there is one."""
        return None

    def holds(self, highest: int) -> bool:
        """Whether the condition holds when ``highest`` is L.

        >>> from evidentsource_core.domain.selectors import Selector
        >>> Constraint.must_not_exist(Selector.stream("accounts")).holds(0)
        True
        """
        low, high = self.min_revision(), self.max_revision()
        return (low is None or low <= highest) and (high is None or highest <= high)


def _check(condition: _Condition) -> None:
    if not isinstance(condition.selector, _Selector):
        raise InvalidType(f"{type(condition).__name__}.selector", "a selector", condition.selector)


@dataclass(frozen=True, slots=True)
class MinConstraint(_Condition):
    """L >= revision."""

    selector: EventSelector
    revision: Revision

    def __post_init__(self) -> None:
        _check(self)
        check_revision(self.revision, "MinConstraint.revision")

    def min_revision(self) -> int | None:
        """The lower bound of L."""
        return self.revision


@dataclass(frozen=True, slots=True)
class MaxConstraint(_Condition):
    """L <= revision."""

    selector: EventSelector
    revision: Revision

    def __post_init__(self) -> None:
        _check(self)
        check_revision(self.revision, "MaxConstraint.revision")

    def max_revision(self) -> int | None:
        """The upper bound of L."""
        return self.revision


@dataclass(frozen=True, slots=True)
class RangeConstraint(_Condition):
    """range.min <= L <= range.max."""

    selector: EventSelector
    range: Range

    def __post_init__(self) -> None:
        _check(self)
        if not isinstance(self.range, Range):
            raise InvalidType("RangeConstraint.range", "Range", self.range)

    def min_revision(self) -> int | None:
        """The lower bound of L."""
        return self.range.min

    def max_revision(self) -> int | None:
        """The upper bound of L."""
        return self.range.max


AppendCondition: TypeAlias = MinConstraint | MaxConstraint | RangeConstraint


class Constraint:
    """Builds append conditions."""

    @staticmethod
    def min(selector: EventSelector, revision: int) -> MinConstraint:
        """At least one selected event at or after ``revision``."""
        return MinConstraint(selector, revision)

    @staticmethod
    def max(selector: EventSelector, revision: int) -> MaxConstraint:
        """No selected event after ``revision``."""
        return MaxConstraint(selector, revision)

    @staticmethod
    def range(selector: EventSelector, range_val: Range) -> RangeConstraint:
        """The last selected event lies within ``range_val``."""
        return RangeConstraint(selector, range_val)

    @staticmethod
    def must_exist(selector: EventSelector) -> MinConstraint:
        """There is a selected event."""
        return MinConstraint(selector, 1)

    @staticmethod
    def must_not_exist(selector: EventSelector) -> MaxConstraint:
        """There is no selected event."""
        return MaxConstraint(selector, 0)

    @staticmethod
    def unchanged_since(selector: EventSelector, last_seen_revision: int) -> MaxConstraint:
        """No selected event came after ``last_seen_revision``."""
        return MaxConstraint(selector, last_seen_revision)

    @staticmethod
    def at_revision(selector: EventSelector, revision: int) -> RangeConstraint:
        """The last selected event is the one at ``revision``."""
        return RangeConstraint(selector, Range(revision, revision))


def combine_constraints(left: AppendCondition, right: AppendCondition) -> AppendCondition:
    """One constraint whose bounds span both.

    Kept for compatibility. It *widens*: of two lower bounds the lower one stays, so the result may
    hold where one of its parts does not. Nothing in this project uses it; a transaction checks every
    condition by itself.

    Raises:
        IncompatibleSelectors: the selectors differ.
        ConstraintConflict: a lower bound lies above the upper bound of the other.
    """
    if left.selector != right.selector:
        raise IncompatibleSelectors
    lows = [low for low in (left.min_revision(), right.min_revision()) if low is not None]
    highs = [high for high in (left.max_revision(), right.max_revision()) if high is not None]
    if not highs:
        return MinConstraint(left.selector, min(lows))
    if not lows:
        return MaxConstraint(left.selector, max(highs))
    if min(lows) > max(highs):
        raise ConstraintConflict(str(left), str(right))
    return RangeConstraint(left.selector, Range(min(lows), max(highs)))
