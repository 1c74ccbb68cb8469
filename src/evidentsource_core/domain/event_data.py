"""The payload of an event: bytes, or text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from evidentsource_core.domain.errors import InvalidType
from evidentsource_core.domain.identifiers import check_text

_JSON_HINT = "for JSON pass StringEventData(json.dumps(...))"


@dataclass(frozen=True, slots=True)
class BinaryEventData:
    """A payload of bytes."""

    data: bytes

    def __post_init__(self) -> None:
        if not isinstance(self.data, bytes):
            raise InvalidType("BinaryEventData.data", "bytes", self.data)

    def as_bytes(self) -> bytes:
        """The payload."""
        return self.data


@dataclass(frozen=True, slots=True)
class StringEventData:
    """A payload of text."""

    data: str

    def __post_init__(self) -> None:
        if not isinstance(self.data, str):
            raise InvalidType("StringEventData.data", "str", self.data, _JSON_HINT)
        check_text("StringEventData", "data", self.data)

    def as_bytes(self) -> bytes:
        """The payload in UTF-8."""
        return self.data.encode()


EventData: TypeAlias = BinaryEventData | StringEventData


def event_data_as_bytes(data: EventData) -> bytes:
    r"""The payload's bytes; text in UTF-8.

    >>> event_data_as_bytes(StringEventData("é"))
    b'\xc3\xa9'
    """
    return data.as_bytes()


def event_data(kind: str, value: object) -> EventData:
    """A payload, made of plain text or bytes where it is none yet.

    Args:
        kind: the class of the event, for messages.
        value: the payload.

    Raises:
        InvalidType: it is neither.

    >>> event_data("Event", "{}")
    StringEventData(data='{}')
    """
    if type(value) is str and value.isascii():
        # Nearly every payload is of this kind, which has nothing to be checked.
        return text_data(value)
    if isinstance(value, str):
        return StringEventData(value)
    if isinstance(value, (StringEventData, BinaryEventData)):
        return value
    if isinstance(value, (bytes, bytearray, memoryview)):
        return BinaryEventData(bytes(value))
    expected = "StringEventData, BinaryEventData, str, bytes or None"
    raise InvalidType(f"{kind}.data", expected, value, _JSON_HINT)


def text_data(text: str) -> StringEventData:
    """A payload of text that is known to be one, which nothing is checked of.

    >>> text_data("{}") == StringEventData("{}")
    True
    """
    data: StringEventData = _new(StringEventData)
    _set_text(data, text)
    return data


_new = object.__new__
_set_text = StringEventData.__dict__["data"].__set__
