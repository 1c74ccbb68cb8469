"""What the echo components see, derived from the domain without any code of the host.

Also the way back: values that they are told to return, in the form that ``plain.load`` takes.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from evidentsource_core import (
    AppendCondition,
    BinaryEventData,
    BinaryExtension,
    BooleanExtension,
    Command,
    Event,
    EventAttribute,
    EventSelector,
    EventTypePrefix,
    ExtensionValue,
    IntegerExtension,
    MaxConstraint,
    MinConstraint,
    ProspectiveEvent,
    StateChangeMetadata,
    StateViewContext,
    StreamAttribute,
    StreamPrefix,
    StringExtension,
    SubjectAttribute,
    SubjectPrefix,
    TimestampExtension,
    UriExtension,
    UriRefExtension,
)
from evidentsource_core.domain.selectors import (
    EventAttributePrefix,
    FlatAndNode,
    FlatEqualsNode,
    FlatOrNode,
    FlatSelectorNode,
)
from evidentsource_core.times import from_parts, to_parts
from evidentsource_functions import StateChangeError
from evidentsource_runtime.host import StateChangeComponent

CONTEXT = StateViewContext("bank", "summary", 3, 40, from_parts(5, 6), "application/json", "s:1")

_KINDS: dict[type[ExtensionValue], str] = {
    BooleanExtension: "Boolean",
    IntegerExtension: "Integer",
    StringExtension: "String",
    UriExtension: "Uri",
    UriRefExtension: "UriRef",
}


def case(variant: str, name: str, value: Any) -> dict[str, Any]:
    return {"is": f"{variant}_{name}", "value": value}


def binary(value: bytes | None) -> Any:
    return None if value is None else {"bytes": value.hex()}


def time(moment: datetime) -> dict[str, Any]:
    seconds, nanoseconds = to_parts(moment)
    return {"is": "Datetime", "seconds": seconds, "nanoseconds": nanoseconds}


def attribute_value(value: ExtensionValue) -> dict[str, Any]:
    variant = "CloudeventAttributeValue"
    if isinstance(value, BinaryExtension):
        return case(variant, "Binary", binary(value.value))
    if isinstance(value, TimestampExtension):
        return case(variant, "Timestamp", time(value.value))
    return case(variant, _KINDS[type(value)], value.value)


def attributes(event: Event | ProspectiveEvent) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if event.subject is not None:
        found["subject"] = attribute_value(StringExtension(event.subject))
    if event.time is not None:
        found["time"] = attribute_value(TimestampExtension(event.time))
    if event.datacontenttype is not None:
        found["datacontenttype"] = attribute_value(StringExtension(event.datacontenttype))
    if event.dataschema is not None:
        found["dataschema"] = attribute_value(UriExtension(event.dataschema))
    return found | {name: attribute_value(value) for name, value in event.extensions.items()}


def cloudevent(event: Event | ProspectiveEvent) -> dict[str, Any]:
    data: Any = None
    if isinstance(event.data, BinaryEventData):
        data = case("CloudeventData", "Binary", binary(event.data.data))
    elif event.data is not None:
        data = case("CloudeventData", "String", event.data.data)
    return {
        "is": "Cloudevent",
        "id": event.id,
        "source": event.source if isinstance(event, Event) else event.stream,
        "specversion": "1.0",
        "type": event.event_type,
        "data": data,
        "attributes": [{"tuple": [name, value]} for name, value in attributes(event).items()],
    }


def seen(event: Event) -> dict[str, Any]:
    """The event as an echo component tells it: there, a tuple is a list."""
    wire = cloudevent(event)
    return wire | {"attributes": [pair["tuple"] for pair in wire["attributes"]]}


def attribute(value: EventAttribute | EventAttributePrefix) -> dict[str, Any]:
    text: str | None
    if isinstance(value, (StreamAttribute, StreamPrefix)):
        name, text = "Stream", str(value.stream)
    elif isinstance(value, (SubjectAttribute, SubjectPrefix)):
        name, text = "Subject", None if value.subject is None else str(value.subject)
    else:
        name, text = "EventType", str(value.event_type)
    is_prefix = isinstance(value, (StreamPrefix, SubjectPrefix, EventTypePrefix))
    return case("EventAttributePrefix" if is_prefix else "EventAttribute", name, text)


def node(value: FlatSelectorNode) -> dict[str, Any]:
    variant = "EventSelectorNode"
    if isinstance(value, (FlatAndNode, FlatOrNode)):
        name = "And" if isinstance(value, FlatAndNode) else "Or"
        return case(variant, name, {"tuple": [value.left, value.right]})
    if isinstance(value, FlatEqualsNode):
        return case(variant, "Equals", attribute(value.attribute))
    return case(variant, "StartsWith", attribute(value.prefix))


def selector(value: EventSelector) -> dict[str, Any]:
    return {"is": "EventSelector", "nodes": [node(part) for part in value.flatten()]}


def condition(value: AppendCondition) -> dict[str, Any]:
    over = selector(value.selector)
    if isinstance(value, (MinConstraint, MaxConstraint)):
        name = "Min" if isinstance(value, MinConstraint) else "Max"
        body = {"is": f"BatchConstraint{name}", "selector": over, "revision": value.revision}
    else:
        name = "Range"
        body = {"is": "BatchConstraintRange", "selector": over} | {
            "min": value.range.min,
            "max": value.range.max,
        }
    return case("BatchConstraint", name, body)


def query(
    over: EventSelector, *, span: Any = None, direction: str = "FORWARD", limit: int | None = None
) -> dict[str, Any]:
    return {
        "is": "DatabaseQuery",
        "selector": selector(over),
        "range": span,
        "direction": {"is": "QueryDirection", "name": direction},
        "limit": limit,
    }


def metadata(order: str, **fields: Any) -> StateChangeMetadata:
    defaults = {"state_change_version": 1, "last_seen_revision": 0}
    arguments = defaults | {"command_received_at": from_parts(9, 9)} | fields
    return StateChangeMetadata(order, **arguments)


def order(body: Any) -> Command:
    return Command.json(json.dumps(body).encode())


def told(change: StateChangeComponent, name: str, database: Any, command: Command) -> Any:
    """What the component told in the text of its refusal."""
    try:
        change.decide(database, command, metadata(name))
    except StateChangeError as error:
        return json.loads(error.message)
    raise AssertionError("the component did not refuse")


def script(change: StateChangeComponent, database: Any, *steps: list[Any]) -> list[Any]:
    """Let the component call the database; each step is (index of database, method, arguments)."""
    results: list[Any] = told(change, "script", database, order(steps))
    return results
