"""The contract of catalogs: databases in a dictionary pass it, and each mistake is caught."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from evidentsource_core import DatabaseAlreadyExists, DatabaseName, DatabaseNotFound
from evidentsource_runtime.contract import CatalogContract, CatalogUnderTest, ReferenceDriver
from tests.contract.breaking import cases


class InMemory(CatalogUnderTest):
    def __init__(self) -> None:
        self.databases: dict[str, ReferenceDriver] = {}

    def create(self, name: str) -> ReferenceDriver:
        DatabaseName(name)
        if name in self.databases:
            raise DatabaseAlreadyExists(name)
        return self.databases.setdefault(name, ReferenceDriver(name))

    def open(self, name: str) -> ReferenceDriver:
        if name not in self.databases:
            raise DatabaseNotFound(name)
        return self.databases[name]

    def delete(self, name: str) -> None:
        self.open(name)
        del self.databases[name]

    def names(self) -> Sequence[str]:
        return list(self.databases)


class TestInMemory(CatalogContract):
    @pytest.fixture
    def new_catalog(self) -> CatalogUnderTest:
        return InMemory()


class TakesAnyName(InMemory):
    def create(self, name: str) -> ReferenceDriver:
        return super().create(name if len(name) > 1 else "blank")


class Overwrites(InMemory):
    def create(self, name: str) -> ReferenceDriver:
        self.databases.pop(name, None)
        return super().create(name)


class IgnoresCase(InMemory):
    def open(self, name: str) -> ReferenceDriver:
        known = {each.lower(): each for each in self.databases}
        return super().open(known.get(name.lower(), name))


class KeepsWhatWasDeleted(InMemory):
    def delete(self, name: str) -> None:
        self.open(name)


class SharesOne(InMemory):
    def create(self, name: str) -> ReferenceDriver:
        made = super().create(name)
        made.database = next(iter(self.databases.values())).database
        return made


@pytest.mark.parametrize(
    "broken", [TakesAnyName, Overwrites, IgnoresCase, KeepsWhatWasDeleted, SharesOne]
)
def test_a_catalog_with_a_defect_fails_the_contract(broken: Callable[[], CatalogUnderTest]) -> None:
    def fails(case: Any) -> bool:
        try:
            case.test(CatalogContract(), catalog=broken(), **case.arguments)
        except (Exception, pytest.fail.Exception):  # noqa: BLE001 - it fails in any way
            return True
        return False

    assert any(map(fails, cases(CatalogContract)))
