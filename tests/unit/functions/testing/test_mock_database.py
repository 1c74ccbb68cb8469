"""MockDatabase: how it is described, what is inserted, and where events come to stand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from evidentsource_core import (
    DatabaseAccessError,
    Event,
    Extensions,
    InvalidDatabaseName,
    InvalidEvents,
    InvalidRevision,
    InvalidTimestamp,
    InvalidValue,
    ProspectiveEvent,
    QueryDirection,
    QueryOptions,
    RevisionRange,
    Selector,
)
from evidentsource_core.reference import DatabaseSnapshot
from evidentsource_core.times import format_rfc3339
from evidentsource_functions.testing import (
    EventBuilder,
    MockDatabase,
    create_prospective_event,
    create_stored_event,
)

ACCOUNTS = Selector.stream("accounts")


def day(number: int) -> datetime:
    return datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=number)


def stored(event_id: str, **extensions: Any) -> Event:
    builder = EventBuilder("credited").id(event_id).stream("accounts").subject("a-1")
    for name, value in extensions.items():
        builder.extension(name, value)
    return builder.build_stored()


def stored_at(event_id: str, recorded: int, **extensions: Any) -> Event:
    return stored(event_id, recordedtime=format_rfc3339(day(recorded)), **extensions)


def revisions(db: MockDatabase) -> dict[str, int | None]:
    return {event.id: event.revision() for event in db.query_events(ACCOUNTS)}


def recorded(db: MockDatabase) -> list[Any]:
    return [event.extensions["recordedtime"].value for event in db.all_events()]


def test_a_new_mock_is_an_empty_database_of_that_name() -> None:
    before = datetime.now(UTC)
    db = MockDatabase("test-db")
    assert (db.name, db.revision, db.effective_timestamp) == ("test-db", 0, None)
    assert before <= db.created_at == db.revision_timestamp <= datetime.now(UTC)
    assert db.all_events() == []
    assert repr(db) == "<MockDatabase test-db at revision 0>"


def test_its_name_keeps_the_rule_of_names() -> None:
    with pytest.raises(InvalidDatabaseName):
        MockDatabase("no good")


# --- revisions -----------------------------------------------------------------------------------


def test_inserting_moves_the_revision_and_stamps_the_event() -> None:
    db = MockDatabase("bank").with_revision_timestamp(day(1))
    db.insert_event(stored("1", tenant="acme"))
    db.insert_event(stored("2"))
    assert db.revision == 2
    first = db.all_events()[0]
    assert first.revision() == 1
    assert {name: value.value for name, value in first.extensions.items()} == {
        "tenant": "acme",
        "sequence": "00000000000000000001",
        "recordedtime": "2024-01-02T00:00:00.000000Z",
    }
    assert first.source == "https://test.local/db/test/streams/accounts"


def test_described_events_count_up_to_the_revision_in_whichever_order_both_are_said() -> None:
    events = [stored("1"), stored("2"), stored("3")]
    for db in (
        MockDatabase("bank").with_revision(100).with_events(events),
        MockDatabase("bank").with_events(events).with_revision(100),
    ):
        assert db.revision == 100
        assert revisions(db) == {"1": 98, "2": 99, "3": 100}


def test_without_a_revision_the_events_are_all_there_are() -> None:
    db = MockDatabase("bank").with_events([stored("1"), stored("2")])
    assert db.revision == 2
    assert revisions(db) == {"1": 1, "2": 2}


def test_inserting_goes_on_behind_a_described_revision() -> None:
    db = MockDatabase("bank").with_revision(100)
    assert db.revision == 100
    db.insert_event(stored("1"))
    db.insert_event(stored("2"))
    assert db.revision == 102
    assert revisions(db) == {"1": 101, "2": 102}
    db.with_created_at(day(0))
    assert revisions(db) == {"1": 101, "2": 102}


def test_describing_events_puts_away_those_of_before() -> None:
    db = MockDatabase("bank").with_events([stored("1"), stored("2")])
    db.with_events([stored("3")])
    assert revisions(db) == {"3": 1}


def test_a_revision_too_low_for_the_events_is_refused_and_nothing_changes() -> None:
    db = MockDatabase("bank").with_events([stored("1"), stored("2")])
    with pytest.raises(InvalidValue, match="revision: 1 is too low for 2 events"):
        db.with_revision(1)
    assert db.revision == 2
    with pytest.raises(InvalidValue, match="too low for 3 events"):
        db.with_revision(2).with_events([stored("1"), stored("2"), stored("3")])
    with pytest.raises(InvalidRevision):
        db.with_revision(-1)


def test_the_sequence_of_an_event_stands() -> None:
    db = MockDatabase("bank").with_events([stored("1", sequence="7"), stored("2")])
    assert revisions(db) == {"1": 7, "2": 8}
    assert db.revision == 8
    db.insert_event(stored("3", sequence="20"))
    assert (db.revision, revisions(db)["3"]) == (20, 20)
    assert revisions(db.with_revision(30)) == {"1": 7, "2": 19, "3": 20}
    assert db.revision == 30


@pytest.mark.parametrize(
    ("events", "text"),
    [
        ([stored("1", sequence="7"), stored("2", sequence="7")], "7 does not lie behind 7"),
        ([stored("1", sequence="x")], "'sequence': holds no revision"),
        ([stored_at("1", 2), stored_at("2", 1)], "'recordedtime': lies before"),
        ([stored("1", recordedtime="soon")], "recordedtime"),
        ([stored("1"), stored("1")], "duplicate event id: accounts/1"),
        ([Event(" ", "accounts", "credited")], "invalid event id"),
        ([ProspectiveEvent("1", "accounts", "")], "invalid event type"),
        (
            [ProspectiveEvent("1", "accounts", "x", extensions=Extensions({"sequence": "7"}))],
            "'sequence': the database assigns it",
        ),
        ([Event("1", "1st", "credited")], "invalid stream name"),
        ([Event("1", "urn:a/b", "credited")], "invalid event source"),
        ([Event("1", "accounts", "")], "invalid event type"),
        (["no event"], r"events\[0\]: expected Event or ProspectiveEvent"),
    ],
)
def test_events_that_no_database_could_have_are_refused_and_nothing_changes(
    events: Any, text: str
) -> None:
    db = MockDatabase("bank").with_events([stored("0")])
    with pytest.raises(InvalidEvents, match=text):
        db.with_events(events)
    assert revisions(db) == {"0": 1}


def test_an_inserted_event_whose_id_is_known_is_refused() -> None:
    db = MockDatabase("bank").with_events([stored("1")])
    for again in (stored("1"), stored_at("1", 900_000)):
        with pytest.raises(InvalidEvents, match="duplicate event id"):
            db.insert_event(again)
    assert (db.revision, len(db.all_events())) == (1, 1)
    db.insert_event(stored("2"))
    assert revisions(db) == {"1": 1, "2": 2}


# --- times ---------------------------------------------------------------------------------------


def test_times_that_are_described_are_the_databases_in_whichever_order_they_are_said() -> None:
    events = [stored("1")]
    for db in (
        MockDatabase("bank")
        .with_created_at(day(0))
        .with_revision_timestamp(day(3))
        .with_events(events),
        MockDatabase("bank")
        .with_events(events)
        .with_revision_timestamp(day(3))
        .with_created_at(day(0)),
    ):
        assert (db.created_at, db.revision_timestamp) == (day(0), day(3))
        assert recorded(db) == ["2024-01-04T00:00:00.000000Z"]


def test_an_undescribed_creation_is_no_later_than_anything_known() -> None:
    assert MockDatabase("bank").with_revision_timestamp(day(3)).created_at == day(3)
    db = MockDatabase("bank").with_events([stored_at("1", 2)])
    assert db.created_at == day(2)
    assert db.revision_timestamp > day(300)


def test_an_undescribed_revision_timestamp_is_no_earlier_than_anything_known() -> None:
    future = datetime.now(UTC) + timedelta(days=9)
    assert MockDatabase("bank").with_created_at(future).revision_timestamp == future
    late = stored("1", recordedtime=format_rfc3339(future))
    assert MockDatabase("bank").with_events([late]).revision_timestamp == future


def test_the_recorded_time_of_an_event_stands_and_the_others_fit_in_between() -> None:
    db = MockDatabase("bank").with_revision_timestamp(day(5))
    db.with_events([stored("1"), stored_at("2", 2), stored("3"), stored_at("4", 6), stored("5")])
    assert [text[8:10] for text in recorded(db)] == ["03", "03", "06", "07", "07"]
    assert db.revision_timestamp == day(6)


def test_an_event_recorded_long_ago_can_be_inserted_into_a_new_mock() -> None:
    db = MockDatabase("bank")
    db.insert_event(stored_at("1", 2))
    assert db.revision == 1
    assert db.created_at == day(2)


def test_a_creation_after_the_events_is_refused() -> None:
    db = MockDatabase("bank").with_events([stored_at("1", 2)])
    with pytest.raises(InvalidEvents, match="recordedtime"):
        db.with_created_at(day(3))
    with pytest.raises(InvalidValue, match="revision_timestamp"):
        MockDatabase("bank").with_revision_timestamp(day(2)).with_created_at(day(3))
    assert db.created_at == day(2)


@pytest.mark.parametrize("method", ["with_created_at", "with_revision_timestamp"])
def test_a_described_time_needs_a_zone(method: str) -> None:
    with pytest.raises(InvalidTimestamp, match="timestamp"):
        getattr(MockDatabase("bank"), method)(datetime(2024, 1, 1))  # noqa: DTZ001


# --- events --------------------------------------------------------------------------------------


def test_a_bare_stream_as_source_is_that_stream_of_the_database() -> None:
    db = MockDatabase("bank")
    db.insert_event(Event("1", "orders", "placed"))
    db.with_events([*db.all_events(), Event("2", "orders", "placed")])
    found = db.query_events(Selector.stream("orders"))
    assert [event.source for event in found] == ["https://localhost/db/bank/streams/orders"] * 2


def test_an_event_that_was_not_stored_can_be_inserted() -> None:
    db = MockDatabase("bank").with_events([create_prospective_event("opened", "a-1")])
    db.insert_event(create_prospective_event("closed", "a-1"))
    found = db.query_events(Selector.subject("a-1"))
    assert [(event.event_type, event.revision()) for event in found] == [
        ("opened", 1),
        ("closed", 2),
    ]
    assert found[0].source == "https://localhost/db/bank/streams/test-stream"


def test_queries_take_everything_that_a_database_takes() -> None:
    db = MockDatabase("bank").with_events([stored(str(n)) for n in range(1, 5)])
    options = QueryOptions(limit=2).reverse()
    assert [event.id for event in db.query_events(ACCOUNTS, options)] == ["4", "3"]
    assert db.query_events_with_options(ACCOUNTS, options) == db.query_events(ACCOUNTS, options)
    found = db.query_events(
        ACCOUNTS, range=RevisionRange(2), direction=QueryDirection.FORWARD, limit=2
    )
    assert [event.id for event in found] == ["2", "3"]
    assert db.query_events(Selector.event_type("none")) == []


def test_the_list_of_all_events_is_a_copy() -> None:
    db = MockDatabase("bank").with_events([stored("1")])
    db.all_events().clear()
    assert len(db.all_events()) == 1
    given = [stored("2")]
    db.with_events(given)
    given.clear()
    assert len(db.all_events()) == 1


def test_a_mock_goes_back_to_an_earlier_revision_and_no_further() -> None:
    db = MockDatabase("bank").with_revision(10).with_events([stored("1"), stored("2")])
    past = db.at_revision(9)
    assert past.revision == 9
    assert [event.id for event in past.query_events(ACCOUNTS)] == ["1"]
    assert past.at_revision(8).query_events(ACCOUNTS) == []
    with pytest.raises(DatabaseAccessError, match="Invalid revision: 11"):
        db.at_revision(11)
    with pytest.raises(DatabaseAccessError, match="Invalid revision: 10"):
        past.at_revision(10)
    assert past.at_effective_timestamp(day(9999)).revision == 9
    assert past.speculate_with_transaction([create_prospective_event("x")]).revision == 10


def test_a_snapshot_of_a_mock_is_one_of_the_reference_database() -> None:
    db = MockDatabase("bank").with_events([stored("1")])
    snapshot = db.snapshot()
    db.insert_event(stored("2"))
    assert isinstance(snapshot, DatabaseSnapshot)
    assert (snapshot.revision, db.revision) == (1, 2)


def test_many_events_are_inserted_in_time_that_grows_with_their_number() -> None:
    db = MockDatabase("bank")
    for number in range(2000):
        db.insert_event(ProspectiveEvent(str(number), "accounts", "credited"))
    assert db.revision == 2000
    assert len(db.all_events()) == 2000


def test_stored_events_made_by_the_helpers_fit_in() -> None:
    db = MockDatabase("bank").with_revision(5)
    db.insert_event(create_stored_event("opened", "a-1", {"n": 1}, "accounts"))
    (event,) = db.query_events(ACCOUNTS & Selector.subject("a-1"))
    assert (event.revision(), event.data_as_json()) == (6, {"n": 1})
