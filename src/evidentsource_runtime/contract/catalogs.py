"""Catalogs: databases that are created, found again and deleted by name."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence

import pytest

from evidentsource_core import DatabaseAlreadyExists, DatabaseNotFound, InvalidDatabaseName
from evidentsource_runtime.contract.driver import DatabaseUnderTest
from evidentsource_runtime.contract.values import event, everything, ids

_GOOD_NAMES = ["ab", "a1", "A" * 128, "a-_.", "streams", "db", "Orders.2024"]
_BAD_NAMES = ["", "a", "1st", "-ab", "a b", "ab\n", "a/b", "../ab", "aé", "a" * 129, "ab\x00"]


class CatalogUnderTest(ABC):
    """Several databases, none when it is made, driven without waiting."""

    @abstractmethod
    def create(self, name: str) -> DatabaseUnderTest:
        """A new database; ``InvalidDatabaseName`` or ``DatabaseAlreadyExists`` where there is none."""

    @abstractmethod
    def open(self, name: str) -> DatabaseUnderTest:
        """A database that was created; ``DatabaseNotFound`` where there is none."""

    @abstractmethod
    def delete(self, name: str) -> None:
        """Delete a database with everything in it; ``DatabaseNotFound`` where there is none."""

    @abstractmethod
    def names(self) -> Sequence[str]:
        """The names of all databases, in any order."""

    def close(self) -> None:  # noqa: B027 - most catalogs under test have nothing to let go of
        """Let go of whatever was made for the test."""


class CatalogContract:
    """The rules of catalogs as tests. Derive a class from it, with a fixture ``new_catalog``.

    The fixture gives an empty :class:`CatalogUnderTest`, which the suite closes.
    """

    @pytest.fixture
    def new_catalog(self) -> CatalogUnderTest:
        """An empty catalog; what a derived class defines."""
        raise NotImplementedError(
            f"{type(self).__name__} does not say how to make a catalog; define the fixture "
            "new_catalog, which gives an empty one"
        )

    @pytest.fixture
    def catalog(self, new_catalog: CatalogUnderTest) -> Iterator[CatalogUnderTest]:
        """An empty catalog."""
        yield new_catalog
        new_catalog.close()

    def test_at_first_there_is_no_database(self, catalog: CatalogUnderTest) -> None:
        assert list(catalog.names()) == []

    @pytest.mark.parametrize("name", _GOOD_NAMES)
    def test_a_new_database_is_empty_and_goes_by_its_name(
        self, catalog: CatalogUnderTest, name: str
    ) -> None:
        database = catalog.create(name)
        assert (database.name, database.latest().name) == (name, name)
        assert database.latest().revision == 0
        assert list(catalog.names()) == [name]
        (stored,) = database.transact([event("1")]).events
        assert stored.source.endswith(f"/db/{name}/streams/accounts")

    @pytest.mark.parametrize("name", _BAD_NAMES)
    def test_a_name_that_breaks_the_rule_makes_no_database(
        self, catalog: CatalogUnderTest, name: str
    ) -> None:
        with pytest.raises(InvalidDatabaseName):
            catalog.create(name)
        assert list(catalog.names()) == []

    def test_a_name_is_taken_once_and_whoever_was_there_keeps_what_it_has(
        self, catalog: CatalogUnderTest
    ) -> None:
        catalog.create("orders").transact([event("1")])
        with pytest.raises(DatabaseAlreadyExists):
            catalog.create("orders")
        assert ids(catalog.open("orders").latest().query_events(everything())) == ["1"]
        assert list(catalog.names()) == ["orders"]

    def test_an_opened_database_is_the_one_that_was_created(
        self, catalog: CatalogUnderTest
    ) -> None:
        catalog.create("orders").transact([event("1")])
        catalog.open("orders").transact([event("2")])
        assert ids(catalog.open("orders").latest().query_events(everything())) == ["1", "2"]

    @pytest.mark.parametrize("name", ["orders", "ORDERS", "order"])
    def test_a_database_that_was_never_created_is_not_found(
        self, catalog: CatalogUnderTest, name: str
    ) -> None:
        catalog.create("Orders")
        with pytest.raises(DatabaseNotFound) as caught:
            catalog.open(name)
        assert name in str(caught.value)
        with pytest.raises(DatabaseNotFound):
            catalog.delete(name)
        assert list(catalog.names()) == ["Orders"]

    def test_a_deleted_database_is_gone_and_its_name_free_for_an_empty_one(
        self, catalog: CatalogUnderTest
    ) -> None:
        catalog.create("orders").transact([event("1")], transaction_id="t-1")
        catalog.create("others").transact([event("1")])
        catalog.delete("orders")
        assert list(catalog.names()) == ["others"]
        with pytest.raises(DatabaseNotFound):
            catalog.open("orders")
        again = catalog.create("orders")
        assert again.latest().revision == 0
        assert again.transact([event("1", data="other")], transaction_id="t-1").revision == 1

    def test_databases_know_nothing_of_each_other(self, catalog: CatalogUnderTest) -> None:
        first, second = catalog.create("first"), catalog.create("second")
        first.transact([event("1"), event("2")], transaction_id="t-1")
        assert second.latest().revision == 0
        assert second.transact([event("1", data="other")], transaction_id="t-1").revision == 1
        assert first.latest().revision == 2
        assert sorted(catalog.names()) == ["first", "second"]
        assert len(second.log()) == 1
