"""The seam: what a database has to offer so that it can be held to the contract.

A driver is some 50 to 100 lines that lead these calls to the database, and its refusals to the errors
of ``evidentsource_core``. ``reference.py`` beside this file is one, for the reference database.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import ClassVar, Protocol

from evidentsource_core import (
    AppendCondition,
    CommandRequest,
    Event,
    EvidentSourceError,
    ProspectiveEvent,
    StateChangeDefinition,
    StateViewDefinition,
)
from evidentsource_functions import DatabaseAccess
from evidentsource_runtime.contract.programs import ChangeProgram, ViewProgram

__all__ = ["Capability", "CommittedTransaction", "DatabaseUnderTest", "DriverIncomplete"]


class Capability(Enum):
    """What not every database has. A driver says which it lacks, and why, in ``missing``."""

    EFFECTIVE_TIME = "snapshots bound to an effective time"
    SPECULATION = "databases as if events were committed"
    VIEWS = "state views: publish_view, and view_state of snapshots"
    CHANGES = "state changes: publish_change and execute"
    TRANSACTION_LOOKUP = "transactions found by their ids"
    EVENT_LOOKUP = "events found by stream and id"
    PROBLEMS = "a refusal carries every problem of every event, each with its place"
    REOPEN = "closing it and opening it again"
    CLOCK = "a clock that a test can set"
    THREADS = "several threads on one driver"


class DriverIncomplete(EvidentSourceError, NotImplementedError):
    """A driver neither has a capability nor says why not."""

    code = "driver-incomplete"

    def __init__(self, driver: object, method: str, capability: Capability) -> None:
        super().__init__(
            f"{type(driver).__name__} has no {method}, which {capability} asks for "
            f"({capability.value}); define it, or say why not: "
            f"missing = {{{capability}: 'the reason'}}"
        )
        self.capability = capability


class CommittedTransaction(Protocol):
    """A committed transaction, as :class:`evidentsource_core.reference.TransactionResult` is one."""

    @property
    def id(self) -> str:
        """The id it was given, or one made for it."""
        ...

    @property
    def basis(self) -> int:
        """The revision before its first event."""
        ...

    @property
    def revision(self) -> int:
        """The revision of its last event."""
        ...

    @property
    def timestamp(self) -> datetime:
        """When it was recorded."""
        ...

    @property
    def events(self) -> Sequence[Event]:
        """Its events as they were stored, in order."""
        ...


class DatabaseUnderTest(ABC):
    """One database, empty when it is made, driven without waiting.

    Whatever the database refuses is raised as the error of ``evidentsource_core`` that the contract
    names: a client maps the codes of its wire to these. A state change's refusal is a
    :class:`evidentsource_functions.StateChangeError` of its kind.

    Attributes:
        missing: what the database does not have, each with the reason that skipped tests show.
        max_events: events that one transaction may have here.
        max_bytes: bytes that one transaction may have here.
        examples: how many histories the state machine plays.
    """

    missing: ClassVar[Mapping[Capability, str]] = {}
    max_events: int = 10_000
    max_bytes: int = 16 * 1024 * 1024
    examples: ClassVar[int] = 25

    # --- what every database has -------------------------------------------------------------------

    @property
    @abstractmethod
    def name(self) -> str:
        """The database's name, as it stands in the ``source`` of its events."""

    @abstractmethod
    def latest(self) -> DatabaseAccess:
        """The database as it is now: a snapshot that never changes.

        The contract calls ``name``, ``created_at``, ``revision``, ``revision_timestamp``,
        ``query_events`` and ``at_revision`` of a snapshot, and where the capabilities are there
        ``effective_timestamp``, ``at_effective_timestamp``, ``speculate_with_transaction`` and
        ``view_state``.
        """

    @abstractmethod
    def at_revision(self, revision: int) -> DatabaseAccess:
        """The database at a revision; ``DatabaseAccessError`` where it does not exist."""

    @abstractmethod
    def transact(
        self,
        events: Sequence[ProspectiveEvent],
        conditions: Sequence[AppendCondition] = (),
        *,
        transaction_id: str | None = None,
    ) -> CommittedTransaction:
        """Commit events, all or none, if every condition holds."""

    @abstractmethod
    def log(self, from_revision: int = 0) -> Sequence[CommittedTransaction]:
        """Every transaction committed at or after a revision, oldest first."""

    def close(self) -> None:  # noqa: B027 - most databases under test have nothing to let go of
        """Let go of files, connections and whatever was made for the test."""

    # --- what it may lack --------------------------------------------------------------------------

    def transaction(self, transaction_id: str) -> CommittedTransaction | None:  # noqa: ARG002 - a driver's own needs it
        """The transaction of that id, None if there is none."""
        raise DriverIncomplete(self, "transaction", Capability.TRANSACTION_LOOKUP)

    def event(self, stream: str, event_id: str) -> Event | None:  # noqa: ARG002 - the same
        """The event of that id in that stream, None if there is none."""
        raise DriverIncomplete(self, "event", Capability.EVENT_LOOKUP)

    def reopen(self) -> DatabaseUnderTest:
        """Close the database and open it again; this driver is not used any more.

        What was committed is there again, and so is what was published: a driver whose database
        keeps no code publishes it once more.
        """
        raise DriverIncomplete(self, "reopen", Capability.REOPEN)

    def set_time(self, now: datetime) -> None:  # noqa: ARG002 - the same
        """Let the database's clock show this time from now on."""
        raise DriverIncomplete(self, "set_time", Capability.CLOCK)

    def publish_view(
        self,
        definition: StateViewDefinition,
        program: ViewProgram,  # noqa: ARG002 - the same
    ) -> StateViewDefinition:
        """Publish a state view; the definition with the version that it got.

        ``program`` is its code, both as a Python function and as a module to make a component of.
        """
        raise DriverIncomplete(self, f"publish_view({definition.name})", Capability.VIEWS)

    def publish_change(
        self,
        definition: StateChangeDefinition,
        program: ChangeProgram,  # noqa: ARG002 - the same
    ) -> StateChangeDefinition:
        """Publish a state change; the definition with the version that it got."""
        raise DriverIncomplete(self, f"publish_change({definition.name})", Capability.CHANGES)

    def execute(
        self,
        name: str,
        version: int,  # noqa: ARG002 - the same
        request: CommandRequest,  # noqa: ARG002 - the same
        *,
        last_seen_revision: int | None = None,  # noqa: ARG002 - the same
        transaction_id: str | None = None,  # noqa: ARG002 - the same
    ) -> int:
        """Run a state change and commit what it decides.

        Returns:
            The revision of what was written; the one decided on where nothing was.
        """
        raise DriverIncomplete(self, f"execute({name})", Capability.CHANGES)


def lacks(database: DatabaseUnderTest, wanted: Iterable[Capability]) -> str | None:
    """Why a database cannot be asked for these capabilities; None if it has them all.

    >>> from evidentsource_runtime.contract import ReferenceDriver
    >>> lacks(ReferenceDriver(), [Capability.VIEWS]) is None
    True
    """
    for capability in wanted:
        if capability in database.missing:
            return (
                f"{type(database).__name__} lacks {capability.name}: {database.missing[capability]}"
            )
    return None
