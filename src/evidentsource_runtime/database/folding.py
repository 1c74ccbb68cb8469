"""A view of a database: folded from the nearest state that is kept, over the events since.

A kept state is the fold of all selected events up to a revision and an effective time. It may be gone
on from where the events that it lacks all come after those it has, in the order of the view.

- In the order of revisions that is so for any state of the same bound on effective time whose last
  event lies at or before the revision that is read, and for one without a bound that has no event
  which the bound excludes.
- In the order of effective time it is so where no event of its time or earlier was recorded since:
  one that was changes what came after it, and an earlier state is taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from evidentsource_core.domain.definitions import QueryTemporality
from evidentsource_core.domain.events import Event
from evidentsource_core.domain.queries import (
    EffectiveTimeRange,
    QueryOptions,
    QueryRange,
    RangeCursor,
    RevisionRange,
)
from evidentsource_core.domain.selectors import EventSelector
from evidentsource_core.domain.state_view import RenderedStateView, StateViewContext
from evidentsource_core.reference import recorded_time
from evidentsource_core.times import EPOCH
from evidentsource_functions.lane import EncodedEvents
from evidentsource_runtime.database.catalog import PublishedView
from evidentsource_runtime.database.errors import StateViewFailed
from evidentsource_runtime.database.kept import Kept
from evidentsource_runtime.database.programs import Events, ViewProgram
from evidentsource_runtime.host import ComponentLimitError
from evidentsource_runtime.store import EventStore, Head

__all__ = ["BATCH", "Asked", "Run", "Step", "steps", "usable_start"]

BATCH: Final = 4_096
"""Events that go into one call of a view's code."""
CHECKPOINT: Final = 5_000
"""Events between two states that are kept of a long fold."""
FEW: Final = 8
"""Events among which one that takes too long is looked for."""
_LAST: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Asked:
    """A view as it is read.

    Args:
        view: which version.
        selector: its events, the parameters bound.
        head: the revision that is read.
        effective_at: the bound on effective time, None for none.
        database: the database's name.
    """

    view: PublishedView
    selector: EventSelector
    head: Head
    effective_at: datetime | None
    database: str

    @property
    def by_effect(self) -> bool:
        """Whether events are folded in the order of effective time."""
        return self.view.definition.temporality is QueryTemporality.EFFECTIVE_TIMESTAMP

    @property
    def context(self) -> StateViewContext:
        """What the view's code is told."""
        definition = self.view.definition
        return StateViewContext(
            database=self.database,
            name=str(definition.name),
            version=definition.version,
            database_revision=self.head.revision,
            database_revision_timestamp=self.head.timestamp,
            content_type=definition.content_type,
            content_schema=definition.content_schema,
        )

    def rendered(self, state: Kept) -> RenderedStateView:
        """A state as the view's code takes it."""
        return RenderedStateView(self.context, state.content, state.modified, state.modified_at)


def empty(store: EventStore, asked: Asked) -> Kept:
    """The state before any event."""
    upto = None if asked.by_effect else asked.effective_at
    return Kept(upto, 0, 0, 0, store.created_at, None)


def usable_start(store: EventStore, asked: Asked, kept: list[Kept]) -> Kept:
    """The kept state that leaves the least to fold; the empty one where none can be used."""
    usable = _by_effect if asked.by_effect else _by_revision
    for state in kept:
        if state.modified <= asked.head.revision and usable(store, asked, state):
            return state
    return empty(store, asked)


def _by_revision(store: EventStore, asked: Asked, state: Kept) -> bool:
    if state.upto == asked.effective_at:
        return True
    if state.upto is not None:
        return False
    within = store.count(asked.selector, revision=state.modified, effective_at=asked.effective_at)
    return within == state.count


def _by_effect(store: EventStore, asked: Asked, state: Kept) -> bool:
    upto, revision = state.upto, asked.head.revision
    if upto is None or (asked.effective_at is not None and upto > asked.effective_at):
        return False
    if state.through >= revision:
        return True
    late = store.count(asked.selector, revision=revision, since=state.through, effective_at=upto)
    return late == 0


@dataclass(frozen=True, slots=True)
class Step:
    """A batch of events.

    Args:
        events: the batch, as text.
        newest: the highest revision among them.
        upto: the effective time of the last one, where that is their order.
    """

    events: EncodedEvents
    newest: int
    upto: datetime | None


def steps(store: EventStore, asked: Asked, start: Kept) -> Iterator[Step]:
    """The events that a state lacks, in the view's order."""
    span: QueryRange = RevisionRange()
    since = max(start.modified, min(start.through, asked.head.revision))
    if asked.by_effect:
        since = 0
        cursor = None if start.upto is None else RangeCursor(start.upto, _LAST)
        span = EffectiveTimeRange(cursor)
    found = store.batches(
        asked.selector,
        QueryOptions(range=span),
        revision=asked.head.revision,
        since=since,
        effective_at=asked.effective_at,
        size=BATCH,
    )
    for batch in found:
        rest = batch.rest
        upto = asked.effective_at
        if isinstance(rest, EffectiveTimeRange) and rest.start_at is not None:
            upto = rest.start_at.timestamp
        yield Step(EncodedEvents(batch.text, batch.count, f"{store.streams}/"), batch.newest, upto)


class Run:
    """One fold, from a state over the events since; what it reaches is there to be kept.

    Args:
        store: has the events.
        program: the view's code.
        asked: which view.
        start: the state to go on from.

    Attributes:
        asked: which view.
        state: how far it has come.
        reached: states worth keeping, in order.
    """

    def __init__(self, store: EventStore, program: ViewProgram, asked: Asked, start: Kept) -> None:
        self._store = store
        self._program = program
        self.asked = asked
        self.state = start
        self.reached: list[Kept] = []
        self._since_checkpoint = 0

    def finish(self) -> Kept:
        """Fold everything; the state at the end.

        Raises:
            StateViewFailed: the view's code failed; what it had reached before is in ``reached``.
        """
        folded = False
        try:
            for step in steps(self._store, self.asked, self.state):
                self.take(step)
                folded = True
        except BaseException:
            if folded:
                self._checkpoint()
            raise
        through = max(self.state.through, self.asked.head.revision)
        self.state = replace(self.state, through=through)
        if folded:
            self.reached.append(self.state)
        return self.state

    def take(self, step: Step) -> None:
        """Fold one batch."""
        try:
            self.advance(self._fold(step.events), step)
        except Exception as error:  # noqa: BLE001 - a view is arbitrary code
            failure = self._failure(error, step)
            raise failure from failure.cause

    def _fold(self, events: Events) -> bytes | None:
        given = events if self._program.reads_text else _decoded(events)
        return self._program.fold(self.asked.rendered(self.state), given)

    def advance(self, content: bytes | None, step: Step) -> None:
        """A batch led to this content."""
        self.state = self._after(content, step.newest, len(step.events), step.upto)
        self._since_checkpoint += len(step.events)
        if self._since_checkpoint >= CHECKPOINT:
            self._checkpoint()

    def _after(self, content: bytes | None, newest: int, count: int, upto: datetime | None) -> Kept:
        before = self.state
        modified, modified_at = before.modified, before.modified_at
        if newest > modified:
            modified, modified_at = newest, self._store.at_revision(newest).timestamp
        through = self.asked.head.revision if self.asked.by_effect else modified
        return Kept(upto, through, before.count + count, modified, modified_at, content)

    def _checkpoint(self) -> None:
        """Keep the state, if it is one: all events of its last effective time have to be in it."""
        self._since_checkpoint = 0
        state, asked = self.state, self.asked
        if not state.count:
            return
        if asked.by_effect:
            within = self._store.count(
                asked.selector, revision=asked.head.revision, effective_at=state.upto
            )
            if within != state.count:
                return
        self.reached.append(state)

    def _failure(self, error: Exception, step: Step) -> StateViewFailed:
        """The error that names the event; the events before it are folded."""
        events = step.events.decoded()
        # Each of the calls that look for the event may take as long as the one that took too long.
        too_long = isinstance(error, ComponentLimitError) and error.limit == "time"
        found = None if too_long and len(events) > FEW else self._failing(events)
        self._checkpoint()
        view = str(self.asked.view)
        if found is None:
            return StateViewFailed(view, error, events)
        return StateViewFailed(view, found[1], [found[0]])

    def _failing(self, events: list[Event]) -> tuple[Event, Exception] | None:
        """Halve a batch until the event that fails stands alone; None if none does so alone."""
        while events:
            part = events[: max(1, len(events) // 2)]
            try:
                content = self._fold_list(part)
            except Exception as error:  # noqa: BLE001 - a view is arbitrary code
                if len(part) == 1:
                    return part[0], error
                events = part
                continue
            last = part[-1]
            newest = max(event.revision() or 0 for event in part)
            upto = effective_time(last) if self.asked.by_effect else self.asked.effective_at
            self.state = self._after(content, newest, len(part), upto)
            events = events[len(part) :]
        return None

    def _fold_list(self, events: list[Event]) -> bytes | None:
        return self._program.fold(self.asked.rendered(self.state), events)


def effective_time(event: Event) -> datetime:
    """When a stored event took effect: its own time, or when it was recorded."""
    found = recorded_time(event) if event.time is None else event.time
    return EPOCH if found is None else found


def _decoded(events: Events) -> Events:
    return events.decoded() if isinstance(events, EncodedEvents) else events
