"""What goes into the service and comes out of it, whichever interface it went through."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from evidentsource_core.domain.constraints import AppendCondition
from evidentsource_core.domain.events import Event, ProspectiveEvent
from evidentsource_core.domain.state_change import CommandRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "About",
    "Committed",
    "DatabaseState",
    "Execution",
    "Origin",
    "Submission",
    "Summary",
    "Transport",
    "Write",
]


class Transport(Enum):
    """Which interface a transaction came through."""

    GRPC = "grpc"
    HTTP = "http"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a transaction came from.

    Args:
        transport: the interface; None where it was written without one, by an embedding program.
        state_change: the name of the state change that decided it; None for events of a client.
        version: the version of that state change.
    """

    transport: Transport | None = None
    state_change: str | None = None
    version: int | None = None


@dataclass(frozen=True, slots=True)
class About:
    """What is told of a transaction beside its content; it is kept with it, and changes nothing.

    Args:
        origin: where it came from.
        last_read_revision: the revision that the client had read before.
        principal_attributes: who asked for it: what the client says of its user, and over that
            what this server knows of the caller.
        commit_message: what it is for, in words.
        correlation_id: what it belongs to.
        causation_id: what led to it.
    """

    origin: Origin = Origin()
    last_read_revision: int | None = None
    principal_attributes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    commit_message: str | None = None
    correlation_id: str | None = None
    causation_id: str | None = None


@dataclass(frozen=True, slots=True)
class Submission:
    """Events to commit, if the conditions hold.

    Args:
        database: the name of the database.
        events: the events, in order.
        conditions: what has to hold.
        transaction_id: committed again under the same id, it writes nothing.
        about: what is kept beside.
    """

    database: str
    events: tuple[ProspectiveEvent, ...]
    conditions: tuple[AppendCondition, ...] = ()
    transaction_id: str | None = None
    about: About = About()


@dataclass(frozen=True, slots=True)
class Execution:
    """A command for a state change.

    Args:
        database: the name of the database.
        name: the name of the state change.
        version: its version; None for the latest.
        command: the command, with its headers.
        last_seen_revision: the revision to decide on; None for the latest.
        transaction_id: executed again under the same id, it decides and writes nothing.
        about: what is kept beside.
    """

    database: str
    name: str
    version: int | None
    command: CommandRequest
    last_seen_revision: int | None = None
    transaction_id: str | None = None
    about: About = About()


Write: TypeAlias = Submission | Execution
"""What changes a database."""


@dataclass(frozen=True, slots=True)
class DatabaseState:
    """A database at a revision.

    Args:
        name: its name.
        created_at: when it was created, in UTC, in whole microseconds.
        basis: the revision before the transaction that this revision belongs to.
        revision: the revision.
        revision_timestamp: when it was recorded; the creation for revision 0.
    """

    name: str
    created_at: datetime
    basis: int
    revision: int
    revision_timestamp: datetime


@dataclass(frozen=True, slots=True)
class Summary:
    """A transaction without its events.

    Args:
        database: the name of the database.
        id: the transaction's id; empty where nothing was written.
        basis: the revision before its first event.
        revision: the revision of its last event.
        timestamp: when it was recorded.
        about: what was told of it.
    """

    database: str
    id: str
    basis: int
    revision: int
    timestamp: datetime
    about: About = About()

    @property
    def wrote(self) -> bool:
        """Whether there was anything to commit."""
        return self.revision > self.basis


@dataclass(frozen=True, slots=True)
class Committed:
    """A transaction with its events."""

    summary: Summary
    events: tuple[Event, ...]


def with_about(write: Write, about: About) -> Write:
    """The same with other words beside it."""
    return replace(write, about=about)
