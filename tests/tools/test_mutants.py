"""A handful of what ``make mutants`` does to the savings account: its scenarios notice it."""

from __future__ import annotations

from tests.tools.mutants import run
from tests.whole import whole


@whole
def test_the_scenarios_notice_what_is_changed_in_a_rule() -> None:
    score = run(
        ["examples.savings_account.savings.close_account.x_decide__mutmut_[1-9]"], quiet=True
    )
    assert score.made >= 5
    assert score.survivors == {}
