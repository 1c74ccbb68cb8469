"""What the commands ask of a database, wherever it is. Answers are JSON values, as HTTP has them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Self, TypeAlias

__all__ = ["Asked", "Filter", "Json", "Rendered"]

Json: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events are wanted; all of it has to hold.

    Args:
        stream, subject, type: what they are equal to; None for whatever they are.
        limit: the most events.
        start_at: from this revision on.
        reverse: newest first.
    """

    stream: str | None = None
    subject: str | None = None
    type: str | None = None
    limit: int | None = None
    start_at: int = 0
    reverse: bool = False


@dataclass(frozen=True, slots=True)
class Rendered:
    """A state view's content.

    Args:
        version: of the view.
        content: None where no event ever modified it.
        content_type: of the content.
        last_modified_revision: the revision of the last event in it.
    """

    version: int
    content: bytes | None
    content_type: str
    last_modified_revision: int | None


class Asked(ABC):
    """A database, to be asked."""

    @abstractmethod
    def execute(
        self,
        name: str,
        version: int | None,
        body: bytes,
        content_type: str,
        last_seen_revision: int | None,
        transaction_id: str | None,
    ) -> Json:
        """Execute a state change; what it led to."""

    @abstractmethod
    def view(
        self,
        name: str,
        version: int | None,
        parameters: Mapping[str, str],
        revision: int | None,
        effective_at: datetime | None,
    ) -> Rendered:
        """Read a state view; each parameter is a text of the kind that the view asks for."""

    @abstractmethod
    def events(self, wanted: Filter) -> Iterator[Json]:
        """Events, as CloudEvents."""

    @abstractmethod
    def follow(self, wanted: Filter) -> Iterator[Json]:
        """The same, and then each new one; it does not end by itself."""

    @abstractmethod
    def log(self, start_at: int, limit: int | None) -> Iterator[Json]:
        """Transactions, oldest first."""

    @abstractmethod
    def trace(self, transaction_id: str) -> Json:
        """Why a transaction was committed."""

    @abstractmethod
    def close(self) -> None:
        """Let go of it."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
