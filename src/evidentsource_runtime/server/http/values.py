"""Domain values as JSON values, and back: the one room for it on this interface."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from evidentsource_core.domain.attributes import (
    EventAttribute,
    EventTypeAttribute,
    StreamAttribute,
    SubjectAttribute,
)
from evidentsource_core.domain.constraints import AppendCondition, Constraint
from evidentsource_core.domain.definitions import StateChangeDefinition, StateViewDefinition
from evidentsource_core.domain.identifiers import EventSubject, EventType, StreamName
from evidentsource_core.domain.revision import Range
from evidentsource_core.domain.selectors import EventSelector
from evidentsource_core.times import format_rfc3339
from evidentsource_runtime.build.selectors import (
    SelectorFormError,
    read_selector,
    selector_json,
)
from evidentsource_runtime.cloudevents import event_json
from evidentsource_runtime.database import PublishedChange, PublishedView
from evidentsource_runtime.server.http.asking import checked_object
from evidentsource_runtime.server.service import (
    About,
    Committed,
    DatabaseState,
    InvalidRequest,
    LiveView,
    Summary,
)
from evidentsource_runtime.server.service.errors import reading

__all__ = [
    "ATTRIBUTES",
    "about_json",
    "committed_json",
    "condition_from",
    "definition_json",
    "etag",
    "live_view_json",
    "selector_from",
    "state_json",
    "summary_json",
]

ATTRIBUTES: Final[dict[str, Callable[[str], EventAttribute]]] = {
    "stream": lambda text: StreamAttribute(StreamName(text)),
    "subject": lambda text: SubjectAttribute(EventSubject(text)),
    "event_type": lambda text: EventTypeAttribute(EventType(text)),
}


def state_json(state: DatabaseState) -> dict[str, Any]:
    """A database at a revision."""
    return {
        "name": state.name,
        "created_at": format_rfc3339(state.created_at),
        "basis": state.basis,
        "revision": state.revision,
        "revision_timestamp": format_rfc3339(state.revision_timestamp),
    }


def summary_json(summary: Summary) -> dict[str, Any]:
    """A transaction without its events."""
    return {
        "id": summary.id,
        "database": summary.database,
        "basis": summary.basis,
        "revision": summary.revision,
        "event_count": summary.revision - summary.basis,
        "timestamp": format_rfc3339(summary.timestamp),
        "metadata": about_json(summary.about),
    }


def about_json(about: About) -> dict[str, Any]:
    """What is told of a transaction; what is not known is left out."""
    origin = about.origin
    values: dict[str, Any] = {
        "transport": None if origin.transport is None else origin.transport.value,
        "state_change": origin.state_change,
        "version": origin.version if origin.state_change else None,
        "last_read_revision": about.last_read_revision,
        "principal_attributes": dict(about.principal_attributes) or None,
        "commit_message": about.commit_message,
        "correlation_id": about.correlation_id,
        "causation_id": about.causation_id,
    }
    return {name: value for name, value in values.items() if value is not None}


def committed_json(committed: Committed) -> dict[str, Any]:
    """A transaction with its events."""
    return summary_json(committed.summary) | {"events": [event_json(e) for e in committed.events]}


def definition_json(published: PublishedView | PublishedChange) -> dict[str, Any]:
    """One version of what is published, and which code it has."""
    definition, origin = published.definition, published.origin
    values: dict[str, Any] = {
        "name": str(definition.name),
        "version": definition.version,
        "description": definition.description,
        "published_at": format_rfc3339(published.published_at),
        "code": {"kind": origin.kind, "digest": origin.digest, "input_hash": origin.input_hash},
    }
    if isinstance(definition, StateViewDefinition):
        values |= {
            "event_selector": selector_json(definition.selector),
            "parameters": definition.selector.parameters,
            "query_temporality": definition.temporality.value,
            "content_type": definition.content_type,
            "content_schema": definition.content_schema,
        }
    else:
        values["source_code_uri"] = definition.source_code_uri
    return values


def identity_json(definition: StateViewDefinition | StateChangeDefinition) -> dict[str, Any]:
    """The name and the version of what was published."""
    kind = "state_view" if isinstance(definition, StateViewDefinition) else "state_change"
    return {f"{kind}_name": str(definition.name), "version": definition.version}


def live_view_json(live: LiveView) -> tuple[int, dict[str, Any]]:
    """A view as it was at a revision: its id in a stream, and its value."""
    view = live.view
    content: Any = None
    if view.content is not None:
        content = view.content.decode("utf-8", "replace")
    return live.revision, {
        "revision": live.revision,
        "last_modified_revision": view.last_modified_revision,
        "content_type": view.content_type,
        "content": content,
    }


def etag(*parts: object) -> str:
    """A tag that is the same for the same parts, and for no others.

    >>> etag("bank", 7) == etag("bank", 7) != etag("bank", 8)
    True
    """
    digest = hashlib.sha256()
    for part in parts:
        content = part if isinstance(part, bytes) else repr(part).encode()
        digest.update(len(content).to_bytes(8, "big") + content)
    return f'"{digest.hexdigest()[:32]}"'


# --- in ----------------------------------------------------------------------------------------


def selector_from(value: object, field: str) -> EventSelector:
    """A selector without parameters, in either published form.

    Raises:
        InvalidRequest: it is none, or has a parameter.
    """
    try:
        template = read_selector(value, field)
    except SelectorFormError as error:
        raise InvalidRequest(error.path, error.reason + _hint(error.hint)) from error
    if template.parameters:
        names = ", ".join(template.parameters)
        raise InvalidRequest(field, f"has parameters ({names}); give values here")
    return template.bind({})


def _hint(hint: str | None) -> str:
    return f"; {hint}" if hint else ""


def condition_from(value: object, field: str) -> AppendCondition:
    """An append condition: ``{"selector": ..., "min": 1, "max": 7}``, with one bound or both.

    The bounds are those of the highest revision of an event that the selector selects, 0 where there
    is none.

    Raises:
        InvalidRequest: it is none.

    >>> condition_from({"selector": {"stream": "accounts"}, "max": 0}, "conditions[0]").max_revision()
    0
    """
    given = checked_object(value, field, ("selector", "min", "max"))
    selector = selector_from(given.get("selector"), f"{field}.selector")
    least, most = (_bound(given, name, field) for name in ("min", "max"))
    with reading(field):
        if least is not None and most is not None:
            return Constraint.range(selector, Range(least, most))
        if least is not None:
            return Constraint.min(selector, least)
        if most is not None:
            return Constraint.max(selector, most)
    raise InvalidRequest(field, 'has no bound; give "min", "max" or both')


def _bound(given: dict[str, Any], name: str, field: str) -> int | None:
    value = given.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise InvalidRequest(f"{field}.{name}", "must be a revision, a whole number")
    return value


def moment_json(moment: datetime | None) -> str | None:
    """A time, as RFC 3339 says it."""
    return None if moment is None else format_rfc3339(moment)
