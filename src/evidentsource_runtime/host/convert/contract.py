"""The component contract as data: every type that crosses the boundary, and what stands for it.

Source: ``interface/decider.wit``. Whole numbers are of any width here, because contracts differ in
them; :mod:`.shapes` reads the widths out of the component at hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias


@dataclass(frozen=True)
class Whole:
    """A whole number of whichever width."""


@dataclass(frozen=True)
class Plain:
    """A type without parts, by its name in WIT."""

    name: str


@dataclass(frozen=True)
class Handle:
    """A resource, owned or borrowed."""

    resource: str


@dataclass(frozen=True)
class Many:
    """A list."""

    element: Shape


@dataclass(frozen=True)
class Maybe:
    """An option."""

    payload: Shape


@dataclass(frozen=True)
class Row:
    """A tuple."""

    elements: tuple[Shape, ...]


@dataclass(frozen=True)
class Fields:
    """A record. Its name is what widths are kept under."""

    name: str
    fields: Mapping[str, Shape]


@dataclass(frozen=True)
class Cases:
    """A variant."""

    name: str
    cases: Mapping[str, Shape]


@dataclass(frozen=True)
class Names:
    """An enum."""

    names: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """A result."""

    ok: Shape
    err: Shape


Shape: TypeAlias = Whole | Plain | Handle | Many | Maybe | Row | Fields | Cases | Names | Outcome

WHOLE = Whole()
TEXT = Plain("string")
BYTES = Many(Plain("u8"))
DATABASE = Handle("database")
SPECULATIVE = Handle("speculative-database")

DATETIME = Fields("datetime", {"seconds": WHOLE, "nanoseconds": WHOLE})
DATA = Cases("cloudevent-data", {"binary": BYTES, "string": TEXT})
ATTRIBUTE = Cases(
    "cloudevent-attribute-value",
    {
        "boolean": Plain("bool"),
        "integer": WHOLE,
        "string": TEXT,
        "binary": BYTES,
        "uri": TEXT,
        "uri-ref": TEXT,
        "timestamp": DATETIME,
    },
)
CLOUDEVENT = Fields(
    "cloudevent",
    {
        "id": TEXT,
        "source": TEXT,
        "specversion": TEXT,
        "type": TEXT,
        "data": Maybe(DATA),
        "attributes": Many(Row((TEXT, ATTRIBUTE))),
    },
)
CONTEXT = Fields(
    "state-view-context",
    {
        "database": TEXT,
        "name": TEXT,
        "version": WHOLE,
        "database-revision": WHOLE,
        "database-revision-timestamp": DATETIME,
        "content-type": Maybe(TEXT),
        "content-schema": Maybe(TEXT),
    },
)
RENDERED = Fields(
    "rendered-state-view",
    {
        "context": CONTEXT,
        "content": Maybe(BYTES),
        "last-modified-revision": WHOLE,
        "last-modified-timestamp": DATETIME,
    },
)
COMMAND = Fields(
    "command", {"body": Maybe(BYTES), "content-type": TEXT, "content-schema": Maybe(TEXT)}
)
METADATA = Fields(
    "state-change-metadata",
    {
        "state-change-name": TEXT,
        "state-change-version": WHOLE,
        "last-seen-revision": WHOLE,
        "command-received-at": DATETIME,
        "command-headers": Many(Row((TEXT, TEXT))),
    },
)
EVENT_ATTRIBUTE = Cases(
    "event-attribute", {"stream": TEXT, "subject": Maybe(TEXT), "event-type": TEXT}
)
EVENT_ATTRIBUTE_PREFIX = Cases(
    "event-attribute-prefix", {"stream": TEXT, "subject": TEXT, "event-type": TEXT}
)
_TWO_NODES = Row((WHOLE, WHOLE))
NODE = Cases(
    "event-selector-node",
    {
        "equals": EVENT_ATTRIBUTE,
        "starts-with": EVENT_ATTRIBUTE_PREFIX,
        "and": _TWO_NODES,
        "or": _TWO_NODES,
    },
)
SELECTOR = Fields("event-selector", {"nodes": Many(NODE)})
CONSTRAINT = Cases(
    "batch-constraint",
    {
        "min": Fields("batch-constraint-min", {"selector": SELECTOR, "revision": WHOLE}),
        "max": Fields("batch-constraint-max", {"selector": SELECTOR, "revision": WHOLE}),
        "range": Fields(
            "batch-constraint-range", {"selector": SELECTOR, "min": WHOLE, "max": WHOLE}
        ),
    },
)
REFUSAL = Cases(
    "state-change-error",
    dict.fromkeys(("validation", "conflict", "not-found", "unauthorized", "internal"), TEXT),
)
CURSOR = Fields("range-cursor", {"timestamp": DATETIME, "revision": WHOLE})
RANGE = Cases(
    "query-range",
    {
        "revision": Fields("revision-range", {"start-at": Maybe(WHOLE)}),
        "effective-time": Fields(
            "effective-time-range", {"start-at": Maybe(CURSOR), "end-at": Maybe(DATETIME)}
        ),
    },
)
QUERY = Fields(
    "database-query",
    {
        "selector": SELECTOR,
        "range": Maybe(RANGE),
        "direction": Names(("forward", "reverse")),
        "limit": Maybe(WHOLE),
    },
)


class Kind(Enum):
    """What a parameter or result of an imported function stands for in the domain."""

    NUMBER = WHOLE
    TEXT = TEXT
    TIME = DATETIME
    OPTIONAL_TIME = Maybe(DATETIME)
    EVENTS = Many(CLOUDEVENT)
    QUERY = QUERY
    PARAMETERS = Many(Row((TEXT, EVENT_ATTRIBUTE)))
    VIEW = Maybe(RENDERED)
    DATABASE = DATABASE
    SPECULATIVE = SPECULATIVE


@dataclass(frozen=True)
class Method:
    """An imported function: what it takes beside the database, and what it gives."""

    parameters: tuple[Kind, ...]
    result: Kind
    can_refuse: bool = False
    """Whether it has a way to say in words that the database refused."""


def _methods(own: Kind) -> dict[str, Method]:
    """What both resources have; ``own`` is what ``at-effective-timestamp`` of this one gives."""
    return {
        "at-effective-timestamp": Method((Kind.TIME,), own),
        "speculate-with-batch": Method((Kind.EVENTS,), Kind.SPECULATIVE),
        "query-events": Method((Kind.QUERY,), Kind.EVENTS, can_refuse=True),
        "view-state": Method((Kind.TEXT, Kind.NUMBER, Kind.PARAMETERS), Kind.VIEW, can_refuse=True),
        "name": Method((), Kind.TEXT),
        "created-at": Method((), Kind.TIME),
        "revision": Method((), Kind.NUMBER),
        "revision-timestamp": Method((), Kind.TIME),
        "effective-timestamp": Method((), Kind.OPTIONAL_TIME),
    }


METHODS: Mapping[str, Mapping[str, Method]] = {
    "database": {
        **_methods(Kind.DATABASE),
        "at-revision": Method((Kind.NUMBER,), Kind.DATABASE, can_refuse=True),
    },
    "speculative-database": {
        **_methods(Kind.SPECULATIVE),
        "basis": Method((), Kind.DATABASE),
        "speculated-event-count": Method((), Kind.NUMBER),
    },
}
"""Every function a component may import, by resource."""

EVOLVE: tuple[tuple[Shape, ...], Shape] = ((RENDERED, Many(CLOUDEVENT)), Maybe(BYTES))
EXPLAIN_EVOLVE: tuple[tuple[Shape, ...], Shape] = (EVOLVE[0], Maybe(TEXT))
FOLD: tuple[tuple[Shape, ...], Shape] = (
    (TEXT, Many(Row((Maybe(TEXT), Maybe(BYTES)))), Many(TEXT)),
    Many(Row((Maybe(TEXT), Maybe(BYTES), Maybe(TEXT)))),
)
"""The lane: see :mod:`evidentsource_functions.lane`."""
DECIDE: tuple[tuple[Shape, ...], Shape] = (
    (DATABASE, COMMAND, METADATA),
    Outcome(Row((Many(CLOUDEVENT), Many(CONSTRAINT))), REFUSAL),
)
