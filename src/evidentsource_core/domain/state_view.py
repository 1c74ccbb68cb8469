"""State views as a reader gets them, and how a type of state says its bytes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, Self, TypeAlias, runtime_checkable

from evidentsource_core.domain.identifiers import DatabaseName, StateViewName
from evidentsource_core.domain.revision import Revision
from evidentsource_core.domain.selectors import EventSelector
from evidentsource_core.jsontext import loads

StateViewVersion: TypeAlias = int
"""Versions of one name count from 1."""


@dataclass(frozen=True, slots=True)
class StateView:
    """The content of a state view at one revision.

    ``event_selector`` is None where the reader cannot know it: inside a component.

    >>> view = StateView(DatabaseName("bank"), StateViewName("summary"), 1, content=b'{"n": 2}')
    >>> view.json()
    {'n': 2}
    """

    database: DatabaseName
    name: StateViewName
    version: StateViewVersion
    event_selector: EventSelector | None = None
    last_modified_revision: Revision | None = None
    last_modified_timestamp: datetime | None = None
    content_type: str = "application/json"
    content_schema_url: str | None = None
    content: bytes | None = None

    def has_content(self) -> bool:
        """Whether there is content."""
        return self.content is not None

    def content_bytes(self) -> bytes | None:
        """The content as it was stored."""
        return self.content

    def json(self) -> Any:
        """The content parsed as JSON; None where there is none.

        Raises:
            DeserializationFailed: the content is no JSON.
        """
        return None if self.content is None else loads(self.content)

    @property
    def data(self) -> Any:
        """The same as :meth:`json`."""
        return self.json()

    @property
    def revision(self) -> Revision | None:
        """The same as ``last_modified_revision``."""
        return self.last_modified_revision


@dataclass(frozen=True, slots=True)
class StateViewContext:
    """Which view is being folded, over which database, at which revision."""

    database: str
    name: str
    version: int
    database_revision: int
    database_revision_timestamp: datetime
    content_type: str | None = None
    content_schema: str | None = None


@dataclass(frozen=True, slots=True)
class RenderedStateView:
    """The content of a view so far, as the host hands it to ``evolve`` with the next events."""

    context: StateViewContext
    content: bytes | None
    last_modified_revision: int
    last_modified_timestamp: datetime


@runtime_checkable
class StateViewCodec(Protocol):
    """A type of state that says its own bytes, in whatever content type it likes."""

    @classmethod
    def from_bytes(
        cls, data: bytes | None, content_type: str | None, content_schema: str | None
    ) -> Self:
        """The state that ``data`` stands for; the empty one for None."""
        ...

    def to_bytes(self, content_type: str | None, content_schema: str | None) -> bytes | None:
        """The bytes to store."""
        ...
