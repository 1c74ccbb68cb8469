"""The two kinds of component, as their callers see them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any

from evidentsource_core.domain.errors import EvidentSourceError, InvalidType
from evidentsource_core.domain.events import Event
from evidentsource_core.domain.extensions import TimestampExtension
from evidentsource_core.domain.identifiers import RECORDEDTIME_KEY
from evidentsource_core.domain.state_change import Command, StateChangeMetadata
from evidentsource_core.domain.state_view import RenderedStateView, StateViewContext
from evidentsource_core.times import EPOCH, parse_rfc3339
from evidentsource_functions.errors import StateChangeError, StateChangeErrorKind
from evidentsource_runtime.artifact import BuildFacts
from evidentsource_runtime.host.convert.lift import Decision
from evidentsource_runtime.host.convert.shapes import EXPLAIN, World
from evidentsource_runtime.host.errors import ComponentTrap
from evidentsource_runtime.host.instances import Instance, Template
from evidentsource_runtime.host.limits import exceeded_memory
from evidentsource_runtime.host.loading import Loaded


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
    its globals gets from one view into another.
    """

    world = World.STATE_VIEW

    def __init__(self, loaded: Loaded, template: Template, batch_size: int) -> None:
        super().__init__(loaded, template)
        self._batch_size = batch_size

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
        if context is None:
            context = StateViewContext("local", self.name, 1, last_modified_revision, EPOCH)
        state = RenderedStateView(context, content, last_modified_revision, last_modified_timestamp)
        size = self._batch_size if batch_size is None else checked_batch_size(batch_size)
        remaining = iter(events)
        batch = list(islice(remaining, size))
        folded = 0
        with self._template.instance() as instance:
            while True:
                state = _after(state, self._fold(instance, state, batch, folded), batch)
                folded += len(batch)
                batch = list(islice(remaining, size))
                if not batch:
                    return state.content

    def _fold(
        self, instance: Instance, state: RenderedStateView, batch: list[Event], folded: int
    ) -> bytes | None:
        try:
            return instance.call(
                lambda codec, store, func: codec.evolve(store, func, state, batch, folded)
            )
        except ComponentTrap as error:
            if not error.silent or not self._loaded.contract.explains:
                raise
            # A pure component cannot write; it says in another call why this one failed.
            with self._template.instance(EXPLAIN) as another:
                words = another.call(
                    lambda codec, store, func: codec.explain(store, func, state, batch, folded)
                )
            raise self._template.trap(error.trap, words or "") from None

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
        with self._template.instance() as instance:
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


def _after(
    state: RenderedStateView, content: bytes | None, batch: list[Event]
) -> RenderedStateView:
    """The view after a batch: last modified by its event of the highest revision.

    In the order of effective time, that need not be the last one.
    """
    newest = max(batch, key=lambda event: event.revision() or 0, default=None)
    revision = newest.revision() if newest is not None else None
    if newest is None or revision is None or revision <= state.last_modified_revision:
        return replace(state, content=content)
    recorded_at = _recorded_at(newest)
    return RenderedStateView(
        state.context,
        content,
        revision,
        state.last_modified_timestamp if recorded_at is None else recorded_at,
    )


def _recorded_at(event: Event) -> datetime | None:
    value = event.extension(RECORDEDTIME_KEY)
    if isinstance(value, TimestampExtension):
        return value.value
    try:
        return None if value is None else parse_rfc3339(str(value.value))
    except EvidentSourceError:
        return None
