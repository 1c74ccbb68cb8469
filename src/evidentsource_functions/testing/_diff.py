"""What differs between a value that was expected and the one that is there, part by part."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from evidentsource_core import Event, ProspectiveEvent
from evidentsource_core.domain.state_change import is_json
from evidentsource_functions.testing._anything import Anything
from evidentsource_functions.testing._events import EventSpec, structured_payload


class _Missing:
    """Takes the place of a part that is not there."""

    def __repr__(self) -> str:
        return "(not there)"


MISSING: Final = _Missing()


@dataclass(frozen=True, slots=True)
class Difference:
    """One part that differs.

    Args:
        path: leads to it, say ``data.items[2].quantity``.
        expected: what should be there.
        got: what is there.
    """

    path: str
    expected: Any
    got: Any


def value_differences(expected: Any, got: Any, path: str) -> Iterator[Difference]:
    """Where two plain values differ, as deep inside as possible.

    ``true`` is not 1, though Python says so; 1 and 1.0 are one number, as in JSON.

    >>> [each.path for each in value_differences({"a": [1, 2]}, {"a": [1, 3]}, "data")]
    ['data.a[1]']
    """
    if isinstance(expected, dict) and isinstance(got, dict):
        for key in [*expected, *(key for key in got if key not in expected)]:
            inner = f"{path}.{key}" if path else str(key)
            yield from value_differences(expected.get(key, MISSING), got.get(key, MISSING), inner)
    elif isinstance(expected, list) and isinstance(got, list):
        for index in range(max(len(expected), len(got))):
            left = expected[index] if index < len(expected) else MISSING
            right = got[index] if index < len(got) else MISSING
            yield from value_differences(left, right, f"{path}[{index}]")
    elif not _equal(expected, got):
        yield Difference(path, expected, got)


def event_differences(
    expected: EventSpec, got: ProspectiveEvent, stream: str | None
) -> list[Difference]:
    """Where an event is not the one that a test named; nowhere, if it matches.

    Args:
        expected: the event as the test names it.
        got: the event.
        stream: the stream of events that name none.
    """
    found: list[Difference] = []
    parts = {
        "type": (expected.event_type, got.event_type),
        "stream": (expected.stream_in(stream), got.stream),
        "subject": (expected.subject, got.subject),
        "id": (expected.id, got.id),
        "time": (expected.time, got.time),
        "dataschema": (expected.dataschema, got.dataschema),
        "extensions": (expected.extensions, got.extensions),
    }
    for path, (wanted, there) in parts.items():
        if wanted != there:
            found.append(Difference(path, wanted, there))
    found += _content_type(expected, got)
    return [*found, *_payload(expected, got)]


def exact_differences(left: ProspectiveEvent, right: ProspectiveEvent) -> list[Difference]:
    """Every field in which two events differ, the payload as it is, byte for byte."""
    return [
        Difference(name, getattr(left, name), getattr(right, name))
        for name in ProspectiveEvent.__slots__
        if getattr(left, name) != getattr(right, name)
    ]


def _content_type(expected: EventSpec, got: ProspectiveEvent | Event) -> list[Difference]:
    wanted = expected.content_type
    if isinstance(wanted, Anything) and expected.structured and got.data is not None:
        return (
            []
            if is_json(got.datacontenttype)
            else [Difference("datacontenttype", "application/json", got.datacontenttype)]
        )
    return (
        []
        if wanted == got.datacontenttype
        else [Difference("datacontenttype", wanted, got.datacontenttype)]
    )


def _payload(expected: EventSpec, got: ProspectiveEvent | Event) -> Iterator[Difference]:
    if expected.optional and got.data is None:
        return
    payload, structured = structured_payload(got)
    if expected.structured and structured:
        yield from value_differences(expected.payload, payload, "data")
    elif expected.payload != got.data:
        yield Difference("data", expected.payload, got.data)


def _equal(expected: Any, got: Any) -> bool:
    if isinstance(expected, Anything):
        return not isinstance(got, _Missing)
    if isinstance(expected, bool) is not isinstance(got, bool):
        return False
    return bool(expected == got)
