"""Lower: from the domain to the component contract's values, in whatever classes they have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from evidentsource_core.domain.constraints import AppendCondition, MaxConstraint, MinConstraint
from evidentsource_core.domain.events import (
    BinaryEventData,
    Event,
    EventData,
    ProspectiveEvent,
)
from evidentsource_core.domain.extensions import (
    BinaryExtension,
    BooleanExtension,
    ExtensionValue,
    IntegerExtension,
    StringExtension,
    TimestampExtension,
    UriExtension,
    UriRefExtension,
)
from evidentsource_core.domain.selectors import (
    EventAttribute,
    EventAttributePrefix,
    EventSelector,
    FlatAndNode,
    FlatEqualsNode,
    FlatOrNode,
    FlatSelectorNode,
    StreamAttribute,
    StreamPrefix,
    SubjectAttribute,
    SubjectPrefix,
)
from evidentsource_core.times import to_parts

SPECVERSION = "1.0"
"""The version of CloudEvents that is spoken."""

_Make = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The constructors of one set of classes for the contract's values."""

    datetime: _Make
    data_binary: _Make
    data_string: _Make
    attribute_boolean: _Make
    attribute_integer: _Make
    attribute_string: _Make
    attribute_binary: _Make
    attribute_uri: _Make
    attribute_uri_ref: _Make
    attribute_timestamp: _Make
    cloudevent: _Make
    stream: _Make
    subject: _Make
    event_type: _Make
    stream_prefix: _Make
    subject_prefix: _Make
    event_type_prefix: _Make
    equals: _Make
    starts_with: _Make
    and_node: _Make
    or_node: _Make
    selector: _Make
    condition_min: _Make
    condition_max: _Make
    condition_range: _Make


class Lowering:
    """Lowers domain values into one vocabulary."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._v = vocabulary
        self._plain_extensions: dict[type[Any], _Make] = {
            BooleanExtension: vocabulary.attribute_boolean,
            IntegerExtension: vocabulary.attribute_integer,
            StringExtension: vocabulary.attribute_string,
            BinaryExtension: vocabulary.attribute_binary,
            UriExtension: vocabulary.attribute_uri,
            UriRefExtension: vocabulary.attribute_uri_ref,
        }

    def datetime(self, moment: datetime, field: str = "time") -> Any:
        """A point in time."""
        return self._v.datetime(*to_parts(moment, field))

    def prospective(self, event: ProspectiveEvent) -> Any:
        """A proposed event; its names were checked before (``check_events``)."""
        return self._cloudevent(event, event.stream)

    def event(self, event: Event) -> Any:
        """A stored event."""
        return self._cloudevent(event, event.source)

    def selector(self, selector: EventSelector) -> Any:
        """A selector as nodes in post-order."""
        return self._v.selector([self._node(node) for node in selector.flatten()])

    def condition(self, condition: AppendCondition) -> Any:
        """An append condition."""
        selector = self.selector(condition.selector)
        if isinstance(condition, MinConstraint):
            return self._v.condition_min(selector, condition.revision)
        if isinstance(condition, MaxConstraint):
            return self._v.condition_max(selector, condition.revision)
        return self._v.condition_range(selector, condition.range.min, condition.range.max)

    def event_attribute(self, attribute: EventAttribute) -> Any:
        """What an ``equals`` leaf, or a view's parameter, says."""
        if isinstance(attribute, StreamAttribute):
            return self._v.stream(attribute.stream.value)
        if isinstance(attribute, SubjectAttribute):
            return self._v.subject(None if attribute.subject is None else attribute.subject.value)
        return self._v.event_type(attribute.event_type.value)

    def _cloudevent(self, event: Event | ProspectiveEvent, source: str) -> Any:
        return self._v.cloudevent(
            event.id,
            source,
            SPECVERSION,
            event.event_type,
            self._data(event.data),
            self._attributes(event),
        )

    def _data(self, data: EventData | None) -> Any:
        if data is None:
            return None
        if isinstance(data, BinaryEventData):
            return self._v.data_binary(data.data)
        return self._v.data_string(data.data)

    def _attributes(self, event: Event | ProspectiveEvent) -> list[tuple[str, Any]]:
        v = self._v
        attributes: list[tuple[str, Any]] = []
        if event.subject is not None:
            attributes.append(("subject", v.attribute_string(event.subject)))
        if event.time is not None:
            attributes.append(("time", v.attribute_timestamp(self.datetime(event.time))))
        if event.datacontenttype is not None:
            attributes.append(("datacontenttype", v.attribute_string(event.datacontenttype)))
        if event.dataschema is not None:
            attributes.append(("dataschema", v.attribute_uri(event.dataschema)))
        attributes += [(name, self._extension(value)) for name, value in event.extensions.items()]
        return attributes

    def _extension(self, value: ExtensionValue) -> Any:
        if isinstance(value, TimestampExtension):
            return self._v.attribute_timestamp(self.datetime(value.value))
        return self._plain_extensions[type(value)](value.value)

    def _node(self, node: FlatSelectorNode) -> Any:
        if isinstance(node, FlatEqualsNode):
            return self._v.equals(self.event_attribute(node.attribute))
        if isinstance(node, FlatAndNode):
            return self._v.and_node(node.left, node.right)
        if isinstance(node, FlatOrNode):
            return self._v.or_node(node.left, node.right)
        return self._v.starts_with(self._prefix(node.prefix))

    def _prefix(self, prefix: EventAttributePrefix) -> Any:
        if isinstance(prefix, StreamPrefix):
            return self._v.stream_prefix(prefix.stream.value)
        if isinstance(prefix, SubjectPrefix):
            return self._v.subject_prefix(prefix.subject.value)
        return self._v.event_type_prefix(prefix.event_type.value)
