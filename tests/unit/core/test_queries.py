"""Query options: each change gives a copy, and what cannot be asked is refused by name."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from typing import Any

import pytest

from evidentsource_core import (
    EffectiveTimeRange,
    InvalidRevision,
    InvalidTimestamp,
    InvalidType,
    InvalidValue,
    QueryDirection,
    QueryOptions,
    RangeCursor,
    RevisionRange,
)
from evidentsource_core.domain.queries import merged_options
from evidentsource_core.domain.selectors import QueryOptions as SelectorsQueryOptions

NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)
FORWARD, REVERSE = QueryDirection.FORWARD, QueryDirection.REVERSE


def told(options: QueryOptions) -> tuple[object, object, object]:
    return (options.get_direction(), options.get_limit(), options.range)


def test_without_options_a_query_gives_all_events_oldest_first() -> None:
    assert told(QueryOptions()) == (FORWARD, None, None)


@pytest.mark.parametrize(
    "options",
    [
        QueryOptions().reverse().limit(5),
        QueryOptions().limit(5).reverse(),
        QueryOptions(REVERSE, 5),
        QueryOptions(REVERSE, limit=5),
        QueryOptions(direction=REVERSE, _limit=5),
        QueryOptions(limit=9).limit(5).forward().reverse(),
    ],
)
def test_every_way_to_ask_for_the_last_five_is_the_same(options: QueryOptions) -> None:
    assert options == QueryOptions(REVERSE, 5)
    assert hash(options) == hash(QueryOptions(REVERSE, 5))
    assert told(options) == (REVERSE, 5, None)


def test_a_change_leaves_the_original_as_it_was() -> None:
    options = QueryOptions()
    changed = options.reverse().limit(5).with_range(RevisionRange(3))
    assert told(options) == (FORWARD, None, None)
    assert told(changed) == (REVERSE, 5, RevisionRange(3))
    assert told(changed.with_range(None).forward()) == (FORWARD, 5, None)


@pytest.mark.parametrize("limit", [0, 1, 2**32 - 1])
def test_a_limit_of_32_bits_is_taken(limit: int) -> None:
    assert QueryOptions(limit=limit).get_limit() == limit


@pytest.mark.parametrize("limit", [-1, 2**32])
def test_a_limit_out_of_range_is_refused(limit: int) -> None:
    for build in (QueryOptions().limit, lambda value: QueryOptions(limit=value)):
        with pytest.raises(InvalidValue, match=f"limit: {limit} is not from 0 to"):
            build(limit)


@pytest.mark.parametrize("limit", ["5", 5.0, True])
def test_a_limit_that_is_no_number_is_refused(limit: Any) -> None:
    with pytest.raises(InvalidType, match="limit: expected int or None"):
        QueryOptions(limit=limit)


def test_a_limit_given_twice_is_refused() -> None:
    with pytest.raises(InvalidValue, match="given twice"):
        QueryOptions(FORWARD, 5, limit=6)


@pytest.mark.parametrize("wrong", ["reverse", 2, None])
def test_a_direction_that_is_none_is_refused(wrong: Any) -> None:
    with pytest.raises(InvalidType, match=r"QueryOptions\.direction"):
        QueryOptions(wrong)


@pytest.mark.parametrize("wrong", [(1, 2), 5, range(3)])
def test_a_range_that_is_none_is_refused(wrong: Any) -> None:
    with pytest.raises(InvalidType, match=r"QueryOptions\.range"):
        QueryOptions(range=wrong)


def test_options_cannot_be_changed_in_place() -> None:
    options: Any = QueryOptions()
    with pytest.raises(dataclasses.FrozenInstanceError):
        options.direction = REVERSE


def test_a_field_can_be_replaced() -> None:
    options = dataclasses.replace(QueryOptions(limit=5), direction=REVERSE)
    assert options == QueryOptions(REVERSE, 5)


# --- ranges --------------------------------------------------------------------------------------


@pytest.mark.parametrize("start_at", [-1, 2**64, "1", 1.0, True])
def test_a_range_that_starts_at_no_revision_is_refused(start_at: Any) -> None:
    with pytest.raises(InvalidRevision, match=r"RevisionRange\.start_at"):
        RevisionRange(start_at)
    with pytest.raises(InvalidRevision, match=r"RangeCursor\.revision"):
        RangeCursor(NOON, start_at)


@pytest.mark.parametrize(
    ("build", "field"),
    [
        (lambda time: RangeCursor(time, 1), "RangeCursor.timestamp"),
        (lambda time: EffectiveTimeRange(None, time), "EffectiveTimeRange.end_at"),
    ],
)
def test_a_time_in_a_range_has_a_zone(build: Any, field: str) -> None:
    with pytest.raises(InvalidTimestamp, match=f"{field}: has no time zone"):
        build(datetime(2024, 1, 1))  # noqa: DTZ001 - what is tested
    with pytest.raises(InvalidType, match=f"{field}: expected a datetime"):
        build("2024-01-01T00:00:00Z")


@pytest.mark.parametrize("wrong", [NOON, 5, (NOON, 1)])
def test_a_time_range_starts_at_a_cursor(wrong: Any) -> None:
    with pytest.raises(InvalidType, match=r"EffectiveTimeRange\.start_at: expected RangeCursor"):
        EffectiveTimeRange(wrong)


def test_ranges_without_ends_are_whole() -> None:
    assert RevisionRange() == RevisionRange(None)
    assert EffectiveTimeRange() == EffectiveTimeRange(None, None)


# --- together ------------------------------------------------------------------------------------


def test_what_is_said_beside_options_is_put_over_them() -> None:
    options = QueryOptions(REVERSE, 5, RevisionRange(2))
    assert merged_options(None) == QueryOptions()
    assert merged_options(options) == options
    assert told(merged_options(options, direction=FORWARD)) == (FORWARD, 5, RevisionRange(2))
    assert told(merged_options(options, limit=0)) == (REVERSE, 0, RevisionRange(2))
    assert told(merged_options(options, RevisionRange(9))) == (REVERSE, 5, RevisionRange(9))


@pytest.mark.parametrize("wrong", [5, "reverse", {"limit": 5}])
def test_options_that_are_none_are_refused(wrong: Any) -> None:
    with pytest.raises(InvalidType, match="options: expected QueryOptions or None"):
        merged_options(wrong)


def test_the_published_module_has_the_options_too() -> None:
    assert SelectorsQueryOptions is QueryOptions
