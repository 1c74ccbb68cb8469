"""Views of a mock: contents that a test states, real views, and how parameters are given."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from evidentsource_core import (
    DatabaseAccessError,
    Event,
    EventSubject,
    InvalidRevision,
    InvalidStateViewName,
    InvalidType,
    InvalidValue,
    Parameter,
    QueryTemporality,
    RenderedStateView,
    Selector,
    SerializationFailed,
    StateView,
    StateViewName,
    StreamAttribute,
    StreamName,
    SubjectAttribute,
)
from evidentsource_core.domain.selectors import EventTypeAttribute
from evidentsource_functions import InvalidDefinition, StateViewBase
from evidentsource_functions.testing import (
    EventBuilder,
    MockDatabase,
    StateViewResult,
    create_prospective_event,
    create_stored_event,
)


@dataclass
class Balance(StateViewBase):
    amount: int = 0
    count: int = 0

    def evolve_event(self, event: Event) -> None:
        self.amount += event.data_as_json()["amount"]
        self.count += 1


def credited(subject: str, amount: int, day: int | None = None) -> Event:
    builder = EventBuilder("credited").stream("accounts").subject(subject).data({"amount": amount})
    if day is not None:
        builder.date(datetime(2024, 1, day, 12, tzinfo=UTC))
    return builder.build_stored()


def bank() -> MockDatabase:
    """Two accounts, the second event of the first taking effect before its first."""
    db = MockDatabase("bank").with_events(
        [credited("a-1", 5, day=10), credited("a-1", 7, day=3), credited("b-1", 1, day=4)]
    )
    db.publish_state_view("balance", Balance, Parameter.subject("account"))
    return db


# --- contents that a test states -----------------------------------------------------------------


def test_a_stated_view_is_read_as_a_real_one_is() -> None:
    moment = datetime(2024, 1, 1, tzinfo=UTC)
    db = MockDatabase("bank").with_revision(100).with_revision_timestamp(moment)
    db.insert_state_view("summary", 1, {"count": 5}, 50)
    view = db.view_state("summary", 1)
    assert isinstance(view, StateView)
    assert (view.content, view.data, view.json()) == (b'{"count": 5}', {"count": 5}, {"count": 5})
    assert (view.revision, view.last_modified_revision) == (50, 50)
    assert view.last_modified_timestamp == moment
    assert (str(view.database), str(view.name), view.version) == ("bank", "summary", 1)
    assert view.content_type == "application/json"


def test_a_view_that_nobody_stated_is_none() -> None:
    db = MockDatabase("bank")
    db.insert_state_view("summary", 1, {}, 0)
    assert db.view_state("summary", 2) is None
    assert db.view_state("other", 1) is None
    assert db.view_state("summary", 1, {"account": "a-1"}) is None


def test_a_later_statement_takes_the_place_of_an_earlier_one() -> None:
    db = MockDatabase("bank")
    db.insert_state_view("summary", 1, {"n": 1}, 0)
    db.insert_state_view("summary", 1, {"n": 2}, 0)
    view = db.view_state("summary", 1)
    assert view is not None
    assert view.data == {"n": 2}


ONE = {"account": "a-1"}
SAME: list[Any] = [
    ONE,
    [("account", "a-1")],
    (("account", "a-1"),),
    {"account": SubjectAttribute(EventSubject("a-1"))},
    [("account", EventSubject("a-1"))],
    {"account": StreamAttribute(StreamName("a-1"))},
    {"account": EventTypeAttribute("a-1")},  # type: ignore[arg-type]  # a text stands for it
]


@pytest.mark.parametrize("asked", SAME)
@pytest.mark.parametrize("stated", SAME)
def test_parameters_in_every_form_find_the_view_that_was_stated_for_them(
    stated: Any, asked: Any
) -> None:
    db = MockDatabase("bank")
    db.insert_state_view_with_params("summary", 1, stated, {"n": 1}, 3)
    for view in (
        db.view_state("summary", 1, asked),
        db.view_state("summary", 1, params=asked),
        db.view_state("summary", 1, parameters=asked),
        db.view_state(StateViewName("summary"), version=1, parameters=asked),
    ):
        assert view is not None
        assert view.data == {"n": 1}


@pytest.mark.parametrize(
    "asked", [None, {}, [], {"account": "b-1"}, {"other": "a-1"}, {"account": None}]
)
def test_other_parameters_do_not_find_it(asked: Any) -> None:
    db = MockDatabase("bank")
    db.insert_state_view_with_params("summary", 1, ONE, {"n": 1}, 3)
    assert db.view_state("summary", 1, asked) is None


@pytest.mark.parametrize("nobody", [None, SubjectAttribute(None)])
def test_no_subject_is_a_parameter_too(nobody: Any) -> None:
    db = MockDatabase("bank")
    db.insert_state_view_with_params("summary", 1, {"account": None}, {"n": 1}, 3)
    assert db.view_state("summary", 1, [("account", nobody)]) is not None


def test_empty_parameters_are_none_at_all() -> None:
    db = MockDatabase("bank")
    db.insert_state_view("summary", 1, {}, 0)
    forms: list[Any] = [None, {}, [], ()]
    for nothing in forms:
        assert db.view_state("summary", 1, nothing) is not None


def test_parameters_given_under_both_names_are_refused() -> None:
    everything: Any = {"params": ONE, "parameters": ONE}
    with pytest.raises(InvalidType, match="params"):
        MockDatabase("bank").view_state("summary", 1, **everything)


@pytest.mark.parametrize("parameters", [7, "ab", [("account",)], [(1, "a-1")]])
def test_parameters_that_cannot_be_any_are_refused(parameters: Any) -> None:
    with pytest.raises(InvalidType, match="parameters"):
        MockDatabase("bank").view_state("summary", 1, parameters)


@dataclass
class Limit:
    day: datetime


@pytest.mark.parametrize(
    ("data", "content"),
    [
        ([1, None], b"[1, null]"),
        (Limit(datetime(2024, 1, 1, tzinfo=UTC)), b'{"day": "2024-01-01T00:00:00.000000Z"}'),
        (b"\x00raw", b"\x00raw"),
        (None, b"null"),
    ],
)
def test_content_is_written_as_json_and_bytes_stay_as_they_are(data: Any, content: bytes) -> None:
    db = MockDatabase("bank")
    db.insert_state_view("summary", 1, data, 0)
    view = db.view_state("summary", 1)
    assert view is not None
    assert view.content == content


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("no good", 1, {}, 0), InvalidStateViewName),
        (("summary", 0, {}, 0), InvalidValue),
        (("summary", "1", {}, 0), InvalidType),
        (("summary", 1, {"n": float("nan")}, 0), SerializationFailed),
        (("summary", 1, {}, -1), InvalidRevision),
    ],
)
def test_a_statement_that_no_database_could_make_is_refused(arguments: Any, error: Any) -> None:
    with pytest.raises(error):
        MockDatabase("bank").insert_state_view(*arguments)


def test_a_stated_view_shows_from_the_revision_that_it_names_on() -> None:
    db = MockDatabase("bank").with_revision(5)
    db.insert_state_view("summary", 1, {"n": 1}, 3)
    assert db.at_revision(2).view_state("summary", 1) is None
    assert db.at_revision(3).view_state("summary", 1) is not None
    db.insert_state_view("future", 1, {"n": 1}, 50)
    assert db.view_state("future", 1) is not None
    assert db.at_revision(5).view_state("future", 1) is not None


def test_a_stated_view_is_the_same_at_every_time_and_under_speculation() -> None:
    db = MockDatabase("bank")
    db.insert_state_view("summary", 1, {"n": 1}, 3)
    expected = db.view_state("summary", 1)
    moment = datetime(1999, 1, 1, tzinfo=UTC)
    event = create_prospective_event("x")
    for other in (
        db.at_effective_timestamp(moment),
        db.speculate_with_transaction([event]),
        db.at_effective_timestamp(moment).speculate_with_transaction([event]),
        db.speculate_with_transaction([event]).at_effective_timestamp(moment),
    ):
        assert other.view_state("summary", 1) == expected


def test_a_result_of_ones_own_has_what_a_view_has() -> None:
    result = StateViewResult(data={"n": 1}, revision=3)
    assert (result.data, result.revision, result.json()) == ({"n": 1}, 3, {"n": 1})
    assert result.content == b'{"n": 1}'
    assert result == StateViewResult({"n": 1}, 3)


# --- real views ----------------------------------------------------------------------------------


def test_a_published_class_is_folded_over_the_events() -> None:
    view = bank().view_state("balance", 1, {"account": "a-1"})
    assert view is not None
    assert view.json() == {"amount": 12, "count": 2}
    assert view.revision == 2


def test_a_published_handler_is_too() -> None:
    def handler(rendered: RenderedStateView, events: list[Event]) -> bytes:
        return (rendered.content or b"") + b"x" * len(events)

    db = bank()
    definition = db.publish_state_view(
        "count",
        handler,
        Selector.stream("accounts"),
        temporality="effective_timestamp",
        content_type="text/plain",
        content_schema="urn:s",
    )
    assert definition.temporality is QueryTemporality.EFFECTIVE_TIMESTAMP
    view = db.view_state("count", 1)
    assert view is not None
    assert (view.content, view.content_type, view.content_schema_url) == (
        b"xxx",
        "text/plain",
        "urn:s",
    )


def test_publishing_makes_versions_that_stay_whatever_is_described_later() -> None:
    db = bank()
    again = db.publish_state_view("balance", Balance, Selector.stream("accounts"))
    assert again.version == 2
    db.with_revision(100)
    first, second = db.view_state("balance", 1, ONE), db.view_state("balance", 2)
    assert first is not None
    assert second is not None
    assert (first.revision, second.json()) == (99, {"amount": 13, "count": 3})


def test_a_class_that_cannot_fold_is_refused_when_it_is_published() -> None:
    with pytest.raises(InvalidDefinition, match="evolve"):
        MockDatabase("bank").publish_state_view("balance", int, Selector.stream("accounts"))


def test_a_published_view_without_events_is_none() -> None:
    assert bank().view_state("balance", 1, {"account": "nobody"}) is None


def test_a_published_view_follows_revision_effective_time_and_speculation() -> None:
    db = bank()

    def amount(database: Any) -> int:
        view = database.view_state("balance", 1, ONE)
        return 0 if view is None else int(view.json()["amount"])

    moment = datetime(2024, 1, 5, tzinfo=UTC)
    more = create_prospective_event("credited", "a-1", {"amount": 100}, "accounts")
    assert amount(db.at_revision(1)) == 5
    assert amount(db.at_effective_timestamp(moment)) == 7
    assert amount(db.speculate_with_transaction([more])) == 112
    assert amount(db.at_effective_timestamp(moment).speculate_with_transaction([more])) == 7
    assert amount(db) == 12


def test_a_stated_content_comes_before_a_published_view() -> None:
    db = bank()
    db.insert_state_view_with_params("balance", 1, ONE, {"amount": -1, "count": 0}, 1)
    stated, folded = (
        db.view_state("balance", 1, ONE),
        db.view_state("balance", 1, {"account": "b-1"}),
    )
    assert stated is not None
    assert folded is not None
    assert (stated.data["amount"], folded.data["amount"]) == (-1, 1)


def test_wrong_parameters_of_a_published_view_name_the_parameter() -> None:
    with pytest.raises(DatabaseAccessError, match=r"balance\.v1.*'account': is not bound"):
        bank().view_state("balance", 1)
    with pytest.raises(DatabaseAccessError, match="'other'"):
        bank().view_state("balance", 1, {"other": "a-1"})


def test_a_failing_view_is_a_typed_error_with_its_cause() -> None:
    db = bank()
    db.insert_event(create_stored_event("credited", "a-1", {"sum": 1}, "accounts"))
    with pytest.raises(DatabaseAccessError, match="'amount'") as failed:
        db.view_state("balance", 1, ONE)
    assert failed.value.__cause__ is not None
