"""Queries: every range in both directions, with limits, at any revision and effective time."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from evidentsource_core import (
    DatabaseAccessError,
    DatabaseAccessErrorKind,
    EffectiveTimeRange,
    QueryDirection,
    QueryOptions,
    QueryRange,
    RangeCursor,
    RevisionRange,
    Selector,
)
from evidentsource_core.times import parse_rfc3339
from evidentsource_functions import DatabaseAccess
from evidentsource_runtime.contract.driver import Capability, DatabaseUnderTest
from evidentsource_runtime.contract.model import Model
from evidentsource_runtime.contract.values import day, event, everything, ids, needs

_ALL = Selector.stream("accounts")
_REVERSE = QueryDirection.REVERSE
_BATCHES = [
    [event("5", time=day(5)), event("0", time=day(0)), event("1", time=day(1))],
    [event("0b", time=day(0)), event("2", time=day(2))],
    [event("3", time=day(3)), event("1b", time=day(1))],
]
"""Seven events: an id is the day on which the event took effect, a letter breaks a tie."""

_RECORDED = ["5", "0", "1", "0b", "2", "3", "1b"]
_BY_EFFECT = ["0", "0b", "1", "1b", "2", "3", "5"]

_RANGES: list[tuple[QueryRange | None, list[str]]] = [
    (None, _RECORDED),
    (RevisionRange(), _RECORDED),
    (RevisionRange(0), _RECORDED),
    (RevisionRange(1), _RECORDED),
    (RevisionRange(3), ["1", "0b", "2", "3", "1b"]),
    (RevisionRange(7), ["1b"]),
    (RevisionRange(8), []),
    (RevisionRange(2**64 - 1), []),
    (EffectiveTimeRange(), _BY_EFFECT),
    (EffectiveTimeRange(end_at=day(1)), ["0", "0b", "1", "1b"]),
    (EffectiveTimeRange(end_at=day(9)), _BY_EFFECT),
    (EffectiveTimeRange(end_at=day(-1)), []),
    (EffectiveTimeRange(RangeCursor(day(1), 0)), ["1", "1b", "2", "3", "5"]),
    (EffectiveTimeRange(RangeCursor(day(1), 3)), ["1", "1b", "2", "3", "5"]),
    (EffectiveTimeRange(RangeCursor(day(1), 4)), ["1b", "2", "3", "5"]),
    (EffectiveTimeRange(RangeCursor(day(1), 99)), ["2", "3", "5"]),
    (EffectiveTimeRange(RangeCursor(day(-9), 99)), _BY_EFFECT),
    (EffectiveTimeRange(RangeCursor(day(9), 0)), []),
    (EffectiveTimeRange(RangeCursor(day(0), 4), day(2)), ["0b", "1", "1b", "2"]),
    (EffectiveTimeRange(RangeCursor(day(3), 0), day(2)), []),
    (EffectiveTimeRange(RangeCursor(day(2), 5), day(2)), ["2"]),
]
_each_range = pytest.mark.parametrize(
    ("span", "expected"), _RANGES, ids=[f"range{n}" for n in range(len(_RANGES))]
)


def calendar(database: DatabaseUnderTest) -> DatabaseAccess:
    """The seven events, committed in three transactions."""
    for batch in _BATCHES:
        database.transact(batch)
    return database.latest()


def modelled(database: DatabaseUnderTest) -> Model:
    """The same as a model."""
    model = Model()
    for batch, result in zip(_BATCHES, database.log(), strict=True):
        model.commit(batch, result.timestamp)
    return model


class Ranges:
    """A range is a set, the direction is the way through it, a limit counts from the first."""

    @_each_range
    @pytest.mark.parametrize("limit", [None, 0, 1, 3, 7, 99, 2**32 - 1])
    def test_a_query_goes_either_way_and_counts_from_the_end_that_comes_first(
        self,
        database: DatabaseUnderTest,
        span: QueryRange | None,
        expected: list[str],
        limit: int | None,
    ) -> None:
        latest = calendar(database)
        options = QueryOptions(range=span, limit=limit)
        assert ids(latest.query_events(_ALL, options)) == expected[:limit]
        assert ids(latest.query_events(_ALL, options.reverse())) == expected[::-1][:limit]

    def test_options_may_be_given_by_their_names(self, database: DatabaseUnderTest) -> None:
        latest = calendar(database)
        options = QueryOptions(limit=2).reverse().with_range(RevisionRange(4))
        assert ids(latest.query_events(_ALL, options)) == ["1b", "3"]
        assert ids(latest.query_events(_ALL, options, limit=3)) == ["1b", "3", "2"]
        assert ids(latest.query_events(_ALL, limit=2, direction=_REVERSE)) == ["1b", "3"]
        assert ids(latest.query_events(_ALL, range=RevisionRange(6))) == ["3", "1b"]

    def test_an_event_without_a_time_takes_effect_when_it_is_recorded(
        self, database: DatabaseUnderTest
    ) -> None:
        result = database.transact([event("now")])
        database.transact([event("before", time=day(-9)), event("after", time=day(99_999))])
        latest, moment = database.latest(), result.timestamp
        by_effect = latest.query_events(_ALL, QueryOptions(range=EffectiveTimeRange()))
        assert ids(by_effect) == ["before", "now", "after"]
        until = QueryOptions(range=EffectiveTimeRange(end_at=moment))
        assert ids(latest.query_events(_ALL, until)) == ["before", "now"]
        just_before = EffectiveTimeRange(end_at=moment - timedelta(microseconds=1))
        assert ids(latest.query_events(_ALL, QueryOptions(range=just_before))) == ["before"]

    def test_events_of_one_transaction_without_a_time_keep_their_order(
        self, database: DatabaseUnderTest
    ) -> None:
        names = [str(number) for number in range(12)]
        database.transact([event(name) for name in names])
        options = QueryOptions(range=EffectiveTimeRange())
        assert ids(database.latest().query_events(_ALL, options)) == names
        assert ids(database.latest().query_events(_ALL, options.reverse())) == names[::-1]

    def test_one_instant_in_two_zones_is_one_time(self, database: DatabaseUnderTest) -> None:
        east = timezone(timedelta(hours=9))
        database.transact([event("2", time=day(1).astimezone(east)), event("1", time=day(0))])
        until = QueryOptions(range=EffectiveTimeRange(end_at=day(1).astimezone(east)))
        assert ids(database.latest().query_events(_ALL, until)) == ["1", "2"]

    def test_effective_times_are_compared_to_the_nanosecond(
        self, database: DatabaseUnderTest
    ) -> None:
        moments = [parse_rfc3339(f"2024-06-01T00:00:00.00000000{n}Z") for n in (3, 1, 2)]
        database.transact(
            [event(str(n), time=moment) for n, moment in zip((3, 1, 2), moments, strict=True)]
        )
        latest = database.latest()
        options = QueryOptions(range=EffectiveTimeRange())
        assert ids(latest.query_events(_ALL, options)) == ["1", "2", "3"]
        until = QueryOptions(range=EffectiveTimeRange(end_at=moments[2]))
        assert ids(latest.query_events(_ALL, until)) == ["1", "2"]
        start = QueryOptions(range=EffectiveTimeRange(RangeCursor(moments[2], 0)))
        assert ids(latest.query_events(_ALL, start)) == ["2", "3"]

    def test_times_at_both_ends_of_the_calendar_are_in_order(
        self, database: DatabaseUnderTest
    ) -> None:
        texts = [
            "9999-12-31T23:59:59.999999999Z",
            "1970-01-01T00:00:00Z",
            "0001-01-01T00:00:00Z",
            "1969-12-31T23:59:59.5Z",
            "1969-12-31T23:59:59.4Z",
        ]
        database.transact([event(str(n), time=parse_rfc3339(t)) for n, t in enumerate(texts)])
        options = QueryOptions(range=EffectiveTimeRange())
        found = ids(database.latest().query_events(_ALL, options))
        assert found == ["2", "4", "3", "1", "0"]


class AtRevisions:
    """A database at a revision holds the events up to it."""

    @pytest.mark.parametrize("revision", range(8))
    def test_it_holds_the_events_up_to_it(self, database: DatabaseUnderTest, revision: int) -> None:
        calendar(database)
        times = [database.latest().created_at]
        for each in database.log():
            times += [each.timestamp] * len(each.events)
        for past in (database.at_revision(revision), database.latest().at_revision(revision)):
            assert past.revision == revision
            assert past.revision_timestamp == times[revision]
            assert ids(past.query_events(_ALL)) == _RECORDED[:revision]

    @_each_range
    @pytest.mark.parametrize("revision", [0, 1, 4, 6])
    def test_every_range_is_within_it(
        self,
        database: DatabaseUnderTest,
        span: QueryRange | None,
        expected: list[str],
        revision: int,
    ) -> None:
        calendar(database)
        known = set(_RECORDED[:revision])
        options = QueryOptions(range=span)
        found = ids(database.at_revision(revision).query_events(_ALL, options))
        assert found == [each for each in expected if each in known]

    @pytest.mark.parametrize("revision", [8, 9, 2**64 - 1])
    def test_a_revision_that_does_not_exist_yet_is_refused(
        self, database: DatabaseUnderTest, revision: int
    ) -> None:
        latest = calendar(database)
        for look in (database.at_revision, latest.at_revision):
            with pytest.raises(DatabaseAccessError) as caught:
                look(revision)
            assert caught.value.kind is DatabaseAccessErrorKind.INVALID_REVISION

    def test_going_back_goes_no_further_than_the_snapshot_reaches(
        self, database: DatabaseUnderTest
    ) -> None:
        calendar(database)
        past = database.at_revision(4)
        assert ids(past.at_revision(2).query_events(_ALL)) == _RECORDED[:2]
        assert past.at_revision(4).revision == 4
        with pytest.raises(DatabaseAccessError):
            past.at_revision(5)

    def test_what_is_committed_later_changes_no_past_revision(
        self, database: DatabaseUnderTest
    ) -> None:
        calendar(database)
        database.transact([event("old", time=day(-9))])
        options = QueryOptions(range=EffectiveTimeRange())
        assert ids(database.at_revision(7).query_events(everything(), options)) == _BY_EFFECT


@needs(Capability.EFFECTIVE_TIME)
class AtEffectiveTimes:
    """Bound to an effective time, a database shows what had taken effect by then."""

    @_each_range
    @pytest.mark.parametrize("number", [-1, 0, 1, 3, 5])
    def test_every_range_is_within_the_bound(
        self,
        database: DatabaseUnderTest,
        span: QueryRange | None,
        expected: list[str],
        number: int,
    ) -> None:
        bound = calendar(database).at_effective_timestamp(day(number))
        shown = {each for each in _RECORDED if int(each[0]) <= number}
        order = _BY_EFFECT if span is None else expected
        options = QueryOptions(range=span)
        found = [each for each in order if each in shown]
        assert ids(bound.query_events(_ALL, options)) == found
        assert ids(bound.query_events(_ALL, options.reverse())) == found[::-1]
        assert ids(bound.query_events(_ALL, options.limit(2))) == found[:2]

    @pytest.mark.parametrize("revision", [0, 3, 5, 7])
    @pytest.mark.parametrize("number", [-1, 0, 1, 5])
    def test_both_times_bound_at_once(
        self, database: DatabaseUnderTest, revision: int, number: int
    ) -> None:
        calendar(database)
        bound = database.at_revision(revision).at_effective_timestamp(day(number))
        expected = modelled(database).query(_ALL, QueryOptions(), revision, day(number))
        assert ids(bound.query_events(_ALL)) == [entry.event.id for entry in expected]
        assert (bound.revision, bound.effective_timestamp) == (revision, day(number))

    def test_without_a_bound_there_is_none(self, database: DatabaseUnderTest) -> None:
        assert database.latest().effective_timestamp is None

    def test_going_back_keeps_the_bound(self, database: DatabaseUnderTest) -> None:
        past = calendar(database).at_effective_timestamp(day(1)).at_revision(5)
        assert past.effective_timestamp == day(1)
        assert ids(past.query_events(_ALL)) == ["0", "0b", "1"]

    def test_another_bound_takes_the_place_of_the_first(self, database: DatabaseUnderTest) -> None:
        latest = calendar(database)
        for first, second in ((0, 5), (5, 0)):
            bound = latest.at_effective_timestamp(day(first)).at_effective_timestamp(day(second))
            expected = [each for each in _BY_EFFECT if int(each[0]) <= second]
            assert ids(bound.query_events(_ALL)) == expected

    def test_the_bound_is_included_and_as_exact_as_a_time(
        self, database: DatabaseUnderTest
    ) -> None:
        moment = parse_rfc3339("2024-06-01T00:00:00.000000002Z")
        database.transact([event("1", time=moment)])
        before = parse_rfc3339("2024-06-01T00:00:00.000000001Z")
        latest = database.latest()
        assert ids(latest.at_effective_timestamp(before).query_events(_ALL)) == []
        assert ids(latest.at_effective_timestamp(moment).query_events(_ALL)) == ["1"]

    def test_an_event_without_a_time_is_bound_by_when_it_was_recorded(
        self, database: DatabaseUnderTest
    ) -> None:
        moment: datetime = database.transact([event("1")]).timestamp
        latest = database.latest()
        before = moment - timedelta(microseconds=1)
        assert ids(latest.at_effective_timestamp(moment).query_events(_ALL)) == ["1"]
        assert ids(latest.at_effective_timestamp(before).query_events(_ALL)) == []
