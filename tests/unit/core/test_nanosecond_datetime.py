"""A time with nanoseconds is a ``datetime`` wherever one goes, and loses nothing on the way."""

from __future__ import annotations

import copy
import operator
import pickle
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import product
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from evidentsource_core import InvalidTimestamp, NanosecondDatetime
from evidentsource_core.times import from_parts, to_parts
from tests.unit.core.strategies import instants, zoned_instants, zones

PLAIN = datetime(2024, 2, 3, 4, 5, 6, 7, UTC)
T = NanosecondDatetime.of(PLAIN, 123)
COMPARISONS = [operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge]


@pytest.mark.parametrize("compare", COMPARISONS)
@given(instants, zones, zones)
def test_every_comparison_is_that_of_the_instants_in_both_orders(
    compare: Callable[[Any, Any], bool], moment: datetime, left_zone: timezone, right_zone: timezone
) -> None:
    whole, fraction = to_parts(moment)
    for nanos in product(range(3), repeat=2):
        left, right = (from_parts(whole, fraction - fraction % 1000 + nano) for nano in nanos)
        try:
            left, right = left.astimezone(left_zone), right.astimezone(right_zone)
        except OverflowError:
            assume(False)
        assert compare(left, right) is compare(*nanos)


@pytest.mark.parametrize("compare", [operator.lt, operator.le, operator.gt, operator.ge])
@pytest.mark.parametrize("other", [5, "2024", None, date(2024, 2, 3), datetime(2024, 2, 3)])  # noqa: DTZ001 - what is tested
def test_ordering_against_what_is_no_aware_time_is_a_type_error(
    compare: Callable[[Any, Any], bool], other: object
) -> None:
    for left, right in ((T, other), (other, T)):
        with pytest.raises(TypeError):
            compare(left, right)


@pytest.mark.parametrize("other", [5, "2024", None, date(2024, 2, 3), datetime(2024, 2, 3)])  # noqa: DTZ001 - what is tested
def test_it_differs_from_what_is_no_aware_time(other: object) -> None:
    assert not operator.eq(T, other)
    assert not operator.eq(other, T)


@given(zoned_instants, zones)
def test_equal_times_have_equal_hashes(moment: datetime, zone: timezone) -> None:
    try:
        other = moment.astimezone(zone)
    except OverflowError:
        return
    assert hash(other) == hash(moment)


def test_without_nanoseconds_it_equals_and_hashes_like_the_plain_time() -> None:
    bare = NanosecondDatetime.of(PLAIN, 0)
    assert operator.eq(bare, PLAIN)
    assert operator.eq(PLAIN, bare)
    assert hash(bare) == hash(PLAIN)
    assert len({bare, PLAIN, T}) == 2


@pytest.mark.parametrize("nanosecond", [-1, 1000])
def test_nanoseconds_beyond_the_microsecond_are_refused(nanosecond: int) -> None:
    with pytest.raises(InvalidTimestamp, match="from 0 to 999"):
        NanosecondDatetime.of(PLAIN, nanosecond)


def test_its_nanoseconds_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        T.nanosecond = 5  # type: ignore[misc]  # what is tested
    with pytest.raises(AttributeError):
        T.other = 5  # type: ignore[attr-defined]  # what is tested


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_it_survives_pickling(protocol: int) -> None:
    back = pickle.loads(pickle.dumps(T, protocol))
    assert back == T
    assert back.nanosecond == 123


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
def test_it_survives_copying(duplicate: Callable[[Any], Any]) -> None:
    assert duplicate(T) == T
    assert duplicate([T]) == [T]


def test_fold_survives_in_every_form() -> None:
    folded = NanosecondDatetime.of(datetime(2024, 10, 27, 2, 30, tzinfo=UTC, fold=1), 5)
    assert folded.fold == 1
    assert pickle.loads(pickle.dumps(folded)).fold == 1
    assert folded.replace(hour=3).fold == 1


@given(instants, st.timedeltas(-timedelta(days=999), timedelta(days=999)))
def test_moving_it_by_a_timedelta_is_exact(moment: datetime, by: timedelta) -> None:
    whole, nanos = to_parts(moment)
    total = whole * 10**9 + nanos + by // timedelta(microseconds=1) * 1000
    try:
        moved = [moment + by, by + moment, moment - (-by)]
    except OverflowError:
        return
    assert [to_parts(each) for each in moved] == [divmod(total, 10**9)] * 3


def test_the_difference_of_two_times_knows_whole_microseconds() -> None:
    later = T + timedelta(seconds=1)
    assert later - T == timedelta(seconds=1)
    assert later - PLAIN == timedelta(seconds=1)
    assert PLAIN - later == timedelta(seconds=-1)


@pytest.mark.parametrize("wrong", [5, "x", None])
def test_moving_it_by_anything_else_is_a_type_error(wrong: Any) -> None:
    for move, left, right in (
        (operator.add, T, wrong),
        (operator.sub, T, wrong),
        (operator.add, wrong, T),
    ):
        with pytest.raises(TypeError):
            move(left, right)


def test_replacing_a_field_keeps_the_nanoseconds() -> None:
    for replaced in (T.replace(hour=9, tzinfo=UTC), T.replace(2024, 2, 3, 9, 5, 6)):
        assert (replaced.hour, replaced.microsecond, replaced.nanosecond) == (9, 7, 123)


@pytest.mark.parametrize("replaced", [T.replace(microsecond=0), T.replace(2024, 2, 3, 4, 5, 6, 0)])
def test_replacing_the_microsecond_sets_the_whole_fraction(replaced: NanosecondDatetime) -> None:
    assert (replaced.microsecond, replaced.nanosecond) == (0, 0)


@given(zoned_instants, zones)
def test_another_zone_keeps_the_instant(moment: datetime, zone: timezone) -> None:
    try:
        moved = moment.astimezone(zone)
    except OverflowError:
        return
    assert to_parts(moved) == to_parts(moment)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (T.isoformat(), "2024-02-03T04:05:06.000007123+00:00"),
        (T.isoformat(" "), "2024-02-03 04:05:06.000007123+00:00"),
        (str(T), "2024-02-03 04:05:06.000007123+00:00"),
        (f"{T}", "2024-02-03 04:05:06.000007123+00:00"),
        (T.isoformat(timespec="seconds"), "2024-02-03T04:05:06+00:00"),
        (T.replace(microsecond=0).isoformat(), "2024-02-03T04:05:06+00:00"),
    ],
)
def test_its_text_has_nine_digits_unless_fewer_are_asked_for(text: str, expected: str) -> None:
    assert text == expected


def test_its_repr_builds_it_again() -> None:
    names = {"NanosecondDatetime": NanosecondDatetime, "datetime": __import__("datetime")}
    assert eval(repr(T), names) == T


def test_the_other_constructors_of_datetime_give_times_without_nanoseconds() -> None:
    made = [
        NanosecondDatetime(2024, 1, 1, tzinfo=UTC),
        NanosecondDatetime.fromtimestamp(0, UTC),
        NanosecondDatetime.now(UTC),
        NanosecondDatetime.fromisoformat("2024-01-01T00:00:00+00:00"),
        NanosecondDatetime.combine(date(2024, 1, 1), PLAIN.timetz()),
    ]
    assert [moment.nanosecond for moment in made] == [0] * 5
