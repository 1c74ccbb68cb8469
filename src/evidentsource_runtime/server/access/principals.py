"""Who asks, and what they may do."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType

from evidentsource_core.domain.errors import EvidentSourceError
from evidentsource_core.domain.identifiers import DatabaseName
from evidentsource_runtime.server.access.errors import AccessSetupError, PermissionDenied

__all__ = ["ANY", "EVERYTHING", "Grants", "Principal", "Role", "parse_grants"]

ANY = "*"
"""In place of a database's name: every database."""
CREATOR = "database_creator"


class Role(Enum):
    """What one may do with a database."""

    READER = "reader"
    """Query events and render views."""
    WRITER = "writer"
    """All that a reader may; append events and execute state changes."""
    PUBLISHER = "publisher"
    """Publish state views and state changes; reading takes one of the others."""


_INCLUDED = {Role.WRITER: frozenset((Role.WRITER, Role.READER))}


@dataclass(frozen=True, slots=True)
class Grants:
    """What a caller may do.

    Args:
        databases: the roles by database; ``"*"`` stands for every database.
        database_creator: whether databases may be created and deleted.

    >>> grants = Grants({"bank": frozenset((Role.WRITER,))})
    >>> (grants.allow(Role.READER, "bank"), grants.allow(Role.READER, "shop"))
    (True, False)
    """

    databases: Mapping[str, frozenset[Role]] = field(default_factory=lambda: MappingProxyType({}))
    database_creator: bool = False

    def allow(self, role: Role, database: str) -> bool:
        """Whether they have that role in a database."""
        given = self.databases.get(database, frozenset()) | self.databases.get(ANY, frozenset())
        return any(role in _INCLUDED.get(each, (each,)) for each in given)

    def sees(self, database: str) -> bool:
        """Whether a database is in the catalog that they get."""
        return any(self.databases.get(name) for name in (database, ANY))


EVERYTHING = Grants({ANY: frozenset((Role.WRITER, Role.PUBLISHER))}, database_creator=True)
"""Every role in every database."""


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller.

    Args:
        subject: who it is; limits are counted by it.
        grants: what it may do.
        email: its address, where it is known.
        display_name: what it is called, where that is known.
        anonymous: whether nobody said who it is.
    """

    subject: str
    grants: Grants
    email: str | None = None
    display_name: str | None = None
    anonymous: bool = False

    @property
    def attributes(self) -> dict[str, str]:
        """What is kept with the transactions of this caller; nothing for an anonymous one."""
        if self.anonymous:
            return {}
        known = {"subject": self.subject, "email": self.email, "display_name": self.display_name}
        return {name: value for name, value in known.items() if value is not None}

    def require(self, role: Role, database: str, action: str) -> None:
        """Raises PermissionDenied where the caller has not got that role in that database."""
        if not self.grants.allow(role, database):
            raise PermissionDenied(self.subject, action, f"{role.value} of database {database!r}")

    def require_creator(self, action: str) -> None:
        """Raises PermissionDenied where the caller may not create databases."""
        if not self.grants.database_creator:
            raise PermissionDenied(self.subject, action, CREATOR)


def parse_grants(value: object, source: str = "grants") -> Grants:
    """Grants out of JSON: a token's claim, a header, a file.

    Either an object, ``{"database_creator": true, "databases": {"bank": "writer", "*": ["reader"]}}``,
    or a list of texts, ``["database_creator", "writer:bank", "reader"]``, in which a role without a
    database holds for all of them.

    Args:
        value: JSON text, or what was read of it.
        source: where it stood, for errors.

    Raises:
        AccessSetupError: it is neither, or names a role or a database that cannot be.

    >>> parse_grants('["writer:bank"]').allow(Role.WRITER, "bank")
    True
    """
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError as error:
            raise AccessSetupError(source, "is no JSON", _HINT) from error
    if isinstance(value, list):
        return _from_list(value, source)
    if not isinstance(value, dict):
        raise AccessSetupError(source, f"is a {type(value).__name__}", _HINT)
    if unknown := set(value) - {"databases", CREATOR}:
        raise AccessSetupError(source, f"has {sorted(map(str, unknown))}", _HINT)
    creator = value.get(CREATOR, False)
    databases = value.get("databases", {})
    if not isinstance(creator, bool) or not isinstance(databases, dict):
        raise AccessSetupError(source, f"{CREATOR} is true or false, databases an object", _HINT)
    found = {
        _database(name, source): _roles(roles if isinstance(roles, list) else [roles], source)
        for name, roles in databases.items()
    }
    return Grants(MappingProxyType(found), creator)


_HINT = (
    f'give {{"{CREATOR}": true, "databases": {{"NAME": "writer", "*": ["reader"]}}}} '
    f'or ["{CREATOR}", "writer:NAME", "reader"]'
)


def _from_list(values: list[object], source: str) -> Grants:
    creator, found = False, dict[str, frozenset[Role]]()
    for value in values:
        if not isinstance(value, str):
            raise AccessSetupError(source, f"has a {type(value).__name__} in it", _HINT)
        if value == CREATOR:
            creator = True
            continue
        role, separated, name = value.partition(":")
        database = _database(name, source) if separated else ANY
        found[database] = found.get(database, frozenset()) | _roles([role], source)
    return Grants(MappingProxyType(found), creator)


def _roles(values: Iterable[object], source: str) -> frozenset[Role]:
    try:
        return frozenset(Role(value) for value in values)
    except ValueError as error:
        known = ", ".join(role.value for role in Role)
        raise AccessSetupError(source, f"{error}; the roles are: {known}") from None


def _database(name: str, source: str) -> str:
    if name == ANY:
        return name
    try:
        return DatabaseName(name).value
    except EvidentSourceError as error:
        raise AccessSetupError(source, str(error)) from error
