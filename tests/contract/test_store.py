"""The store is held to the contract, as the reference database is."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from evidentsource_runtime.contract import DatabaseContract, DatabaseUnderTest
from tests.contract.store import StoreDriver


class TestSqliteStore(DatabaseContract):
    @pytest.fixture
    def new_database(
        self, tmp_path_factory: pytest.TempPathFactory
    ) -> Callable[[], DatabaseUnderTest]:
        return lambda: StoreDriver(str(tmp_path_factory.mktemp("store")))
