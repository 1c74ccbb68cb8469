"""What a selector compares: one of three attributes of an event, as a whole or by its beginning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from evidentsource_core.domain.errors import InvalidType
from evidentsource_core.domain.identifiers import (
    EventSubject,
    EventType,
    StreamName,
    StreamNamePrefix,
)


def _coerce(value: object, field: str, kind: type[Any], also: type[Any] | None = None) -> None:
    """Let a plain string, or a name of the class ``also``, stand for a ``kind``."""
    current = getattr(value, field)
    if type(current) is kind:
        return
    if isinstance(current, (kind, also or kind)):
        current = current.value
    if not isinstance(current, str):
        owner = f"{type(value).__name__}.{field}"
        raise InvalidType(owner, f"{kind.__name__} or str", current)
    object.__setattr__(value, field, kind(current))


@dataclass(frozen=True, slots=True)
class StreamAttribute:
    """The stream is exactly this one."""

    stream: StreamName

    def __post_init__(self) -> None:
        _coerce(self, "stream", StreamName)


@dataclass(frozen=True, slots=True)
class SubjectAttribute:
    """The subject is exactly this one; None means that the event has no subject."""

    subject: EventSubject | None

    def __post_init__(self) -> None:
        if self.subject is not None:
            _coerce(self, "subject", EventSubject)


@dataclass(frozen=True, slots=True)
class EventTypeAttribute:
    """The type is exactly this one."""

    event_type: EventType

    def __post_init__(self) -> None:
        _coerce(self, "event_type", EventType)


EventAttribute: TypeAlias = StreamAttribute | SubjectAttribute | EventTypeAttribute


@dataclass(frozen=True, slots=True)
class StreamPrefix:
    """The stream's name starts with this; one character is enough."""

    stream: StreamName

    def __post_init__(self) -> None:
        _coerce(self, "stream", StreamNamePrefix, StreamName)


@dataclass(frozen=True, slots=True)
class SubjectPrefix:
    """The subject starts with this; one character is enough."""

    subject: EventSubject

    def __post_init__(self) -> None:
        _coerce(self, "subject", EventSubject)


@dataclass(frozen=True, slots=True)
class EventTypePrefix:
    """The type starts with this; one character is enough."""

    event_type: EventType

    def __post_init__(self) -> None:
        _coerce(self, "event_type", EventType)


EventAttributePrefix: TypeAlias = StreamPrefix | SubjectPrefix | EventTypePrefix
