"""Queries: every range in both directions, with limits, at any revision and effective time."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidentsource_core import (
    DatabaseAccessError,
    DatabaseAccessErrorKind,
    EffectiveTimeRange,
    Event,
    InvalidTimestamp,
    InvalidType,
    Parameter,
    QueryDirection,
    QueryOptions,
    RangeCursor,
    RevisionRange,
    Selector,
)
from evidentsource_core.reference import DatabaseSnapshot
from evidentsource_core.times import parse_rfc3339
from tests.unit.core.reference.helpers import (
    Clock,
    bank,
    batches,
    day,
    days,
    event,
    filled,
    ids,
    options,
    selectors,
    selects,
)

EVERYTHING = Selector.stream("accounts")
REVERSE = QueryDirection.REVERSE


def calendar() -> DatabaseSnapshot:
    """Seven events recorded on days 1 to 3: ids say when they took effect, letters break ties."""
    clock = Clock()
    database = bank(clock=clock)
    for number, batch in enumerate(
        (
            [event("5", time=day(5)), event("0", time=day(0)), event("1")],
            [event("0b", time=day(0)), event("2")],
            [event("3"), event("1b", time=day(1))],
        ),
        1,
    ):
        clock.now = day(number)
        database.transact(batch)
    return database.latest()


ALL = ["5", "0", "1", "0b", "2", "3", "1b"]
BY_EFFECT = ["0", "0b", "1", "1b", "2", "3", "5"]

RANGES: list[tuple[Any, list[str]]] = [
    (None, ALL),
    (RevisionRange(), ALL),
    (RevisionRange(0), ALL),
    (RevisionRange(3), ["1", "0b", "2", "3", "1b"]),
    (RevisionRange(7), ["1b"]),
    (RevisionRange(8), []),
    (EffectiveTimeRange(), BY_EFFECT),
    (EffectiveTimeRange(end_at=day(1)), ["0", "0b", "1", "1b"]),
    (EffectiveTimeRange(end_at=day(-1)), []),
    (EffectiveTimeRange(RangeCursor(day(1), 0)), ["1", "1b", "2", "3", "5"]),
    (EffectiveTimeRange(RangeCursor(day(1), 3)), ["1", "1b", "2", "3", "5"]),
    (EffectiveTimeRange(RangeCursor(day(1), 4)), ["1b", "2", "3", "5"]),
    (EffectiveTimeRange(RangeCursor(day(0), 4), day(2)), ["0b", "1", "1b", "2"]),
    (EffectiveTimeRange(RangeCursor(day(3), 0), day(2)), []),
]


@pytest.mark.parametrize(("span", "expected"), RANGES)
def test_a_range_is_a_set_and_the_direction_is_the_way_through_it(
    span: Any, expected: list[str]
) -> None:
    database = calendar()
    assert ids(database.query_events(EVERYTHING, range=span)) == expected
    backwards = database.query_events(EVERYTHING, range=span, direction=REVERSE)
    assert ids(backwards) == expected[::-1]


@pytest.mark.parametrize("limit", [0, 1, 3, 99])
@pytest.mark.parametrize(("span", "expected"), RANGES)
def test_a_limit_counts_from_the_end_that_comes_first(
    span: Any, expected: list[str], limit: int
) -> None:
    database = calendar()
    assert ids(database.query_events(EVERYTHING, range=span, limit=limit)) == expected[:limit]
    backwards = database.query_events(EVERYTHING, range=span, limit=limit, direction=REVERSE)
    assert ids(backwards) == expected[::-1][:limit]


def test_options_say_the_same_as_arguments_and_arguments_are_laid_over_them() -> None:
    database = calendar()
    given_options = QueryOptions(limit=2).reverse().with_range(RevisionRange(4))
    assert ids(database.query_events(EVERYTHING, given_options)) == ["1b", "3"]
    assert ids(database.query_events_with_options(EVERYTHING, given_options)) == ["1b", "3"]
    assert ids(database.query_events(EVERYTHING, given_options, limit=3)) == ["1b", "3", "2"]
    assert ids(
        database.query_events(
            EVERYTHING, given_options, direction=QueryDirection.FORWARD, range=RevisionRange(6)
        )
    ) == ["3", "1b"]


@pytest.mark.parametrize(
    ("selector", "query_options", "text"),
    [
        ("accounts", None, "selector: expected a selector"),
        (Parameter.subject("account"), None, "selector: expected a selector"),
        (EVERYTHING, {"limit": 3}, "options: expected QueryOptions"),
    ],
)
def test_what_is_no_query_is_refused_by_name(selector: Any, query_options: Any, text: str) -> None:
    with pytest.raises(InvalidType, match=text):
        calendar().query_events(selector, query_options)


# --- revisions -----------------------------------------------------------------------------------


@pytest.mark.parametrize("revision", range(8))
def test_a_database_at_a_revision_holds_the_events_up_to_it(revision: int) -> None:
    past = calendar().at_revision(revision)
    assert past.revision == revision
    assert ids(past.query_events(EVERYTHING)) == ALL[:revision]
    recorded = [day(0), day(1), day(1), day(1), day(2), day(2), day(3), day(3)]
    assert past.revision_timestamp == recorded[revision]


def test_going_back_goes_no_further_than_the_snapshot_reaches() -> None:
    past = calendar().at_revision(4)
    assert ids(past.at_revision(2).query_events(EVERYTHING)) == ALL[:2]
    for wrong in (5, -1, True, "1", None, 2.0):
        impossible: Any = wrong
        with pytest.raises(DatabaseAccessError) as refused:
            past.at_revision(impossible)
        assert refused.value.kind is DatabaseAccessErrorKind.INVALID_REVISION
        assert str(wrong) in str(refused.value)


def test_going_back_keeps_the_bound_on_effective_time() -> None:
    past = calendar().at_effective_timestamp(day(1)).at_revision(5)
    assert past.effective_timestamp == day(1)
    assert ids(past.query_events(EVERYTHING)) == ["0", "0b", "1"]


# --- effective time ------------------------------------------------------------------------------


def test_a_database_without_a_bound_on_effective_time_says_so() -> None:
    assert calendar().effective_timestamp is None


def test_bound_to_an_effective_time_a_query_comes_in_its_order() -> None:
    bound = calendar().at_effective_timestamp(day(1))
    assert bound.effective_timestamp == day(1)
    assert bound.revision == 7
    assert ids(bound.query_events(EVERYTHING)) == ["0", "0b", "1", "1b"]
    assert ids(bound.query_events(EVERYTHING, direction=REVERSE, limit=2)) == ["1b", "1"]


def test_bound_to_an_effective_time_a_revision_range_is_filtered_and_in_revision_order() -> None:
    bound = calendar().at_effective_timestamp(day(1))
    found = bound.query_events(EVERYTHING, range=RevisionRange(2))
    assert ids(found) == ["0", "1", "0b", "1b"]


def test_bound_to_an_effective_time_a_range_cannot_reach_beyond_it() -> None:
    bound = calendar().at_effective_timestamp(day(1))
    later = EffectiveTimeRange(RangeCursor(day(1), 0), day(9))
    assert ids(bound.query_events(EVERYTHING, range=later)) == ["1", "1b"]
    earlier = EffectiveTimeRange(end_at=day(0))
    assert ids(bound.query_events(EVERYTHING, range=earlier)) == ["0", "0b"]


def test_another_bound_takes_the_place_of_the_first() -> None:
    rebound = calendar().at_effective_timestamp(day(0)).at_effective_timestamp(day(5))
    assert ids(rebound.query_events(EVERYTHING)) == BY_EFFECT


def test_a_bound_needs_a_time_zone() -> None:
    with pytest.raises(InvalidTimestamp, match="timestamp"):
        calendar().at_effective_timestamp(datetime(2024, 1, 1))  # noqa: DTZ001


def test_an_effective_time_is_compared_to_the_nanosecond() -> None:
    database = bank()
    database.transact([event("1", time=parse_rfc3339("2024-06-01T00:00:00.000000002Z"))])
    before = database.latest().at_effective_timestamp(
        parse_rfc3339("2024-06-01T00:00:00.000000001Z")
    )
    at = database.latest().at_effective_timestamp(parse_rfc3339("2024-06-01T00:00:00.000000002Z"))
    assert ids(before.query_events(EVERYTHING)) == []
    assert ids(at.query_events(EVERYTHING)) == ["1"]


# --- everything at once --------------------------------------------------------------------------


def expected_events(
    stored: list[Event], selector: Any, query: QueryOptions, bound: datetime | None
) -> list[Event]:
    """The rules of queries over a plain list, each event at the revision of its place."""

    def effective(revision: int, found: Event) -> datetime:
        recorded: Any = found.extensions["recordedtime"]
        return parse_rfc3339(recorded.value) if found.time is None else found.time

    span = query.range
    numbered = [
        (effective(revision, found), revision, found)
        for revision, found in enumerate(stored, 1)
        if selects(selector, found)
    ]
    numbered = [each for each in numbered if bound is None or each[0] <= bound]
    if isinstance(span, RevisionRange):
        numbered = [each for each in numbered if each[1] >= (span.start_at or 0)]
    elif isinstance(span, EffectiveTimeRange) or bound is not None:
        numbered.sort(key=lambda each: each[:2])
    if isinstance(span, EffectiveTimeRange):
        start, end = span.start_at, span.end_at
        numbered = [
            each
            for each in numbered
            if (end is None or each[0] <= end)
            and (start is None or each[:2] >= (start.timestamp, start.revision))
        ]
    found = [each[2] for each in numbered]
    if query.get_direction() is REVERSE:
        found.reverse()
    return found[: query.get_limit()]


@settings(max_examples=150, deadline=None)
@given(
    history=batches,
    selector=selectors,
    query=options,
    revision=st.integers(0, 24),
    bound=st.none() | days,
)
def test_any_query_gives_what_the_rules_say_of_the_list_of_all_events(
    history: Any, selector: Any, query: QueryOptions, revision: int, bound: datetime | None
) -> None:
    database = filled(history)
    snapshot = database.at_revision(min(revision, database.latest().revision))
    if bound is not None:
        snapshot = snapshot.at_effective_timestamp(bound)
    stored = [each for result in database.log() for each in result.events][: snapshot.revision]
    assert snapshot.query_events(selector, query) == expected_events(stored, selector, query, bound)
