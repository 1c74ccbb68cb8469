"""Names and ids: what is allowed, what is refused with its rule, and how they compare."""

from __future__ import annotations

import operator
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidentsource_core import (
    NAME_PATTERN,
    SAFE_DELIMITER,
    DatabaseName,
    EventError,
    EventId,
    EventSubject,
    EventType,
    IdentifierError,
    InvalidDatabaseName,
    InvalidEventId,
    InvalidEventSubject,
    InvalidEventType,
    InvalidStateChangeName,
    InvalidStateViewName,
    InvalidStreamName,
    InvalidType,
    InvalidValue,
    StateChangeName,
    StateViewName,
    StreamName,
    StreamNamePrefix,
)
from evidentsource_core.domain.identifiers import check_text, stream_of
from tests.unit.core.strategies import name_prefixes, names, texts

NAMES: list[tuple[type[Any], type[IdentifierError]]] = [
    (DatabaseName, InvalidDatabaseName),
    (StreamName, InvalidStreamName),
    (StateViewName, InvalidStateViewName),
    (StateChangeName, InvalidStateChangeName),
]
TEXTS: list[tuple[type[Any], type[IdentifierError]]] = [
    (EventId, InvalidEventId),
    (EventType, InvalidEventType),
    (EventSubject, InvalidEventSubject),
]
KINDS = [kind for kind, _ in NAMES + TEXTS]

BAD_NAMES: list[Any] = [
    "", "a", "1a", "-a", "_a", ".a", " ab", "ab ", "a b", "ab\n", "ab\r\n", "a/b", "a:b", "äb", "aé",
    "a\u0660", "x" * 129, None, 5, b"ab",
]  # fmt: skip
BAD_TEXTS: list[Any] = [
    "", " ", "\t", "\u00a0", "\u2003 ", "x" * 256, "a\x1fb", "a\n", "a\tb", "a\x00", "a\x7f", "a\x85",
    "a\ud800", "\udfff", None, 5, b"ab",
]  # fmt: skip


@given(st.sampled_from([kind for kind, _ in NAMES]), names)
def test_a_letter_and_up_to_127_of_letters_digits_and_three_marks_are_a_name(
    kind: type[Any], text: str
) -> None:
    assert kind(text).value == text
    assert NAME_PATTERN.match(text)


@pytest.mark.parametrize(("kind", "error"), NAMES)
@pytest.mark.parametrize("value", BAD_NAMES)
def test_anything_else_is_no_name(
    kind: type[Any], error: type[IdentifierError], value: Any
) -> None:
    with pytest.raises(error, match="a letter, then 1 to 127 of letters") as caught:
        kind(value)
    assert caught.value.value == value  # type: ignore[attr-defined]  # every kind keeps it


@given(st.sampled_from([kind for kind, _ in TEXTS]), texts)
def test_any_text_under_256_characters_without_control_characters_is_an_id(
    kind: type[Any], text: str
) -> None:
    assert kind(text).value == text
    assert SAFE_DELIMITER not in text


@pytest.mark.parametrize(("kind", "error"), TEXTS)
@pytest.mark.parametrize("value", BAD_TEXTS)
def test_blank_or_long_text_and_control_characters_are_no_id(
    kind: type[Any], error: type[IdentifierError], value: Any
) -> None:
    with pytest.raises(error, match="not blank, under 256 characters, no control characters"):
        kind(value)


@pytest.mark.parametrize("kind", [kind for kind, _ in TEXTS])
def test_255_characters_are_an_id_however_wide_they_are(kind: type[Any]) -> None:
    assert kind("😀" * 255).value == "😀" * 255


@pytest.mark.parametrize("error", [InvalidStreamName, InvalidEventId, InvalidEventType])
def test_a_bad_name_on_an_event_is_an_error_of_that_event(error: type[Exception]) -> None:
    assert issubclass(error, EventError)


def test_a_very_long_value_does_not_fill_the_message() -> None:
    with pytest.raises(InvalidEventId) as caught:
        EventId("x" * 100_000)
    assert len(str(caught.value)) < 200


@given(name_prefixes)
def test_the_beginning_of_a_stream_name_may_be_one_character(text: str) -> None:
    assert StreamNamePrefix(text).value == text


@pytest.mark.parametrize("value", ["", "1", "-", "a/", "a\n", "x" * 129, None])
def test_what_can_begin_no_stream_name_is_no_prefix(value: Any) -> None:
    with pytest.raises(InvalidStreamName):
        StreamNamePrefix(value)


# --- comparison ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("other", KINDS)
def test_names_are_equal_only_within_their_kind(kind: type[Any], other: type[Any]) -> None:
    assert (kind("abc") == other("abc")) is (kind is other)
    assert (len({kind("abc"), other("abc")}) == 1) is (kind is other)


@pytest.mark.parametrize("kind", KINDS)
def test_a_name_does_not_equal_its_text(kind: type[Any]) -> None:
    assert kind("abc") != "abc"


def test_a_prefix_equals_the_name_of_the_same_text() -> None:
    assert StreamNamePrefix("abc") == StreamName("abc")
    assert hash(StreamNamePrefix("abc")) == hash(StreamName("abc"))


@given(st.sampled_from([EventId, EventSubject]), texts, texts)
def test_names_are_ordered_as_their_texts(kind: type[Any], left: str, right: str) -> None:
    for compare in (operator.lt, operator.le, operator.gt, operator.ge, operator.eq):
        assert compare(kind(left), kind(right)) is compare(left, right)


@pytest.mark.parametrize("compare", [operator.lt, operator.le, operator.gt, operator.ge])
def test_names_of_two_kinds_have_no_order(compare: Any) -> None:
    for other in (EventType("abc"), "abc", None):
        with pytest.raises(TypeError):
            compare(EventId("abc"), other)


@pytest.mark.parametrize("kind", KINDS)
def test_a_name_is_its_text_when_written(kind: type[Any]) -> None:
    assert str(kind("abc")) == f"{kind('abc')}" == "abc"
    assert repr(kind("abc")) == f"{kind.__name__}('abc')"


def test_no_subject_is_none() -> None:
    assert EventSubject.from_optional(None) is None
    assert EventSubject.from_optional("a-1") == EventSubject("a-1")


# --- sources -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "stream"),
    [
        ("https://h/db/bank/streams/orders", "orders"),
        ("https://h/db/bank/streams/orders/", "orders"),
        ("https://h/db/bank/streams/orders//", "orders"),
        ("https://h/db/bank/streams/orders?page=2", "orders"),
        ("https://h/db/bank/streams/orders/?page=/streams/x", "orders"),
        ("https://h/db/bank/streams/orders#/streams/x", "orders"),
        ("https://h/db/streams/streams/my", "my"),
        ("https://h/db/streams/streams/streams", "streams"),
        ("/db/bank/streams/orders", "orders"),
        ("/streams/orders", "orders"),
        ("orders", "orders"),
        ("", None),
        ("?", None),
        ("/", None),
        ("https://h/db/bank", None),
        ("https://h/db/bank/streams/", None),
        ("https://h/db/bank/streams", None),
        ("https://h/db/bank/streams/orders/events/1", None),
        ("urn:x/y", None),
    ],
)
def test_a_source_names_the_stream_behind_its_last_streams_part(
    source: str, stream: str | None
) -> None:
    assert stream_of(source) == stream
    if stream is None:
        with pytest.raises(InvalidStreamName) as caught:
            StreamName.from_source(source)
        assert caught.value.value == source
    else:
        assert StreamName.from_source(source) == StreamName(stream)


@given(names, names)
def test_every_database_and_stream_come_back_from_a_source(database: str, stream: str) -> None:
    assert stream_of(f"https://host.example/db/{database}/streams/{stream}") == stream


@pytest.mark.parametrize("source", ["https://h/db/bank/streams/1st", "https://h/db/b/streams/a b"])
def test_a_source_whose_stream_breaks_the_rule_is_refused(source: str) -> None:
    with pytest.raises(InvalidStreamName):
        StreamName.from_source(source)


# --- text ----------------------------------------------------------------------------------------


@given(st.text())
def test_text_of_whole_characters_is_taken_as_it_is(text: str) -> None:
    assert check_text("Event", "id", text) is text


@pytest.mark.parametrize("text", ["\ud800", "ab\udfff", "é\ud83d"])
def test_half_a_surrogate_pair_is_refused_with_its_place(text: str) -> None:
    place = re.search("[\ud800-\udfff]", text)
    assert place is not None
    with pytest.raises(InvalidValue, match=rf"Event\.id: character {place.start()} is half"):
        check_text("Event", "id", text)


@pytest.mark.parametrize("value", [None, 5, b"ab", ["ab"]])
def test_what_is_no_text_is_refused_by_the_name_of_the_field(value: object) -> None:
    with pytest.raises(InvalidType, match=r"Event\.id: expected str"):
        check_text("Event", "id", value)
