"""The lane's values: batches of events as text, checked against what the contract could carry.

What the contract refuses is refused here in the same words, so that a view gives the same by either
way. Source of the format: :mod:`evidentsource_functions.lane`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from evidentsource_core.domain.events import Event
from evidentsource_core.domain.extensions import CONTEXT_ATTRIBUTES, TimestampExtension
from evidentsource_core.domain.state_view import RenderedStateView
from evidentsource_core.times import EPOCH, MAX_SECONDS, MIN_SECONDS
from evidentsource_functions.lane import (
    EncodedEvents,
    UnreadableBatch,
    encode_batch,
    source_prefix,
)
from evidentsource_runtime.host.convert.codec import Content
from evidentsource_runtime.host.convert.lower import Lower
from evidentsource_runtime.host.convert.shapes import Contract
from evidentsource_runtime.host.errors import ComponentInputError

Events: TypeAlias = Sequence[Event] | EncodedEvents
"""A batch: as events, or as text already."""

_INT32 = range(-(2**31), 2**31)


@dataclass(frozen=True, slots=True)
class Step:
    """One batch over one content.

    Args:
        view: the content, and what it is the content of.
        events: the batch.
        offset: the index of its first event in what the caller gave.
    """

    view: RenderedStateView
    events: Events
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Parcel:
    """A step as the lane carries it.

    Args:
        context: the part of the header that many steps may share.
        source: what the sources of the events start with.
        modified: of what is in the content.
        count: of the events, where the guest has to look into the batch.
        content: the content.
        batch: the events.
    """

    context: dict[str, Any]
    source: str
    modified: list[int]
    count: int | None
    content: Content
    batch: str

    @property
    def size(self) -> int:
        """How much it is to carry, roughly in bytes."""
        text, data = self.content
        return len(self.batch) + len(text or "") + len(data or b"")


class Packer:
    """Makes parcels for one component.

    Args:
        component: its name, for messages.
        contract: its contract.
        content_limit: the most bytes that one value may have.
    """

    def __init__(self, component: str, contract: Contract, content_limit: int) -> None:
        self._component = component
        self._limit = content_limit
        self._lower = Lower(component, contract, content_limit, record=dict)
        seconds = contract.widths["datetime.seconds"]
        integer = contract.widths["cloudevent-attribute-value.integer"]
        nanoseconds = contract.widths["datetime.nanoseconds"]
        self._from_1970 = seconds.low == 0
        self._is_narrow = (
            MIN_SECONDS < seconds.low != 0
            or seconds.high < MAX_SECONDS
            or integer.low > _INT32.start
            or integer.high < _INT32.stop - 1
            or nanoseconds.high < 999_999_999
        )

    def pack(self, step: Step, source: str | None = None) -> Parcel:
        """A step as a parcel.

        Args:
            step: the content and its next events.
            source: what the sources of events start with, if that is settled.

        Raises:
            ComponentInputError: the contract could not carry a value.
            ComponentLimitError: a value has too many bytes.
        """
        rendered = self._lower.rendered(step.view)
        context = rendered["context"]
        events = step.events
        if isinstance(events, EncodedEvents):
            source, count, batch = events.source, events.count, self._checked(events)
        else:
            if source is None:
                source = self.source_of(events)
            count, batch = None, self._encoded(events, source, step.offset)
        return Parcel(
            {
                "database": context["database"],
                "name": context["name"],
                "version": context["version"],
                "revision": context["database_revision"],
                "timestamp": list(context["database_revision_timestamp"].values()),
                "content_type": context["content_type"],
                "content_schema": context["content_schema"],
            },
            source,
            [
                rendered["last_modified_revision"],
                *rendered["last_modified_timestamp"].values(),
            ],
            count,
            _content(step.view.content),
            batch,
        )

    def source_of(self, events: Events) -> str:
        """What the sources of these events start with."""
        if isinstance(events, EncodedEvents):
            return events.source
        source = getattr(events[0], "source", None) if events else None
        return source_prefix(source) if isinstance(source, str) else ""

    def decoded(self, events: Events) -> Sequence[Event]:
        """Events as the contract takes them.

        Raises:
            ComponentInputError: a text is no batch.
        """
        if not isinstance(events, EncodedEvents):
            return events
        self._text(events)
        try:
            return events.decoded()
        except UnreadableBatch as error:
            raise ComponentInputError(self._component, error.field, error.reason) from None

    def _checked(self, events: EncodedEvents) -> str:
        # The guest looks into it. What it cannot know is what this contract could not carry.
        text = self._text(events)
        if self._from_1970 or self._is_narrow or len(text) > self._limit:
            self._lower.events(self.decoded(events))
        return text

    def _text(self, events: EncodedEvents) -> str:
        self._lower.text(events.source, "events.source")
        return self._lower.text(events.text, "events")

    def _encoded(self, events: Sequence[Event], source: str, offset: int) -> str:
        try:
            batch = encode_batch(events, source)
            if self._fits(events, batch):
                return batch
        except Exception:  # noqa: BLE001, S110 - whatever it is, the next line says it better
            pass
        self._lower.events(events, offset=offset)
        return encode_batch(events, source)

    def _fits(self, events: Sequence[Event], batch: str) -> bool:
        """Whether it is plain to see that the contract could carry them."""
        if self._is_narrow or len(batch) > self._limit:
            return False
        if not all(issubclass(kind, Event) for kind in set(map(type, events))):
            return False
        extensions = [event.extensions for event in events]
        if set().union(*extensions) & CONTEXT_ATTRIBUTES:
            return False
        if self._from_1970 and not _all_since_1970(events):
            return False
        return batch.isascii() or bool(batch.encode())


def header(parcels: Sequence[Parcel]) -> str:
    """The header of a call with these parcels, which share context and source."""
    first = parcels[0]
    facts = {
        **first.context,
        "source": first.source,
        "modified": [parcel.modified for parcel in parcels],
        "counts": [parcel.count for parcel in parcels],
    }
    return json.dumps(facts, ensure_ascii=False, separators=(",", ":"))


def _content(content: bytes | None) -> Content:
    if content is None:
        return (None, None)
    try:
        return (content.decode(), None)
    except UnicodeDecodeError:
        return (None, content)


def _all_since_1970(events: Sequence[Event]) -> bool:
    return all(
        (event.time is None or event.time >= EPOCH)
        and not any(type(value) is TimestampExtension for value in event.extensions.values())
        for event in events
    )
