"""Publishing: what is uploaded is looked at before anything is kept of it."""

from __future__ import annotations

from typing import Any, Final

from evidentsource_core.domain.definitions import (
    QueryTemporality,
    StateChangeDefinition,
    StateViewDefinition,
)
from evidentsource_core.domain.identifiers import StateChangeName, StateViewName
from evidentsource_runtime.build.selectors import SelectorFormError, read_selector
from evidentsource_runtime.database import UnusableCode
from evidentsource_runtime.host import ComponentLoadError
from evidentsource_runtime.server.access import Principal
from evidentsource_runtime.server.service import InvalidRequest, Service
from evidentsource_runtime.server.service.errors import reading

__all__ = ["publish", "state_change_of", "state_view_of"]

Definition = StateViewDefinition | StateChangeDefinition

_CHANGE: Final = ("state_change_name", "description", "source_code_uri")
_VIEW: Final = (
    "state_view_name",
    "description",
    "content_type",
    "content_schema",
    "event_selector",
    "query_temporality",
    "source_code_uri",
)
_TEMPORALITIES: Final = {each.value: each for each in QueryTemporality}


async def publish(
    service: Service, caller: Principal, database: str, world: str, metadata: Any, content: bytes
) -> Definition:
    """Make a component the next version of what its metadata says; the definition as it stands.

    Args:
        service: publishes.
        caller: who asks.
        database: the name of the database.
        world: "state-view" or "state-change".
        metadata: as JSON values.
        content: the component's bytes.

    Raises:
        InvalidRequest: the metadata is wrong, or the bytes are no such component; nothing was kept.
    """
    try:
        if world == "state-view":
            view = state_view_of(metadata)
            return await service.views.publish_state_view(caller, database, view, content)
        change = state_change_of(metadata)
        return await service.views.publish_state_change(caller, database, change, content)
    except (ComponentLoadError, UnusableCode) as error:
        reason = getattr(error, "reason", str(error))
        raise InvalidRequest(
            "wasm", f"is no component of a {world} that runs here: {reason}", error
        ) from error


def state_change_of(metadata: Any) -> StateChangeDefinition:
    """The definition of a state change, as it is published.

    >>> str(state_change_of({"state_change_name": "deposit"}).name)
    'deposit'
    """
    given = _checked(metadata, _CHANGE)
    with reading("metadata.state_change_name"):
        name = StateChangeName(_needed(given, "state_change_name"))
    return StateChangeDefinition(
        name,
        description=_text(given, "description"),
        source_code_uri=_text(given, "source_code_uri"),
    )


def state_view_of(metadata: Any) -> StateViewDefinition:
    """The definition of a state view, as it is published, with its selector in either dialect.

    >>> view = state_view_of({
    ...     "state_view_name": "todos", "event_selector": {"equals": {"stream": {"stream": "todos"}}}})
    >>> (str(view.name), view.content_type, view.temporality.value)
    ('todos', 'application/json', 'revision')
    """
    given = _checked(metadata, _VIEW)
    with reading("metadata.state_view_name"):
        name = StateViewName(_needed(given, "state_view_name"))
    if given.get("event_selector") is None:
        raise InvalidRequest("metadata.event_selector", "is missing")
    try:
        selector = read_selector(given["event_selector"], "metadata.event_selector")
    except SelectorFormError as error:
        hint = f"; {error.hint}" if error.hint else ""
        raise InvalidRequest(error.path, f"{error.reason}{hint}") from error
    temporality = _text(given, "query_temporality") or QueryTemporality.REVISION.value
    if temporality not in _TEMPORALITIES:
        known = " or ".join(_TEMPORALITIES)
        raise InvalidRequest("metadata.query_temporality", f"must be {known}, got {temporality!r}")
    with reading("metadata"):
        return StateViewDefinition(
            name=name,
            selector=selector,
            temporality=_TEMPORALITIES[temporality],
            content_type=_text(given, "content_type") or "application/json",
            content_schema=_text(given, "content_schema"),
            description=_text(given, "description"),
        )


def _checked(metadata: Any, known: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(metadata, dict):
        raise InvalidRequest("metadata", f"must be an object, got {type(metadata).__name__}")
    for name in metadata:
        if name not in known:
            raise InvalidRequest(f"metadata.{name}", f"is not known; known are {', '.join(known)}")
    return metadata


def _needed(given: dict[str, Any], name: str) -> str:
    found = _text(given, name)
    if found is None:
        raise InvalidRequest(f"metadata.{name}", "is missing")
    return found


def _text(given: dict[str, Any], name: str) -> str | None:
    value = given.get(name)
    if value is not None and not isinstance(value, str):
        raise InvalidRequest(f"metadata.{name}", "must be a text")
    return value
