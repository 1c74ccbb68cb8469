"""Mocks that come of a mock: bound to an effective time, and with speculated events."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from evidentsource_core import (
    DatabaseAccessError,
    Event,
    InvalidEvents,
    InvalidTimestamp,
    ProspectiveEvent,
    QueryDirection,
    Selector,
)
from evidentsource_functions.testing import (
    EventBuilder,
    MockDatabase,
    MockDatabaseAtEffectiveTimestamp,
    MockSpeculativeDatabase,
)

ACCOUNTS = Selector.stream("accounts")


def on(day: int) -> datetime:
    return datetime(2024, 1, day, tzinfo=UTC)


def effective(day: int) -> Event:
    """An event whose id says on which day it takes effect."""
    return EventBuilder("credited").id(str(day)).stream("accounts").date(on(day)).build_stored()


def proposed(event_id: str, day: int | None = None) -> ProspectiveEvent:
    builder = EventBuilder("credited").id(event_id).stream("accounts").subject("new")
    return (builder if day is None else builder.date(on(day))).build()


def bank() -> MockDatabase:
    db = MockDatabase("bank").with_revision(100).with_created_at(on(1))
    return db.with_events([effective(5), effective(3), effective(9)])


def ids(db: Any, **options: Any) -> list[str]:
    return [event.id for event in db.query_events(ACCOUNTS, **options)]


# --- effective time ------------------------------------------------------------------------------


def test_a_bound_on_effective_time_filters_events_and_puts_them_in_its_order() -> None:
    bound = bank().at_effective_timestamp(on(5))
    assert ids(bound) == ["3", "5"]
    assert ids(bound, direction=QueryDirection.REVERSE, limit=1) == ["5"]


@pytest.mark.parametrize(
    "make",
    [
        lambda db: db.at_effective_timestamp(on(4)),
        lambda db: db.at_effective_timestamp(ts=on(4)),
        lambda db: db.at_effective_timestamp(timestamp=on(4)),
        lambda db: MockDatabaseAtEffectiveTimestamp(db, on(4)),
        lambda db: MockDatabaseAtEffectiveTimestamp(basis=db, effective_ts=on(4)),
        lambda db: db.at_effective_timestamp(on(9)).at_effective_timestamp(timestamp=on(4)),
        lambda db: db.at_revision(100).at_effective_timestamp(timestamp=on(4)),
    ],
)
def test_it_is_bound_in_every_form_of_call_and_has_everything_a_database_has(make: Any) -> None:
    db = bank()
    bound = make(db)
    assert isinstance(bound, MockDatabaseAtEffectiveTimestamp)
    assert (bound.name, bound.revision, bound.effective_timestamp) == ("bank", 100, on(4))
    assert (bound.created_at, bound.revision_timestamp) == (on(1), db.revision_timestamp)
    assert ids(bound) == ["3"]


def test_a_bound_needs_a_zone_and_exactly_one_time() -> None:
    db: Any = bank()
    with pytest.raises(InvalidTimestamp):
        db.at_effective_timestamp(datetime(2024, 1, 1))  # noqa: DTZ001
    with pytest.raises(TypeError):
        db.at_effective_timestamp()
    with pytest.raises(TypeError):
        db.at_effective_timestamp(on(4), timestamp=on(4))
    with pytest.raises(TypeError):
        db.at_effective_timestamp(ts=on(4), timestamp=on(4))


def test_a_bound_mock_goes_back_to_earlier_revisions() -> None:
    bound = bank().at_effective_timestamp(on(5))
    past = bound.at_revision(98)
    assert (past.revision, past.effective_timestamp, ids(past)) == (98, on(5), ["5"])
    with pytest.raises(DatabaseAccessError):
        bound.at_revision(101)


def test_what_is_inserted_into_the_mock_shows_in_what_came_of_it() -> None:
    db = bank()
    bound, speculated = db.at_effective_timestamp(on(5)), db.speculate_with_transaction([])
    db.insert_event(effective(4))
    assert ids(bound) == ["3", "4", "5"]
    assert (bound.revision, speculated.revision) == (101, 101)


# --- speculation ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "make",
    [
        lambda db: db.speculate_with_transaction([proposed("n1"), proposed("n2")]),
        lambda db: db.speculate_with_transaction(events=[proposed("n1"), proposed("n2")]),
        lambda db: db.speculate_with_transaction([proposed("n1")]).speculate_with_transaction(
            [proposed("n2")]
        ),
        lambda db: MockSpeculativeDatabase(db, [[proposed("n1")], [proposed("n2")]]),
        lambda db: MockSpeculativeDatabase(
            basis=db, speculated_transactions=[[proposed("n1"), proposed("n2")]]
        ),
    ],
)
def test_a_speculation_includes_its_events_in_queries(make: Any) -> None:
    db = bank()
    speculated = make(db)
    assert isinstance(speculated, MockSpeculativeDatabase)
    assert ids(speculated) == ["5", "3", "9", "n1", "n2"]
    assert (speculated.revision, speculated.speculated_event_count) == (102, 2)
    assert speculated.basis is db
    assert (speculated.name, speculated.created_at) == ("bank", on(1))
    assert speculated.revision_timestamp == db.revision_timestamp
    assert speculated.effective_timestamp is None
    new = speculated.query_events(Selector.subject("new"))
    assert [event.revision() for event in new] == [101, 102]
    assert new[0].source == "https://localhost/db/bank/streams/accounts"
    assert ids(db) == ["5", "3", "9"]


def test_the_speculated_events_alone_can_be_asked_for() -> None:
    speculated = bank().speculate_with_transaction([proposed("n1")])
    speculated = speculated.speculate_with_transaction([proposed("n2")])
    assert speculated.query_speculated_events(ACCOUNTS) == [proposed("n1"), proposed("n2")]
    assert speculated.query_speculated_events(Selector.subject("old")) == []
    assert speculated.speculated_transactions == [[proposed("n1")], [proposed("n2")]]
    speculated.speculated_transactions[0].clear()
    assert speculated.speculated_event_count == 2


@pytest.mark.parametrize(
    "make",
    [
        lambda db, events: db.at_effective_timestamp(on(5)).speculate_with_transaction(events),
        lambda db, events: db.speculate_with_transaction(events).at_effective_timestamp(on(5)),
        lambda db, events: db.speculate_with_transaction(events).at_effective_timestamp(ts=on(5)),
        lambda db, events: db.speculate_with_transaction(events).at_effective_timestamp(
            timestamp=on(5)
        ),
        lambda db, events: MockSpeculativeDatabase(db, [events], effective_timestamp=on(5)),
        lambda db, events: MockSpeculativeDatabase(db, [events], on(5)),
    ],
)
def test_a_bound_holds_for_speculated_events(make: Any) -> None:
    db = bank()
    speculated = make(db, [proposed("early", 2), proposed("late", 9)])
    assert ids(speculated) == ["early", "3", "5"]
    assert (speculated.effective_timestamp, speculated.revision) == (on(5), 102)
    assert speculated.basis is db
    further = speculated.speculate_with_transaction([proposed("earlier", 1), proposed("later", 9)])
    assert ids(further) == ["earlier", "early", "3", "5"]


def test_events_that_break_the_rules_are_refused_at_once() -> None:
    with pytest.raises(InvalidEvents, match="invalid stream name"):
        bank().speculate_with_transaction([ProspectiveEvent("1", "1st", "credited")])
    with pytest.raises(InvalidEvents, match=r"events\[0\]"):
        MockSpeculativeDatabase(bank(), [["no event"]])  # type: ignore[list-item]  # on purpose
