"""Events whose fields are read out of what they came in, when a rule asks for them.

Most views look at two or three fields of an event. Building all of them, and checking again what was
checked before the event was stored, costs more than such a view itself.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from itertools import repeat
from operator import attrgetter
from typing import Any, ClassVar, TypeVar

from evidentsource_core.domain.events import Event

_FIELDS = Event.__slots__


class LazyEvent(Event):
    """An event that reads a field the first time it is asked for, and in everything else an event.

    A subclass says how in :attr:`readers`, or has a property where reading costs nothing.
    """

    __slots__ = ("_raw",)
    _raw: Any

    readers: ClassVar[Mapping[str, Callable[[Any], Any]]] = {}
    """How a field is read; what is read is kept."""

    def __new__(cls, *args: Any, **fields: Any) -> Event:  # type: ignore[misc]  # see below
        """An ordinary event: whoever calls the class has all fields, as ``dataclasses.replace``."""
        return Event(*args, **fields)

    def __getattr__(self, name: str) -> Any:
        # Only called for a slot that is still empty.
        read = self.readers.get(name)
        if read is None:
            raise AttributeError(f"'Event' object has no attribute {name!r}")
        value = read(self)
        SLOTS[name](self, value)
        return value

    def __reduce__(self) -> Any:
        return (Event, all_fields(self))

    def __repr__(self) -> str:
        return repr(Event(*all_fields(self)))


all_fields: Callable[[Event], tuple[Any, ...]] = attrgetter(*_FIELDS)
"""The fields of an event, in the order of its constructor."""

# The slots' own setters: an Event is immutable to everybody else, and its constructor would check
# again what was checked when the event was stored.
SLOTS: Mapping[str, Callable[[Any, Any], None]] = {
    name: getattr(Event, name).__set__ for name in _FIELDS
}
"""What sets each field of an event."""
_set_raw = LazyEvent.__dict__["_raw"].__set__

T = TypeVar("T", bound=LazyEvent)


def make_events(kind: type[T], raws: list[Any]) -> list[T]:
    """One event of ``kind`` for each of what events come in; in loops that run in C."""
    events: list[T] = list(map(object.__new__, repeat(kind, len(raws))))
    set_each(_set_raw, events, raws)
    return events


def set_each(setter: Callable[[Any, Any], None], events: list[Any], values: Iterable[Any]) -> None:
    """Set a slot of each event."""
    deque(map(setter, events, values), maxlen=0)
