"""wasmtime-py's values for what a component gives, made from the domain."""

from __future__ import annotations

from typing import Any

from wasmtime.component import Record, Variant

from evidentsource_core import (
    AppendCondition,
    Event,
    EventAttribute,
    EventSelector,
    MaxConstraint,
    MinConstraint,
    ProspectiveEvent,
    QueryDirection,
    QueryOptions,
    RevisionRange,
    StreamAttribute,
    SubjectAttribute,
)
from evidentsource_core.domain.selectors import (
    FlatAndNode,
    FlatEqualsNode,
    FlatOrNode,
    FlatSelectorNode,
    StreamPrefix,
    SubjectPrefix,
)
from evidentsource_runtime.host.convert.lower import Lower, record


def event(lower: Lower, proposed: ProspectiveEvent) -> Record:
    """A proposed event is of the same type as a stored one, with the stream for its source."""
    stored = Event(
        *(proposed.id, proposed.stream, proposed.event_type, proposed.subject, proposed.data),
        *(proposed.time, proposed.datacontenttype, proposed.dataschema, proposed.extensions),
    )
    made: Record = lower.event(stored, "event")
    return made


def attribute(value: EventAttribute) -> Variant:
    if isinstance(value, StreamAttribute):
        return Variant("stream", value.stream.value)
    if isinstance(value, SubjectAttribute):
        return Variant("subject", None if value.subject is None else value.subject.value)
    return Variant("event-type", value.event_type.value)


def _node(node: FlatSelectorNode) -> Variant:
    if isinstance(node, FlatAndNode):
        return Variant("and", (node.left, node.right))
    if isinstance(node, FlatOrNode):
        return Variant("or", (node.left, node.right))
    if isinstance(node, FlatEqualsNode):
        return Variant("equals", attribute(node.attribute))
    prefix = node.prefix
    if isinstance(prefix, StreamPrefix):
        return Variant("starts-with", Variant("stream", prefix.stream.value))
    if isinstance(prefix, SubjectPrefix):
        return Variant("starts-with", Variant("subject", prefix.subject.value))
    return Variant("starts-with", Variant("event-type", prefix.event_type.value))


def selector(value: EventSelector) -> Record:
    return record(nodes=[_node(node) for node in value.flatten()])


def condition(value: AppendCondition) -> Variant:
    made = selector(value.selector)
    if isinstance(value, MinConstraint):
        return Variant("min", record(selector=made, revision=value.revision))
    if isinstance(value, MaxConstraint):
        return Variant("max", record(selector=made, revision=value.revision))
    return Variant("range", record(selector=made, min=value.range.min, max=value.range.max))


def query(lower: Lower, wanted: EventSelector, options: QueryOptions) -> Record:
    direction = "forward" if options.direction is QueryDirection.FORWARD else "reverse"
    return record(
        selector=selector(wanted),
        range=_range(lower, options),
        direction=direction,
        limit=options.get_limit(),
    )


def _range(lower: Lower, options: QueryOptions) -> Any:
    span = options.range
    if span is None:
        return None
    if isinstance(span, RevisionRange):
        return Variant("revision", record(start_at=span.start_at))
    start, end = span.start_at, span.end_at
    return Variant(
        "effective-time",
        record(
            start_at=start
            and record(timestamp=lower.time(start.timestamp, "start"), revision=start.revision),
            end_at=end and lower.time(end, "end"),
        ),
    )
