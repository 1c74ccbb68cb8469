"""Database.in_memory: rules that are published, commands that are sent, views that are folded."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from evidentsource_core import (
    CommandRequest,
    ConstraintViolations,
    InvalidValue,
    Parameter,
    Selector,
    StateChangeNotFound,
)
from evidentsource_functions import InvalidDefinition, StateChangeError
from evidentsource_functions.testing import (
    Clock,
    Database,
    command,
    create_stored_event,
    stable_ids,
)
from tests.unit.functions.testing.kit import (
    ORDERS,
    AddLines,
    Order,
    Pay,
    Sales,
    add_lines,
    made,
    pay,
    shop,
)


@pytest.fixture
def clock() -> Clock:
    return Clock("2024-03-01T12:00:00Z")


@pytest.fixture
def database(clock: Clock) -> Database:
    database = Database.in_memory("shop", clock=clock)
    database.publish(shop)
    return database


def test_views_are_folded_from_what_the_rules_decided(database: Database) -> None:
    assert database.read(Order, {"order_id": "o-1"}) is None
    assert database.submit(AddLines("o-1", ["pen", "ink"])).revision == 2
    database.submit(AddLines("o-1", ["pen"], reference="r-2"))
    assert database.read(Order, {"order_id": "o-1"}) == Order({"pen": 2, "ink": 1})
    assert database.read(Order, {"order_id": "o-2"}) is None


def test_a_rule_sees_the_views_and_refuses(database: Database) -> None:
    database.submit(AddLines("o-1", ["pen"]))
    database.submit(Pay("o-1"))
    with pytest.raises(StateChangeError, match="order o-1 is paid"):
        database.submit(AddLines("o-1", ["ink"]))
    assert (database.revision, database.read(Sales)) == (2, Sales(1))


def test_a_view_is_read_at_any_revision_effective_time_and_speculatively(
    database: Database,
) -> None:
    database.submit(AddLines("o-1", ["pen", "ink"]))
    later = made("line.added", "o-1", "e-1", item="cap", quantity=1)
    database.insert_event(
        create_stored_event("line.added", "o-1", {"item": "cup", "quantity": 1}, "orders")
    )
    one = {"order_id": "o-1"}
    assert database.read(Order, one, revision=1) == Order({"pen": 1})
    assert database.read(Order, one, revision=1, speculated=[later]) == Order({"pen": 1, "cap": 1})
    assert database.read(Order, one, effective_at="2024-02-29") is None
    assert database.read(Order, one, effective_at="2024-03-02", revision=2) == Order(
        {"pen": 1, "ink": 1}
    )
    speculated = database.read(Order, one, speculated=[later])
    assert speculated == Order({"pen": 1, "ink": 1, "cup": 1, "cap": 1})
    assert database.revision == 3


def test_conditions_are_checked_at_the_commit(database: Database) -> None:
    database.submit(AddLines("o-1", ["pen"]))
    database.submit(AddLines("o-1", ["ink"], reference="r-2"))
    with pytest.raises(ConstraintViolations):
        database.submit(Pay("o-1"), last_seen_revision=1)


def test_a_command_submitted_twice_under_one_id_happens_once(database: Database) -> None:
    for _ in range(2):
        result = database.submit(AddLines("o-1", ["pen"]), transaction_id="t-1")
        assert result.revision == 1
    assert database.revision == 1


def test_what_happens_is_recorded_by_the_clock(database: Database, clock: Clock) -> None:
    database.submit(AddLines("o-1", ["pen"]))
    clock.advance(hours=1)
    database.insert_event(create_stored_event("line.noted", "o-1", {}, "orders"))
    clock.advance(timedelta(days=1), minutes=1)
    database.submit(AddLines("o-1", ["ink"], reference="r-2"))
    recorded = [str(event.extensions["recordedtime"].value) for event in database.all_events()]
    assert recorded == [
        "2024-03-01T12:00:00.000000Z",
        "2024-03-01T13:00:00.000000Z",
        "2024-03-02T13:01:00.000000Z",
    ]
    assert database.revision_timestamp == datetime(2024, 3, 2, 13, 1, tzinfo=UTC)


def test_the_clock_tells_rules_when_a_command_arrives(clock: Clock) -> None:
    seen: list[datetime] = []

    def rule(db: Any, command: Pay, metadata: Any) -> Any:
        seen.append(metadata.command_received_at)
        return []

    database = Database.in_memory("shop", clock=clock)
    database.publish(rule)
    database.submit(Pay("o-1"))
    clock.set("2024-03-05")
    database.submit(Pay("o-1"))
    database.submit(Pay("o-1"), received_at=datetime(2020, 1, 1, tzinfo=UTC))
    assert [each.isoformat()[:10] for each in seen] == ["2024-03-01", "2024-03-05", "2020-01-01"]


def test_recorded_times_survive_a_new_description(database: Database, clock: Clock) -> None:
    database.submit(AddLines("o-1", ["pen"]))
    clock.advance(hours=1)
    database.insert_event(create_stored_event("line.noted", "o-1", {}, "orders"))
    before = database.all_events()
    database.with_revision(database.revision)
    assert database.all_events() == before


def test_without_a_clock_of_its_own_a_database_stands_at_the_beginning_of_2024() -> None:
    database = Database.in_memory()
    assert (database.name, database.created_at) == ("test", datetime(2024, 1, 1, tzinfo=UTC))


def test_canned_views_go_before_those_that_are_folded(database: Database) -> None:
    database.submit(AddLines("o-1", ["pen"]))
    database.insert_state_view_with_params("order", 1, {"order_id": "o-1"}, Order({}, paid=True), 1)
    with pytest.raises(StateChangeError, match="is paid"):
        database.submit(AddLines("o-1", ["ink"]))
    assert database.read(Order, {"order_id": "o-1"}) == Order({}, paid=True)


def test_the_published_call_forms_work_on_it(database: Database) -> None:
    request = CommandRequest.json({"order_id": "o-1", "items": ["pen"]})
    assert database.execute("add-lines", request).revision == 1
    assert database.execute("add-lines", {"order_id": "o-1", "items": []}).transaction is None
    with pytest.raises(StateChangeNotFound):
        database.execute("refund", {})


def test_rules_are_published_one_by_one_as_well() -> None:
    database = Database.in_memory("shop")
    database.publish(pay, Sales)
    database.publish_state_change("add", add_lines)
    database.publish_state_view("order", Order, ORDERS & Parameter.subject("order_id"))
    database.submit(command("add", order_id="o-1", items=["pen"]))
    database.submit(Pay("o-1"))
    assert database.read(Sales) == Sales(1)
    assert database.read(Order, {"order_id": "o-1"}) == Order({"pen": 1}, paid=True)


def test_a_view_without_a_definition_cannot_be_published_by_its_class_alone() -> None:
    with pytest.raises(InvalidValue, match="which events does the view fold"):
        Database.in_memory().publish(Order)


def test_what_is_no_rule_is_refused() -> None:
    with pytest.raises(InvalidDefinition):
        Database.in_memory().publish(lambda: None)


def test_reading_a_view_that_was_never_published_says_which_were(database: Database) -> None:
    class Unknown:
        pass

    with pytest.raises(InvalidValue, match="published as Unknown; known are: order, sales"):
        database.read(Unknown)


def test_speculation_and_queries_are_those_of_any_database(database: Database) -> None:
    event = made("line.added", "o-1", "e-1", item="cap", quantity=1)
    speculated = database.speculate_with_transaction([event])
    assert [each.id for each in speculated.query_events(Selector.subject("o-1"))] == ["e-1"]


# --- clock and ids -------------------------------------------------------------------------------


def test_a_clock_shows_what_it_was_set_to_and_never_goes_back() -> None:
    clock = Clock("2024-03-01")
    clock.advance(seconds=1.5)
    assert clock().isoformat() == "2024-03-01T00:00:01.500000+00:00"
    with pytest.raises(InvalidValue, match="never goes back"):
        clock.advance(days=-1)
    with pytest.raises(InvalidValue, match="never goes back"):
        clock.set("2024-02-01")


def test_ids_are_the_same_at_every_run_and_differ_within_one() -> None:
    runs = []
    for seed in ("", "", "other"):
        with stable_ids(seed):
            runs.append([uuid.uuid4() for _ in range(3)])
    assert runs[0] == runs[1] != runs[2]
    assert len(set(runs[0])) == 3
    assert all(each.version == 4 for each in runs[0])


def test_ids_are_random_again_afterwards_also_after_a_failure() -> None:
    with pytest.raises(RuntimeError), stable_ids():
        raise RuntimeError
    first = uuid.uuid4()
    with stable_ids():
        assert uuid.uuid4() != first
    assert uuid.uuid4() != first
