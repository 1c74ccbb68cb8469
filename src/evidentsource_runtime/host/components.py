"""The two kinds of component, as their callers see them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

from evidentsource_core.domain.errors import InvalidType
from evidentsource_core.domain.events import Event
from evidentsource_core.domain.state_change import Command, StateChangeMetadata
from evidentsource_core.domain.state_view import RenderedStateView, StateViewContext
from evidentsource_core.times import EPOCH
from evidentsource_functions.errors import StateChangeError, StateChangeErrorKind
from evidentsource_functions.lane import EncodedEvents
from evidentsource_runtime.artifact import BuildFacts
from evidentsource_runtime.host.convert.lane import Step
from evidentsource_runtime.host.convert.lift import Decision
from evidentsource_runtime.host.convert.shapes import World
from evidentsource_runtime.host.folding import Folding
from evidentsource_runtime.host.instances import Template
from evidentsource_runtime.host.limits import exceeded_memory
from evidentsource_runtime.host.loading import Loaded
from evidentsource_runtime.host.many import Fold, Folded, Many, fold_all
from evidentsource_runtime.host.signals import Deferral


class _Component:
    """What both kinds have."""

    world: World

    def __init__(self, loaded: Loaded, template: Template) -> None:
        self._loaded = loaded
        self._template = template

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name} {self.digest[:12]}>"

    @property
    def name(self) -> str:
        """What it is called in messages, and in the logger ``evidentsource.component.NAME``."""
        return self._loaded.name

    @property
    def digest(self) -> str:
        """SHA-256 of its bytes, in hexadecimal: which component it is, under whatever name."""
        return self._loaded.digest

    @property
    def facts(self) -> BuildFacts | None:
        """What its build says of itself; None where ``evidentsource build`` did not make it."""
        return self._loaded.facts


class StateViewComponent(_Component):
    """A component of the world ``state-view``; :meth:`.host.Host.load` gives it.

    Every call of :meth:`evolve` runs in an instance of its own, so that nothing the component keeps in
    its globals gets from one view into another; those of one :meth:`evolve_many` share theirs. Where
    the component has the lane (``docs/lane.md``), batches go to it as text.
    """

    world = World.STATE_VIEW

    def __init__(self, loaded: Loaded, template: Template, batch_size: int, *, lane: bool) -> None:
        super().__init__(loaded, template)
        self._batch_size = batch_size
        self._folding = Folding(loaded, template, lane=lane)

    @property
    def uses_lane(self) -> bool:
        """Whether batches go to it as text, which is many times faster."""
        return self._folding.has_lane

    def evolve(
        self,
        content: bytes | None,
        events: Iterable[Event],
        context: StateViewContext | None = None,
        *,
        last_modified_revision: int = 0,
        last_modified_timestamp: datetime = EPOCH,
        batch_size: int | None = None,
    ) -> bytes | None:
        """Fold events into the content of a view.

        Args:
            content: the content so far, None at first; up to the host's limit in bytes.
            events: the next events, in order. They are taken in batches, and after each batch the
                component is given back what it returned. With no events at all it is called once.
            context: which view of which database it is; by default the view ``NAME`` of a database
                ``local``, named after the component, with content of no declared type.
            last_modified_revision: the revision of the last event that is in ``content``.
            last_modified_timestamp: when that was recorded.
            batch_size: how many events go into one call of the component; the host's by default.

        Returns:
            The new content, None where the view has none.

        Raises:
            ComponentTrap: the component failed.
            ComponentInputError: its contract cannot carry a value, which the message names.
            ComponentLimitError: it took more than it may, or the content or a payload is too large.
        """
        state = RenderedStateView(
            self._context(context, last_modified_revision),
            content,
            last_modified_revision,
            last_modified_timestamp,
        )
        size = self._size(batch_size)
        with self._template.instance() as instance:
            return fold_all(self._folding, instance, state, events, size)

    def evolve_encoded(
        self,
        content: bytes | None,
        events: EncodedEvents,
        context: StateViewContext | None = None,
        *,
        last_modified_revision: int = 0,
        last_modified_timestamp: datetime = EPOCH,
    ) -> bytes | None:
        """Fold one batch that is text already, as a store makes it without touching single events.

        Args:
            content: the content so far, None at first.
            events: the batch; it is folded in one call, whatever its size.
            context: which view of which database it is, as in :meth:`evolve`.
            last_modified_revision: the revision of the last event that is in ``content``.
            last_modified_timestamp: when that was recorded.

        Returns:
            The new content, the same as :meth:`evolve` gives for the events of the batch.

        Raises:
            ComponentInputError: the text is no such batch; the message names the place.
            ComponentTrap, ComponentLimitError: as in :meth:`evolve`.
        """
        if not isinstance(events, EncodedEvents):
            raise InvalidType("events", "EncodedEvents", events)
        state = RenderedStateView(
            self._context(context, last_modified_revision),
            content,
            last_modified_revision,
            last_modified_timestamp,
        )
        with self._template.instance() as instance:
            return self._folding.fold(instance, Step(state, events))

    def evolve_many(
        self,
        folds: Iterable[Fold],
        context: StateViewContext | None = None,
        *,
        batch_size: int | None = None,
    ) -> Iterator[Folded]:
        """Fold many contents of the view, each with its own events; in few calls, with the lane.

        They share instances: a view that keeps something in its globals, which no view should, may
        find there what another fold has left. In everything else each result is that of
        :meth:`evolve` alone, and one that fails stops no other.

        Args:
            folds: the contents with their events. They are taken as results are asked for, a
                thousand or so ahead.
            context: which view of which database it is; by default as in :meth:`evolve`, the
                database at revision 0.
            batch_size: how many events of one content go into one call; the host's by default.

        Returns:
            What became of each, in order: its new content, or the error that :meth:`evolve` raises.

        Raises:
            InvalidType: one of ``folds`` is none; whatever ``folds`` itself raises comes as it is.
        """
        many = Many(self._folding, self._context(context, 0), self._size(batch_size))
        return many.run(folds)

    def _context(self, context: StateViewContext | None, revision: int) -> StateViewContext:
        return context or StateViewContext("local", self.name, 1, revision, EPOCH)

    def _size(self, batch_size: int | None) -> int:
        return self._batch_size if batch_size is None else checked_batch_size(batch_size)

    def handler(self) -> Callable[[RenderedStateView, list[Event]], bytes | None]:
        """The view as a function, in the form that ``ReferenceDatabase`` and a test ask for."""

        def evolve(state: RenderedStateView, events: list[Event]) -> bytes | None:
            return self.evolve(
                state.content,
                events,
                state.context,
                last_modified_revision=state.last_modified_revision,
                last_modified_timestamp=state.last_modified_timestamp,
            )

        return evolve


class StateChangeComponent(_Component):
    """A component of the world ``state-change``; :meth:`.host.Host.load` gives it.

    Every decision runs in an instance of its own: nothing survives from one to the next.
    """

    world = World.STATE_CHANGE

    def decide(self, database: Any, command: Command, metadata: StateChangeMetadata) -> Decision:
        """Decide what a command leads to.

        Args:
            database: the database to decide on, any object with the protocol ``DatabaseAccess`` of
                :mod:`evidentsource_functions`. Its own errors (``EvidentSourceError``) reach the
                component as text where the contract has room for one.
            command: the command, as it arrived.
            metadata: what the component is told beside it.

        Returns:
            The events to append, and the conditions under which they may be.

        Raises:
            StateChangeError: the component refused, for the reason it gives.
            ComponentTrap: it failed.
            ComponentOutputError: it returned something that means nothing in the domain.
            ComponentInputError: its contract cannot carry a value, which the message names.
            ComponentLimitError: it took more than it may, or a payload is too large.
            HostCallError: the database raised an exception of no announced kind, which is its cause;
                an interrupt such as ``KeyboardInterrupt`` is raised as it is.
        """
        for name, value, kind in (
            ("command", command, Command),
            ("metadata", metadata, StateChangeMetadata),
        ):
            if not isinstance(value, kind):
                raise InvalidType(name, kind.__name__, value)
        with Deferral(), self._template.used_once() as instance:
            answer = instance.call(
                lambda codec, store, func: codec.decide(store, func, database, command, metadata)
            )
        if isinstance(answer, StateChangeError):
            # Our own guest catches whatever a decision raises, and says it in these words.
            out_of_memory = answer.kind is StateChangeErrorKind.INTERNAL and exceeded_memory(
                self.name, self._template.limits, answer.message
            )
            raise out_of_memory or answer
        return answer


def checked_batch_size(size: int) -> int:
    """``size`` if it is a number of events that a batch can have."""
    if isinstance(size, bool) or not isinstance(size, int):
        raise InvalidType("batch_size", "int", size)
    if size < 1:
        raise ValueError(f"batch_size: a batch has at least 1 event, got {size}")
    return size
