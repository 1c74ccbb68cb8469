"""The database is held to the contract, with restarts between."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from evidentsource_runtime.contract import DatabaseContract, DatabaseUnderTest
from tests.unit.database.driver import DatabaseDriver


class TestDatabase(DatabaseContract):
    @pytest.fixture
    def new_database(self, tmp_path: Path) -> Callable[[], DatabaseUnderTest]:
        numbers = count()

        def new() -> DatabaseUnderTest:
            folder = tmp_path / str(next(numbers))
            folder.mkdir()
            return DatabaseDriver(folder / "bank.db")

        return new
