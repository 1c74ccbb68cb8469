"""The asynchronous protocols: what has their members is one, and their coroutines stay coroutines."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from evidentsource_core import (
    DatabaseAtRevision,
    DatabaseAtRevisionAndEffectiveTimestamp,
    DatabaseCatalog,
    DatabaseConnection,
    DatabaseIdentity,
    DatabaseName,
    DatabaseProvider,
    SpeculativeDatabase,
)

NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)
ROLES: list[Any] = [
    DatabaseIdentity,
    DatabaseAtRevision,
    DatabaseAtRevisionAndEffectiveTimestamp,
    SpeculativeDatabase,
    DatabaseProvider,
    DatabaseConnection,
    DatabaseCatalog,
]


def members(role: Any) -> dict[str, Any]:
    names = {name for base in role.__mro__ for name in getattr(base, "__abstractmethods__", ())}
    return dict.fromkeys(names, len)  # anything but None, which means that it is not there


@pytest.mark.parametrize("role", ROLES)
def test_whatever_has_the_members_plays_the_role(role: Any) -> None:
    assert isinstance(type("Duck", (), members(role))(), role)


@pytest.mark.parametrize("role", ROLES)
def test_whatever_lacks_one_member_does_not(role: Any) -> None:
    for missing in members(role):
        others = {name: len for name in members(role) if name != missing}
        assert not isinstance(type("Duck", (), others)(), role)


@pytest.mark.parametrize("role", ROLES)
def test_a_subclass_that_leaves_a_member_out_cannot_be_made(role: Any) -> None:
    with pytest.raises(TypeError, match="abstract"):
        type("Half", (role,), {})()


@pytest.mark.parametrize(
    ("wider", "narrower"),
    [
        (DatabaseIdentity, DatabaseAtRevision),
        (DatabaseAtRevision, DatabaseAtRevisionAndEffectiveTimestamp),
        (DatabaseAtRevision, SpeculativeDatabase),
        (DatabaseIdentity, DatabaseProvider),
        (DatabaseProvider, DatabaseConnection),
    ],
)
def test_a_role_has_all_the_members_of_the_one_it_builds_on(wider: Any, narrower: Any) -> None:
    assert members(wider).keys() < members(narrower).keys()


class Catalog(DatabaseCatalog):
    """The smallest real one, as somebody else would write it."""

    def __init__(self) -> None:
        self.names: list[DatabaseName] = []

    async def list_databases(self) -> AsyncIterator[DatabaseName]:
        for name in self.names:
            yield name

    async def create_database(self, name: DatabaseName) -> DatabaseIdentity:
        self.names.append(name)
        return Identity(name)

    async def delete_database(self, name: DatabaseName) -> None:
        self.names.remove(name)


class Identity(DatabaseIdentity):
    def __init__(self, name: DatabaseName) -> None:
        self._name = name

    @property
    def name(self) -> DatabaseName:
        return self._name

    @property
    def created_at(self) -> datetime:
        return NOON


def test_an_implementation_is_used_as_the_protocol_says() -> None:
    async def use(catalog: DatabaseCatalog) -> list[DatabaseName]:
        made = await catalog.create_database(DatabaseName("bank"))
        await catalog.create_database(DatabaseName("shop"))
        await catalog.delete_database(made.name)
        return [name async for name in catalog.list_databases()]

    assert asyncio.run(use(Catalog())) == [DatabaseName("shop")]
