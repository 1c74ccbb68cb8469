"""Many contents of one view, each with its own events.

A view has one for each binding of its parameters, and a real database has many small ones.
On the lane one call takes many of them. What fails in such a call stops nobody else: a view that
raises says so in its own answer, and where a call as a whole fails, each of its folds is done again
by itself. So the results are those of each fold alone, in the order they were given.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from evidentsource_core.domain.errors import InvalidType
from evidentsource_core.domain.events import Event
from evidentsource_core.domain.state_view import RenderedStateView, StateViewContext
from evidentsource_core.times import EPOCH
from evidentsource_functions.lane import EncodedEvents
from evidentsource_runtime.host.convert.codec import Answer
from evidentsource_runtime.host.convert.lane import Parcel, Step
from evidentsource_runtime.host.errors import (
    ComponentError,
    ComponentInputError,
    ComponentLimitError,
)
from evidentsource_runtime.host.folding import Folding, NoLane
from evidentsource_runtime.host.instances import Instance
from evidentsource_runtime.host.last_modified import after

MOST_FOLDS = 1_000
MOST_EVENTS = 5_000
MOST_BYTES = 2 * 1024 * 1024
"""What one call takes, so that it stays far below the limits of a call that is well-behaved."""


@dataclass(frozen=True, slots=True)
class Fold:
    """A content of a view, and the events that come next.

    Args:
        content: the content so far, None at first.
        events: the next events, in order; or one batch as the text that a store has made of them.
        last_modified_revision: the revision of the last event that is in ``content``.
        last_modified_timestamp: when that was recorded.

    Raises:
        InvalidType: ``events`` is neither.

    >>> Fold(None, [Event("e-1", "accounts", "opened")]).last_modified_revision
    0
    """

    content: bytes | None
    events: Sequence[Event] | EncodedEvents
    last_modified_revision: int = 0
    last_modified_timestamp: datetime = EPOCH

    def __post_init__(self) -> None:
        given: object = self.events
        if isinstance(given, (str, bytes)) or not isinstance(given, (Sequence, EncodedEvents)):
            raise InvalidType("Fold.events", "a list of events or EncodedEvents", given)

    def state(self, context: StateViewContext) -> RenderedStateView:
        """The content with what it is the content of."""
        return RenderedStateView(
            context, self.content, self.last_modified_revision, self.last_modified_timestamp
        )


@dataclass(frozen=True, slots=True)
class Folded:
    """What became of a :class:`Fold`.

    Args:
        content: the new content, None where the view has none or failed.
        error: why it failed; None where it did not.
    """

    content: bytes | None
    error: ComponentError | None = None

    def result(self) -> bytes | None:
        """The new content.

        Raises:
            ComponentError: the fold failed.
        """
        if self.error is not None:
            raise self.error
        return self.content


def fold_all(
    folding: Folding,
    instance: Instance,
    state: RenderedStateView,
    events: Iterable[Event],
    size: int,
) -> bytes | None:
    """The content after any number of events, in batches of ``size`` on one instance.

    Raises:
        ComponentError: the component failed, or a value cannot be carried.
    """
    folded = 0
    batches = batched(events, size)
    batch = next(batches, [])
    while True:
        content = folding.fold(instance, Step(state, batch, folded))
        following = next(batches, None)
        if following is None:
            return content
        state = after(state, content, batch)
        folded += len(batch)
        batch = following


def batched(events: Iterable[Event], size: int) -> Iterator[list[Event]]:
    """The events in lists of ``size``, the last one shorter; no empty one."""
    remaining = iter(events)
    while batch := list(islice(remaining, size)):
        yield batch


class Many:
    """The folds of one :meth:`.components.StateViewComponent.evolve_many`.

    Args:
        folding: the component's.
        context: which view it is.
        size: how many events go into one batch.
    """

    def __init__(self, folding: Folding, context: StateViewContext, size: int) -> None:
        self._folding = folding
        self._context = context
        self._size = size
        self._instance: Instance | None = None
        self._used = False

    def run(self, folds: Iterable[Fold]) -> Iterator[Folded]:
        """What becomes of each, in order."""
        try:
            chunk = _Chunk()
            for fold in folds:
                if not isinstance(fold, Fold):
                    raise InvalidType("folds", "Fold", fold)
                parcel = self._packed(fold, chunk.source or None)
                if isinstance(parcel, Parcel) and chunk.takes(parcel, fold):
                    chunk.add(fold, parcel)
                    continue
                yield from self._fold_chunk(chunk)
                chunk = _Chunk()
                if isinstance(parcel, Parcel):
                    chunk.add(fold, parcel)
                else:
                    yield parcel or self._fold_alone(fold)
            yield from self._fold_chunk(chunk)
        finally:
            self._drop()

    def _packed(self, fold: Fold, source: str | None) -> Parcel | Folded | None:
        """The fold as a parcel; the error where it cannot be one; None where it needs several."""
        several = not isinstance(fold.events, EncodedEvents) and len(fold.events) > self._size
        if several or not self._folding.has_lane:
            return None
        try:
            return self._folding.packer.pack(Step(fold.state(self._context), fold.events), source)
        except ComponentError as error:
            return Folded(None, error)

    def _fold_chunk(self, chunk: _Chunk) -> Iterator[Folded]:
        if not chunk.folds:
            return
        answers: list[Answer] | None = None
        try:
            instance = self._shared()
            answers = self._folding.fold_parcels(instance, chunk.parcels)
        except NoLane:
            self._folding.has_lane = False
        except ComponentError:
            # Which of them it was, only each by itself can tell.
            self._drop()
        if answers is None:
            for fold in chunk.folds:
                yield self._fold_alone(fold)
            return
        # Whose words on stderr they were, the same.
        ambiguous = bool(instance.said)
        for fold, answer in zip(chunk.folds, answers, strict=True):
            yield self._folded(fold, answer, ambiguous=ambiguous)

    def _folded(self, fold: Fold, answer: Answer, *, ambiguous: bool) -> Folded:
        if answer[2] is not None and ambiguous:
            return self._fold_alone(fold)
        try:
            return Folded(self._folding.content(answer))
        except ComponentLimitError as error:
            # What others have left in the memory of the instance is not this one's fault.
            return self._fold_alone(fold) if error.limit == "memory" else Folded(None, error)
        except ComponentError as error:
            return Folded(None, error)

    def _fold_alone(self, fold: Fold) -> Folded:
        """By itself, on the shared instance; where that fails, on one of its own."""
        shared = self._used
        try:
            return Folded(self._fold_on(self._shared(), fold))
        except ComponentError as error:
            self._drop()
            known = isinstance(error, ComponentInputError) or (
                isinstance(error, ComponentLimitError) and error.limit == "time"
            )
            if known or not shared:
                return Folded(None, error)
        return self._fold_alone(fold)

    def _fold_on(self, instance: Instance, fold: Fold) -> bytes | None:
        state = fold.state(self._context)
        if isinstance(fold.events, EncodedEvents):
            return self._folding.fold(instance, Step(state, fold.events))
        return fold_all(self._folding, instance, state, fold.events, self._size)

    def _shared(self) -> Instance:
        if self._instance is None:
            self._instance = self._folding.instance()
            self._used = False
        instance = self._instance
        self._used = True
        return instance

    def _drop(self) -> None:
        if self._instance is not None:
            self._instance.close()
            self._instance = None
            self._used = False


@dataclass
class _Chunk:
    """Folds that go into one call."""

    folds: list[Fold] = field(default_factory=list)
    parcels: list[Parcel] = field(default_factory=list)
    events: int = 0
    size: int = 0
    source: str | None = None

    def takes(self, parcel: Parcel, fold: Fold) -> bool:
        """Whether there is room for one more."""
        if not self.folds:
            return True
        return (
            len(self.folds) < MOST_FOLDS
            and self.events + len(fold.events) <= MOST_EVENTS
            and self.size + parcel.size <= MOST_BYTES
            and parcel.source == self.source
        )

    def add(self, fold: Fold, parcel: Parcel) -> None:
        """Take one more."""
        self.folds.append(fold)
        self.parcels.append(parcel)
        self.events += len(fold.events)
        self.size += parcel.size
        self.source = parcel.source
