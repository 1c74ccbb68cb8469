"""Commands, and what can be wrong with one before any rule looks at it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self, TypeAlias, overload

from evidentsource_core.domain.errors import (
    CommandParseError,
    CommandRequestError,
    ContentNegotiationError,
    DeserializationFailed,
    EvidentSourceError,
    InvalidType,
    NoBody,
    SerializationFailed,
    UnsupportedContentType,
)
from evidentsource_core.domain.identifiers import StateChangeName, check_text
from evidentsource_core.domain.revision import check_revision
from evidentsource_core.jsontext import dumps, loads
from evidentsource_core.times import require_aware

__all__ = [
    "Command",
    "CommandParseError",
    "CommandRequest",
    "CommandRequestError",
    "ContentNegotiationError",
    "DeserializationFailed",
    "EvidentSourceError",
    "NoBody",
    "SerializationFailed",
    "StateChangeDefinitionSummary",
    "StateChangeMetadata",
    "StateChangeVersion",
    "TransactionOptions",
    "UnsupportedContentType",
    "is_json",
    "media_type",
]

StateChangeVersion: TypeAlias = int
"""Versions of one name count from 1."""


def media_type(content_type: str | None) -> str:
    """The media type without parameters, in lower case; JSON where there is none.

    >>> media_type("Application/JSON; charset=utf-8")
    'application/json'
    """
    bare = (content_type or "").partition(";")[0].strip().lower()
    return bare or "application/json"


def is_json(content_type: str | None) -> bool:
    """Whether a content type is JSON: ``application/json``, ``text/json``, or any ``+json``."""
    bare = media_type(content_type)
    return bare in ("application/json", "text/json") or bare.endswith("+json")


@dataclass(frozen=True, slots=True)
class Command:
    """A command as it arrives: bytes and what they are.

    >>> Command.json(b'{"amount": 5}').parse_json()
    {'amount': 5}
    """

    body: bytes | None = None
    content_type: str = "application/json"
    content_schema: str | None = None

    def __post_init__(self) -> None:
        _checked_body("Command.body", self.body)

    @classmethod
    def new(cls, body: bytes | None, content_type: str = "application/json") -> Command:
        """A command of that body and type."""
        return cls(body, content_type)

    @classmethod
    def json(cls, body: bytes) -> Command:
        """A command whose body is JSON already."""
        return cls(body)

    def with_schema(self, schema: str) -> Command:
        """The same command with the URI of its schema."""
        return replace(self, content_schema=schema)

    def get_body(self) -> bytes | None:
        """The body."""
        return self.body

    def get_content_type(self) -> str:
        """The content type."""
        return self.content_type

    def get_content_schema(self) -> str | None:
        """The URI of the schema."""
        return self.content_schema

    def is_json(self) -> bool:
        """Whether the content type is JSON, parameters and letter case aside."""
        return is_json(self.content_type)

    def parse_json(self) -> Any:
        """The body parsed as JSON.

        Raises:
            NoBody: there is none.
            UnsupportedContentType: the content type is not JSON.
            DeserializationFailed: the body is no JSON.
        """
        if not self.body:
            raise NoBody
        if not self.is_json():
            raise UnsupportedContentType(self.content_type)
        return loads(self.body)


class _WithBody:
    """``CommandRequest.with_body``: on the class it starts a request, on a request it goes on."""

    @overload
    def __get__(self, request: None, owner: type[Any]) -> Callable[[bytes], CommandRequest]: ...
    @overload
    def __get__(
        self, request: CommandRequest, owner: type[Any]
    ) -> Callable[[bytes], CommandRequest]: ...
    def __get__(
        self, request: CommandRequest | None, owner: type[Any]
    ) -> Callable[[bytes], CommandRequest]:
        start = CommandRequest() if request is None else request

        def with_body(body: bytes) -> CommandRequest:
            return replace(start, body=body)

        return with_body


@dataclass(frozen=True, slots=True, init=False)
class CommandRequest:
    """A command as a client sends it. Each ``with_`` method gives a changed copy.

    >>> request = CommandRequest.new().with_header("X-Trace", "7").with_body(b"{}")
    >>> (request.get_header("x-trace"), request.body)
    ('7', b'{}')
    """

    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    content_type: str | None = None
    content_schema: str | None = None

    with_body = _WithBody()

    def __init__(
        self,
        headers: Iterable[tuple[str, str]] = (),
        body: bytes | None = None,
        content_type: str | None = None,
        content_schema: str | None = None,
    ) -> None:
        set_field = object.__setattr__
        set_field(self, "headers", _checked_headers("CommandRequest.headers", headers))
        set_field(self, "body", _checked_body("CommandRequest.body", body))
        set_field(self, "content_type", content_type)
        set_field(self, "content_schema", content_schema)

    @classmethod
    def new(cls) -> CommandRequest:
        """A request without anything."""
        return cls()

    @classmethod
    def json(cls, value: object) -> CommandRequest:
        """A request whose body is ``value`` as JSON.

        Raises:
            SerializationFailed: ``value`` has no form in JSON.
        """
        return cls((("Content-Type", "application/json"),), dumps(value), "application/json")

    def with_header(self, name: str, value: str) -> Self:
        """With one more header."""
        return replace(self, headers=(*self.headers, (name, value)))

    def with_content_type(self, content_type: str) -> Self:
        """With that content type."""
        return replace(self, content_type=content_type)

    def with_content_schema(self, schema_url: str) -> Self:
        """With the URI of the body's schema."""
        return replace(self, content_schema=schema_url)

    def set_body(self, body: bytes) -> Self:
        """With that body."""
        return replace(self, body=body)

    def get_header(self, name: str) -> str | None:
        """The first header of that name, in any letter case."""
        return _first_header(self.headers, name)


def _checked_body(field: str, body: object) -> bytes | None:
    if not isinstance(body, (bytes, type(None))):
        raise InvalidType(field, "bytes or None", body)
    return body


def _checked_headers(field: str, headers: Iterable[object]) -> tuple[tuple[str, str], ...]:
    checked: list[tuple[str, str]] = []
    for header in headers:
        if not isinstance(header, (tuple, list)) or len(header) != 2:
            raise InvalidType(field, "pairs of a name and a value", header)
        name, value = header
        for part in (name, value):
            if not isinstance(part, str):
                raise InvalidType(field, "str as name and value of a header", part)
        checked.append((name, value))
    return tuple(checked)


def _first_header(headers: Iterable[tuple[str, str]], name: str) -> str | None:
    wanted = name.lower()
    return next((value for key, value in headers if key.lower() == wanted), None)


@dataclass(frozen=True, slots=True, init=False)
class StateChangeMetadata:
    """What a ``decide`` is told beside the command.

    ``command_received_at`` is the time to decide by: it is the same when the decision is repeated,
    which no clock is.

    >>> from evidentsource_core.times import from_parts
    >>> metadata = StateChangeMetadata("deposit", 1, 0, from_parts(0), [("X-Trace", "7")])
    >>> metadata.get_header("x-trace")
    '7'
    """

    state_change_name: str
    state_change_version: int
    last_seen_revision: int
    command_received_at: datetime
    command_headers: tuple[tuple[str, str], ...] = ()

    def __init__(
        self,
        state_change_name: str,
        state_change_version: int,
        last_seen_revision: int,
        command_received_at: datetime,
        command_headers: Iterable[tuple[str, str]] = (),
    ) -> None:
        set_field, kind = object.__setattr__, "StateChangeMetadata"
        check_text(kind, "state_change_name", state_change_name)
        set_field(self, "state_change_name", state_change_name)
        version: object = state_change_version
        if isinstance(version, bool) or not isinstance(version, int):
            raise InvalidType(f"{kind}.state_change_version", "int", version)
        set_field(self, "state_change_version", state_change_version)
        check_revision(last_seen_revision, f"{kind}.last_seen_revision")
        set_field(self, "last_seen_revision", last_seen_revision)
        require_aware(f"{kind}.command_received_at", command_received_at)
        set_field(self, "command_received_at", command_received_at)
        headers = _checked_headers(f"{kind}.command_headers", command_headers)
        set_field(self, "command_headers", headers)

    def get_header(self, name: str) -> str | None:
        """The first header of that name, in any letter case."""
        return _first_header(self.command_headers, name)


@dataclass(frozen=True, slots=True)
class TransactionOptions:
    """What a client may say of a transaction beside its content."""

    transaction_id: str | None = None
    correlation_id: str | None = None
    causation_id: str | None = None


@dataclass(frozen=True, slots=True)
class StateChangeDefinitionSummary:
    """A published state change: its name and version."""

    name: StateChangeName
    version: StateChangeVersion
