"""The component contract's values as plain Python, and conversions in both directions.

Tests and tools that have no component at hand speak the contract with these. Inside a component the
adapters use the component's own generated classes instead; both go through the same conversions.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias, overload

from evidentsource_core.domain.checks import check_events
from evidentsource_core.domain.constraints import AppendCondition
from evidentsource_core.domain.events import (
    BinaryEventData,  # noqa: F401 - published from here too, as are all that are not used below
    BooleanExtension,  # noqa: F401
    Event,
    IntegerExtension,  # noqa: F401
    ProspectiveEvent,
    StringEventData,  # noqa: F401
    StringExtension,  # noqa: F401
)
from evidentsource_core.domain.selectors import (
    EventAttribute,  # noqa: F401
    EventSelector,
    EventTypeAttribute,  # noqa: F401
    EventTypePrefix,  # noqa: F401
    FlatAndNode,  # noqa: F401
    FlatEqualsNode,  # noqa: F401
    FlatOrNode,  # noqa: F401
    FlatStartsWithNode,  # noqa: F401
    StreamAttribute,  # noqa: F401
    StreamPrefix,  # noqa: F401
    SubjectAttribute,  # noqa: F401
    SubjectPrefix,  # noqa: F401
)
from evidentsource_core.times import from_parts, to_parts
from evidentsource_functions._lift import (
    lift_condition,
    lift_event,
    lift_prospective,
    lift_selector,
)
from evidentsource_functions._lower import Lowering, Vocabulary


@dataclass(frozen=True, slots=True)
class WitDatetime:
    """A point in time: whole seconds since 1970, floored, and nanoseconds on top of them.

    >>> WitDatetime.from_datetime(WitDatetime(-1, 500_000_000).to_datetime())
    WitDatetime(seconds=-1, nanoseconds=500000000)
    """

    seconds: int
    nanoseconds: int

    @classmethod
    def from_datetime(cls, dt: datetime) -> WitDatetime:
        """From a time with a zone, exactly."""
        return cls(*to_parts(dt))

    def to_datetime(self) -> datetime:
        """The time in UTC, exactly."""
        return from_parts(self.seconds, self.nanoseconds)


@dataclass(frozen=True, slots=True)
class WitCloudeventDataBinary:
    """A payload of bytes."""

    value: bytes


@dataclass(frozen=True, slots=True)
class WitCloudeventDataString:
    """A payload of text."""

    value: str


WitCloudeventData: TypeAlias = WitCloudeventDataBinary | WitCloudeventDataString


@dataclass(frozen=True, slots=True)
class WitCloudeventAttributeBoolean:
    """A boolean attribute."""

    value: bool


@dataclass(frozen=True, slots=True)
class WitCloudeventAttributeInteger:
    """A 32-bit whole number."""

    value: int


@dataclass(frozen=True, slots=True)
class WitCloudeventAttributeString:
    """A text attribute."""

    value: str


@dataclass(frozen=True, slots=True)
class WitCloudeventAttributeBinary:
    """An attribute of bytes."""

    value: bytes


@dataclass(frozen=True, slots=True)
class WitCloudeventAttributeUri:
    """An absolute URI."""

    value: str


@dataclass(frozen=True, slots=True)
class WitCloudeventAttributeUriRef:
    """A URI reference."""

    value: str


@dataclass(frozen=True, slots=True)
class WitCloudeventAttributeTimestamp:
    """A point in time."""

    value: WitDatetime


WitCloudeventAttributeValue: TypeAlias = (
    WitCloudeventAttributeBoolean
    | WitCloudeventAttributeInteger
    | WitCloudeventAttributeString
    | WitCloudeventAttributeBinary
    | WitCloudeventAttributeUri
    | WitCloudeventAttributeUriRef
    | WitCloudeventAttributeTimestamp
)


@dataclass(frozen=True, slots=True)
class WitCloudevent:
    """An event. Everything but the required attributes stands in ``attributes``."""

    id: str
    source: str
    specversion: str
    type: str
    data: WitCloudeventData | None = None
    attributes: list[tuple[str, WitCloudeventAttributeValue]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class WitEventAttributeStream:
    """The stream is exactly this one."""

    stream: str


@dataclass(frozen=True, slots=True)
class WitEventAttributeSubject:
    """The subject is exactly this one; None means no subject."""

    subject: str | None


@dataclass(frozen=True, slots=True)
class WitEventAttributeEventType:
    """The type is exactly this one."""

    event_type: str


WitEventAttribute: TypeAlias = (
    WitEventAttributeStream | WitEventAttributeSubject | WitEventAttributeEventType
)


@dataclass(frozen=True, slots=True)
class WitEventAttributePrefixStream:
    """The stream's name starts with this."""

    stream: str


@dataclass(frozen=True, slots=True)
class WitEventAttributePrefixSubject:
    """The subject starts with this."""

    subject: str


@dataclass(frozen=True, slots=True)
class WitEventAttributePrefixEventType:
    """The type starts with this."""

    event_type: str


WitEventAttributePrefix: TypeAlias = (
    WitEventAttributePrefixStream
    | WitEventAttributePrefixSubject
    | WitEventAttributePrefixEventType
)


@dataclass(frozen=True, slots=True)
class WitEventSelectorNodeEquals:
    """A leaf: the attribute equals."""

    attribute: WitEventAttribute


@dataclass(frozen=True, slots=True)
class WitEventSelectorNodeStartsWith:
    """A leaf: the attribute starts with."""

    prefix: WitEventAttributePrefix


@dataclass(frozen=True, slots=True)
class WitEventSelectorNodeAnd:
    """Both of two earlier nodes."""

    left: int
    right: int


@dataclass(frozen=True, slots=True)
class WitEventSelectorNodeOr:
    """Either of two earlier nodes."""

    left: int
    right: int


WitEventSelectorNode: TypeAlias = (
    WitEventSelectorNodeEquals
    | WitEventSelectorNodeStartsWith
    | WitEventSelectorNodeAnd
    | WitEventSelectorNodeOr
)


@dataclass(frozen=True, slots=True)
class WitEventSelector:
    """A selector as nodes in post-order, the root last."""

    nodes: list[WitEventSelectorNode]


@dataclass(frozen=True, slots=True)
class WitAppendConditionMin:
    """The last selected event is at or after ``revision``."""

    selector: WitEventSelector
    revision: int


@dataclass(frozen=True, slots=True)
class WitAppendConditionMax:
    """The last selected event is at or before ``revision``."""

    selector: WitEventSelector
    revision: int


@dataclass(frozen=True, slots=True)
class WitAppendConditionRange:
    """The last selected event lies from ``min`` to ``max``."""

    selector: WitEventSelector
    min: int
    max: int


WitAppendCondition: TypeAlias = (
    WitAppendConditionMin | WitAppendConditionMax | WitAppendConditionRange
)

_LOWERING = Lowering(
    Vocabulary(
        datetime=WitDatetime,
        data_binary=WitCloudeventDataBinary,
        data_string=WitCloudeventDataString,
        attribute_boolean=WitCloudeventAttributeBoolean,
        attribute_integer=WitCloudeventAttributeInteger,
        attribute_string=WitCloudeventAttributeString,
        attribute_binary=WitCloudeventAttributeBinary,
        attribute_uri=WitCloudeventAttributeUri,
        attribute_uri_ref=WitCloudeventAttributeUriRef,
        attribute_timestamp=WitCloudeventAttributeTimestamp,
        cloudevent=WitCloudevent,
        stream=WitEventAttributeStream,
        subject=WitEventAttributeSubject,
        event_type=WitEventAttributeEventType,
        stream_prefix=WitEventAttributePrefixStream,
        subject_prefix=WitEventAttributePrefixSubject,
        event_type_prefix=WitEventAttributePrefixEventType,
        equals=WitEventSelectorNodeEquals,
        starts_with=WitEventSelectorNodeStartsWith,
        and_node=WitEventSelectorNodeAnd,
        or_node=WitEventSelectorNodeOr,
        selector=WitEventSelector,
        condition_min=WitAppendConditionMin,
        condition_max=WitAppendConditionMax,
        condition_range=WitAppendConditionRange,
    )
)


def datetime_to_wit(dt: datetime) -> tuple[int, int]:
    """Seconds since 1970, floored, and nanoseconds.

    Raises:
        InvalidTimestamp: the time has no zone.
    """
    return to_parts(dt)


@overload
def datetime_from_wit(seconds: int, nanoseconds: int = 0) -> datetime: ...
@overload
def datetime_from_wit(seconds: WitDatetime) -> datetime: ...
def datetime_from_wit(seconds: Any, nanoseconds: int = 0) -> datetime:
    """The time in UTC, from its two parts or from a record that has them.

    Raises:
        InvalidTimestamp: the time lies outside the years 1 to 9999.
    """
    if isinstance(seconds, int):
        return from_parts(seconds, nanoseconds)
    return from_parts(seconds.seconds, seconds.nanoseconds)


def prospective_event_to_wit_cloudevent(event: ProspectiveEvent) -> WitCloudevent:
    """An event on its way out of a component: ``source`` is the bare name of its stream.

    Raises:
        InvalidEvents: a name, id or attribute breaks its rule; every problem is named.
    """
    check_events([event])
    cloudevent: WitCloudevent = _LOWERING.prospective(event)
    return cloudevent


def event_to_wit_cloudevent(event: Event) -> WitCloudevent:
    """A stored event on its way into a component: ``source`` as it is."""
    cloudevent: WitCloudevent = _LOWERING.event(event)
    return cloudevent


def selector_to_wit(selector: EventSelector) -> WitEventSelector:
    """A selector as nodes in post-order, the root last."""
    lowered: WitEventSelector = _LOWERING.selector(selector)
    return lowered


def condition_to_wit(condition: AppendCondition) -> WitAppendCondition:
    """An append condition."""
    lowered: WitAppendCondition = _LOWERING.condition(condition)
    return lowered


constraint_to_wit = condition_to_wit
"""The platform's own template calls it so."""


def wit_cloudevent_to_event(ce: Any) -> Event:
    """A stored event from the contract's form: these classes, or any generated bindings.

    Raises:
        InvalidValue: an attribute has a type that CloudEvents does not give it, or comes twice.
    """
    return lift_event(ce)


def wit_cloudevent_to_prospective_event(ce: Any) -> ProspectiveEvent:
    """A proposed event from the contract's form."""
    return lift_prospective(ce)


def wit_to_selector(selector: Any) -> EventSelector:
    """A selector from the contract's form.

    Raises:
        InvalidSelector: the nodes describe no tree.
    """
    return lift_selector(selector)


def wit_to_condition(condition: Any) -> AppendCondition:
    """An append condition from the contract's form."""
    return lift_condition(condition)
