"""The contract's values in plain Python, there and back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from evidentsource_core import (
    BinaryExtension,
    BooleanExtension,
    Constraint,
    Event,
    IntegerExtension,
    InvalidEvents,
    InvalidExtension,
    InvalidTimestamp,
    InvalidType,
    InvalidValue,
    ProspectiveEvent,
    Range,
    Selector,
    StringExtension,
    TimestampExtension,
    UriExtension,
    UriRefExtension,
)
from evidentsource_functions import wit_types as w

TIME = datetime(1969, 12, 31, 23, 59, 59, 500_000, UTC)
EVERY_EXTENSION: Any = {
    "b": BooleanExtension(value=True),
    "i": IntegerExtension(-(2**31)),
    "s": StringExtension("é"),
    "x": BinaryExtension(b"\x00"),
    "u": UriExtension("https://x/y"),
    "r": UriRefExtension("../y"),
    "t": TimestampExtension(TIME),
}


def full(data: Any) -> ProspectiveEvent:
    return ProspectiveEvent(
        "e-1", "accounts", "opened", "a-1", data, TIME, "text/plain", "urn:s", EVERY_EXTENSION
    )


@pytest.mark.parametrize("data", [None, "", "text", b"", b"\xff"])
def test_an_event_goes_there_and_back_with_everything(data: Any) -> None:
    lowered = w.prospective_event_to_wit_cloudevent(full(data))
    assert lowered.source == "accounts"
    assert w.wit_cloudevent_to_prospective_event(lowered) == full(data)


def test_a_stored_event_goes_there_and_back() -> None:
    event = Event("e", "https://h/db/d/streams/s", "t", time=TIME, extensions=EVERY_EXTENSION)
    assert w.wit_cloudevent_to_event(w.event_to_wit_cloudevent(event)) == event


@dataclass
class CloudeventAttributeValue_String:  # noqa: N801 - the name that bindings generate
    value: str


@dataclass
class CloudeventData_String:  # noqa: N801 - the name that bindings generate
    value: str


@dataclass
class Cloudevent:
    id: str
    source: str
    specversion: str
    type: str
    data: Any
    attributes: list[Any]


def test_objects_of_generated_bindings_are_read_as_well() -> None:
    text = CloudeventAttributeValue_String
    event = w.wit_cloudevent_to_event(
        Cloudevent(
            "e",
            "accounts",
            "1.0",
            "t",
            CloudeventData_String("{}"),
            [("subject", text("a-1")), ("time", text("1970-01-01T00:00:00Z")), ("k", text("v"))],
        )
    )
    assert (event.subject, event.data_as_string()) == ("a-1", "{}")
    assert event.time == datetime(1970, 1, 1, tzinfo=UTC)
    assert event.extensions == {"k": StringExtension("v")}


def test_a_schema_that_arrives_as_text_is_the_schema() -> None:
    lowered = w.WitCloudevent(
        "e", "s", "1.0", "t", None, [("dataschema", w.WitCloudeventAttributeString("urn:s"))]
    )
    assert w.wit_cloudevent_to_event(lowered).dataschema == "urn:s"


@pytest.mark.parametrize(
    "attributes",
    [
        [("subject", w.WitCloudeventAttributeInteger(1))],
        [("time", w.WitCloudeventAttributeBoolean(value=True))],
    ],
)
def test_an_attribute_of_a_wrong_type_is_refused_by_name(attributes: Any) -> None:
    with pytest.raises(InvalidType, match=f"attributes.{attributes[0][0]}"):
        w.wit_cloudevent_to_event(w.WitCloudevent("e", "s", "1.0", "t", None, attributes))


def test_an_attribute_that_comes_twice_is_refused() -> None:
    twice: Any = [("k", w.WitCloudeventAttributeInteger(n)) for n in (1, 2)]
    with pytest.raises(InvalidValue, match=r"attributes\.k: comes twice"):
        w.wit_cloudevent_to_event(w.WitCloudevent("e", "s", "1.0", "t", None, twice))


def test_plain_values_become_the_matching_kind() -> None:
    event = ProspectiveEvent("e", "ok", "t", data='{"a": 1}', extensions={"k": "v"})
    lowered = w.prospective_event_to_wit_cloudevent(event)
    assert lowered.data == w.WitCloudeventDataString('{"a": 1}')
    assert lowered.attributes == [("k", w.WitCloudeventAttributeString("v"))]


@pytest.mark.parametrize("name", ["subject", "time", "id", "data", "Bad-Name", "", "sequence"])
def test_an_extension_that_cannot_travel_is_refused_by_name(name: str) -> None:
    event = ProspectiveEvent("e", "ok", "t", extensions={name: "v"})
    with pytest.raises(InvalidEvents) as caught:
        w.prospective_event_to_wit_cloudevent(event)
    (error,) = caught.value.errors
    assert isinstance(error, InvalidExtension)
    assert error.name == name


def test_wrong_types_are_refused_where_the_event_is_made() -> None:
    with pytest.raises(InvalidType, match=r"ProspectiveEvent\.dataschema"):
        ProspectiveEvent("e", "ok", "t", dataschema=b"urn:x")  # type: ignore[arg-type]
    with pytest.raises(InvalidExtension, match="32 bits"):
        ProspectiveEvent("e", "ok", "t", extensions={"n": 2**31})


SELECTOR = (Selector.stream("accounts") & Selector.subject("a")) | (
    Selector.no_subject() & Selector.event_type_starts_with("a")
    | Selector.stream_starts_with("o")
    | Selector.subject_starts_with("x") & Selector.event_type("t")
)


def test_a_selector_goes_there_and_back() -> None:
    lowered = w.selector_to_wit(SELECTOR)
    assert isinstance(lowered.nodes[-1], w.WitEventSelectorNodeOr)
    assert w.wit_to_selector(lowered) == SELECTOR


@pytest.mark.parametrize(
    "condition",
    [
        Constraint.min(SELECTOR, 1),
        Constraint.max(SELECTOR, 2**64 - 1),
        Constraint.range(SELECTOR, Range(3, 5)),
    ],
)
def test_a_condition_goes_there_and_back(condition: Any) -> None:
    assert w.wit_to_condition(w.condition_to_wit(condition)) == condition
    assert w.constraint_to_wit(condition) == w.condition_to_wit(condition)


@pytest.mark.parametrize(
    ("moment", "parts"),
    [
        (TIME, (-1, 500_000_000)),
        (datetime(9999, 12, 31, 23, 59, 59, 999_999, UTC), (253402300799, 999_999_000)),
        (datetime(2300, 1, 1, 0, 0, 0, 1, UTC), (10413792000, 1_000)),
    ],
)
def test_times_are_exact_in_both_directions(moment: datetime, parts: tuple[int, int]) -> None:
    assert w.datetime_to_wit(moment) == parts
    assert w.datetime_from_wit(*parts) == moment
    assert w.datetime_from_wit(w.WitDatetime(*parts)) == moment
    assert w.WitDatetime.from_datetime(moment).to_datetime() == moment


def test_nanoseconds_are_kept_and_never_rounded_up() -> None:
    moment = w.datetime_from_wit(1, 999_999_999)
    assert moment.second == 1
    assert w.datetime_to_wit(moment) == (1, 999_999_999)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(InvalidTimestamp, match="time zone"):
        w.datetime_to_wit(datetime(2024, 1, 1))  # noqa: DTZ001 - what is tested
