"""Speculation: a database as if events were committed, which they are not."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidentsource_core import (
    DuplicateEventId,
    InvalidEvents,
    InvalidTimestamp,
    Parameter,
    QueryDirection,
    QueryOptions,
    RevisionRange,
    Selector,
    StateViewDefinition,
    StateViewName,
)
from evidentsource_core.domain.definitions import QueryTemporality
from evidentsource_core.reference import ReferenceDatabase
from tests.unit.core.reference.helpers import (
    Clock,
    bank,
    batches,
    day,
    days,
    event,
    filled,
    ids,
    named,
    options,
    selectors,
    shapes,
)

EVERYTHING = Selector.stream("accounts")


def two_events() -> ReferenceDatabase:
    database = bank(clock=Clock(day(1)))
    database.transact([event("1"), event("2")])
    return database


def test_speculated_events_are_read_as_if_they_were_committed() -> None:
    database = two_events()
    speculated = database.latest().speculate_with_transaction(
        [event("3", extensions={"tenant": "acme"}), event("4")]
    )
    found = speculated.query_events(EVERYTHING, range=RevisionRange(2))
    assert ids(found) == ["2", "3", "4"]
    assert found[1].source == "https://localhost/db/bank/streams/accounts"
    assert [(name, value.value) for name, value in found[1].extensions.items()] == [
        ("tenant", "acme"),
        ("sequence", "00000000000000000003"),
        ("recordedtime", "2024-01-02T00:00:00.000000Z"),
    ]


def test_the_revision_is_that_of_the_basis_and_one_for_each_event() -> None:
    database = two_events()
    basis = database.latest()
    speculated = basis.speculate_with_transaction([event("3"), event("4")])
    assert (speculated.revision, speculated.speculated_event_count) == (4, 2)
    assert speculated.basis is basis
    assert speculated.revision_timestamp == basis.revision_timestamp == day(1)
    assert (speculated.name, speculated.created_at) == ("bank", day(0))


def test_nothing_is_written_by_speculation() -> None:
    database = two_events()
    basis = database.latest()
    basis.speculate_with_transaction([event("3")])
    assert database.latest().revision == basis.revision == 2
    assert ids(basis.query_events(EVERYTHING)) == ["1", "2"]
    assert database.event("accounts", "3") is None


def test_speculation_is_chained_and_each_step_stays_as_it_was() -> None:
    basis = two_events().latest()
    first = basis.speculate_with_transaction([event("3")])
    second = first.speculate_with_transaction([event("4"), event("5")])
    assert ids(second.query_events(EVERYTHING)) == ["1", "2", "3", "4", "5"]
    assert ids(first.query_events(EVERYTHING)) == ["1", "2", "3"]
    assert (second.revision, second.speculated_event_count) == (5, 3)
    assert second.basis is basis
    assert second.speculated_transactions == [[event("3")], [event("4"), event("5")]]
    second.speculated_transactions.clear()
    assert second.speculated_event_count == 3


def test_speculating_on_a_past_revision_goes_on_from_there() -> None:
    speculated = two_events().at_revision(1).speculate_with_transaction([event("new")])
    assert ids(speculated.query_events(EVERYTHING)) == ["1", "new"]
    assert speculated.query_events(EVERYTHING)[1].revision() == 2


def test_speculating_nothing_is_the_basis() -> None:
    speculated = two_events().latest().speculate_with_transaction([])
    assert (speculated.revision, speculated.speculated_event_count) == (2, 0)
    assert ids(speculated.query_events(EVERYTHING)) == ["1", "2"]


def test_a_bound_on_effective_time_holds_for_speculated_events_too() -> None:
    bound = two_events().latest().at_effective_timestamp(day(2))
    events = [event("3", time=day(3)), event("0", time=day(0))]
    speculated = bound.speculate_with_transaction(events)
    assert speculated.effective_timestamp == day(2)
    assert ids(speculated.query_events(EVERYTHING)) == ["0", "1", "2"]
    assert speculated.revision == 4
    later = speculated.at_effective_timestamp(day(3))
    assert ids(later.query_events(EVERYTHING)) == ["0", "1", "2", "3"]
    assert (later.basis, later.speculated_transactions) == (bound, [events])
    further = later.speculate_with_transaction([event("5", time=day(5))])
    assert (further.effective_timestamp, further.revision) == (day(3), 5)
    assert ids(further.query_events(EVERYTHING)) == ["0", "1", "2", "3"]


def test_events_that_break_the_rules_are_refused_with_every_problem() -> None:
    basis = two_events().latest()
    with pytest.raises(InvalidEvents) as refused:
        basis.speculate_with_transaction([event("3"), event(" ", stream="1st")])
    assert [str(each)[:9] for each in refused.value.errors] == ["events[1]", "events[1]"]
    with pytest.raises(InvalidEvents):
        basis.speculate_with_transaction([]).speculate_with_transaction([event("")])


def test_whether_an_id_is_new_is_only_asked_at_the_commit() -> None:
    database = two_events()
    speculated = database.latest().speculate_with_transaction([event("1"), event("1")])
    assert ids(speculated.query_events(EVERYTHING)) == ["1", "2", "1", "1"]
    with pytest.raises(InvalidEvents) as refused:
        database.transact([event("1")])
    assert isinstance(refused.value.errors[0], DuplicateEventId)


def test_the_bound_of_a_speculation_needs_a_time_zone() -> None:
    with pytest.raises(InvalidTimestamp):
        two_events().latest().speculate_with_transaction([]).at_effective_timestamp(
            datetime(2024, 1, 1)  # noqa: DTZ001
        )


def test_a_speculation_has_no_other_revisions() -> None:
    assert not hasattr(two_events().latest().speculate_with_transaction([]), "at_revision")


@settings(max_examples=100, deadline=None)
@given(
    history=batches,
    batch=st.lists(shapes, min_size=1, max_size=4),
    selector=selectors,
    query=options,
    bound=st.none() | days,
    temporality=st.sampled_from(QueryTemporality),
)
def test_any_speculation_reads_as_the_commit_of_the_same_events_at_the_same_time(
    *,
    history: Any,
    batch: Any,
    selector: Any,
    query: QueryOptions,
    bound: datetime | None,
    temporality: QueryTemporality,
) -> None:
    database = filled(history)
    database.publish_state_view(
        StateViewDefinition(
            StateViewName("names"),
            Parameter.subject("who") | selector,
            temporality=temporality,
        ),
        lambda view, events: (view.content or b"") + "".join(ids(events)).encode(),
    )
    events = named(batch, "new")
    before = database.latest()
    if bound is not None:
        before = before.at_effective_timestamp(bound)
    speculated = before.speculate_with_transaction(events[:1]).speculate_with_transaction(
        events[1:]
    )
    database._clock = Clock(before.revision_timestamp)
    database.transact(events)
    after = database.latest()
    if bound is not None:
        after = after.at_effective_timestamp(bound)
    assert speculated.revision == after.revision
    for direction in QueryDirection:
        assert speculated.query_events(selector, query, direction=direction) == after.query_events(
            selector, query, direction=direction
        )
    assert speculated.view_state("names", 1, {"who": "x"}) == after.view_state(
        "names", 1, {"who": "x"}
    )
