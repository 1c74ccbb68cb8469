"""What the standard view costs in the guest, in fuel, which repeats exactly where times do not."""

from __future__ import annotations

import json

import pytest

from tests.tools.guest_cost import RECORD, count, count_decision
from tests.whole import whole

ALLOWED = 1.05
"""It may rise by 5 %; builds of the same source differ by less than a hundredth of that."""
STALE = 0.9
"""A record that lies this far above hides the next rise."""
HOW = "python -m tests.tools.guest_cost --record, if this is meant"


def complaint(way: str, part: str, counted: int, recorded: int) -> str | None:
    """What is wrong with a count, in words."""
    ratio = counted / recorded
    if STALE <= ratio <= ALLOWED:
        return None
    return f"{way}, {part}: {counted:,} fuel where {recorded:,} are recorded ({ratio:.3f}x); {HOW}"


@pytest.mark.component
@pytest.mark.xdist_group("bases")
@pytest.mark.parametrize("kind", ["filled", pytest.param("built", marks=whole)])
def test_the_standard_view_costs_what_was_recorded(kind: str) -> None:
    recorded = json.loads(RECORD.read_text())
    counted = count(reproducible=kind == "filled")
    assert counted.keys() == recorded.keys() - {"decision"}
    complaints = [
        complaint(way, part, counted[way][part], recorded[way][part])
        for way in counted
        for part in recorded[way]
    ]
    assert not list(filter(None, complaints))


@whole
@pytest.mark.component
@pytest.mark.xdist_group("bases")
def test_a_decision_costs_what_was_recorded_with_the_sdk_rehearsed() -> None:
    recorded = json.loads(RECORD.read_text())["decision"]["first"]
    assert complaint("decision", "first", count_decision(), recorded) is None


def test_a_rise_by_more_than_5_percent_is_noticed_and_so_is_a_stale_record() -> None:
    assert complaint("lane", "event", 105, 100) is None
    assert complaint("lane", "event", 106, 100) == (
        f"lane, event: 106 fuel where 100 are recorded (1.060x); {HOW}"
    )
    assert complaint("lane", "event", 89, 100)
