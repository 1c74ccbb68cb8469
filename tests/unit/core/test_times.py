"""Exact times: what goes in as seconds and nanoseconds comes out, from year 1 to the end of 9999."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given

from evidentsource_core import InvalidTimestamp, InvalidType
from evidentsource_core.times import (
    EPOCH,
    MAX_SECONDS,
    MIN_SECONDS,
    format_rfc3339,
    from_parts,
    in_utc,
    parse_rfc3339,
    require_aware,
    to_parts,
)
from tests.unit.core.strategies import instants, nanoseconds, parts, seconds, zoned_instants, zones

# --- parts ---------------------------------------------------------------------------------------


@given(parts)
def test_parts_come_back_over_the_whole_range(given_parts: tuple[int, int]) -> None:
    assert to_parts(from_parts(*given_parts)) == given_parts


@given(seconds, nanoseconds)
def test_microseconds_are_those_of_the_parts(whole: int, nanos: int) -> None:
    moment = from_parts(whole, nanos)
    assert moment.microsecond == nanos // 1000
    assert moment.tzinfo is UTC


@given(instants, instants)
def test_parts_are_ordered_as_their_times_are(left: datetime, right: datetime) -> None:
    assert (left < right) is (to_parts(left) < to_parts(right))
    assert (left == right) is (to_parts(left) == to_parts(right))


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (datetime(1969, 12, 31, 23, 59, 59, 500_000, UTC), (-1, 500_000_000)),
        (datetime(1969, 12, 31, 23, 59, 59, 999_999, UTC), (-1, 999_999_000)),
        (datetime(1969, 12, 31, tzinfo=UTC), (-86_400, 0)),
        (datetime(1900, 1, 1, 0, 0, 0, 1, UTC), (-2_208_988_800, 1000)),
        (datetime(1, 1, 1, tzinfo=UTC), (MIN_SECONDS, 0)),
        (datetime(9999, 12, 31, 23, 59, 59, 999_999, UTC), (MAX_SECONDS, 999_999_000)),
        (datetime(2300, 1, 1, 0, 0, 0, 123_457, UTC), (10_413_792_000, 123_457_000)),
        (datetime(1970, 1, 1, 1, tzinfo=timezone(timedelta(hours=1))), (0, 0)),
        (datetime(1970, 1, 1, 0, 0, 1, tzinfo=timezone(timedelta(microseconds=1))), (0, 999_999_000)),
    ],
)  # fmt: skip
def test_the_parts_of_a_time_are_exact(moment: datetime, expected: tuple[int, int]) -> None:
    assert to_parts(moment) == expected
    assert from_parts(*expected) == moment


def test_a_time_of_whole_seconds_has_no_fraction() -> None:
    assert to_parts(from_parts(5)) == (5, 0)
    assert from_parts(0) == EPOCH


def test_a_second_of_nanoseconds_stays_below_the_next_second() -> None:
    moment = from_parts(0, 999_999_999)
    assert moment.second == 0
    assert moment < from_parts(1)
    assert to_parts(moment) == (0, 999_999_999)


def test_the_last_nanosecond_of_9999_comes_back() -> None:
    assert to_parts(from_parts(MAX_SECONDS, 999_999_999)) == (MAX_SECONDS, 999_999_999)


@pytest.mark.parametrize(
    ("given_parts", "said"),
    [
        ((MAX_SECONDS + 1, 0), "years 1 to 9999"),
        ((MIN_SECONDS - 1, 0), "years 1 to 9999"),
        ((2**63, 0), "years 1 to 9999"),
        ((0, 1_000_000_000), "under a second"),
        ((0, -1), "under a second"),
    ],
)
def test_parts_out_of_range_are_refused_by_the_name_of_the_field(
    given_parts: tuple[int, int], said: str
) -> None:
    with pytest.raises(InvalidTimestamp, match=said) as caught:
        from_parts(*given_parts, field="event.time")
    assert caught.value.field == "event.time"


@pytest.mark.parametrize("given_parts", [(1.5, 0), (0, 1.5), ("1", 0), (None, 0)])
def test_parts_that_are_no_whole_numbers_are_refused(given_parts: tuple[int, int]) -> None:
    with pytest.raises(InvalidType, match="time: expected whole seconds"):
        from_parts(*given_parts)


# --- times without a zone, and out of reach -----------------------------------------------------


@pytest.mark.parametrize("function", [to_parts, in_utc, format_rfc3339])
def test_a_time_without_a_zone_is_refused_with_the_fix(function: object) -> None:
    with pytest.raises(InvalidTimestamp, match=r"no time zone.*tzinfo=timezone\.utc"):
        function(datetime(2024, 1, 1))  # type: ignore[operator]  # noqa: DTZ001 - what is tested


@pytest.mark.parametrize("value", [None, 0, "2024-01-01T00:00:00Z", datetime(2024, 1, 1).date()])  # noqa: DTZ001 - what is tested
def test_what_is_no_datetime_is_refused_by_the_name_of_the_field(value: object) -> None:
    with pytest.raises(InvalidType, match=r"event\.time: expected a datetime"):
        require_aware("event.time", value)


@pytest.mark.parametrize(
    "moment",
    [
        datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=1))),
        datetime(9999, 12, 31, 23, tzinfo=timezone(-timedelta(hours=1))),
    ],
)
def test_a_time_that_leaves_the_years_1_to_9999_in_utc_is_refused(moment: datetime) -> None:
    with pytest.raises(InvalidTimestamp, match="years 1 to 9999") as caught:
        to_parts(moment, "Event.time")
    assert caught.value.field == "Event.time"


@pytest.mark.parametrize(
    "moment",
    [
        datetime(1, 1, 1, tzinfo=timezone(-timedelta(hours=1))),
        datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=1))),
    ],
)
def test_a_time_at_the_edge_that_stays_within_in_utc_is_taken(moment: datetime) -> None:
    assert in_utc(moment) == moment


# --- RFC 3339 ------------------------------------------------------------------------------------


@given(zoned_instants)
def test_text_comes_back_as_the_same_time_to_the_nanosecond(moment: datetime) -> None:
    text = format_rfc3339(moment)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(\d{3})?Z", text)
    assert to_parts(parse_rfc3339(text)) == to_parts(moment)


@given(zones, zoned_instants)
def test_the_zone_of_a_time_does_not_change_its_text(zone: timezone, moment: datetime) -> None:
    try:
        moved = moment.astimezone(zone)
    except OverflowError:
        return
    assert format_rfc3339(moved) == format_rfc3339(moment)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-02-03T04:05:06Z", (1_706_933_106, 0)),
        ("2024-02-03T04:05:06.7Z", (1_706_933_106, 700_000_000)),
        ("2024-02-03t04:05:06.000000001z", (1_706_933_106, 1)),
        ("2024-02-03 04:05:06Z", (1_706_933_106, 0)),
        ("2024-02-03T04:05:06.12345678900000Z", (1_706_933_106, 123_456_789)),
        ("2024-02-03T05:35:06+01:30", (1_706_933_106, 0)),
        ("2024-02-03T15:50:06+11:45", (1_706_933_106, 0)),
        ("2024-02-02T23:05:06-05:00", (1_706_933_106, 0)),
        ("2024-02-03T04:05:06-00:00", (1_706_933_106, 0)),
        ("1969-12-31T23:59:59.5Z", (-1, 500_000_000)),
        ("0001-01-01T00:00:00Z", (MIN_SECONDS, 0)),
        ("0987-06-05T04:03:02Z", (-31_007_044_618, 0)),
        ("9999-12-31T23:59:59.999999999Z", (MAX_SECONDS, 999_999_999)),
        ("0000-12-31T23:00:00-01:00", None),
        ("0001-01-01T00:59:59+01:00", None),
        ("9999-12-31T23:59:59-00:01", None),
    ],
)
def test_rfc_3339_text_is_read(text: str, expected: tuple[int, int] | None) -> None:
    if expected is None:
        with pytest.raises(InvalidTimestamp):
            parse_rfc3339(text)
    else:
        assert to_parts(parse_rfc3339(text)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2024-02-03",
        "2024-02-03T04:05:06",
        "2024-02-03T04:05Z",
        "2024-2-3T04:05:06Z",
        "2024-02-30T04:05:06Z",
        "2024-13-01T04:05:06Z",
        "2024-02-03T24:00:00Z",
        "2024-02-03T04:60:06Z",
        "2024-02-03T04:05:06.Z",
        "2024-02-03T04:05:06,5Z",
        "2024-02-03T04:05:06+1:00",
        "2024-02-03T04:05:06+0100",
        "2024-02-03T04:05:06+24:00",
        "2024-02-03T04:05:06+01:60",
        "2024-02-03T04:05:06Z\n",
        " 2024-02-03T04:05:06Z",
        "2024-02-03T04:05:06.0000000001Z",
        "٢٠٢٤-02-03T04:05:06Z",
        "20240-02-03T04:05:06Z",
        "-024-02-03T04:05:06Z",
    ],
)
def test_text_that_is_no_rfc_3339_time_is_refused_by_the_name_of_the_field(text: str) -> None:
    with pytest.raises(InvalidTimestamp) as caught:
        parse_rfc3339(text, "recordedtime")
    assert caught.value.field == "recordedtime"


@pytest.mark.parametrize("text", ["2016-12-31T23:59:60Z", "2016-12-31T23:59:60.5+00:00"])
def test_a_leap_second_is_refused_as_one(text: str) -> None:
    with pytest.raises(InvalidTimestamp, match="leap second"):
        parse_rfc3339(text)


@pytest.mark.parametrize("value", [None, 5, b"2024-02-03T04:05:06Z"])
def test_what_is_no_text_is_no_rfc_3339_time(value: str) -> None:
    with pytest.raises(InvalidType, match="RFC 3339 text"):
        parse_rfc3339(value)


@pytest.mark.parametrize(
    ("given_parts", "text"),
    [
        ((0, 0), "1970-01-01T00:00:00.000000Z"),
        ((0, 1), "1970-01-01T00:00:00.000000001Z"),
        ((0, 1000), "1970-01-01T00:00:00.000001Z"),
        ((-1, 999_999_999), "1969-12-31T23:59:59.999999999Z"),
        ((MIN_SECONDS, 0), "0001-01-01T00:00:00.000000Z"),
        ((MAX_SECONDS, 999_999_000), "9999-12-31T23:59:59.999999Z"),
    ],
)
def test_text_has_microseconds_and_nanoseconds_only_where_there_are_some(
    given_parts: tuple[int, int], text: str
) -> None:
    assert format_rfc3339(from_parts(*given_parts)) == text


@given(zoned_instants)
def test_in_utc_keeps_the_instant_and_its_nanoseconds(moment: datetime) -> None:
    moved = in_utc(moment)
    assert moved == moment
    assert moved.tzinfo is UTC
    assert to_parts(moved) == to_parts(moment)
