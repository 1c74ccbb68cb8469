"""State views: published definitions with their code, and the fold that renders one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import TypeAlias

from evidentsource_core.domain.definitions import QueryTemporality, StateViewDefinition
from evidentsource_core.domain.errors import DatabaseAccessError, InvalidType
from evidentsource_core.domain.events import Event
from evidentsource_core.domain.identifiers import DatabaseName
from evidentsource_core.domain.queries import EffectiveTimeRange, QueryOptions, RevisionRange
from evidentsource_core.domain.selectors import EventSelector
from evidentsource_core.domain.state_view import RenderedStateView, StateView, StateViewContext
from evidentsource_core.reference._history import History
from evidentsource_core.reference._queries import query
from evidentsource_core.reference._records import Record

Evolve: TypeAlias = Callable[[RenderedStateView, list[Event]], bytes | None]
"""Folds the next events into a view's content: what a state view's component does."""


@dataclass(frozen=True, slots=True)
class PublishedView:
    """A definition and its code."""

    definition: StateViewDefinition
    evolve: Evolve

    def __str__(self) -> str:
        return f"{self.definition.name}.v{self.definition.version}"


class Views:
    """Every published state view. Versions of one name count from 1 and stay for good."""

    def __init__(self) -> None:
        self._versions: dict[str, list[PublishedView]] = {}

    def publish(self, definition: StateViewDefinition, evolve: Evolve) -> StateViewDefinition:
        """Make ``definition`` the next version of its name; the definition with that version."""
        if not isinstance(definition, StateViewDefinition):
            raise InvalidType("definition", "StateViewDefinition", definition)
        if not callable(evolve):
            raise InvalidType("evolve", "a function", evolve)
        versions = self._versions.setdefault(str(definition.name), [])
        numbered = replace(definition, version=len(versions) + 1)
        versions.append(PublishedView(numbered, evolve))
        return numbered

    def find(self, name: str, version: int) -> PublishedView | None:
        """That version of the view, if it was published."""
        versions = self._versions.get(name, [])
        return versions[version - 1] if 1 <= version <= len(versions) else None


@dataclass(frozen=True, slots=True)
class Fold:
    """One rendering: which view of which database, and how many events ``evolve`` gets at once."""

    view: PublishedView
    database: str
    created_at: datetime
    batch_size: int

    def render(
        self, history: History, selector: EventSelector, effective_at: datetime | None
    ) -> StateView | None:
        """The view over all of ``history`` that had taken effect; None if no event is selected.

        The content starts as none; ``evolve`` is given what it returned before and the next batch.
        The view was last modified by the selected event of the highest revision.
        """
        definition = self.view.definition
        by_revision = definition.temporality is QueryTemporality.REVISION
        span = RevisionRange() if by_revision else EffectiveTimeRange()
        records = iter(query(history, selector, QueryOptions(range=span), effective_at))
        state = RenderedStateView(self._context(history), None, 0, self.created_at)
        while batch := list(islice(records, self.batch_size)):
            state = self._folded(state, batch)
        if state.last_modified_revision == 0:
            return None
        return StateView(
            database=DatabaseName(self.database),
            name=definition.name,
            version=definition.version,
            event_selector=selector,
            last_modified_revision=state.last_modified_revision,
            last_modified_timestamp=state.last_modified_timestamp,
            content_type=definition.content_type,
            content_schema_url=definition.content_schema,
            content=state.content,
        )

    def _context(self, history: History) -> StateViewContext:
        definition = self.view.definition
        return StateViewContext(
            database=self.database,
            name=str(definition.name),
            version=definition.version,
            database_revision=history.revision,
            database_revision_timestamp=history.revision_timestamp,
            content_type=definition.content_type,
            content_schema=definition.content_schema,
        )

    def _folded(self, state: RenderedStateView, batch: list[Record]) -> RenderedStateView:
        try:
            content: object = self.view.evolve(state, [record.event for record in batch])
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
            raise DatabaseAccessError.state_view_failed(f"{self.view}: {reason}") from error
        if not isinstance(content, (bytes, type(None))):
            wrong = InvalidType("what evolve returns", "bytes or None", content)
            raise DatabaseAccessError.state_view_failed(f"{self.view}: {wrong}")
        # In the order of effective time the last one folded need not be the last one recorded.
        newest = max(batch, key=lambda record: record.revision)
        if newest.revision < state.last_modified_revision:
            return replace(state, content=content)
        return RenderedStateView(state.context, content, newest.revision, newest.recorded_at)
