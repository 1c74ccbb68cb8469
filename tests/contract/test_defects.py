"""The contract can fail: each of many ways to break a database is caught by the part that speaks of it."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from evidentsource_core import reference
from evidentsource_runtime.contract import DatabaseMachine, DatabaseUnderTest
from evidentsource_runtime.contract.keeping import Keeping
from tests.contract.breaking import broken_copy, driver_of, failing_case
from tests.contract.defects import DEFECTS, FOR_THE_MACHINE, Defect
from tests.contract.test_kept import KeptDriver


@pytest.mark.parametrize("defect", DEFECTS, ids=str)
def test_a_database_with_a_defect_fails_the_contract(defect: Defect) -> None:
    package = broken_copy(defect.old, defect.new)
    caught = failing_case(defect.caught_by, driver_of(package))
    assert caught is not None, "no case of the contract notices"
    assert caught.passes(driver_of(reference)), "the case fails without a defect too"


@pytest.mark.parametrize(("old", "new"), FOR_THE_MACHINE)
def test_the_state_machine_finds_a_defect_without_being_told_where(old: str, new: str) -> None:
    machine = DatabaseMachine.for_database(driver_of(broken_copy(old, new)))
    found = settings(
        max_examples=40,
        stateful_step_count=20,
        phases=[Phase.generate],
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        run_state_machine_as_test(machine, settings=found)


class LosesEverything(KeptDriver):
    def reopen(self) -> DatabaseUnderTest:
        return type(self)()


class LosesTransactions(KeptDriver):
    """Its events are there again, its log of transactions is not."""

    def reopen(self) -> DatabaseUnderTest:
        other, latest = type(self)(), self.latest()
        other.database = reference.ReferenceDatabase("bank", created_at=latest.created_at)
        events = [each for result in self.log() for each in result.events]
        other.database.restore(events)
        return other


@pytest.mark.parametrize("driver", [LosesEverything, LosesTransactions])
def test_a_database_that_loses_something_when_it_is_closed_fails(driver: type[KeptDriver]) -> None:
    assert failing_case(Keeping, driver, reopen=lambda database: database.reopen()) is not None
    assert failing_case(Keeping, KeptDriver, reopen=lambda database: database.reopen()) is None
