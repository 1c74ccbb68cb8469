"""The part of the contract that speaks of restarts, on the reference database kept elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import pytest

from evidentsource_runtime.contract import DatabaseUnderTest, ReferenceDriver
from evidentsource_runtime.contract.keeping import Keeping
from evidentsource_runtime.contract.suite import DatabaseFixtures, Histories


class KeptDriver(ReferenceDriver):
    """A database that outlives its driver."""

    missing: ClassVar = {}
    examples = 10

    def reopen(self) -> DatabaseUnderTest:
        other = KeptDriver()
        other.database = self.database
        return other


class TestKeptDatabase(DatabaseFixtures, Keeping, Histories):
    @pytest.fixture
    def new_database(self) -> Callable[[], DatabaseUnderTest]:
        return KeptDriver
