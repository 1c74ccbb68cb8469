"""A test of the tests: what a scenario says for each kind of mistake, as it was approved."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from evidentsource_core import Constraint, ConstraintViolations
from evidentsource_functions.testing import ScenarioFailed, event
from tests.approved import assert_approved
from tests.unit.functions.testing.kit import AddLines, Order, Pay, Sales, given, order, shop

APPROVED = Path(__file__).parent / "approved"
PEN = event("line.added", subject="o-1", item="pen", quantity=1)
INK = event("line.added", subject="o-1", item="ink", quantity=1)
PAID = event("order.paid", subject="o-1", card="4000")
BOTH = AddLines("o-1", ["pen", "ink"])
MORNING = datetime(2024, 1, 1, 9, tzinfo=UTC)

MISTAKES: dict[str, Callable[[], Any]] = {
    "wrong_amount": lambda: (
        given(PEN).when(BOTH).then(PEN, event("line.added", subject="o-1", item="ink", quantity=2))
    ),
    "wrong_type": lambda: (
        given(PEN).when(Pay("o-1")).then(event("order.payed", subject="o-1", card="4000"))
    ),
    "wrong_subject": lambda: (
        given(PEN).when(Pay("o-1")).then(event("order.paid", subject="o-2", card="4000"))
    ),
    "wrong_id_and_time": lambda: (
        given(PEN)
        .when(Pay("o-1"))
        .then(event("order.paid", subject="o-1", id="o-1.payed", time=MORNING, card="4000"))
    ),
    "wrong_field": lambda: (
        given(PEN).when(Pay("o-1")).then(event("order.paid", subject="o-1", credit_card="4000"))
    ),
    "missing_event": lambda: given(PEN).when(BOTH).then(PEN, INK, PAID),
    "extra_event": lambda: given(PEN).when(BOTH).then(INK),
    "several_at_once": lambda: (
        given(PEN)
        .when(BOTH)
        .then(event("line.added", subject="o-2", item="pen", quantity=1), PAID, PAID)
    ),
    "wrong_order": lambda: given(PEN).when(BOTH).then(INK, PEN),
    "nothing_happened": lambda: given(PEN).when(AddLines("o-1", [])).then(PEN),
    "something_happened": lambda: given(PEN).when(Pay("o-1")).then_nothing(),
    "rejected_instead_of_events": lambda: given(PEN, PAID).when(BOTH).then(PEN, INK),
    "events_instead_of_rejected": lambda: (
        given(PEN).when(BOTH).then_rejected("conflict", "order o-1 is paid")
    ),
    "wrong_rejection_kind": lambda: given(PEN, PAID).when(BOTH).then_rejected("validation"),
    "wrong_rejection_text": lambda: (
        given(PEN).when(Pay("o-1", card="gold")).then_rejected("validation", "no card")
    ),
    "broken_rule": lambda: given(PEN).when(Pay("o-1", card="0000")).then(PAID),
    "wrong_condition": lambda: (
        given(PEN).when(Pay("o-1")).then_conditions(Constraint.must_exist(order("o-1")))
    ),
    "violated_condition": lambda: given(PEN, INK).last_seen(1).when(Pay("o-1")).then(PAID),
    "condition_that_holds": lambda: (
        given(PEN, INK).last_seen(2).when(Pay("o-1")).then_rejected(ConstraintViolations)
    ),
    "wrong_view_field": lambda: given(PEN, PAID).then_view(
        Order({"pen": 2}, paid=True), order_id="o-1"
    ),
    "view_as_of": lambda: (
        given(PEN)
        .given(event("line.added", subject="o-1", time="2024-02-01", item="pen", quantity=2))
        .given(PAID)
        .as_of(revision=2, effective="2024-01-31")
        .then_view(Order({"pen": 3}), order_id="o-1")
    ),
    "view_of_nothing": lambda: given(PEN).then_view(Sales(orders=1)),
    "view_of_something": lambda: given(PAID).then_view(None, Sales),
    "broken_view": lambda: given(event("line.added", subject="o-1", thing="pen")).then_view(
        Order(), order_id="o-1"
    ),
    "long_history": lambda: given(*[PEN] * 25).when(Pay("o-1")).then_nothing(),
    "empty_history": lambda: shop.when(AddLines("o-1", ["pen"])).then_nothing(),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_the_text_is_the_approved_one(mistake: str) -> None:
    with pytest.raises(ScenarioFailed) as caught:
        MISTAKES[mistake]()
    assert_approved(str(caught.value), APPROVED / f"{mistake}.txt")


def test_every_approved_text_belongs_to_a_mistake() -> None:
    assert {file.stem for file in APPROVED.glob("*.txt")} == set(MISTAKES)
