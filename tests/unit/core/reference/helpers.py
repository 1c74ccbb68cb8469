"""A clock that can be set, short events, and generated histories with what to ask of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from evidentsource_core import (
    AndSelector,
    EffectiveTimeRange,
    EqualsSelector,
    Event,
    EventSelector,
    OrSelector,
    ProspectiveEvent,
    QueryDirection,
    QueryOptions,
    RangeCursor,
    RevisionRange,
    Selector,
    StreamAttribute,
    StreamPrefix,
    SubjectAttribute,
    SubjectPrefix,
)
from evidentsource_core.domain.selectors import EventTypeAttribute
from evidentsource_core.reference import ReferenceDatabase

START = datetime(2024, 1, 1, tzinfo=UTC)


def day(number: int) -> datetime:
    """Midnight of a day, the first being that on which databases are created here."""
    return START + timedelta(days=number)


class Clock:
    """Tells the time it was set to."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def event(
    event_id: str,
    subject: str | None = "a-1",
    *,
    stream: str = "accounts",
    event_type: str = "account.credited",
    **fields: Any,
) -> ProspectiveEvent:
    return ProspectiveEvent(event_id, stream, event_type, subject, **fields)


def bank(**arguments: Any) -> ReferenceDatabase:
    """A database whose clock stands still at its creation unless another is given."""
    defaults: dict[str, Any] = {"clock": Clock(), "created_at": START}
    return ReferenceDatabase("bank", **(defaults | arguments))


def ids(events: list[Event] | tuple[Event, ...]) -> list[str]:
    return [each.id for each in events]


# --- generated histories -------------------------------------------------------------------------

STREAMS = ("aa", "ab", "b1")
SUBJECTS = ("x", "xy", "z", None)
TYPES = ("opened", "closed", "open")

days = st.integers(-2, 6).map(day)
shapes = st.tuples(
    st.sampled_from(STREAMS), st.sampled_from(SUBJECTS), st.sampled_from(TYPES), st.none() | days
)
batches = st.lists(st.lists(shapes, min_size=1, max_size=4), max_size=6)

leaves = (
    st.sampled_from(STREAMS).map(Selector.stream)
    | st.sampled_from(SUBJECTS).map(Selector.subject)
    | st.sampled_from(TYPES).map(Selector.event_type)
    | st.sampled_from(("a", "aa", "c")).map(Selector.stream_starts_with)
    | st.sampled_from(("x", "z")).map(Selector.subject_starts_with)
    | st.sampled_from(("open", "c")).map(Selector.event_type_starts_with)
)
selectors = st.recursive(
    leaves,
    lambda inner: st.builds(AndSelector, inner, inner) | st.builds(OrSelector, inner, inner),
    max_leaves=6,
)
ranges = (
    st.none()
    | st.builds(RevisionRange, st.none() | st.integers(0, 12))
    | st.builds(
        EffectiveTimeRange,
        st.none() | st.builds(RangeCursor, days, st.integers(0, 12)),
        st.none() | days,
    )
)
options = st.builds(
    QueryOptions,
    direction=st.sampled_from(QueryDirection),
    limit=st.none() | st.integers(0, 5),
    range=ranges,
)


def named(batch: list[tuple[str, str | None, str, datetime | None]], prefix: str) -> list[Any]:
    """Generated shapes as events with ids of their own."""
    return [
        event(
            f"{prefix}-{i}",
            subject,
            stream=stream,
            event_type=kind,
            time=time,
            data=f"{prefix}-{i}",
        )
        for i, (stream, subject, kind, time) in enumerate(batch)
    ]


def filled(history: list[Any], **arguments: Any) -> ReferenceDatabase:
    """A database with one transaction a day."""
    clock = Clock()
    database = bank(clock=clock, **arguments)
    for number, batch in enumerate(history):
        clock.now = day(number)
        database.transact(named(batch, f"t{number}"))
    return database


def selects(selector: EventSelector, found: Event) -> bool:
    """What a selector means, said once more and differently."""
    if isinstance(selector, AndSelector):
        return selects(selector.left, found) and selects(selector.right, found)
    if isinstance(selector, OrSelector):
        return selects(selector.left, found) or selects(selector.right, found)
    stream = found.source.rsplit("/", 1)[1]
    if isinstance(selector, EqualsSelector):
        attribute = selector.attribute
        if isinstance(attribute, StreamAttribute):
            return stream == str(attribute.stream)
        if isinstance(attribute, SubjectAttribute):
            wanted = attribute.subject
            return found.subject == (None if wanted is None else str(wanted))
        assert isinstance(attribute, EventTypeAttribute)
        return found.event_type == str(attribute.event_type)
    prefix = selector.prefix
    if isinstance(prefix, StreamPrefix):
        return stream.startswith(str(prefix.stream))
    if isinstance(prefix, SubjectPrefix):
        return found.subject is not None and found.subject.startswith(str(prefix.subject))
    return found.event_type.startswith(str(prefix.event_type))
