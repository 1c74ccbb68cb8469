"""The reference database is held to the contract, as every other will be."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from evidentsource_runtime.contract import DatabaseContract, DatabaseUnderTest, ReferenceDriver


class TestReferenceDatabase(DatabaseContract):
    @pytest.fixture
    def new_database(self) -> Callable[[], DatabaseUnderTest]:
        return ReferenceDriver
