"""What goes wrong with the published packages 1.0.0rc1, each as a case that works here.

The names are theirs; only the behaviour is not. What is general about a rule stands in the tests of
its module: these are the very calls.
"""

from __future__ import annotations

import copy
import pickle
import traceback
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

import evidentsource_core as core
from evidentsource_core import (
    Command,
    CommandRequest,
    Constraint,
    DatabaseName,
    Event,
    EventId,
    EventSubject,
    EventType,
    ProspectiveEvent,
    QueryOptions,
    Range,
    Selector,
    StateChangeName,
    StateViewName,
    StreamName,
    StringEventData,
    StringExtension,
)
from evidentsource_core.times import from_parts, require_aware, to_parts

# --- names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [DatabaseName, StreamName, StateViewName, StateChangeName])
def test_a_name_with_a_trailing_newline_is_refused(kind: Callable[[str], object]) -> None:
    with pytest.raises(core.IdentifierError):
        kind("abc\n")


@pytest.mark.parametrize("kind", [EventId, EventType, EventSubject])
@pytest.mark.parametrize("value", ["a\nb", "a\rb", "a\tb", "a\x00b", "a\x1fb", "a\x7fb"])
def test_an_id_with_any_control_character_is_refused(
    kind: Callable[[str], object], value: str
) -> None:
    with pytest.raises(core.IdentifierError):
        kind(value)


def test_a_database_called_streams_has_streams() -> None:
    event = Event("1", "https://h/db/streams/streams/my", "t")
    assert event.stream() == "my"
    assert Selector.stream("my").matches(event)


@pytest.mark.parametrize("end", ["/", "?page=2", "/?page=2", "#top"])
def test_a_source_with_a_slash_or_a_query_at_its_end_names_its_stream(end: str) -> None:
    source = f"https://h/db/bank/streams/orders{end}"
    assert StreamName.from_source(source) == StreamName("orders")


@pytest.mark.parametrize(
    "build",
    [Selector.stream_starts_with, Selector.subject_starts_with, Selector.event_type_starts_with],
)
def test_a_prefix_may_be_one_character(build: Callable[[str], Any]) -> None:
    event = Event("1", "https://h/db/bank/streams/accounts", "account.opened", "a-1")
    assert build("a").matches(event)
    assert not build("b").matches(event)


# --- events --------------------------------------------------------------------------------------


def test_an_event_tells_its_payload_as_text_bytes_and_json() -> None:
    event = Event("1", "s", "t", data=StringEventData('{"amount": 5}'))
    assert event.data_as_string() == '{"amount": 5}'
    assert event.data_as_bytes() == b'{"amount": 5}'
    assert event.data_as_json() == {"amount": 5}
    assert Event(id="1", source="s", event_type="t").data_as_string() is None


@pytest.mark.parametrize("kind", [Event, ProspectiveEvent])
def test_an_event_goes_into_a_set(kind: Callable[..., Any]) -> None:
    assert len({kind("1", "accounts", "t"), kind("1", "accounts", "t")}) == 1


@pytest.mark.parametrize(
    "value",
    [
        b"\x00",
        core.UriExtension("urn:a"),
        core.UriRefExtension("a"),
        datetime(2024, 1, 1, tzinfo=UTC),
    ],
)
def test_binary_uris_and_timestamps_are_extension_values_too(value: Any) -> None:
    event = ProspectiveEvent("1", "accounts", "t", extensions={"more": value})
    held = event.extension("more")
    assert held is not None
    assert getattr(value, "value", value) == held.value


@pytest.mark.parametrize("kind", [Event, ProspectiveEvent])
def test_plain_values_are_not_dropped(kind: Callable[..., Any]) -> None:
    event = kind("1", "accounts", "t", data='{"a":1}', extensions={"k": "v"})
    assert event.data == StringEventData('{"a":1}')
    assert event.extension("k") == StringExtension("v")


def test_two_letter_names_of_attributes_stay_whole() -> None:
    assert ProspectiveEvent("1", "accounts", "t", extensions={"ab": "v"}).extensions.keys() == {
        "ab"
    }


# --- conditions and queries ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "build",
    [
        lambda: Constraint.min(Selector.stream("accounts"), -1),
        lambda: Constraint.max(Selector.stream("accounts"), -1),
        lambda: Constraint.unchanged_since(Selector.stream("accounts"), -1),
        lambda: Constraint.at_revision(Selector.stream("accounts"), -1),
        lambda: Range(-1, 2),
        lambda: Range.new(-2, -1),
    ],
)
def test_a_negative_revision_is_refused(build: Callable[[], object]) -> None:
    with pytest.raises(core.InvalidRevision, match="is no revision"):
        build()


def test_a_limit_can_be_given_by_name_and_is_not_negative() -> None:
    assert QueryOptions(limit=5).get_limit() == 5
    with pytest.raises(core.InvalidValue, match="limit"):
        QueryOptions().limit(-1)


def test_two_conditions_are_held_apart_from_their_widened_combination() -> None:
    accounts = Selector.stream("accounts")
    both = [Constraint.min(accounts, 2), Constraint.min(accounts, 5)]
    assert core.combine_constraints(*both).holds(3)
    assert not all(condition.holds(3) for condition in both)


# --- commands ------------------------------------------------------------------------------------


def test_a_body_does_not_lose_the_header() -> None:
    request = CommandRequest.new().with_header("X-Trace", "7").with_body(b"{}")
    assert request.get_header("x-trace") == "7"
    assert request.body == b"{}"


@pytest.mark.parametrize(
    "content_type",
    ["application/json; charset=utf-8", "APPLICATION/JSON", "application/x+json; v=1", "text/json"],
)
def test_every_way_to_say_json_is_json(content_type: str) -> None:
    assert Command(b'{"a": 1}', content_type).parse_json() == {"a": 1}


@pytest.mark.parametrize(
    "body", [b"\xff", b"[" * 100_000, b"9" * 5000, b'{"n": NaN}', b'{"n": Infinity}']
)
def test_a_body_that_is_no_json_is_never_a_raw_exception(body: bytes) -> None:
    with pytest.raises(core.DeserializationFailed):
        Command(body).parse_json()


def test_no_content_type_is_json() -> None:
    nothing: Any = None
    assert Command(b"{}", nothing).parse_json() == {}


# --- errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error",
    [
        core.DuplicateEventId("s", "e"),
        core.InvalidRange(3, 2),
        core.TransactionTooLarge(11, 10),
        core.StateViewNotFound("summary", 2),
        core.ConstraintConflict("left", "right"),
        core.DatabaseErrorWithContext(
            core.OperationContext("transact", "bank"), core.DatabaseNotFound("bank")
        ),
        core.DatabaseAccessError("message"),
    ],
)
def test_an_error_of_several_arguments_is_hashed_copied_pickled_and_printed(
    error: Exception,
) -> None:
    assert len({error, error}) == 1
    assert error.args == (str(error),)
    for back in (copy.copy(error), copy.deepcopy(error), pickle.loads(pickle.dumps(error))):
        assert str(back) == str(error)
        assert vars(back).keys() == vars(error).keys()
    assert str(error) in "".join(traceback.format_exception(error))


# --- times ---------------------------------------------------------------------------------------


def test_half_a_second_before_1970_stays_before_1970() -> None:
    before = datetime(1969, 12, 31, 23, 59, 59, 500_000, UTC)
    assert to_parts(before) == (-1, 500_000_000)
    assert from_parts(*to_parts(before)) == before


def test_the_last_microsecond_of_9999_can_be_read_back() -> None:
    last = datetime(9999, 12, 31, 23, 59, 59, 999_999, UTC)
    assert to_parts(last) == (253_402_300_799, 999_999_000)
    assert from_parts(*to_parts(last)) == last


@pytest.mark.parametrize("seconds", [0, 9_000_000_000, 253_402_300_799, -62_135_596_800])
@pytest.mark.parametrize("nanoseconds", [1, 123_456_789, 999_999_999])
def test_nanoseconds_are_neither_rounded_nor_lost(seconds: int, nanoseconds: int) -> None:
    moment = from_parts(seconds, nanoseconds)
    assert moment.microsecond == nanoseconds // 1000
    assert to_parts(moment) == (seconds, nanoseconds)


def test_a_time_without_a_zone_is_not_taken_as_utc() -> None:
    naive = datetime(2024, 1, 1)  # noqa: DTZ001 - what is tested
    for build in (
        lambda: to_parts(naive),
        lambda: require_aware("time", naive),
        lambda: Event("1", "s", "t", time=naive),
        lambda: ProspectiveEvent("1", "accounts", "t", time=naive),
    ):
        with pytest.raises(core.InvalidTimestamp, match="no time zone"):
            build()


def test_a_time_in_another_zone_is_the_same_instant() -> None:
    moment = datetime(2024, 1, 1, 1, tzinfo=timezone(timedelta(hours=1)))
    assert to_parts(moment) == to_parts(datetime(2024, 1, 1, tzinfo=UTC))


# --- the package ---------------------------------------------------------------------------------


def test_the_version_is_not_that_of_another_release() -> None:
    assert core.__version__ != "0.8.0"
    assert core.__version__.split(".")[0] == "1"


def test_databases_are_protocols_that_isinstance_takes() -> None:
    for protocol in (core.DatabaseAtRevision, core.SpeculativeDatabase, core.DatabaseConnection):
        assert not isinstance(object(), protocol)
