"""One batch over one content: by the lane where a component has it, else by the contract.

Both ways give the same content, and the same error where the view fails.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from evidentsource_core.domain.events import Event
from evidentsource_core.domain.state_view import RenderedStateView
from evidentsource_functions.lane import EXPORT as LANE
from evidentsource_functions.lane import UnreadableBatch
from evidentsource_runtime.host.convert.codec import Answer
from evidentsource_runtime.host.convert.lane import Packer, Parcel, Step, header
from evidentsource_runtime.host.convert.lift import Lift
from evidentsource_runtime.host.convert.shapes import EXPLAIN
from evidentsource_runtime.host.errors import (
    ComponentError,
    ComponentInputError,
    ComponentOutputError,
    ComponentTrap,
)
from evidentsource_runtime.host.instances import Instance, Template
from evidentsource_runtime.host.limits import exceeded_memory
from evidentsource_runtime.host.loading import Loaded
from evidentsource_runtime.host.output import Kept
from evidentsource_runtime.host.trace import headline

_UNREADABLE = f"{UnreadableBatch.__module__}.{UnreadableBatch.__qualname__}: "


class NoLane(Exception):
    """The program in a component has an ``evolve`` that must be called, after all."""


class Folding:
    """Folds in the instances of one component.

    Args:
        loaded: the component.
        template: what its instances are made from.
        lane: whether the lane may be used.

    Attributes:
        has_lane: whether it is used.
        packer: makes what it carries.
    """

    def __init__(self, loaded: Loaded, template: Template, *, lane: bool) -> None:
        self.name = template.name
        self.packer = Packer(template.name, loaded.contract, template.limits.content_bytes)
        self.has_lane = lane and loaded.contract.folds
        self._contract = loaded.contract
        self._template = template
        self._lift = Lift(template.name, template.limits.content_bytes)

    def instance(self) -> Instance:
        """An instance that has not been called."""
        return self._template.instance()

    def fold(self, instance: Instance, step: Step) -> bytes | None:
        """The content after a batch.

        Raises:
            ComponentError: the component failed, or a value cannot be carried.
        """
        if self.has_lane:
            try:
                (answer,) = self.fold_parcels(instance, [self.packer.pack(step)])
            except NoLane:
                self.has_lane = False
            else:
                return self.content(answer, instance.said)
        return self._evolve(instance, step)

    def fold_parcels(self, instance: Instance, parcels: Sequence[Parcel]) -> list[Answer]:
        """The answers to parcels that share context and source, of one call.

        Raises:
            NoLane: the program does without.
            ComponentError: the call as a whole failed, and the instance is lost.
        """
        contents = [parcel.content for parcel in parcels]
        batches = [parcel.batch for parcel in parcels]
        answers = instance.call(
            lambda codec, store, func: codec.fold(store, func, header(parcels), contents, batches),
            LANE,
        )
        if len(answers) == len(parcels):
            return answers
        if not answers:
            raise NoLane
        reason = f"{len(answers)} answers to {len(parcels)} batches"
        raise ComponentOutputError(self.name, LANE, reason)

    def content(self, answer: Answer, said: str = "") -> bytes | None:
        """The content that an answer has.

        Args:
            answer: the answer.
            said: what the call wrote to stderr.

        Raises:
            ComponentError: the view failed, or the content is too large.
        """
        text, data, words = answer
        if words is not None:
            raise self._failure(words, said)
        content = data if text is None else text.encode()
        return self._lift.content(content, "evolve.content")

    def _failure(self, words: str, said: str) -> ComponentError:
        """The error for a failure in words, as if they had been written to stderr."""
        template = self._template
        template.log_failure(words)
        line = headline(words) or ""
        if line.startswith(_UNREADABLE):
            field, _, reason = line.removeprefix(_UNREADABLE).partition(": ")
            return ComponentInputError(self.name, field, reason)
        kept = Kept(template.output_cap)
        kept.add(f"{said}{words}".encode())
        error = template.trap("", kept.take())
        limit = exceeded_memory(self.name, template.limits, error.guest_traceback)
        return limit or error

    def _evolve(self, instance: Instance, step: Step) -> bytes | None:
        view, offset = step.view, step.offset
        events = self.packer.decoded(step.events)
        try:
            return instance.call(
                lambda codec, store, func: codec.evolve(store, func, view, events, offset)
            )
        except ComponentTrap as error:
            if not error.silent or not (self._contract.explains or self._contract.folds):
                raise
            words = self._explanation(view, events, offset)
            raise self._template.trap(error.trap, words or "") from None

    def _explanation(
        self, view: RenderedStateView, events: Sequence[Event], offset: int
    ) -> str | None:
        """Why a pure component trapped: it cannot write, so it says so in another call."""
        with self._template.instance() as another:
            if self._contract.explains:
                return another.call(
                    lambda codec, store, func: codec.explain(store, func, view, events, offset),
                    EXPLAIN,
                )
            with suppress(NoLane):
                parcel = self.packer.pack(Step(view, events, offset))
                ((_text, _data, words),) = self.fold_parcels(another, [parcel])
                return words
        return None
