"""State changes: what a decision is given, how it is committed, how it is refused."""

from __future__ import annotations

from typing import Any

import pytest

from evidentsource_core import (
    CommandRequest,
    ConstraintViolations,
    DatabaseAccessError,
    DuplicateTransactionId,
    EvidentSourceError,
    InvalidEvents,
    InvalidTransactionId,
    Selector,
    StateChangeDefinition,
    StateChangeName,
    StateChangeNotFound,
)
from evidentsource_functions import StateChangeError, StateChangeErrorKind
from evidentsource_runtime.contract.driver import Capability, DatabaseUnderTest
from evidentsource_runtime.contract.programs import OBEYING
from evidentsource_runtime.contract.values import event, everything, ids, needs, refused
from evidentsource_runtime.contract.viewing import publish as publish_view


def order(**fields: Any) -> CommandRequest:
    """A command that says what to decide."""
    return CommandRequest.json(fields)


def publish(database: DatabaseUnderTest, name: str = "obey") -> StateChangeDefinition:
    """Publish the change that does as it is told."""
    return database.publish_change(StateChangeDefinition(StateChangeName(name)), OBEYING)


def given(database: DatabaseUnderTest, event_id: str) -> Any:
    """What the decision that made this event wrote down."""
    found = database.latest().query_events(Selector.event_type("order.obeyed"))
    return next(each.data_as_json() for each in found if each.id == event_id)


@needs(Capability.CHANGES)
class Changes:
    """A state change decides on one revision and is committed as one transaction."""

    def test_publishing_makes_the_next_version_of_that_name(
        self, database: DatabaseUnderTest
    ) -> None:
        assert [publish(database).version, publish(database).version] == [1, 2]
        assert publish(database, "other").version == 1
        database.execute("obey", 2, order(ids=["1"]))
        database.execute("obey", 1, order(ids=["2"]))
        assert [given(database, each)["version"] for each in ("1", "2")] == [2, 1]

    @pytest.mark.parametrize(("name", "version"), [("none", 1), ("obey", 2)])
    def test_a_state_change_that_was_never_published_is_not_found(
        self, database: DatabaseUnderTest, name: str, version: int
    ) -> None:
        publish(database)
        with refused(database, StateChangeNotFound) as caught:
            database.execute(name, version, order(ids=["1"]))
        assert name in str(caught.value)

    def test_what_it_decides_is_committed_as_one_transaction(
        self, database: DatabaseUnderTest
    ) -> None:
        publish(database)
        database.transact([event("0")])
        assert database.execute("obey", 1, order(ids=["1", "2"])) == 3
        assert ids(database.latest().query_events(everything())) == ["0", "1", "2"]
        assert [(each.basis, each.revision) for each in database.log()] == [(0, 1), (1, 3)]

    def test_a_decision_is_given_the_latest_revision_and_its_metadata(
        self, database: DatabaseUnderTest
    ) -> None:
        publish(database)
        database.transact([event("0"), event("00")])
        request = order(ids=["1"]).with_header("X-Trace", "seven")
        database.execute("obey", 1, request)
        assert given(database, "1") == {
            "revision": 2,
            "last_seen": 2,
            "name": "obey",
            "version": 1,
            "trace": "seven",
            "view": None,
        }

    @needs(Capability.VIEWS)
    def test_a_decision_reads_views_at_its_own_revision(self, database: DatabaseUnderTest) -> None:
        publish(database)
        publish_view(database)
        database.transact([event("0")])
        database.transact([event("00")])
        database.execute("obey", 1, order(ids=["1"], view="seen"))
        database.execute("obey", 1, order(ids=["2"], view="seen"), last_seen_revision=1)
        assert given(database, "1")["view"] == ["0", "00"]
        assert given(database, "2")["view"] == ["0"]

    @pytest.mark.parametrize("revision", [0, 1, 2])
    def test_a_decision_is_made_on_the_last_seen_revision(
        self, database: DatabaseUnderTest, revision: int
    ) -> None:
        publish(database)
        database.transact([event("0")])
        database.transact([event("00")])
        database.execute("obey", 1, order(ids=["1"]), last_seen_revision=revision)
        found = given(database, "1")
        assert (found["revision"], found["last_seen"]) == (revision, revision)

    def test_its_conditions_guard_against_what_came_after_the_last_seen_revision(
        self, database: DatabaseUnderTest
    ) -> None:
        publish(database)
        database.transact([event("0")])
        database.transact([event("00")])
        command = order(ids=["1"], unchanged=True)
        with refused(database, ConstraintViolations):
            database.execute("obey", 1, command, last_seen_revision=1)
        assert database.execute("obey", 1, command, last_seen_revision=2) == 3

    def test_a_last_seen_revision_that_does_not_exist_is_refused(
        self, database: DatabaseUnderTest
    ) -> None:
        publish(database)
        with refused(database, DatabaseAccessError):
            database.execute("obey", 1, order(ids=["1"]), last_seen_revision=1)

    @pytest.mark.parametrize("last_seen", [None, 0, 1])
    def test_a_decision_without_events_writes_nothing_and_succeeds_where_it_was_made(
        self, database: DatabaseUnderTest, last_seen: int | None
    ) -> None:
        publish(database)
        database.transact([event("0"), event("00")])
        command = order(ids=[], forbidden="a-1")
        revision = database.execute("obey", 1, command, last_seen_revision=last_seen)
        assert revision == (2 if last_seen is None else last_seen)
        assert (database.latest().revision, len(database.log())) == (2, 1)

    @pytest.mark.parametrize("kind", [each.value for each in StateChangeErrorKind])
    def test_a_refusal_keeps_its_kind_and_text(
        self, database: DatabaseUnderTest, kind: str
    ) -> None:
        publish(database)
        with refused(database, StateChangeError) as caught:
            database.execute("obey", 1, order(refuse=kind))
        error: Any = caught.value
        assert error.kind.value == kind
        assert "told to refuse" in str(error)

    def test_a_rule_that_fails_is_an_internal_error_with_its_text(
        self, database: DatabaseUnderTest
    ) -> None:
        publish(database)
        with refused(database, StateChangeError) as caught:
            database.execute("obey", 1, order(fail=True))
        error: Any = caught.value
        assert error.kind is StateChangeErrorKind.INTERNAL
        assert "told to fail" in str(error)

    @pytest.mark.parametrize(
        ("request_", "text"),
        [
            (order(ids="1"), "command.ids"),
            (order(unknown=1), "command.unknown"),
            (CommandRequest(body=b"{", content_type="application/json"), "command"),
            (CommandRequest(body=b"[]", content_type="application/json"), "command"),
            (CommandRequest(body=b"{}", content_type="text/csv"), "text/csv"),
            (CommandRequest(), "body"),
        ],
        ids=["field of another type", "unknown field", "no JSON", "no object", "csv", "no body"],
    )
    def test_a_command_that_cannot_be_read_is_a_validation_error(
        self, database: DatabaseUnderTest, request_: CommandRequest, text: str
    ) -> None:
        publish(database)
        with refused(database, StateChangeError) as caught:
            database.execute("obey", 1, request_)
        error: Any = caught.value
        assert error.kind is StateChangeErrorKind.VALIDATION
        assert text in str(error)

    def test_a_decision_with_an_event_that_exists_is_refused(
        self, database: DatabaseUnderTest
    ) -> None:
        publish(database)
        database.transact([event("1", stream="orders")])
        with refused(database, InvalidEvents):
            database.execute("obey", 1, order(ids=["2", "1"]))

    def test_executed_again_with_its_transaction_id_it_decides_nothing(
        self, database: DatabaseUnderTest
    ) -> None:
        publish(database)
        command = order(ids=["1"], unchanged=True, once=True)
        assert database.execute("obey", 1, command, transaction_id="t-1") == 1
        database.transact([event("2")])
        assert database.execute("obey", 1, command, transaction_id="t-1") == 1
        assert database.latest().revision == 2

    def test_with_another_command_its_transaction_id_is_refused(
        self, database: DatabaseUnderTest
    ) -> None:
        publish(database)
        database.execute("obey", 1, order(ids=["1"]), transaction_id="t-1")
        with refused(database, DuplicateTransactionId):
            database.execute("obey", 1, order(ids=["2"]), transaction_id="t-1")
        with refused(database, DuplicateTransactionId):
            database.transact([event("2")], transaction_id="t-1")

    def test_a_refused_execution_leaves_its_transaction_id_free(
        self, database: DatabaseUnderTest
    ) -> None:
        publish(database)
        with refused(database, EvidentSourceError):
            database.execute("obey", 1, order(refuse="conflict"), transaction_id="t-1")
        database.execute("obey", 1, order(ids=[]), transaction_id="t-1")
        assert database.execute("obey", 1, order(ids=["1"]), transaction_id="t-1") == 1

    @pytest.mark.parametrize("transaction_id", [" ", "a\nb", "x" * 256])
    def test_its_transaction_id_keeps_the_rule_of_event_ids(
        self, database: DatabaseUnderTest, transaction_id: str
    ) -> None:
        publish(database)
        with refused(database, InvalidTransactionId):
            database.execute("obey", 1, order(ids=["1"]), transaction_id=transaction_id)
