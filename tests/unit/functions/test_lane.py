"""The lane's format: whatever an event holds goes in as text and comes out equal."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidentsource_core import Event, InvalidType
from evidentsource_core.domain.errors import InvalidValue
from evidentsource_functions import wit_types
from evidentsource_functions._lift import lift_event, lift_stored_events
from evidentsource_functions.lane import (
    EncodedEvents,
    UnreadableBatch,
    decode_batch,
    encode_batch,
)
from tests.strategies import events

SOURCE = "https://host/db/bank/streams/"


@given(st.lists(events(), max_size=5))
def test_a_batch_goes_there_and_back(batch: list[Event]) -> None:
    decoded = decode_batch(encode_batch(batch, SOURCE), SOURCE)
    assert decoded == batch
    assert batch == decoded
    assert list(map(hash, decoded)) == list(map(hash, batch))


@given(events())
def test_a_decoded_event_is_an_event_in_every_respect(event: Event) -> None:
    (decoded,) = decode_batch(encode_batch([event], SOURCE), SOURCE)
    assert isinstance(decoded, Event)
    assert repr(decoded) == repr(event)
    assert pickle.loads(pickle.dumps(decoded)) == event
    assert decoded.stream() == event.stream()
    assert decoded.data_as_bytes() == event.data_as_bytes()


def test_a_field_is_decoded_once() -> None:
    (event,) = decode_batch('[["e","s","t",null,5,"{}",null,null,{"k":"v"}]]', SOURCE)
    assert event.time is event.time
    assert event.data is event.data
    assert event.extensions is event.extensions


def test_a_decoded_event_is_immutable_and_has_no_other_attributes() -> None:
    (event,) = decode_batch('[["e","s","t",null,5,"{}",null,null,null]]', SOURCE)
    with pytest.raises(AttributeError):
        event.subject = "x"  # type: ignore[misc]
    with pytest.raises(AttributeError, match="no attribute 'amount'"):
        _ = event.amount  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("source", "column"),
    [
        (SOURCE + "accounts", "accounts"),
        (SOURCE + "a/b", [SOURCE + "a/b"]),
        ("accounts", ["accounts"]),
        ("https://other/db/bank/streams/accounts", ["https://other/db/bank/streams/accounts"]),
    ],
)
def test_only_a_stream_of_this_database_is_shortened(source: str, column: Any) -> None:
    batch = encode_batch([Event("e", source, "t")], SOURCE)
    assert json.loads(batch)[0][1] == column
    assert decode_batch(batch, SOURCE)[0].source == source


def test_text_is_written_as_it_is() -> None:
    assert "é\U0001f600" in encode_batch([Event("é\U0001f600", "s", "t")], SOURCE)


def test_wrong_events_never_come_this_far() -> None:
    with pytest.raises(InvalidType):
        Event("e", "s", "t", data={"a": 1})  # type: ignore[arg-type]


def test_a_changed_copy_of_a_decoded_event_is_an_ordinary_event() -> None:
    (event,) = decode_batch('[["e","s","t",null,5,"{}",null,null,{"k":"v"}]]', SOURCE)
    changed = dataclasses.replace(event, subject="x")
    assert type(changed) is Event
    assert (changed.subject, changed.extensions) == ("x", event.extensions)
    assert copy.deepcopy(event) == event


@given(st.lists(events(), max_size=4))
def test_a_batch_that_is_looked_into_reads_the_same(batch: list[Event]) -> None:
    text = encode_batch(batch, SOURCE)
    assert decode_batch(text, SOURCE, len(batch)) == batch


@given(st.lists(events(), max_size=4))
def test_a_batch_in_ascii_alone_reads_the_same(batch: list[Event]) -> None:
    # As a writer does that escapes whatever is no ASCII, surrogate pairs included.
    text = json.dumps(json.loads(encode_batch(batch, SOURCE)))
    assert decode_batch(text, SOURCE, len(batch)) == batch


def row(**columns: Any) -> str:
    plain = {
        "id": "e",
        "stream": "s",
        "type": "t",
        **dict.fromkeys(("subject", "time", "data", "datacontenttype", "dataschema")),
        "extensions": None,
    }
    return json.dumps([list((plain | columns).values())])


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("", "events"),
        ("[" * 100_000, "events"),
        ("null", "events"),
        ("[]", "events"),
        ("[[]]", "events[0]"),
        ("[{}]", "events[0]"),
        (row(more=1), "events[0]"),
        (row(id=None), "events[0].id"),
        (row(type=["t"]), "events[0].type"),
        (row(stream=None), "events[0].source"),
        (row(stream=[1]), "events[0]"),
        (row(stream=[]), "events[0].source"),
        (row(subject=5), "events[0]"),
        (row(subject="\ud800"), "events[0]"),
        (row(data="\udfff"), "events[0]"),
        (row(time="2024-01-01T00:00:00Z"), "events[0].time"),
        (row(time=1.5), "events[0].time"),
        (row(time=True), "events[0].time"),
        (row(time=10**18), "events[0].time"),
        (row(time=-(10**18)), "events[0].time"),
        (row(time=[0, 10**9]), "events[0].time"),
        (row(time=[0]), "events[0].time"),
        (row(data=5), "events[0].data"),
        (row(data=["no base64!"]), "events[0].data"),
        (row(data=[]), "events[0].data"),
        (row(datacontenttype=5), "events[0]"),
        (row(dataschema=[]), "events[0]"),
        (row(extensions=[]), "events[0].extensions"),
        (row(extensions={"n": 2**31}), "events[0].extensions"),
        (row(extensions={"n": None}), "events[0].extensions"),
        (row(extensions={"n": 1.5}), "events[0].extensions"),
        (row(extensions={"n": ["z", "a"]}), "events[0].extensions"),
        (row(extensions={"n": ["u"]}), "events[0].extensions"),
        (row(extensions={"n": ["u", 5]}), "events[0].extensions"),
        (row(extensions={"n": ["t", 0]}), "events[0].extensions"),
        (row(extensions={"n": ["x", "*"]}), "events[0].extensions"),
        (row(extensions={"time": "now"}), "events[0].extensions.time"),
        (row(extensions={"\ud800": "now"}), "events[0]"),
        (row(extensions={"n": "\ud800"}), "events[0].extensions"),
    ],
)
def test_a_text_that_is_no_batch_is_refused_by_the_place(text: str, field: str) -> None:
    with pytest.raises(UnreadableBatch) as caught:
        decode_batch(text, SOURCE, 1)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        ((b"[]", 0, ""), InvalidType),
        (("[]", True, ""), InvalidType),
        (("[]", -1, ""), InvalidValue),
    ],
)
def test_encoded_events_that_cannot_be_are_refused(arguments: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind, match=r"EncodedEvents\."):
        EncodedEvents(*arguments)


@given(st.lists(events(), max_size=3))
def test_an_event_lifted_when_it_is_read_is_the_one_lifted_at_once(batch: list[Event]) -> None:
    lowered = [wit_types.event_to_wit_cloudevent(event) for event in batch]
    lazily = lift_stored_events(lowered)
    assert lazily == [lift_event(each) for each in lowered] == batch
    assert [repr(event) for event in lazily] == [repr(event) for event in batch]
    assert pickle.loads(pickle.dumps(lazily)) == batch
    assert [event.data_as_bytes() for event in lazily] == [event.data_as_bytes() for event in batch]


def test_an_attribute_that_comes_twice_is_refused_when_it_is_read() -> None:
    lowered = wit_types.event_to_wit_cloudevent(Event("e", "s", "t", subject="x"))
    lowered = dataclasses.replace(lowered, attributes=[*lowered.attributes, *lowered.attributes])
    (event,) = lift_stored_events([lowered])
    assert event.id == "e"
    with pytest.raises(InvalidValue, match="comes twice"):
        _ = event.subject
