"""What can be read at one revision: committed records, or these and speculated ones behind them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Protocol

from evidentsource_core.domain.selectors import EventSelector
from evidentsource_core.reference._log import Log
from evidentsource_core.reference._records import Record


class History(Protocol):
    """An unchanging run of records up to a revision."""

    @property
    def revision(self) -> int:
        """The revision it ends at."""
        ...

    @property
    def revision_timestamp(self) -> datetime:
        """When that revision was recorded."""
        ...

    def select(
        self, selector: EventSelector, *, start_at: int = 0, reverse: bool = False
    ) -> Iterator[Record]:
        """The selected records from revision ``start_at`` on, in revision order or against it."""
        ...


@dataclass(frozen=True, slots=True)
class Committed:
    """The log up to a revision; ``length`` is how many records that is."""

    log: Log
    length: int
    revision: int
    revision_timestamp: datetime

    def select(
        self, selector: EventSelector, *, start_at: int = 0, reverse: bool = False
    ) -> Iterator[Record]:
        """The selected records from revision ``start_at`` on, in revision order or against it."""
        low = self.log.length_at(start_at - 1)
        return self.log.select(selector, low, self.length, reverse=reverse)

    def highest(self, selector: EventSelector) -> int:
        """The highest revision of a selected record, 0 where there is none."""
        last = next(self.select(selector, reverse=True), None)
        return 0 if last is None else last.revision


@dataclass(frozen=True, slots=True)
class Speculated:
    """Committed records, and behind them those that were never committed."""

    basis: Committed
    added: tuple[Record, ...]

    @property
    def revision(self) -> int:
        """The basis' revision and one for each added record."""
        return self.basis.revision + len(self.added)

    @property
    def revision_timestamp(self) -> datetime:
        """The basis' own: nothing was recorded since."""
        return self.basis.revision_timestamp

    def select(
        self, selector: EventSelector, *, start_at: int = 0, reverse: bool = False
    ) -> Iterator[Record]:
        """The selected records from revision ``start_at`` on, in revision order or against it."""
        committed = self.basis.select(selector, start_at=start_at, reverse=reverse)
        added = (
            record
            for record in (reversed(self.added) if reverse else self.added)
            if record.revision >= start_at and selector.matches(record.event)
        )
        return chain(added, committed) if reverse else chain(committed, added)
