"""Append conditions: what holds, each by itself, at the moment of the commit."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidentsource_core import (
    AppendCondition,
    Constraint,
    ConstraintViolations,
    Range,
    Selector,
)
from evidentsource_core.domain.selectors import any_of
from tests.unit.core.reference.helpers import bank, batches, event, filled, selectors, selects

ACCOUNT = Selector.subject("a-1")
"""In the database of these cases its last event is at revision 3, of 4."""

CASES: list[tuple[AppendCondition, bool]] = [
    (Constraint.min(ACCOUNT, 0), True),
    (Constraint.min(ACCOUNT, 3), True),
    (Constraint.min(ACCOUNT, 4), False),
    (Constraint.max(ACCOUNT, 4), True),
    (Constraint.max(ACCOUNT, 3), True),
    (Constraint.max(ACCOUNT, 2), False),
    (Constraint.range(ACCOUNT, Range(3, 4)), True),
    (Constraint.range(ACCOUNT, Range(0, 3)), True),
    (Constraint.range(ACCOUNT, Range(0, 2)), False),
    (Constraint.range(ACCOUNT, Range(4, 9)), False),
    (Constraint.must_exist(ACCOUNT), True),
    (Constraint.must_exist(Selector.subject("nobody")), False),
    (Constraint.must_not_exist(ACCOUNT), False),
    (Constraint.must_not_exist(Selector.subject("nobody")), True),
    (Constraint.unchanged_since(ACCOUNT, 3), True),
    (Constraint.unchanged_since(ACCOUNT, 2), False),
    (Constraint.at_revision(ACCOUNT, 3), True),
    (Constraint.at_revision(ACCOUNT, 2), False),
    (Constraint.at_revision(Selector.subject("nobody"), 0), True),
    (Constraint.min(Selector.subject("nobody"), 0), True),
]


@pytest.mark.parametrize(("condition", "holds"), CASES)
def test_a_condition_compares_the_highest_revision_of_a_matching_event(
    condition: AppendCondition, holds: bool
) -> None:
    database = bank()
    database.transact([event("1"), event("2", "b-1"), event("3"), event("4", "b-1")])
    if holds:
        assert database.transact([event("5")], [condition]).revision == 5
    else:
        with pytest.raises(ConstraintViolations):
            database.transact([event("5")], [condition])


def test_conditions_look_at_the_log_before_the_transaction_itself() -> None:
    database = bank()
    database.transact([event("1")], [Constraint.must_not_exist(ACCOUNT)])
    with pytest.raises(ConstraintViolations):
        database.transact([event("2", "b-1")], [Constraint.must_exist(Selector.subject("b-1"))])


def test_every_condition_that_does_not_hold_is_told_in_words_with_what_was_found() -> None:
    database = bank()
    database.transact([event("1"), event("2", "b-1")])
    either = (Selector.subject("b-1") | Selector.no_subject()) & Selector.stream("accounts")
    with pytest.raises(ConstraintViolations) as refused:
        database.transact(
            [event("3")],
            [
                Constraint.must_not_exist(ACCOUNT),
                Constraint.must_exist(ACCOUNT),
                Constraint.unchanged_since(either, 1),
                Constraint.at_revision(Selector.event_type_starts_with("account."), 1),
                Constraint.range(Selector.stream_starts_with("acc"), Range(3, 9)),
                Constraint.must_exist(Selector.subject_starts_with("c") & ACCOUNT & ACCOUNT),
            ],
        )
    assert "\n".join(refused.value.violations) == (
        "conditions[0]: the last event where subject is 'a-1' must not exist; it is at revision 1\n"
        "conditions[2]: the last event where (subject is 'b-1' or there is no subject) and stream "
        "is 'accounts' must be at revision 1 or earlier; it is at revision 2\n"
        "conditions[3]: the last event where type starts with 'account.' must be at revision 1; "
        "it is at revision 2\n"
        "conditions[4]: the last event where stream starts with 'acc' must be from revision 3 "
        "to 9; it is at revision 2\n"
        "conditions[5]: the last event where subject starts with 'c' and subject is 'a-1' and "
        "subject is 'a-1' must be at revision 1 or later; there is none"
    )


def test_conditions_over_one_selector_are_not_merged_into_a_wider_one() -> None:
    database = bank()
    database.transact([event("1"), event("2")])
    both = [Constraint.min(ACCOUNT, 1), Constraint.min(ACCOUNT, 3)]
    with pytest.raises(ConstraintViolations) as refused:
        database.transact([event("3")], both)
    assert len(refused.value.violations) == 1


def test_a_selector_deeper_than_the_stack_of_python_is_evaluated_and_told() -> None:
    database = bank()
    database.transact([event("1")])
    deep: Any = Selector.subject("x")
    for _ in range(5000):
        deep = deep | Selector.subject("a-1")
    with pytest.raises(ConstraintViolations, match="subject is 'x' or subject is 'a-1'"):
        database.transact([event("2")], [Constraint.must_not_exist(deep)])


@settings(max_examples=60, deadline=None)
@given(history=batches, selector=selectors, low=st.integers(0, 9), width=st.integers(0, 4))
def test_any_condition_holds_exactly_as_its_definition_says(
    history: Any, selector: Any, low: int, width: int
) -> None:
    database = filled(history)
    stored = [each for result in database.log() for each in result.events]
    highest = max(
        (index for index, each in enumerate(stored, 1) if selects(selector, each)), default=0
    )
    wanted: dict[AppendCondition, bool] = {
        Constraint.min(selector, low): highest >= low,
        Constraint.max(selector, low): highest <= low,
        Constraint.range(selector, Range(low, low + width)): low <= highest <= low + width,
    }
    for number, (condition, holds) in enumerate(wanted.items()):
        try:
            database.transact([event(f"probe-{number}", "probe", stream="probe")], [condition])
        except ConstraintViolations:
            assert not holds
        else:
            assert holds


def test_a_lookup_with_a_selective_leaf_does_not_look_at_the_other_events(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    database = bank()
    database.transact([event(str(number), f"s-{number}") for number in range(5000)])
    looked_at: list[str] = []
    matches = type(ACCOUNT & ACCOUNT).matches

    def counting(self: Any, found: Any) -> bool:
        looked_at.append(found.id)
        return matches(self, found)

    monkeypatch.setattr(type(ACCOUNT & ACCOUNT), "matches", counting)
    narrow = Selector.stream("accounts") & any_of([Selector.subject(f"s-{n}") for n in range(3)])
    database.transact([event("new")], [Constraint.at_revision(narrow, 3)])
    assert looked_at == ["2"]
