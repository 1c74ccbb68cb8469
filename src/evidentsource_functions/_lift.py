"""Lift: from the component contract's values to the domain, whatever classes they have.

Generated bindings differ from build to build, and their classes are not those of any other copy, so
a case of a variant is told by the name of its class: ``CloudeventData_String`` in bindings,
``WitCloudeventDataString`` in :mod:`evidentsource_functions.wit_types`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from evidentsource_core.domain.constraints import (
    AppendCondition,
    MaxConstraint,
    MinConstraint,
    RangeConstraint,
)
from evidentsource_core.domain.errors import InvalidType, InvalidValue
from evidentsource_core.domain.event_data import text_data
from evidentsource_core.domain.events import (
    BinaryEventData,
    Event,
    EventData,
    ProspectiveEvent,
    StringEventData,
)
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
from evidentsource_core.domain.identifiers import (
    EventSubject,
    EventType,
    StreamName,
    StreamNamePrefix,
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
from evidentsource_functions._lazy import SLOTS, LazyEvent, make_events


def lift_datetime(moment: Any) -> datetime:
    """A point in time."""
    return from_parts(moment.seconds, moment.nanoseconds)


def lift_event(cloudevent: Any) -> Event:
    """A stored event.

    Raises:
        InvalidValue: an attribute has a type that CloudEvents does not give it, or comes twice.
    """
    fields, extensions = _attributes(cloudevent.attributes)
    return Event(
        cloudevent.id,
        cloudevent.source,
        cloudevent.type,
        data=_data(cloudevent.data),
        extensions=extensions,
        **fields,
    )


def lift_stored_events(cloudevents: list[Any]) -> list[Event]:
    """Events that a host gave, each of which lifts a field when it is asked for.

    What :func:`lift_event` refuses is then refused where the field is read.
    """
    return list[Event](make_events(_HostEvent, cloudevents))


class _HostEvent(LazyEvent):
    """An event in a record of the contract."""

    __slots__ = ()

    # Reading these costs no more than a slot does, so nothing is kept of them.
    id = property(lambda event: event._raw.id)  # noqa: SLF001 - its own
    source = property(lambda event: event._raw.source)  # noqa: SLF001
    event_type = property(lambda event: event._raw.type)  # noqa: SLF001

    def data_as_string(self) -> str | None:
        """The payload as text, without making more of it."""
        data = self._raw.data
        if data is None or _case(data) != "String":
            return Event.data_as_string(self)
        text: str = data.value
        return text


def _read_attribute(name: str) -> Callable[[_HostEvent], Any]:
    def read(event: _HostEvent) -> Any:
        fields, extensions = _attributes(event._raw.attributes)  # noqa: SLF001 - its own reader
        values: dict[str, Any] = {**dict.fromkeys(_FIELDS), **fields, "extensions": extensions}
        for each, value in values.items():
            SLOTS[each](event, value)
        return values[name]

    return read


def _read_data(event: _HostEvent) -> EventData | None:
    data = event._raw.data  # noqa: SLF001 - its own reader
    return text_data(data.value) if data is not None and _case(data) == "String" else _data(data)


def lift_prospective(cloudevent: Any) -> ProspectiveEvent:
    """A proposed event; its ``source`` is the name of its stream."""
    fields, extensions = _attributes(cloudevent.attributes)
    return ProspectiveEvent(
        cloudevent.id,
        cloudevent.source,
        cloudevent.type,
        data=_data(cloudevent.data),
        extensions=extensions,
        **fields,
    )


def _data(data: Any) -> EventData | None:
    if data is None:
        return None
    return BinaryEventData(data.value) if _case(data) == "Binary" else StringEventData(data.value)


def _attributes(attributes: Any) -> tuple[dict[str, Any], Extensions]:
    fields: dict[str, Any] = {}
    extensions: dict[str, ExtensionValue] = {}
    for name, value in attributes:
        if name in fields or name in extensions:
            raise InvalidValue(f"attributes.{name}", "comes twice")
        lift_field = _FIELDS.get(name)
        if lift_field is not None:
            fields[name] = lift_field(name, value)
        else:
            extensions[name] = _EXTENSIONS[_case(value)](value.value)
    return fields, Extensions(extensions)


def _text(name: str, value: Any) -> str:
    if _case(value) not in ("String", "Uri", "UriRef"):
        raise InvalidType(f"attributes.{name}", "text", value)
    text: str = value.value
    return text


def _time(name: str, value: Any) -> datetime:
    # Some writers send the time as RFC 3339 text; it is the time all the same.
    if _case(value) == "String":
        return parse_rfc3339(value.value, f"attributes.{name}")
    if _case(value) != "Timestamp":
        raise InvalidType(f"attributes.{name}", "a timestamp", value)
    return lift_datetime(value.value)


_FIELDS: Mapping[str, Callable[[str, Any], Any]] = {
    "subject": _text,
    "time": _time,
    "datacontenttype": _text,
    "dataschema": _text,
}

_HostEvent.readers = {
    "data": _read_data,
    **{name: _read_attribute(name) for name in (*_FIELDS, "extensions")},
}

_EXTENSIONS: Mapping[str, Callable[[Any], ExtensionValue]] = {
    "Boolean": BooleanExtension,
    "Integer": IntegerExtension,
    "String": StringExtension,
    "Binary": BinaryExtension,
    "Uri": UriExtension,
    "UriRef": UriRefExtension,
    "Timestamp": lambda moment: TimestampExtension(lift_datetime(moment)),
}

# The longest first: "UriRef" must not be taken for "Ref", nor "BatchConstraintMin" for "Min" twice.
_PREFIXES = (
    "WitCloudeventAttribute",
    "WitCloudeventData",
    "WitEventAttributePrefix",
    "WitEventAttribute",
    "WitEventSelectorNode",
    "WitAppendCondition",
)
_cases: dict[type[Any], str] = {}


def _case(value: Any) -> str:
    """The name of a variant's case, told by its class."""
    kind = type(value)
    case = _cases.get(kind)
    if case is None:
        name = kind.__name__
        _, underscore, case = name.rpartition("_")
        if not underscore:
            prefix = next((p for p in _PREFIXES if name.startswith(p)), "")
            case = name[len(prefix) :]
        _cases[kind] = case
    return case


def _field(value: Any, *names: str) -> Any:
    """The payload of a case: ``value`` in bindings, a name of its own in ``wit_types``."""
    for name in ("value", *names):
        if hasattr(value, name):
            return getattr(value, name)
    raise InvalidType("value", f"one with {' or '.join(('value', *names))}", value)


def lift_event_attribute(attribute: Any) -> EventAttribute:
    """What an ``equals`` leaf, or a view's parameter, says."""
    text = _field(attribute, "stream", "subject", "event_type")
    case = _case(attribute)
    if case == "Stream":
        return StreamAttribute(StreamName(text))
    if case == "Subject":
        return SubjectAttribute(EventSubject.from_optional(text))
    return EventTypeAttribute(EventType(text))


def _prefix(prefix: Any) -> EventAttributePrefix:
    text = _field(prefix, "stream", "subject", "event_type")
    case = _case(prefix)
    if case == "Stream":
        return StreamPrefix(StreamNamePrefix(text))
    if case == "Subject":
        return SubjectPrefix(EventSubject(text))
    return EventTypePrefix(EventType(text))


def _node(node: Any) -> FlatSelectorNode:
    case = _case(node)
    if case == "Equals":
        return FlatEqualsNode(lift_event_attribute(_field(node, "attribute")))
    if case == "StartsWith":
        return FlatStartsWithNode(_prefix(_field(node, "prefix")))
    left, right = node.value if hasattr(node, "value") else (node.left, node.right)
    return FlatAndNode(left, right) if case == "And" else FlatOrNode(left, right)


def lift_selector(selector: Any) -> EventSelector:
    """A selector.

    Raises:
        InvalidSelector: the nodes describe no tree.
    """
    return unflatten(_node(node) for node in selector.nodes)


def lift_condition(condition: Any) -> AppendCondition:
    """An append condition."""
    case = _case(condition)
    record = getattr(condition, "value", condition)
    selector = lift_selector(record.selector)
    if case == "Min":
        return MinConstraint(selector, record.revision)
    if case == "Max":
        return MaxConstraint(selector, record.revision)
    return RangeConstraint(selector, Range(record.min, record.max))
