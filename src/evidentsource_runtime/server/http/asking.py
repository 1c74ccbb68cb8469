"""A request, as the operations read it; every error names the part of the request that is wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from starlette.requests import Request

from evidentsource_core.domain.errors import DeserializationFailed
from evidentsource_core.domain.revision import MAX_REVISION
from evidentsource_core.jsontext import loads
from evidentsource_core.times import parse_rfc3339
from evidentsource_runtime.server.access import Admission, Principal
from evidentsource_runtime.server.http.operations import Operation
from evidentsource_runtime.server.service import InvalidRequest, Service
from evidentsource_runtime.server.service.errors import reading

__all__ = ["LATEST", "Ask", "whole_number"]

LATEST = "latest"


@dataclass(slots=True)
class Ask:
    """One request, and what answers it.

    Args:
        request: the request.
        caller: who sends it.
        service: what is asked.
        admission: lets streams in.
        operation: what is asked for.
        beside: headers that go with the answer, whether that is a result or a refusal.
    """

    request: Request
    caller: Principal
    service: Service
    admission: Admission
    operation: Operation
    beside: dict[str, str] = field(default_factory=dict)

    # --- the path ------------------------------------------------------------------------------

    @property
    def database(self) -> str:
        """The name of the database, as it was written."""
        return self.path("database")

    def path(self, name: str) -> str:
        """A part of the path."""
        text: str = self.request.path_params[name]
        return text

    def revision(self, name: str = "revision") -> int | None:
        """A revision in the path; None for the latest."""
        text = self.path(name)
        return None if text == LATEST else whole_number(text, name, or_latest=True)

    def version(self) -> int | None:
        """A version in the path, from 1; None for the latest."""
        text = self.path("version")
        return None if text == LATEST else whole_number(text, "version", 1, or_latest=True)

    # --- the query string ----------------------------------------------------------------------

    def text(self, name: str) -> str | None:
        """A parameter as it stands."""
        return self.request.query_params.get(name)

    def needed(self, name: str) -> str:
        """A parameter that has to be there."""
        found = self.text(name)
        if not found:
            raise InvalidRequest(name, "is missing in the query string")
        return found

    def whole(self, name: str, least: int = 0, most: int = MAX_REVISION) -> int | None:
        """A parameter that is a whole number."""
        text = self.text(name)
        return None if text is None else whole_number(text, name, least, most)

    def moment(self, name: str) -> datetime | None:
        """A parameter that is a time, as RFC 3339 says it."""
        text = self.text(name)
        if text is None:
            return None
        with reading(name):
            # A plus sign that was not encoded arrives as a space.
            return parse_rfc3339(text.replace(" ", "+"), name)

    def flag(self, name: str) -> bool:
        """A parameter that is true or false; false where it is missing."""
        text = self.text(name)
        if text not in {None, "true", "false"}:
            raise InvalidRequest(name, f"must be true or false, got {text!r}")
        return text == "true"

    def one_of(self, name: str, *known: str) -> str:
        """A parameter that is one of these; the first where it is missing."""
        text = self.text(name) or known[0]
        if text not in known:
            raise InvalidRequest(name, f"must be {' or '.join(known)}, got {text!r}")
        return text

    # --- headers and body ----------------------------------------------------------------------

    def header(self, name: str) -> str | None:
        """A header; None where it is missing or empty."""
        return self.request.headers.get(name) or None

    def accepts(self, media: str) -> bool:
        """Whether the request asks for a media type by name."""
        accepted = self.request.headers.get("accept", "")
        return any(part.partition(";")[0].strip() == media for part in accepted.split(","))

    def last_event(self) -> int | None:
        """Where a stream was left, as ``Last-Event-ID`` says; None for a new one."""
        text = self.header("last-event-id")
        return None if text is None else whole_number(text, "last-event-id")

    async def json(self, field: str = "body") -> Any:
        """The body as JSON."""
        content = await self.request.body()
        try:
            return loads(content)
        except DeserializationFailed as error:
            raise InvalidRequest(field, str(error), error) from error

    async def object(self, *known: str) -> dict[str, Any]:
        """The body as a JSON object with no other members than these."""
        return checked_object(await self.json(), "body", known)


def checked_object(value: object, field: str, known: tuple[str, ...]) -> dict[str, Any]:
    """A JSON object that has no other members than these."""
    if not isinstance(value, dict):
        raise InvalidRequest(field, f"must be an object, got {type(value).__name__}")
    for name in value:
        if name not in known:
            raise InvalidRequest(f"{field}.{name}", f"is not known; known are {', '.join(known)}")
    return value


def whole_number(
    text: str, field: str, least: int = 0, most: int = MAX_REVISION, *, or_latest: bool = False
) -> int:
    """A whole number in a text.

    >>> whole_number("7", "revision")
    7
    """
    if text.isascii() and text.isdecimal() and len(text) <= 20 and least <= int(text) <= most:
        return int(text)
    latest = f", or {LATEST}" if or_latest else ""
    raise InvalidRequest(field, f"must be a whole number from {least} to {most}{latest}: {text!r}")
