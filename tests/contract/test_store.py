"""The store is held to the contract, as the reference database is."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest

from evidentsource_runtime.contract import DatabaseContract, DatabaseUnderTest
from tests.contract.store import StoreDriver
from tests.crash.folders import fast_folder


class TestSqliteStore(DatabaseContract):
    @pytest.fixture
    def new_database(self) -> Iterator[Callable[[], DatabaseUnderTest]]:
        with fast_folder() as folder:
            numbers = itertools.count()

            def new() -> DatabaseUnderTest:
                own = folder / str(next(numbers))
                own.mkdir()
                return StoreDriver(str(own))

            yield new
