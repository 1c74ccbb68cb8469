"""Append conditions: what holds, each by itself, at the moment of the commit."""

from __future__ import annotations

import pytest

from evidentsource_core import (
    AppendCondition,
    Constraint,
    ConstraintViolations,
    EventSelector,
    Range,
    Selector,
)
from evidentsource_runtime.contract.driver import DatabaseUnderTest
from evidentsource_runtime.contract.values import event, refused

_ACCOUNT = Selector.subject("a-1")
"""Its last event is at revision 3, of 4."""
_NOBODY = Selector.subject("nobody")
_FAR = 2**64 - 1

_CASES: list[tuple[AppendCondition, bool]] = [
    *((Constraint.min(_ACCOUNT, r), r <= 3) for r in (0, 1, 2, 3, 4, 5, _FAR)),
    *((Constraint.max(_ACCOUNT, r), r >= 3) for r in (0, 1, 2, 3, 4, 5, _FAR)),
    *(
        (Constraint.range(_ACCOUNT, Range(low, high)), low <= 3 <= high)
        for low in (0, 1, 3, 4)
        for high in (0, 2, 3, 4, _FAR)
        if low <= high
    ),
    *((Constraint.at_revision(_ACCOUNT, r), r == 3) for r in range(6)),
    *((Constraint.unchanged_since(_ACCOUNT, r), r >= 3) for r in range(6)),
    (Constraint.must_exist(_ACCOUNT), True),
    (Constraint.must_not_exist(_ACCOUNT), False),
    # L is 0 where no event matches.
    *((Constraint.min(_NOBODY, r), r == 0) for r in (0, 1, 4, _FAR)),
    *((Constraint.max(_NOBODY, r), True) for r in (0, 1, 4, _FAR)),
    *(
        (Constraint.range(_NOBODY, Range(low, high)), low == 0)
        for low, high in ((0, 0), (0, 4), (1, 1), (1, 4))
    ),
    (Constraint.must_exist(_NOBODY), False),
    (Constraint.must_not_exist(_NOBODY), True),
]

_LAST: list[tuple[str, EventSelector, int]] = [
    ("stream", Selector.stream("accounts"), 3),
    ("stream of one event", Selector.stream("transfers"), 4),
    ("stream, unknown", Selector.stream("else"), 0),
    ("subject", Selector.subject("b-1"), 2),
    ("no subject", Selector.no_subject(), 4),
    ("type", Selector.event_type("account.opened"), 1),
    ("type, unknown", Selector.event_type("account"), 0),
    ("stream prefix", Selector.stream_starts_with("a"), 3),
    ("subject prefix", Selector.subject_starts_with("b"), 2),
    ("type prefix", Selector.event_type_starts_with("account."), 3),
    ("and", Selector.stream("accounts") & Selector.subject("b-1"), 2),
    ("and, empty", Selector.stream("transfers") & Selector.subject("b-1"), 0),
    ("or", Selector.subject("b-1") | Selector.event_type("account.opened"), 2),
    ("or, one side empty", Selector.subject("zz") | Selector.subject("a-1"), 3),
    (
        "nested",
        (Selector.subject("a-1") | Selector.no_subject())
        & (Selector.stream("accounts") | Selector.event_type("none")),
        3,
    ),
]


def _fill(database: DatabaseUnderTest) -> None:
    database.transact([event("1", event_type="account.opened"), event("2", "b-1")])
    database.transact([event("3"), event("4", None, stream="transfers", event_type="moved")])


class Conditions:
    """A condition compares the highest revision of a matching event."""

    @pytest.mark.parametrize(("condition", "holds"), _CASES, ids=range(len(_CASES)))
    def test_bounds_are_included(
        self, database: DatabaseUnderTest, condition: AppendCondition, holds: bool
    ) -> None:
        _fill(database)
        if holds:
            assert database.transact([event("5")], [condition]).revision == 5
        else:
            with refused(database, ConstraintViolations):
                database.transact([event("5")], [condition])

    @pytest.mark.parametrize(
        ("selector", "last"), [c[1:] for c in _LAST], ids=[c[0] for c in _LAST]
    )
    def test_it_may_be_over_any_selector(
        self, database: DatabaseUnderTest, selector: EventSelector, last: int
    ) -> None:
        _fill(database)
        wrong = Constraint.at_revision(selector, last + 1)
        with refused(database, ConstraintViolations):
            database.transact([event("5", "zz")], [wrong])
        right = Constraint.at_revision(selector, last)
        assert database.transact([event("5", "zz")], [right]).revision == 5

    @pytest.mark.parametrize("position", range(3))
    def test_every_condition_has_to_hold(self, database: DatabaseUnderTest, position: int) -> None:
        _fill(database)
        conditions: list[AppendCondition] = [Constraint.must_exist(_ACCOUNT)] * 3
        conditions[position] = Constraint.must_exist(_NOBODY)
        with refused(database, ConstraintViolations):
            database.transact([event("5")], conditions)

    @pytest.mark.parametrize(
        "conditions",
        [
            [Constraint.min(_ACCOUNT, 1), Constraint.min(_ACCOUNT, 4)],
            [Constraint.max(_ACCOUNT, 4), Constraint.max(_ACCOUNT, 2)],
            [Constraint.range(_ACCOUNT, Range(0, 2)), Constraint.range(_ACCOUNT, Range(3, 4))],
            [Constraint.min(_ACCOUNT, 0), Constraint.max(_ACCOUNT, 2)],
        ],
        ids=["two lower bounds", "two upper bounds", "two ranges", "both bounds"],
    )
    def test_conditions_over_one_selector_are_not_merged_into_a_wider_one(
        self, database: DatabaseUnderTest, conditions: list[AppendCondition]
    ) -> None:
        _fill(database)
        with refused(database, ConstraintViolations):
            database.transact([event("5")], conditions)

    def test_conditions_look_at_the_log_before_the_transaction_itself(
        self, database: DatabaseUnderTest
    ) -> None:
        first = Constraint.must_not_exist(_ACCOUNT)
        assert database.transact([event("1"), event("2")], [first]).revision == 2
        with refused(database, ConstraintViolations):
            database.transact([event("3", "b-1")], [Constraint.must_exist(Selector.subject("b-1"))])

    def test_effective_time_is_nothing_to_a_condition(self, database: DatabaseUnderTest) -> None:
        far = database.latest().created_at.replace(year=9000)
        database.transact([event("1", time=far)])
        with refused(database, ConstraintViolations):
            database.transact([event("2")], [Constraint.must_not_exist(_ACCOUNT)])

    def test_a_condition_that_held_once_is_checked_again_at_every_commit(
        self, database: DatabaseUnderTest
    ) -> None:
        unchanged = Constraint.unchanged_since(_ACCOUNT, 1)
        database.transact([event("1")])
        assert database.transact([event("2")], [unchanged]).revision == 2
        with refused(database, ConstraintViolations):
            database.transact([event("3")], [unchanged])

    def test_the_refusal_says_how_many_do_not_hold(self, database: DatabaseUnderTest) -> None:
        _fill(database)
        conditions: list[AppendCondition] = [
            Constraint.must_exist(_NOBODY),
            Constraint.must_exist(_ACCOUNT),
            Constraint.must_not_exist(_ACCOUNT),
        ]
        with pytest.raises(ConstraintViolations) as caught:
            database.transact([event("5")], conditions)
        assert len(caught.value.violations) == 2

    def test_many_conditions_are_all_checked(self, database: DatabaseUnderTest) -> None:
        _fill(database)
        many = [Constraint.must_not_exist(Selector.subject(f"free-{n}")) for n in range(200)]
        assert database.transact([event("5")], many).revision == 5
        with refused(database, ConstraintViolations):
            database.transact([event("6")], [*many, Constraint.must_not_exist(_ACCOUNT)])
