"""Rules as components, for a database in memory: which are made, when, and what a failure becomes."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from evidentsource_functions import create_state_view_handler
from evidentsource_functions.testing import Level, Rules, RuleSource, event, use_level
from evidentsource_runtime.build import BuildError
from evidentsource_runtime.testing.levels import ComponentRules
from evidentsource_runtime.testing.projects import project_rules
from examples.savings_account.savings.account_summary import AccountSummary
from examples.savings_account.savings.deposit import Deposit
from examples.savings_account.savings.open_account import OpenAccount
from examples.savings_account.tests.bank import bank, credited, given, opened

BANK = Path(__file__).parents[3] / "examples" / "savings_account"
VIEWS = [view.source.module for view in project_rules(BANK).views if view.source is not None]


class Recorded(Level):
    """Runs the modules' own worlds, as a host does with components, and keeps what it loaded."""

    name = "recorded"

    def __init__(self, missing: str = "") -> None:
        self.loaded: list[str] = []
        self.missing = missing

    def rules(self) -> Rules:
        return ComponentRules(self.name, self.load)

    def load(self, source: RuleSource) -> Any:
        if source.module not in self.loaded:
            self.loaded.append(source.module)
        if source.module == self.missing:
            importlib.import_module("evidentsource_runtime.build").build("missing.py")
        world = importlib.import_module(f"examples.savings_account.{source.module}").WitWorld
        if hasattr(world, "state_view_type"):
            handler = create_state_view_handler(world.state_view_type)
            return SimpleNamespace(handler=lambda: handler)
        return world()


def test_a_decision_has_its_views_made_before_and_no_other_change() -> None:
    """A component that were made while a decision waits would count against the decision's time."""
    level = Recorded()
    with use_level(level):
        bank.when(OpenAccount("r-1", "ann", "Ann")).then(opened("ann"))
    assert level.loaded == [*VIEWS, "savings.open_account"]


def test_a_view_has_nothing_made_but_itself() -> None:
    level = Recorded()
    with use_level(level):
        expected = AccountSummary("ann", owner="Ann", status="open")
        given(opened("ann")).then_view(expected, account_id="ann")
    assert level.loaded == ["savings.account_summary"]


def test_decisions_and_views_are_those_of_the_components() -> None:
    with use_level(Recorded()):
        history = given(opened("ann"))
        history.when(Deposit("r-1", "ann", 5)).then(credited("ann", 5))
        history.when(Deposit("r-1", "bob", 5)).then_rejected("not_found")


@pytest.mark.parametrize("missing", ["savings.deposit", "savings.account_summary"])
def test_a_component_that_cannot_be_made_is_no_failure_of_the_rule(missing: str) -> None:
    with use_level(Recorded(missing)), pytest.raises(BuildError, match=r"no file missing\.py"):
        given(event("account.opened", subject="ann", owner="Ann")).when(Deposit("r-1", "ann", 5))
