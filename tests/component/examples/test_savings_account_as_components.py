"""The savings bank natively, from its sources and as built components: equal at every step.

The test run has a scenario at every level in `test_quick_starts`, and the bank from its sources and
on filled bases in `tests/component/instant`.
"""

from __future__ import annotations

import pytest

from evidentsource_functions.testing import Scenarios
from evidentsource_runtime.testing import use_level
from evidentsource_runtime.testing.levels import all_of
from examples.savings_account.savings import open_account
from examples.savings_account.savings.open_account import OpenAccount
from examples.savings_account.savings.withdraw import Withdraw
from examples.savings_account.tests.bank import credited, debited, given, opened
from tests.component.story import play
from tests.whole import whole

pytestmark = [pytest.mark.component, pytest.mark.xdist_group("builds")]


@whole
def test_every_step_of_the_story_gives_the_same() -> None:
    play(all_of(["native", "component"]))


@whole
def test_a_scenario_reads_the_same_at_every_level() -> None:
    with use_level("all"):
        # This rule alone: a project's scenarios would build the views beside it too.
        alone = Scenarios("bank", stream="accounts").change(open_account.decide, "open-account")
        alone.given().when(OpenAccount("r-1", "ann", "Ann")).then(opened("ann"))
        again = alone.given(opened("ann")).when(OpenAccount("r-1", "ann", "Ann"))
        again.then_rejected("conflict", "account ann exists already")


@whole
@pytest.mark.parametrize("level", ["component", "all"])
def test_a_scenario_whose_rule_reads_a_view_reads_the_same_at_every_level(level: str) -> None:
    with use_level(level):
        history = given(opened("ann"), credited("ann", 100))
        history.when(Withdraw("r-1", "ann", 30)).then(debited("ann", 30))
        refusal = "account ann would be overdrawn by 0.01"
        history.when(Withdraw("r-1", "ann", 101)).then_rejected("conflict", refusal)
