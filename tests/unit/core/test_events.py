"""Events: what they take, what they refuse by the name of the field, and what they tell."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidentsource_core import (
    BinaryEventData,
    BinaryExtension,
    DeserializationFailed,
    Event,
    Extensions,
    IntegerExtension,
    InvalidEventId,
    InvalidEventSubject,
    InvalidEventType,
    InvalidExtension,
    InvalidStreamName,
    InvalidTimestamp,
    InvalidType,
    InvalidValue,
    ProspectiveEvent,
    StringEventData,
    StringExtension,
    Transaction,
    TransactionSummary,
    event_data_as_bytes,
)
from evidentsource_core.domain.events import is_sound
from tests.unit.core.strategies import events, prospective_events

BOTH: list[type[Any]] = [Event, ProspectiveEvent]
SOURCE = "https://h/db/bank/streams/accounts"


def make(kind: type[Any], **fields: Any) -> Any:
    return kind(**{"id": "e-1", home(kind): "accounts", "event_type": "opened"} | fields)


def home(kind: type[Any]) -> str:
    return "source" if kind is Event else "stream"


# --- payloads ------------------------------------------------------------------------------------


@given(st.text())
def test_a_text_payload_is_its_utf_8_bytes(text: str) -> None:
    data = StringEventData(text)
    assert event_data_as_bytes(data) == data.as_bytes() == text.encode()
    event = make(Event, data=text)
    assert event.data == data
    assert event.data_as_string() == text
    assert event.data_as_bytes() == text.encode()


@given(st.binary())
def test_a_binary_payload_is_its_bytes(payload: bytes) -> None:
    assert event_data_as_bytes(BinaryEventData(payload)) == payload
    assert make(ProspectiveEvent, data=payload).data_as_bytes() == payload


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize(
    ("data", "held"),
    [
        ("", StringEventData("")),
        (b"", BinaryEventData(b"")),
        (bytearray(b"a"), BinaryEventData(b"a")),
        (memoryview(b"a"), BinaryEventData(b"a")),
        (StringEventData("a"), StringEventData("a")),
        (BinaryEventData(b"a"), BinaryEventData(b"a")),
        (None, None),
    ],
)
def test_plain_text_and_bytes_become_payloads(kind: type[Any], data: object, held: object) -> None:
    event = make(kind, data=data)
    assert event.data == event.get_data() == held
    assert type(event.data) is type(held)


@pytest.mark.parametrize("kind", BOTH)
def test_no_payload_is_none_in_every_form(kind: type[Any]) -> None:
    event = make(kind)
    assert event.data_as_string() is event.data_as_bytes() is event.data_as_json() is None


@pytest.mark.parametrize("kind", BOTH)
def test_an_empty_payload_is_empty_text(kind: type[Any]) -> None:
    assert make(kind, data="").data_as_string() == ""
    assert make(kind, data=b"").data_as_string() == ""


@pytest.mark.parametrize("kind", BOTH)
def test_binary_text_is_read_as_text(kind: type[Any]) -> None:
    assert make(kind, data="é".encode()).data_as_string() == "é"


@pytest.mark.parametrize("kind", BOTH)
def test_binary_that_is_no_text_is_refused_with_what_to_use(kind: type[Any]) -> None:
    with pytest.raises(DeserializationFailed, match=r"'e-1' is binary.*use data_as_bytes\(\)"):
        make(kind, data=b"\xff").data_as_string()


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("data", ['{"n": [1, 2.5, null]}', b'{"n": [1, 2.5, null]}'])
def test_a_json_payload_is_parsed(kind: type[Any], data: str | bytes) -> None:
    assert make(kind, data=data).data_as_json() == {"n": [1, 2.5, None]}


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("data", ["", "{", '{"n": NaN}', b"\xff", "9" * 5000, "[" * 100_000])
def test_a_payload_that_is_no_json_is_a_typed_error(kind: type[Any], data: str | bytes) -> None:
    event = make(kind, data=data)
    with pytest.raises(DeserializationFailed):
        event.data_as_json()
    with pytest.raises(ValueError, match="deserialization failed"):
        event.data_as_json()


@pytest.mark.parametrize(
    ("kind", "value", "error"),
    [
        (StringEventData, b"a", InvalidType),
        (StringEventData, {"a": 1}, InvalidType),
        (StringEventData, "\ud800", InvalidValue),
        (BinaryEventData, "a", InvalidType),
        (BinaryEventData, bytearray(b"a"), InvalidType),
    ],
)
def test_a_payload_refuses_what_it_cannot_hold(
    kind: type[Any], value: object, error: type[Exception]
) -> None:
    with pytest.raises(error, match=rf"{kind.__name__}\.data"):
        kind(value)


# --- fields --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", None), ("id", 5), ("id", b"e"), ("home", None), ("home", 5), ("event_type", None),
        ("event_type", 5), ("subject", 5), ("subject", b"s"), ("datacontenttype", 5),
        ("dataschema", b"urn:a"), ("data", 5), ("data", {"a": 1}), ("data", ["a"]),
        ("time", "2024-01-01T00:00:00Z"), ("time", date(2024, 1, 1)), ("time", 5),
    ],
)  # fmt: skip
def test_a_wrong_type_is_refused_by_the_name_of_the_field(
    kind: type[Any], field: str, value: object
) -> None:
    name = home(kind) if field == "home" else field
    with pytest.raises(InvalidType, match=rf"{kind.__name__}\.{name}: expected") as caught:
        make(kind, **{name: value})
    assert caught.value.field == f"{kind.__name__}.{name}"


def test_a_dict_as_payload_is_refused_with_the_way_to_write_json() -> None:
    builders: list[Any] = [lambda data: make(ProspectiveEvent, data=data), StringEventData]
    for build in builders:
        with pytest.raises(InvalidType, match=r"StringEventData\(json\.dumps\("):
            build({"amount": 1})


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize(
    "field", ["id", "home", "event_type", "subject", "datacontenttype", "dataschema"]
)
def test_half_a_surrogate_pair_is_refused_by_the_name_of_the_field(
    kind: type[Any], field: str
) -> None:
    name = home(kind) if field == "home" else field
    with pytest.raises(InvalidValue, match=rf"{kind.__name__}\.{name}: character 1 is half"):
        make(kind, **{name: "a\ud800"})


@pytest.mark.parametrize("kind", BOTH)
def test_half_a_surrogate_pair_in_a_payload_is_refused(kind: type[Any]) -> None:
    with pytest.raises(InvalidValue, match=r"StringEventData\.data: character 1 is half"):
        make(kind, data="a\ud800")


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize(
    ("time", "said"),
    [
        (datetime(2024, 1, 1), "no time zone"),  # noqa: DTZ001 - what is tested
        (datetime(9999, 12, 31, 23, 59, tzinfo=timezone(-timedelta(hours=1))), "years 1 to 9999"),
    ],
)
def test_a_time_that_is_no_instant_is_refused_by_the_name_of_the_field(
    kind: type[Any], time: datetime, said: str
) -> None:
    with pytest.raises(InvalidTimestamp, match=rf"{kind.__name__}\.time: .*{said}"):
        make(kind, time=time)


@pytest.mark.parametrize("kind", BOTH)
def test_attributes_may_be_plain_values_and_cannot_be_changed(kind: type[Any]) -> None:
    given_values = {"tenant": "acme", "retry": 2}
    event = make(kind, extensions=given_values)
    given_values["more"] = 1
    assert type(event.extensions) is Extensions
    assert event.extensions == {"tenant": StringExtension("acme"), "retry": IntegerExtension(2)}
    assert event.extension("tenant") == StringExtension("acme")
    assert event.extension("absent") is None


@pytest.mark.parametrize("kind", BOTH)
def test_attributes_that_are_no_mapping_are_refused(kind: type[Any]) -> None:
    with pytest.raises(InvalidType, match="extensions"):
        make(kind, extensions=[("tenant", "acme")])


@pytest.mark.parametrize("kind", BOTH)
def test_events_take_their_fields_by_position_in_the_published_order(kind: type[Any]) -> None:
    time = datetime(2024, 1, 1, tzinfo=UTC)
    event = kind("i", "accounts", "t", "s", "d", time, "text/plain", "urn:a", {"tenant": "x"})
    told = (event.id, getattr(event, home(kind)), event.event_type, event.subject)
    assert told == ("i", "accounts", "t", "s")
    assert event.data_as_string() == "d"
    assert (event.time, event.datacontenttype, event.dataschema) == (time, "text/plain", "urn:a")
    assert event.extension("tenant") == StringExtension("x")


@pytest.mark.parametrize("kind", BOTH)
def test_the_getters_tell_the_fields(kind: type[Any]) -> None:
    time = datetime(2024, 1, 1, tzinfo=UTC)
    event = make(kind, subject="a-1", time=time)
    told = (event.get_event_type(), event.get_subject(), event.get_time())
    assert told == ("opened", "a-1", time)
    assert (event.get_source() if kind is Event else event.get_stream()) == "accounts"


@given(st.one_of(events, prospective_events))
def test_a_replaced_field_leaves_the_others(event: Any) -> None:
    changed = dataclasses.replace(event, event_type="other")
    assert changed.event_type == "other"
    assert dataclasses.replace(changed, event_type=event.event_type) == event


@given(st.one_of(events, prospective_events))
def test_an_event_can_be_told_as_a_dict(event: Any) -> None:
    told = dataclasses.asdict(event)
    assert told["id"] == event.id
    plain = {name: {"value": value.value} for name, value in event.extensions.items()}
    assert told["extensions"] == plain


@given(st.one_of(events, prospective_events))
def test_equal_events_have_equal_hashes(event: Any) -> None:
    again = dataclasses.replace(event)
    assert again == event
    assert hash(again) == hash(event)
    assert dataclasses.replace(event, id=f"{event.id[:200]}x") != event


# --- stored events -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "stream"),
    [(SOURCE, "accounts"), ("accounts", "accounts"), ("https://h/db/bank", None)],
)
def test_a_stored_event_tells_its_stream(source: str, stream: str | None) -> None:
    assert make(Event, source=source).stream() == stream


@pytest.mark.parametrize(
    ("sequence", "revision"),
    [
        (StringExtension("00000000000000000042"), 42),
        (StringExtension("42"), 42),
        (IntegerExtension(42), 42),
        (StringExtension(str(2**64 - 1)), 2**64 - 1),
        (StringExtension(str(2**64)), None),
        (StringExtension("9" * 5000), None),
        (StringExtension(""), None),
        (StringExtension("-1"), None),
        (StringExtension("٤٢"), None),
        (StringExtension("x"), None),
        (IntegerExtension(-1), None),
        (BinaryExtension(b"42"), None),
        (None, None),
    ],
)
def test_a_stored_event_tells_its_revision_where_its_sequence_is_one(
    sequence: Any, revision: int | None
) -> None:
    extensions = {} if sequence is None else {"sequence": sequence}
    assert make(Event, extensions=extensions).revision() == revision


# --- proposed events -----------------------------------------------------------------------------


@given(prospective_events)
def test_a_proposed_event_within_the_rules_has_no_problem(event: ProspectiveEvent) -> None:
    assert not list(event.problems())


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"stream": "1st"}, InvalidStreamName),
        ({"id": " "}, InvalidEventId),
        ({"event_type": "x" * 256}, InvalidEventType),
        ({"subject": "a\nb"}, InvalidEventSubject),
        ({"extensions": {"Bad": "x"}}, InvalidExtension),
        ({"extensions": {"subject": "x"}}, InvalidExtension),
        ({"extensions": {"sequence": "1"}}, InvalidExtension),
        ({"extensions": {"recordedtime": "x"}}, InvalidExtension),
    ],
)
def test_a_proposed_event_tells_what_keeps_it_out(
    fields: dict[str, Any], error: type[Exception]
) -> None:
    (problem,) = make(ProspectiveEvent, **fields).problems()
    assert type(problem) is error


def test_a_proposed_event_tells_all_its_problems() -> None:
    event = ProspectiveEvent("", "", "", "", extensions={"Bad": "x", "sequence": "1"})
    assert [problem.code for problem in event.problems()] == [
        "invalid-stream-name",
        "invalid-event-id",
        "invalid-event-type",
        "invalid-event-subject",
        "invalid-extension",
        "invalid-extension",
    ]


def test_a_transaction_keeps_its_events_in_order() -> None:
    both = [make(Event, id="e-1"), make(Event, id="e-2")]
    transaction = Transaction(iter(both), TransactionSummary(2, 2, "tx"))
    both.pop()
    assert [event.id for event in transaction.events] == ["e-1", "e-2"]
    assert transaction.summary == TransactionSummary(revision=2, event_count=2, transaction_id="tx")


NAMES = st.one_of(
    st.text(max_size=4),
    st.sampled_from(
        ["", " ", "  ", "a b", " a", "\xa0", "\u2003", "\x7f", "é", "x" * 255, "x" * 256]
    ),
)


@given(event_id=NAMES, event_type=NAMES, subject=st.none() | NAMES)
def test_what_is_sound_at_first_sight_has_no_problems(
    event_id: str, event_type: str, subject: str | None
) -> None:
    event = ProspectiveEvent(event_id, "accounts", event_type, subject)
    if is_sound(event):
        assert list(event._problems()) == []
    if event_id.isalnum() and event_type.isalnum() and subject is None and len(event_id) < 99:
        assert is_sound(event) or len(event_type) > 99
