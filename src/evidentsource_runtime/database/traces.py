"""Why a transaction is there: what was asked, by whom, of which code, and what it had read.

>>> trace = Trace("t-1", 3, "deposit", 1, headers=(("Authorization", "Bearer x"),))
>>> kept_headers(trace.headers)
(('Authorization', '(not kept)'),)
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime
from typing import Any, Final

from evidentsource_core.domain.attributes import EventAttribute
from evidentsource_core.domain.errors import InvalidType
from evidentsource_core.domain.selectors import EventSelector
from evidentsource_core.domain.state_change import Command
from evidentsource_core.rules import selector_in_words
from evidentsource_core.times import format_rfc3339, parse_rfc3339
from evidentsource_runtime.database.definitions import binding_text
from evidentsource_runtime.database.programs import Origin

__all__ = ["QueryRead", "Reads", "Trace", "ViewRead", "kept_headers"]

SECRET: Final = frozenset(
    {"authorization", "cookie", "proxy-authorization", "set-cookie", "x-api-key"}
)
"""Headers that say who somebody is in a way that others could use; their values are not kept."""
_NOT_KEPT: Final = "(not kept)"


@dataclass(frozen=True, slots=True)
class ViewRead:
    """A state view that a decision read.

    Args:
        name: the view.
        version: its version.
        parameters: as JSON, ``[[name, kind, value], ...]``.
        revision: the revision it was read at, speculated events included.
        effective_at: the bound on effective time, if there was one.
        last_modified: the revision of the last event in it; None where there was no view.
    """

    name: str
    version: int
    parameters: str
    revision: int
    effective_at: datetime | None
    last_modified: int | None


@dataclass(frozen=True, slots=True)
class QueryRead:
    """A query that a decision made.

    Args:
        selector: in words.
        revision: the revision it was made at.
        effective_at: the bound on effective time, if there was one.
        events: how many events it gave.
    """

    selector: str
    revision: int
    effective_at: datetime | None
    events: int


@dataclass(slots=True)
class Reads:
    """Notes what is read while a decision is made."""

    views: list[ViewRead] = field(default_factory=list)
    queries: list[QueryRead] = field(default_factory=list)

    def view(
        self,
        name: str,
        version: int,
        parameters: Iterable[tuple[str, EventAttribute]],
        revision: int,
        effective_at: datetime | None,
        last_modified: int | None,
    ) -> None:
        """A view was read."""
        text = binding_text(parameters)
        self.views.append(ViewRead(name, version, text, revision, effective_at, last_modified))

    def query(
        self, selector: EventSelector, revision: int, effective_at: datetime | None, events: int
    ) -> None:
        """A query was made."""
        words = selector_in_words(selector)
        self.queries.append(QueryRead(words, revision, effective_at, events))


@dataclass(frozen=True, slots=True)
class Trace:
    """Why a transaction was committed.

    Args:
        transaction_id: the transaction.
        revision: that of the transaction.
        state_change: the name of the state change; None where events were appended as they are.
        version: its version.
        origin: its code: the component's digest and the hash of what it was built from.
        command: the command as it came.
        headers: what came with it. The values of headers that are secret are not kept.
        principal: who asked, as the caller told.
        received_at: when the command came.
        decided_on: the revision that was decided on.
        last_seen: the revision that the caller wanted it decided on, if it named one.
        attempts: how many decisions it took; more than one where a race was lost.
        views: the views that the decision read.
        queries: the queries that it made.
        seconds: from the call to the commit, which comes on top.
    """

    transaction_id: str
    revision: int
    state_change: str | None = None
    version: int | None = None
    origin: Origin | None = None
    command: Command | None = None
    headers: tuple[tuple[str, str], ...] = ()
    principal: Mapping[str, Any] | None = None
    received_at: datetime | None = None
    decided_on: int | None = None
    last_seen: int | None = None
    attempts: int = 0
    views: tuple[ViewRead, ...] = ()
    queries: tuple[QueryRead, ...] = ()
    seconds: float = 0.0

    def of(self, transaction_id: str, revision: int) -> Trace:
        """The same for this transaction."""
        return replace(self, transaction_id=transaction_id, revision=revision)

    def to_json(self) -> dict[str, Any]:
        """As JSON values; a command's body that is no text stands under ``base64``."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        values["received_at"] = _time(self.received_at)
        values["headers"] = [list(each) for each in self.headers]
        values["origin"] = None if self.origin is None else asdict(self.origin)
        values["command"] = None if self.command is None else _command(self.command)
        for name in ("views", "queries"):
            reads = [asdict(each) for each in values[name]]
            values[name] = [{**each, "effective_at": _time(each["effective_at"])} for each in reads]
        return values

    def to_text(self) -> str:
        """As the file keeps it: the transaction itself stands beside."""
        values = self.to_json()
        del values["transaction_id"], values["revision"]
        return json.dumps(values, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_text(cls, text: str, transaction_id: str, revision: int) -> Trace:
        """The trace of :meth:`to_text`."""
        values = json.loads(text)
        values["received_at"] = _moment(values["received_at"])
        values["headers"] = tuple((name, value) for name, value in values["headers"])
        values["origin"] = values["origin"] and Origin(**values["origin"])
        values["command"] = values["command"] and _read_command(values["command"])
        for name, kind in (("views", ViewRead), ("queries", QueryRead)):
            values[name] = tuple(
                kind(**{**each, "effective_at": _moment(each["effective_at"])})
                for each in values[name]
            )
        return cls(transaction_id, revision, **values)


def kept_headers(headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Headers as a trace keeps them."""
    return tuple((name, _NOT_KEPT if name.lower() in SECRET else value) for name, value in headers)


def _command(command: Command) -> dict[str, Any]:
    values: dict[str, Any] = {
        "content_type": command.content_type,
        "content_schema": command.content_schema,
    }
    try:
        values["body"] = None if command.body is None else command.body.decode()
    except UnicodeDecodeError:
        values["base64"] = base64.b64encode(command.body or b"").decode()
    return values


def _read_command(values: dict[str, Any]) -> Command:
    if "base64" in values:
        body: bytes | None = base64.b64decode(values["base64"])
    else:
        text = values["body"]
        body = None if text is None else text.encode()
    return Command(body, values["content_type"], values["content_schema"])


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else format_rfc3339(moment)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else parse_rfc3339(text)


def checked_principal(principal: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """A copy of who acts, as a trace keeps it.

    Raises:
        InvalidType: it is no mapping of JSON values.
    """
    if principal is None:
        return None
    try:
        return dict(json.loads(json.dumps(dict(principal))))
    except (TypeError, ValueError) as error:
        raise InvalidType("principal", "a mapping of JSON values", principal) from error
