"""Content negotiation: bytes and a content type to values and back. JSON is what is built in."""

from __future__ import annotations

from typing import Any

from evidentsource_core.domain.errors import (
    DeserializationFailed,
    NoBody,
    UnsupportedContentType,
)
from evidentsource_core.domain.state_change import is_json
from evidentsource_core.jsontext import dumps, loads

__all__ = [
    "DeserializationFailed",
    "NoBody",
    "UnsupportedContentType",
    "deserialize_state",
    "negotiate_command",
    "serialize_state",
]


def negotiate_command(content_type: str | None, body: bytes | None) -> Any:
    """The value in a command's body. No content type means JSON.

    Raises:
        NoBody: the body is missing or empty.
        UnsupportedContentType: the type is not JSON.
        DeserializationFailed: the bytes are no JSON.

    >>> negotiate_command("application/vnd.bank+json; v=1", b'{"amount": 5}')
    {'amount': 5}
    """
    if not body:
        raise NoBody
    if not is_json(content_type):
        raise UnsupportedContentType(str(content_type))
    return loads(body)


def serialize_state(state: Any, content_type: str | None = None) -> bytes | None:
    """A state's plain values as bytes; None for None. No content type means JSON.

    Raises:
        UnsupportedContentType: the type is not JSON.
        SerializationFailed: a value has no form in JSON; the message names the path to it.

    >>> serialize_state({"balance": 5})
    b'{"balance": 5}'
    """
    if not is_json(content_type):
        raise UnsupportedContentType(str(content_type))
    return None if state is None else dumps(state)


def deserialize_state(data: bytes | None, content_type: str | None = None) -> Any:
    """The plain values in a state's bytes; None where there are no bytes.

    Raises:
        UnsupportedContentType: the type is not JSON.
        DeserializationFailed: the bytes are no JSON.
    """
    if not is_json(content_type):
        raise UnsupportedContentType(str(content_type))
    return loads(data) if data else None
