"""Names and ids: small immutable values that cannot be built wrong.

>>> StreamName("accounts").value
'accounts'
>>> StreamName("1st")
Traceback (most recent call last):
...
evidentsource_core.domain.value_errors.InvalidStreamName: invalid stream name: '1st'; it must be ...
"""

from __future__ import annotations

import re
from functools import total_ordering
from typing import Any, ClassVar, Self

from evidentsource_core.domain.errors import (
    IdentifierError,
    InvalidDatabaseName,
    InvalidEventId,
    InvalidEventSubject,
    InvalidEventType,
    InvalidStateChangeName,
    InvalidStateViewName,
    InvalidStreamName,
    InvalidType,
    InvalidValue,
)

NAME_PATTERN_STR = r"^[a-zA-Z][a-zA-Z0-9\-_.]{1,127}\Z"
"""A name of a database, stream, state view or state change. ``\\Z``, since ``$`` lets a newline by."""
NAME_PATTERN = re.compile(NAME_PATTERN_STR)

SAFE_DELIMITER = "\x1f"
"""The unit separator, which no id, type or subject contains."""
SEQUENCE_KEY = "sequence"
"""The extension attribute of a stored event that holds its revision."""
RECORDEDTIME_KEY = "recordedtime"
"""The extension attribute of a stored event that holds when it was recorded."""

MAX_TEXT_LENGTH = 255
"""Characters in an event id, type or subject."""

_NAME_PREFIX = re.compile(r"[a-zA-Z][a-zA-Z0-9\-_.]{0,127}\Z")
# CloudEvents 1.0.2, "Type System": strings hold no control characters; a lone surrogate is no
# character at all and has no UTF-8 form.
_TEXT = re.compile(rf"(?!\s*\Z)[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{{1,{MAX_TEXT_LENGTH}}}\Z")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


@total_ordering
class _Identifier:
    """A checked string. Two are equal when they are of one family and hold the same text."""

    __slots__ = ("value",)
    _error: ClassVar[type[IdentifierError]]
    _family: ClassVar[str]
    _rule: ClassVar[re.Pattern[str]]
    value: str

    def __init__(self, value: str) -> None:
        given: object = value
        if not isinstance(given, str) or not self._rule.match(given):
            raise self._error(given)
        object.__setattr__(self, "value", value)

    @classmethod
    def problem(cls, value: str) -> IdentifierError | None:
        """What keeps ``value`` from being one, if something does: the error that making it raises."""
        return None if cls._rule.match(value) else cls._error(value)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable")

    def __str__(self) -> str:
        return self.value

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.value!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Identifier) or other._family != self._family:
            return NotImplemented
        return self.value == other.value

    def __hash__(self) -> int:
        return hash((self._family, self.value))

    def __lt__(self, other: Self) -> bool:
        if self._family != getattr(other, "_family", None):
            return NotImplemented
        return self.value < other.value

    def __reduce__(self) -> Any:
        return (type(self), (self.value,))


class _Name(_Identifier):
    __slots__ = ()
    _rule = NAME_PATTERN


class _Text(_Identifier):
    __slots__ = ()
    _rule = _TEXT


class DatabaseName(_Name):
    """The name of a database: a letter, then 1 to 127 of letters, digits, ``-``, ``_``, ``.``."""

    __slots__ = ()
    _error = InvalidDatabaseName
    _family = "database"


class StateViewName(_Name):
    """The name of a state view, by the same rule as :class:`DatabaseName`."""

    __slots__ = ()
    _error = InvalidStateViewName
    _family = "state-view"


class StateChangeName(_Name):
    """The name of a state change, by the same rule as :class:`DatabaseName`."""

    __slots__ = ()
    _error = InvalidStateChangeName
    _family = "state-change"


class StreamName(_Name):
    """The name of a stream, by the same rule as :class:`DatabaseName`."""

    __slots__ = ()
    _error = InvalidStreamName
    _family = "stream"

    @classmethod
    def from_source(cls, url: str) -> Self:
        """The stream that a CloudEvents ``source`` names: a full URI or the bare name.

        Raises:
            InvalidStreamName: it names none.

        >>> StreamName.from_source("https://host/db/streams/streams/orders/?page=2")
        StreamName('orders')
        """
        name = stream_of(url)
        if name is None:
            raise InvalidStreamName(url)
        return cls(name)


class StreamNamePrefix(StreamName):
    """The beginning of a stream name; one character is enough."""

    __slots__ = ()
    _rule = _NAME_PREFIX


class EventId(_Text):
    """The id of an event: not blank, under 256 characters, no control characters."""

    __slots__ = ()
    _error = InvalidEventId
    _family = "event-id"


class EventType(_Text):
    """The type of an event, by the same rule as :class:`EventId`."""

    __slots__ = ()
    _error = InvalidEventType
    _family = "event-type"


class EventSubject(_Text):
    """The subject of an event, by the same rule as :class:`EventId`."""

    __slots__ = ()
    _error = InvalidEventSubject
    _family = "event-subject"

    @classmethod
    def from_optional(cls, value: str | None) -> Self | None:
        """The subject, or None for None."""
        return None if value is None else cls(value)


def check_text(owner: str, field: str, value: object) -> str:
    r"""``value`` if it is text that can be carried anywhere; other types and lone surrogates are not.

    Raises:
        InvalidType: ``value`` is no ``str``.
        InvalidValue: it holds a surrogate without its other half, which has no form in UTF-8.

    >>> check_text("Event", "subject", "account \ud83d")
    Traceback (most recent call last):
    ...
    evidentsource_core.domain.value_errors.InvalidValue: Event.subject: character 8 is half ...
    """
    if type(value) is str and value.isascii():
        return value
    if not isinstance(value, str):
        raise InvalidType(f"{owner}.{field}", "str", value)
    if half := _SURROGATE.search(value):
        raise InvalidValue(
            f"{owner}.{field}",
            f"character {half.start()} is half a surrogate pair, which no UTF-8 can carry",
        )
    return value


def stream_of(source: str) -> str | None:
    """The text behind the last ``/streams/`` of a source's path, or a source without any slash.

    The last one, because a database may itself be called ``streams``.

    >>> stream_of("https://host/db/streams/streams/my")
    'my'
    >>> stream_of("orders")
    'orders'
    >>> stream_of("urn:x/y") is None
    True
    """
    path = source.partition("#")[0].partition("?")[0]
    if "/" not in path:
        return path or None
    path = path.rstrip("/")
    _, found, name = path.rpartition("/streams/")
    return name if found and name and "/" not in name else None
