"""The database is held to the contract, with restarts between.

Of the parts that concern the events alone, which the store below is held to as well, only the state
machine is played here.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from evidentsource_runtime.contract import DatabaseUnderTest
from evidentsource_runtime.contract.changing import Changes
from evidentsource_runtime.contract.keeping import Keeping
from evidentsource_runtime.contract.querying import AtEffectiveTimes, AtRevisions
from evidentsource_runtime.contract.sharing import Sharing
from evidentsource_runtime.contract.speculating import Speculation
from evidentsource_runtime.contract.suite import DatabaseFixtures, Histories
from evidentsource_runtime.contract.viewing import ViewParameters, Views
from tests.unit.database.driver import DatabaseDriver


class TestDatabase(
    DatabaseFixtures,
    Histories,
    AtRevisions,
    AtEffectiveTimes,
    Speculation,
    Views,
    ViewParameters,
    Changes,
    Keeping,
    Sharing,
):
    @pytest.fixture
    def new_database(self, tmp_path: Path) -> Callable[[], DatabaseUnderTest]:
        numbers = count()

        def new() -> DatabaseUnderTest:
            folder = tmp_path / str(next(numbers))
            folder.mkdir()
            return DatabaseDriver(folder / "bank.db")

        return new
