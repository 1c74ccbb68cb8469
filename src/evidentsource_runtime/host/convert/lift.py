"""Lift: from wasmtime's values to the domain, checked, with the path to whatever is wrong.

wasmtime gives records as objects with kebab-case attributes, a variant as ``Variant(tag, payload)``
where two of its cases share a Python class, and as the bare payload where none do. The types have
been checked at load, so only meaning is checked here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NoReturn, TypeAlias

from evidentsource_core.domain.constraints import AppendCondition, Constraint
from evidentsource_core.domain.errors import EvidentSourceError
from evidentsource_core.domain.events import ProspectiveEvent
from evidentsource_core.domain.extensions import (
    BinaryExtension,
    BooleanExtension,
    Extensions,
    ExtensionValue,
    IntegerExtension,
    StringExtension,
    TimestampExtension,
    UriExtension,
    UriRefExtension,
)
from evidentsource_core.domain.queries import (
    EffectiveTimeRange,
    QueryDirection,
    QueryOptions,
    QueryRange,
    RangeCursor,
    RevisionRange,
)
from evidentsource_core.domain.revision import Range
from evidentsource_core.domain.selectors import (
    EventAttribute,
    EventAttributePrefix,
    EventSelector,
    EventTypeAttribute,
    EventTypePrefix,
    FlatAndNode,
    FlatEqualsNode,
    FlatOrNode,
    FlatSelectorNode,
    FlatStartsWithNode,
    StreamAttribute,
    StreamPrefix,
    SubjectAttribute,
    SubjectPrefix,
    unflatten,
)
from evidentsource_core.times import from_parts, parse_rfc3339
from evidentsource_functions.errors import StateChangeError, StateChangeErrorKind
from evidentsource_runtime.host.errors import (
    ComponentError,
    ComponentLimitError,
    ComponentOutputError,
)

Decision: TypeAlias = tuple[list[ProspectiveEvent], list[AppendCondition]]

_SPECVERSION = "1.0"
_ATTRIBUTES: dict[str, Callable[[Any], EventAttribute]] = {
    "stream": StreamAttribute,
    "subject": SubjectAttribute,
    "event-type": EventTypeAttribute,
}
_PREFIXES: dict[str, Callable[[Any], EventAttributePrefix]] = {
    "stream": StreamPrefix,
    "subject": SubjectPrefix,
    "event-type": EventTypePrefix,
}
_EXTENSIONS: dict[str, Callable[[Any], ExtensionValue]] = {
    "boolean": BooleanExtension,
    "integer": IntegerExtension,
    "string": StringExtension,
    "binary": BinaryExtension,
    "uri": UriExtension,
    "uri-ref": UriRefExtension,
}
_CONTEXT_TAGS: dict[str, tuple[str, ...]] = {
    "subject": ("string",),
    "datacontenttype": ("string",),
    "dataschema": ("uri", "uri-ref", "string"),
}


class Lift:
    """Lifts what one component gives.

    Args:
        component: its name, for messages.
        content_limit: the most bytes that one value may have.

    Every method raises :class:`ComponentOutputError` where a value means nothing in the domain, and
    :class:`ComponentLimitError` for bytes beyond the limit.
    """

    def __init__(self, component: str, content_limit: int) -> None:
        self._component = component
        self._content_limit = content_limit

    def content(self, value: bytes | None, path: str) -> bytes | None:
        """Bytes, up to the limit."""
        if value is not None and len(value) > self._content_limit:
            raise ComponentLimitError(self._component, path, self._content_limit, len(value))
        return value

    def decision(self, value: tuple[list[Any], list[Any]]) -> Decision:
        """What ``decide`` returned: events and conditions."""
        events, conditions = value
        return (
            self.events(events, "decide.events"),
            [
                self.condition(condition, f"decide.conditions[{index}]")
                for index, condition in enumerate(conditions)
            ],
        )

    def refusal(self, value: Any) -> StateChangeError:
        """The error that ``decide`` answered with."""
        return StateChangeError(
            StateChangeErrorKind(value.tag.replace("-", "_")), str(value.payload)
        )

    def events(self, values: Iterable[Any], path: str) -> list[ProspectiveEvent]:
        """Proposed events."""
        return [self.event(value, f"{path}[{index}]") for index, value in enumerate(values)]

    def event(self, value: Any, path: str) -> ProspectiveEvent:
        """A proposed event; its source is the bare name of the stream."""
        if value.specversion != _SPECVERSION:
            self._refuse(f"{path}.specversion", f"must be 1.0, got {value.specversion!r}")
        context: dict[str, str | datetime] = {}
        extensions: dict[str, ExtensionValue] = {}
        for name, attribute in value.attributes:
            where = f"{path}.attributes.{name}"
            if name in context or name in extensions:
                self._refuse(where, "is given twice")
            if name == "time":
                context[name] = self._event_time(attribute, where)
            elif name in _CONTEXT_TAGS:
                if attribute.tag not in _CONTEXT_TAGS[name]:
                    expected = " or ".join(_CONTEXT_TAGS[name])
                    self._refuse(where, f"must be a {expected}, got a {attribute.tag}")
                context[name] = attribute.payload
            else:
                extensions[name] = self._extension(attribute, where)
        if isinstance(value.data, bytes):
            self.content(value.data, f"{path}.data")
        with self._naming(path):
            return ProspectiveEvent(
                id=value.id,
                stream=value.source,
                event_type=value.type,
                data=value.data,
                extensions=Extensions(extensions),
                **context,  # type: ignore[arg-type]  # each under its own type, by its name
            )

    def _event_time(self, attribute: Any, path: str) -> datetime:
        if attribute.tag == "string":
            with self._naming(path):
                return parse_rfc3339(attribute.payload)
        if attribute.tag != "timestamp":
            self._refuse(path, f"must be a timestamp or RFC 3339 string, got a {attribute.tag}")
        return self.time(attribute.payload, path)

    def _extension(self, attribute: Any, path: str) -> ExtensionValue:
        if attribute.tag == "timestamp":
            return TimestampExtension(self.time(attribute.payload, path))
        if attribute.tag == "binary":
            self.content(attribute.payload, path)
        with self._naming(path):
            return _EXTENSIONS[attribute.tag](attribute.payload)

    def time(self, value: Any, path: str) -> datetime:
        """A point in time."""
        with self._naming(path):
            return from_parts(value.seconds, value.nanoseconds)

    def condition(self, value: Any, path: str) -> AppendCondition:
        """An append condition."""
        body = value.payload
        selector = self.selector(body.selector, f"{path}.selector")
        with self._naming(path):
            if value.tag == "min":
                return Constraint.min(selector, body.revision)
            if value.tag == "max":
                return Constraint.max(selector, body.revision)
            return Constraint.range(selector, Range(body.min, body.max))

    def selector(self, value: Any, path: str) -> EventSelector:
        """A selector; its nodes come in post-order, the root last."""
        nodes = [
            self._node(node, f"{path}.nodes[{index}]") for index, node in enumerate(value.nodes)
        ]
        with self._naming(path):
            return unflatten(nodes)

    def _node(self, value: Any, path: str) -> FlatSelectorNode:
        if value.tag == "and":
            return FlatAndNode(*value.payload)
        if value.tag == "or":
            return FlatOrNode(*value.payload)
        leaf = value.payload
        with self._naming(path):
            if value.tag == "equals":
                return FlatEqualsNode(_ATTRIBUTES[leaf.tag](leaf.payload))
            return FlatStartsWithNode(_PREFIXES[leaf.tag](leaf.payload))

    def query(self, value: Any, path: str) -> tuple[EventSelector, QueryOptions]:
        """A query: what it selects, and how it runs."""
        directions = {"forward": QueryDirection.FORWARD, "reverse": QueryDirection.REVERSE}
        selector = self.selector(value.selector, f"{path}.selector")
        span = None if value.range is None else self._range(value.range, f"{path}.range")
        with self._naming(path):
            return selector, QueryOptions(
                directions[value.direction], limit=value.limit, range=span
            )

    def _range(self, value: Any, path: str) -> QueryRange:
        body = value.payload
        start = getattr(body, "start-at")
        with self._naming(path):
            if value.tag == "revision":
                return RevisionRange(start)
            end = getattr(body, "end-at")
            return EffectiveTimeRange(
                start
                and RangeCursor(self.time(start.timestamp, f"{path}.start-at"), start.revision),
                end and self.time(end, f"{path}.end-at"),
            )

    def parameters(
        self, values: Iterable[tuple[str, Any]], path: str
    ) -> list[tuple[str, EventAttribute]]:
        """The parameters of a view, in the order they were given."""
        bound: list[tuple[str, EventAttribute]] = []
        for name, attribute in values:
            with self._naming(f"{path}.{name}"):
                bound.append((name, _ATTRIBUTES[attribute.tag](attribute.payload)))
        return bound

    def _refuse(self, path: str, reason: str) -> NoReturn:
        raise ComponentOutputError(self._component, path, reason)

    @contextmanager
    def _naming(self, path: str) -> Iterator[None]:
        """Put the path to the value before what the domain says of it."""
        try:
            yield
        except ComponentError:
            raise
        except EvidentSourceError as error:
            raise ComponentOutputError(self._component, path, str(error)) from error
