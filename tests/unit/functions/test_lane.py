"""The lane's format: whatever an event holds goes in as text and comes out equal."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidentsource_core import Event, InvalidType
from evidentsource_functions.lane import decode_batch, encode_batch
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
