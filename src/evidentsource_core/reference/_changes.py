"""State changes: published deciders, and what is asked of one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from evidentsource_core.domain.constraints import AppendCondition
from evidentsource_core.domain.definitions import StateChangeDefinition
from evidentsource_core.domain.errors import (
    InvalidType,
    StateChangeExecutionError,
    StateChangeNotFound,
)
from evidentsource_core.domain.events import Event, ProspectiveEvent
from evidentsource_core.domain.state_change import Command, CommandRequest, StateChangeMetadata
from evidentsource_core.reference.snapshots import DatabaseSnapshot
from evidentsource_core.rules import TransactionResult

Decide: TypeAlias = Callable[
    [DatabaseSnapshot, Command, StateChangeMetadata],
    tuple[Iterable[ProspectiveEvent], Iterable[AppendCondition]],
]
"""Turns a command into events and the conditions of their commit: a state change's component."""


@dataclass(frozen=True, slots=True)
class StateChangeResult:
    """What executing a state change led to.

    Args:
        revision: that of the transaction; where nothing was written, the one decided on.
        transaction: what was written, None if the decision had no events.
    """

    revision: int
    transaction: TransactionResult | None

    @property
    def events(self) -> tuple[Event, ...]:
        """The stored events."""
        return () if self.transaction is None else self.transaction.events


@dataclass(frozen=True, slots=True)
class PublishedChange:
    """A definition and its code."""

    definition: StateChangeDefinition
    decide: Decide

    def decision(
        self, database: DatabaseSnapshot, command: Command, metadata: StateChangeMetadata
    ) -> tuple[Iterable[Any], Iterable[Any]]:
        """What ``decide`` returns, once it is known to be two things."""
        decision: object = self.decide(database, command, metadata)
        if not isinstance(decision, tuple) or len(decision) != 2:
            raise StateChangeExecutionError(
                f"{self.definition.name}.v{self.definition.version} returned a "
                f"{type(decision).__name__}; return (events, conditions)"
            )
        return decision


class Changes:
    """Every published state change. Versions of one name count from 1 and stay for good."""

    def __init__(self) -> None:
        self._versions: dict[str, list[PublishedChange]] = {}

    def publish(self, definition: StateChangeDefinition, decide: Decide) -> StateChangeDefinition:
        """Make ``definition`` the next version of its name; the definition with that version."""
        if not isinstance(definition, StateChangeDefinition):
            raise InvalidType("definition", "StateChangeDefinition", definition)
        if not callable(decide):
            raise InvalidType("decide", "a function", decide)
        versions = self._versions.setdefault(str(definition.name), [])
        numbered = replace(definition, version=len(versions) + 1)
        versions.append(PublishedChange(numbered, decide))
        return numbered

    def find(self, name: str, version: int | None) -> PublishedChange:
        """That version of the state change; the latest for None.

        Raises:
            StateChangeNotFound: it was never published.
        """
        versions = self._versions.get(name, [])
        wanted = len(versions) if version is None else version
        if not 1 <= wanted <= len(versions):
            raise StateChangeNotFound(name, wanted)
        return versions[wanted - 1]


@dataclass(frozen=True, slots=True)
class Request:
    """A command on its way to a state change, in whichever form it came."""

    command: Command
    headers: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, request: Command | CommandRequest, headers: Iterable[tuple[str, str]]) -> Request:
        """A request's own headers come first. Without a content type it is JSON."""
        if isinstance(request, Command):
            return cls(request, tuple(headers))
        if not isinstance(request, CommandRequest):
            raise InvalidType("request", "Command or CommandRequest", request)
        content_type = request.content_type or request.get_header("Content-Type")
        command = Command(request.body, content_type or "application/json", request.content_schema)
        return cls(command, (*request.headers, *headers))
