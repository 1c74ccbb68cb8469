"""Append conditions, revisions and ranges of revisions."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from evidentsource_core import (
    AppendCondition,
    Constraint,
    ConstraintConflict,
    ConstraintError,
    IncompatibleSelectors,
    InvalidRange,
    InvalidRevision,
    InvalidType,
    InvalidValue,
    MaxConstraint,
    MinConstraint,
    Range,
    RangeConstraint,
    Selector,
    combine_constraints,
)
from evidentsource_core.domain.revision import MAX_REVISION, check_revision
from tests.unit.core.strategies import ranges, revisions

S = Selector.stream("accounts")
BAD_REVISIONS: list[Any] = [-1, 2**64, 1.0, "1", None, True]


# --- revisions -----------------------------------------------------------------------------------


@given(revisions)
def test_every_number_of_64_bits_is_a_revision(revision: int) -> None:
    assert check_revision(revision) == revision


@pytest.mark.parametrize("value", BAD_REVISIONS)
def test_anything_else_is_no_revision_by_the_name_of_the_field(value: Any) -> None:
    with pytest.raises(InvalidRevision, match=r"last_seen: .* is no revision") as caught:
        check_revision(value, "last_seen")
    assert caught.value.field == "last_seen"
    assert isinstance(caught.value, (ConstraintError, InvalidValue))


@given(ranges, revisions)
def test_a_range_contains_its_ends_and_what_lies_between(span: Range, revision: int) -> None:
    assert span.contains(revision) is (span.min <= revision <= span.max)
    assert span.contains(span.min)
    assert span.contains(span.max)
    assert Range.new(span.min, span.max) == span


def test_a_range_whose_ends_are_swapped_is_refused_with_both() -> None:
    with pytest.raises(InvalidRange, match=r"min \(3\) must be <= max \(2\)") as caught:
        Range(3, 2)
    assert (caught.value.min, caught.value.max) == (3, 2)


@pytest.mark.parametrize("value", BAD_REVISIONS)
def test_an_end_of_a_range_that_is_no_revision_is_refused_by_name(value: Any) -> None:
    with pytest.raises(InvalidRevision, match=r"Range\.min"):
        Range(value, 5)
    with pytest.raises(InvalidRevision, match=r"Range\.max"):
        Range(0, value)


# --- conditions ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("built", "written"),
    [
        (Constraint.min(S, 3), MinConstraint(S, 3)),
        (Constraint.max(S, 3), MaxConstraint(S, 3)),
        (Constraint.range(S, Range(1, 3)), RangeConstraint(S, Range(1, 3))),
        (Constraint.must_exist(S), MinConstraint(S, 1)),
        (Constraint.must_not_exist(S), MaxConstraint(S, 0)),
        (Constraint.unchanged_since(S, 7), MaxConstraint(S, 7)),
        (Constraint.at_revision(S, 7), RangeConstraint(S, Range(7, 7))),
    ],
)
def test_builders_give_the_written_out_condition(
    built: AppendCondition, written: AppendCondition
) -> None:
    assert built == written
    assert hash(built) == hash(written)
    assert built.get_selector() is S


@given(revisions, revisions)
def test_a_condition_holds_between_its_bounds(bound: int, highest: int) -> None:
    assert Constraint.min(S, bound).holds(highest) is (bound <= highest)
    assert Constraint.max(S, bound).holds(highest) is (highest <= bound)
    assert Constraint.at_revision(S, bound).holds(highest) is (bound == highest)
    assert Constraint.must_exist(S).holds(highest) is (highest > 0)
    assert Constraint.must_not_exist(S).holds(highest) is (highest == 0)


@given(ranges, revisions)
def test_a_range_condition_holds_within_its_range(span: Range, highest: int) -> None:
    assert Constraint.range(S, span).holds(highest) is span.contains(highest)


@pytest.mark.parametrize(
    ("condition", "bounds"),
    [
        (Constraint.min(S, 3), (3, None)),
        (Constraint.max(S, 3), (None, 3)),
        (Constraint.range(S, Range(1, 3)), (1, 3)),
    ],
)
def test_a_condition_tells_its_bounds(
    condition: AppendCondition, bounds: tuple[int | None, int | None]
) -> None:
    assert (condition.min_revision(), condition.max_revision()) == bounds


@pytest.mark.parametrize("value", BAD_REVISIONS)
@pytest.mark.parametrize("kind", [MinConstraint, MaxConstraint])
def test_a_bound_that_is_no_revision_is_refused_by_name(kind: type[Any], value: Any) -> None:
    with pytest.raises(InvalidRevision, match=rf"{kind.__name__}\.revision"):
        kind(S, value)


@pytest.mark.parametrize("wrong", [(1, 3), 5, None, range(1, 3)])
def test_a_range_that_is_no_range_is_refused_by_name(wrong: Any) -> None:
    with pytest.raises(InvalidType, match=r"RangeConstraint\.range: expected Range"):
        Constraint.range(S, wrong)


@pytest.mark.parametrize("wrong", ["accounts", None, 5])
def test_a_selector_that_is_none_is_refused_by_name(wrong: Any) -> None:
    for build in (Constraint.must_exist, Constraint.must_not_exist):
        with pytest.raises(InvalidType, match=r"Constraint\.selector: expected a selector"):
            build(wrong)
    with pytest.raises(InvalidType, match=r"RangeConstraint\.selector"):
        Constraint.at_revision(wrong, 1)


# --- the widening combination, kept for compatibility --------------------------------------------

LOW, HIGH = Constraint.min, Constraint.max


def within(low: int, high: int) -> RangeConstraint:
    return Constraint.range(S, Range(low, high))


@pytest.mark.parametrize(
    ("left", "right", "combined"),
    [
        (LOW(S, 1), LOW(S, 5), LOW(S, 1)),
        (HIGH(S, 1), HIGH(S, 5), HIGH(S, 5)),
        (LOW(S, 1), HIGH(S, 5), within(1, 5)),
        (LOW(S, 1), HIGH(S, 1), within(1, 1)),
        (LOW(S, 2), within(4, 6), within(2, 6)),
        (LOW(S, 9), within(4, 6), within(4, 6)),
        (HIGH(S, 9), within(4, 6), within(4, 9)),
        (HIGH(S, 2), within(4, 6), within(4, 6)),
        (within(1, 2), within(4, 6), within(1, 6)),
        (within(1, 9), within(4, 6), within(1, 9)),
    ],
)
def test_combining_widens_as_it_does_in_the_published_package(
    left: AppendCondition, right: AppendCondition, combined: AppendCondition
) -> None:
    assert combine_constraints(left, right) == combined
    assert combine_constraints(right, left) == combined


def test_a_combination_may_hold_where_one_of_its_parts_does_not() -> None:
    part = Constraint.min(S, 5)
    assert not part.holds(1)
    assert combine_constraints(part, Constraint.min(S, 1)).holds(1)


def test_a_combination_that_nothing_satisfies_is_refused() -> None:
    with pytest.raises(ConstraintConflict) as caught:
        combine_constraints(LOW(S, 5), HIGH(S, 4))
    assert "MinConstraint" in caught.value.left
    assert "MaxConstraint" in caught.value.right


def test_conditions_over_different_selectors_do_not_combine() -> None:
    with pytest.raises(IncompatibleSelectors):
        combine_constraints(LOW(S, 1), LOW(Selector.stream("other"), 1))


def test_the_greatest_revision_can_be_guarded() -> None:
    assert Constraint.at_revision(S, MAX_REVISION).holds(MAX_REVISION)
