"""What becomes of a component's records and cases when they are read.

:class:`DomainMakers` makes values of the domain, as fast as can be; where one cannot be made, it says
so in whatever way comes first. :class:`PlainMakers` makes the values that :class:`..lift.Lift` takes,
which goes over them once more to find the path to the fault.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from wasmtime.component import Record, Variant

from evidentsource_core.domain.constraints import MaxConstraint, MinConstraint, RangeConstraint
from evidentsource_core.domain.events import BinaryEventData, ProspectiveEvent, StringEventData
from evidentsource_core.domain.extensions import (
    BinaryExtension,
    BooleanExtension,
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
    EventSelector,
    EventTypeAttribute,
    EventTypePrefix,
    FlatAndNode,
    FlatEqualsNode,
    FlatOrNode,
    FlatStartsWithNode,
    StreamAttribute,
    StreamPrefix,
    SubjectAttribute,
    SubjectPrefix,
    unflatten,
)
from evidentsource_core.times import from_parts, parse_rfc3339
from evidentsource_functions.errors import StateChangeError
from evidentsource_runtime.host.convert.packed.attributes import Unfit

_SPECVERSION: Final = "1.0"
_TEXTS: Final[Mapping[str, tuple[str, ...]]] = {
    "subject": ("string",),
    "datacontenttype": ("string",),
    "dataschema": ("uri", "uri-ref", "string"),
}
_EXTENSIONS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "boolean": BooleanExtension,
    "integer": IntegerExtension,
    "string": StringExtension,
    "uri": UriExtension,
    "uri-ref": UriRefExtension,
    "timestamp": TimestampExtension,
}
_DIRECTIONS: Final = {"forward": QueryDirection.FORWARD, "reverse": QueryDirection.REVERSE}


def _itself(value: Any) -> Any:
    return value


def _query(
    selector: EventSelector, span: QueryRange | None, direction: str, limit: int | None
) -> tuple[EventSelector, QueryOptions]:
    return selector, QueryOptions(_DIRECTIONS[direction], limit=limit, range=span)


_RECORDS: Final[Mapping[str, Callable[..., Any]]] = {
    "datetime": from_parts,
    "event-selector": unflatten,
    "batch-constraint-min": MinConstraint,
    "batch-constraint-max": MaxConstraint,
    "batch-constraint-range": lambda selector, low, high: RangeConstraint(
        selector, Range(low, high)
    ),
    "range-cursor": RangeCursor,
    "revision-range": RevisionRange,
    "effective-time-range": EffectiveTimeRange,
    "database-query": _query,
}
_CASES: Final[Mapping[str, Mapping[str, Callable[[Any], Any]]]] = {
    "cloudevent-data": {"string": StringEventData},
    "event-attribute": {
        "stream": StreamAttribute,
        "subject": SubjectAttribute,
        "event-type": EventTypeAttribute,
    },
    "event-attribute-prefix": {
        "stream": StreamPrefix,
        "subject": SubjectPrefix,
        "event-type": EventTypePrefix,
    },
    "event-selector-node": {
        "equals": FlatEqualsNode,
        "starts-with": FlatStartsWithNode,
        "and": lambda pair: FlatAndNode(*pair),
        "or": lambda pair: FlatOrNode(*pair),
    },
    "batch-constraint": dict.fromkeys(("min", "max", "range"), _itself),
    "query-range": dict.fromkeys(("revision", "effective-time"), _itself),
    "state-change-error": {
        "validation": StateChangeError.validation,
        "conflict": StateChangeError.conflict,
        "not-found": StateChangeError.not_found,
        "unauthorized": StateChangeError.unauthorized,
        "internal": StateChangeError.internal,
    },
}


class DomainMakers:
    """Makes values of the domain.

    Args:
        content_limit: the most bytes that one value may have.
    """

    def __init__(self, content_limit: int) -> None:
        self._limit = content_limit

    def record(self, name: str, _fields: Sequence[str]) -> Callable[..., Any]:
        """What is made of the fields of that record, in the order of the contract."""
        return self._event if name == "cloudevent" else _RECORDS[name]

    def case(self, variant: str, name: str) -> Callable[[Any], Any]:
        """What is made of the payload of that case."""
        if variant == "cloudevent-attribute-value":
            return lambda payload: (name, payload)
        if (variant, name) == ("cloudevent-data", "binary"):
            return lambda payload: BinaryEventData(self._limited(payload))
        return _CASES[variant][name]

    def _limited(self, content: bytes) -> bytes:
        if len(content) > self._limit:
            raise Unfit
        return content

    def _event(
        self,
        id_: str,
        stream: str,
        specversion: str,
        event_type: str,
        data: BinaryEventData | StringEventData | None,
        attributes: Sequence[tuple[str, tuple[str, Any]]],
    ) -> ProspectiveEvent:
        if specversion != _SPECVERSION:
            raise Unfit
        context: dict[str, Any] = {}
        extensions: dict[str, Any] = {}
        for name, (kind, value) in attributes:
            if name in _TEXTS:
                if kind not in _TEXTS[name]:
                    raise Unfit
                context[name] = value
            elif name == "time":
                if kind not in ("timestamp", "string"):
                    raise Unfit
                context[name] = value if kind == "timestamp" else parse_rfc3339(value)
            elif kind == "binary":
                extensions[name] = BinaryExtension(self._limited(value))
            else:
                extensions[name] = _EXTENSIONS[kind](value)
        if len(context) + len(extensions) < len(attributes):
            raise Unfit
        return ProspectiveEvent(
            id_, stream, event_type, data=data, extensions=extensions, **context
        )


class PlainMakers:
    """Makes wasmtime-py's values, as its own conversion makes them."""

    def record(self, _name: str, fields: Sequence[str]) -> Callable[..., Any]:
        """A ``Record``."""

        def make(*values: Any) -> Record:
            made = Record()
            made.__dict__.update(zip(fields, values, strict=True))
            return made

        return make

    def case(self, variant: str, name: str) -> Callable[[Any], Any]:
        """A ``Variant``, or the bare payload where its class tells the case."""
        if variant == "cloudevent-data":
            return _itself
        return lambda payload: Variant(name, payload)
