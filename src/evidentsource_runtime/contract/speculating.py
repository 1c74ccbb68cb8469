"""Speculation: a database as if events were committed, which they are not."""

from __future__ import annotations

from typing import Any

import pytest

from evidentsource_core import (
    EffectiveTimeRange,
    InvalidEvents,
    QueryDirection,
    QueryOptions,
    RevisionRange,
    Selector,
)
from evidentsource_core.times import format_rfc3339
from evidentsource_runtime.contract.driver import Capability, DatabaseUnderTest
from evidentsource_runtime.contract.querying import _RANGES
from evidentsource_runtime.contract.values import contents, day, event, ids, needs

_ALL = Selector.stream("accounts")
_REVERSE = QueryDirection.REVERSE


def _two(database: DatabaseUnderTest) -> None:
    database.transact([event("1", time=day(1)), event("2", time=day(2))])


@needs(Capability.SPECULATION)
class Speculation:
    """Speculated events are read like committed ones, and are not."""

    def test_speculated_events_are_read_as_if_they_were_committed(
        self, database: DatabaseUnderTest
    ) -> None:
        _two(database)
        basis = database.latest()
        given = [event("3", extensions={"tenant": "acme"}), event("4", None, data=b"\xff")]
        found = basis.speculate_with_transaction(given).query_events(_ALL, range=RevisionRange(2))
        assert ids(found) == ["2", "3", "4"]
        assert found[1].source == found[0].source
        attributes = {name: value.value for name, value in found[1].extensions.items()}
        assert attributes == {
            "tenant": "acme",
            "sequence": "00000000000000000003",
            "recordedtime": format_rfc3339(basis.revision_timestamp),
        }
        assert found[2].data == given[1].data
        assert found[2].subject is None

    @pytest.mark.parametrize("count", [0, 1, 5])
    def test_the_revision_is_that_of_the_basis_and_one_for_each_event(
        self, database: DatabaseUnderTest, count: int
    ) -> None:
        _two(database)
        basis = database.latest()
        speculated = basis.speculate_with_transaction([event(f"s{n}") for n in range(count)])
        assert (speculated.revision, speculated.speculated_event_count) == (2 + count, count)
        assert speculated.revision_timestamp == basis.revision_timestamp
        assert (speculated.name, speculated.created_at) == (basis.name, basis.created_at)
        assert speculated.basis.revision == 2
        assert ids(speculated.basis.query_events(_ALL)) == ["1", "2"]

    def test_nothing_is_written(self, database: DatabaseUnderTest) -> None:
        _two(database)
        before = contents(database)
        basis = database.latest()
        speculated = basis.speculate_with_transaction([event("3")])
        speculated.query_events(_ALL)
        assert contents(database) == before
        assert ids(basis.query_events(_ALL)) == ["1", "2"]
        assert database.transact([event("3", data="really")]).revision == 3
        assert speculated.query_events(_ALL)[2].data is None

    def test_it_is_chained_and_each_step_stays_as_it_was(self, database: DatabaseUnderTest) -> None:
        _two(database)
        first = database.latest().speculate_with_transaction([event("3")])
        second = first.speculate_with_transaction([event("4"), event("5")])
        assert ids(second.query_events(_ALL)) == ["1", "2", "3", "4", "5"]
        assert ids(first.query_events(_ALL)) == ["1", "2", "3"]
        assert (second.revision, second.speculated_event_count) == (5, 3)
        assert second.basis.revision == 2

    def test_on_an_empty_database_it_starts_at_revision_1(
        self, database: DatabaseUnderTest
    ) -> None:
        speculated = database.latest().speculate_with_transaction([event("1")])
        assert [each.revision() for each in speculated.query_events(_ALL)] == [1]

    def test_on_a_past_revision_it_goes_on_from_there(self, database: DatabaseUnderTest) -> None:
        _two(database)
        past = database.at_revision(1)
        found = past.speculate_with_transaction([event("new")]).query_events(_ALL)
        assert [(each.id, each.revision()) for each in found] == [("1", 1), ("new", 2)]

    @pytest.mark.parametrize(
        ("options", "expected"),
        [
            (QueryOptions(), ["1", "2", "0", "9"]),
            (QueryOptions().reverse(), ["9", "0", "2", "1"]),
            (QueryOptions(limit=3), ["1", "2", "0"]),
            (QueryOptions(limit=3).reverse(), ["9", "0", "2"]),
            (QueryOptions(range=RevisionRange(2)), ["2", "0", "9"]),
            (QueryOptions(range=RevisionRange(4)).reverse(), ["9"]),
            (QueryOptions(range=EffectiveTimeRange()), ["0", "1", "2", "9"]),
            (QueryOptions(range=EffectiveTimeRange()).reverse(), ["9", "2", "1", "0"]),
            (QueryOptions(range=EffectiveTimeRange(end_at=day(1)), limit=1), ["0"]),
        ],
        ids=range(9),
    )
    def test_every_kind_of_query_includes_them_in_their_place(
        self, database: DatabaseUnderTest, options: QueryOptions, expected: list[str]
    ) -> None:
        _two(database)
        added = [event("0", time=day(0)), event("9", time=day(9))]
        speculated = database.latest().speculate_with_transaction(added)
        assert ids(speculated.query_events(_ALL, options)) == expected

    @pytest.mark.parametrize("span", [case[0] for case in _RANGES], ids=range(len(_RANGES)))
    def test_it_reads_as_the_commit_of_the_same_events_does(
        self, database: DatabaseUnderTest, span: Any
    ) -> None:
        _two(database)
        added = [event("0", time=day(0)), event("1b", time=day(1)), event("9", time=day(9))]
        speculated = database.latest().speculate_with_transaction(added)
        database.transact(added)
        for options in (QueryOptions(range=span), QueryOptions(range=span, limit=2).reverse()):
            committed = database.latest().query_events(_ALL, options)
            assert ids(speculated.query_events(_ALL, options)) == ids(committed)

    @pytest.mark.parametrize(
        "selector",
        [
            Selector.subject("s-1"),
            Selector.no_subject(),
            Selector.event_type("speculated"),
            Selector.stream_starts_with("spec"),
            Selector.subject_starts_with("s-"),
            Selector.event_type_starts_with("spec") & Selector.stream("speculation"),
        ],
        ids=range(6),
    )
    def test_every_kind_of_selector_selects_among_them(
        self, database: DatabaseUnderTest, selector: Any
    ) -> None:
        _two(database)
        kind: dict[str, Any] = {"stream": "speculation", "event_type": "speculated"}
        added = [event("3", "s-1", **kind), event("4", None, **kind)]
        found = database.latest().speculate_with_transaction(added).query_events(selector)
        expected = [each.id for each in added if selector.matches_prospective(each)]
        assert ids(found) == expected

    @pytest.mark.parametrize(
        "bad", [event(" "), event("3", stream="1"), event("3", "\x00"), event("3", event_type="")]
    )
    def test_events_that_break_the_rules_are_refused(
        self, database: DatabaseUnderTest, bad: Any
    ) -> None:
        basis = database.latest()
        with pytest.raises(InvalidEvents):
            basis.speculate_with_transaction([event("good"), bad])
        with pytest.raises(InvalidEvents):
            basis.speculate_with_transaction([event("good")]).speculate_with_transaction([bad])

    def test_whether_an_id_is_new_is_only_asked_at_the_commit(
        self, database: DatabaseUnderTest
    ) -> None:
        _two(database)
        speculated = database.latest().speculate_with_transaction([event("1"), event("1")])
        assert ids(speculated.query_events(_ALL)) == ["1", "2", "1", "1"]

    @needs(Capability.EFFECTIVE_TIME)
    def test_a_bound_on_effective_time_holds_for_them_too(
        self, database: DatabaseUnderTest
    ) -> None:
        _two(database)
        bound = database.latest().at_effective_timestamp(day(1))
        added = [event("3", time=day(3)), event("0", time=day(0))]
        speculated = bound.speculate_with_transaction(added)
        assert speculated.effective_timestamp == day(1)
        assert ids(speculated.query_events(_ALL)) == ["0", "1"]
        assert speculated.revision == 4
        later = speculated.at_effective_timestamp(day(3))
        assert ids(later.query_events(_ALL)) == ["0", "1", "2", "3"]
        further = later.speculate_with_transaction([event("5", time=day(5))])
        assert (further.effective_timestamp, further.revision) == (day(3), 5)
        assert ids(further.query_events(_ALL, direction=_REVERSE)) == ["3", "2", "1", "0"]
