"""State views: published, folded at any revision and time, with parameters; their failures."""

from __future__ import annotations

from typing import Any

import pytest

from evidentsource_core import (
    DatabaseAccessError,
    DatabaseAccessErrorKind,
    EventSubject,
    EventType,
    EventTypeAttribute,
    Parameter,
    QueryTemporality,
    Selector,
    SelectorTemplate,
    StateViewDefinition,
    StateViewName,
    StreamAttribute,
    StreamName,
    SubjectAttribute,
)
from evidentsource_functions import DatabaseAccess
from evidentsource_functions.state_change import SpeculativeDatabase
from evidentsource_runtime.contract.driver import Capability, DatabaseUnderTest
from evidentsource_runtime.contract.programs import SEEN
from evidentsource_runtime.contract.programs.seen_view import FAILS, FORGETS
from evidentsource_runtime.contract.values import day, event, needs

_BY_EFFECT = QueryTemporality.EFFECTIVE_TIMESTAMP
_PARAMETRIC = Parameter.stream("stream") & Parameter.subject("who") & Parameter.event_type("kind")
_GOOD: dict[str, Any] = {
    "stream": StreamName("accounts"),
    "who": "a-1",
    "kind": EventType("account.credited"),
}
_FORMS: list[Any] = [
    _GOOD,
    list(_GOOD.items()),
    {**_GOOD, "who": EventSubject("a-1")},
    {**_GOOD, "who": SubjectAttribute(EventSubject("a-1"))},
    {**_GOOD, "stream": StreamAttribute(StreamName("accounts"))},
    {**_GOOD, "kind": EventTypeAttribute(EventType("account.credited"))},
]


def publish(
    database: DatabaseUnderTest, selector: Any = None, name: str = "seen", **fields: Any
) -> StateViewDefinition:
    """Publish the view that tells what it saw."""
    template = SelectorTemplate.of(selector or Selector.stream("accounts"))
    return database.publish_view(StateViewDefinition(StateViewName(name), template, **fields), SEEN)


def fill(database: DatabaseUnderTest) -> None:
    """Three events in three transactions; in effect, the second comes first."""
    database.transact([event("1", time=day(1))])
    database.transact([event("0", "b-1", time=day(0))])
    database.transact([event("3", time=day(3))])


def seen(
    database: DatabaseAccess | SpeculativeDatabase, parameters: Any = None, version: int = 1
) -> list[str] | None:
    """The ids that the view was given; None where there is no view."""
    view = database.view_state("seen", version, parameters)
    if view is None:
        return None
    found: list[str] = view.json()["ids"]
    return found


@needs(Capability.VIEWS)
class Views:
    """A view is the fold of its events."""

    def test_publishing_makes_the_next_version_of_that_name(
        self, database: DatabaseUnderTest
    ) -> None:
        assert publish(database).version == 1
        assert publish(database, Selector.subject("b-1")).version == 2
        assert publish(database, name="other").version == 1
        fill(database)
        latest = database.latest()
        assert seen(latest, version=1) == ["1", "0", "3"]
        assert seen(latest, version=2) == ["0"]

    @pytest.mark.parametrize(("name", "version"), [("seen", 0), ("seen", 2), ("none", 1)])
    def test_a_view_that_was_never_published_is_none(
        self, database: DatabaseUnderTest, name: str, version: int
    ) -> None:
        publish(database)
        fill(database)
        assert database.latest().view_state(name, version) is None

    def test_a_view_that_no_event_modified_is_none(self, database: DatabaseUnderTest) -> None:
        publish(database, Selector.subject("nobody"))
        assert seen(database.latest()) is None
        fill(database)
        assert seen(database.latest()) is None

    def test_it_says_what_it_is_and_when_it_was_modified(self, database: DatabaseUnderTest) -> None:
        kinds = {"content_type": "application/seen+json", "content_schema": "urn:schema:seen"}
        publish(database, Selector.subject("a-1"), **kinds)
        fill(database)
        last = database.transact([event("4", "b-1")])
        view = database.latest().view_state("seen", 1)
        assert view is not None
        assert (str(view.name), view.version) == ("seen", 1)
        assert str(view.database) == database.name
        assert (view.content_type, view.content_schema_url) == tuple(kinds.values())
        assert view.last_modified_revision == 3
        assert view.last_modified_timestamp == database.at_revision(3).revision_timestamp
        assert last.revision == 4

    def test_it_is_given_whole_events(self, database: DatabaseUnderTest) -> None:
        publish(database)
        fill(database)
        database.transact([event("4", None, data='{"amount": 5}', event_type="account.opened")])
        view = database.latest().view_state("seen", 1)
        assert view is not None
        assert view.json()["last"] == {
            "stream": "accounts",
            "type": "account.opened",
            "subject": None,
            "data": '{"amount": 5}',
            "revision": 4,
        }

    @pytest.mark.parametrize("revision", range(4))
    @pytest.mark.parametrize("published", ["before", "after"])
    def test_it_can_be_read_at_any_revision_also_at_those_before_it_was_published(
        self, database: DatabaseUnderTest, revision: int, published: str
    ) -> None:
        if published == "before":
            publish(database)
        fill(database)
        if published == "after":
            publish(database)
        expected = ["1", "0", "3"][:revision] or None
        assert seen(database.at_revision(revision)) == expected

    def test_it_goes_on_where_it_was(self, database: DatabaseUnderTest) -> None:
        publish(database)
        expected = []
        for number in range(6):
            database.transact([event(f"{number}-{i}") for i in range(3)])
            expected += [f"{number}-{i}" for i in range(3)]
            assert seen(database.latest()) == expected

    def test_many_events_are_all_folded_once_and_in_order(
        self, database: DatabaseUnderTest
    ) -> None:
        publish(database)
        count = min(2500, database.max_events)
        database.transact([event(str(number)) for number in range(count)])
        assert seen(database.latest()) == [str(number) for number in range(count)]

    def test_reading_an_old_revision_leaves_the_latest_as_it_is(
        self, database: DatabaseUnderTest
    ) -> None:
        publish(database)
        fill(database)
        assert seen(database.latest()) == ["1", "0", "3"]
        assert seen(database.at_revision(1)) == ["1"]
        assert seen(database.latest()) == ["1", "0", "3"]

    @pytest.mark.parametrize("number", [-1, 0, 1, 3])
    @pytest.mark.parametrize("temporality", list(QueryTemporality), ids=lambda each: each.value)
    @needs(Capability.EFFECTIVE_TIME)
    def test_bound_to_an_effective_time_it_folds_what_had_taken_effect(
        self, database: DatabaseUnderTest, number: int, temporality: QueryTemporality
    ) -> None:
        publish(database, temporality=temporality)
        fill(database)
        by_effect = temporality is _BY_EFFECT
        order = ["0", "1", "3"] if by_effect else ["1", "0", "3"]
        expected = [each for each in order if int(each) <= number]
        bound = database.latest().at_effective_timestamp(day(number))
        assert seen(bound) == (expected or None)

    def test_a_view_of_effective_time_folds_in_its_order_what_is_recorded_later_too(
        self, database: DatabaseUnderTest
    ) -> None:
        publish(database, temporality=_BY_EFFECT)
        fill(database)
        assert seen(database.latest()) == ["0", "1", "3"]
        late = database.transact([event("2", time=day(2)), event("0b", time=day(0))])
        view = database.latest().view_state("seen", 1)
        assert view is not None
        assert view.json()["ids"] == ["0", "0b", "1", "2", "3"]
        assert view.last_modified_revision == late.revision

    @needs(Capability.SPECULATION)
    @pytest.mark.parametrize("temporality", list(QueryTemporality), ids=lambda each: each.value)
    def test_speculated_events_are_folded_in(
        self, database: DatabaseUnderTest, temporality: QueryTemporality
    ) -> None:
        publish(database, temporality=temporality)
        fill(database)
        added = [event("2", time=day(2)), event("9", stream="elsewhere")]
        basis = database.latest()
        view = basis.speculate_with_transaction(added).view_state("seen", 1)
        assert view is not None
        by_effect = temporality is _BY_EFFECT
        assert view.json()["ids"] == (["0", "1", "2", "3"] if by_effect else ["1", "0", "3", "2"])
        assert view.last_modified_revision == 4
        assert view.last_modified_timestamp == basis.revision_timestamp
        assert len(seen(database.latest()) or []) == 3

    def test_a_view_without_content_was_still_modified(self, database: DatabaseUnderTest) -> None:
        publish(database)
        fill(database)
        database.transact([event("4", event_type=FORGETS)])
        view = database.latest().view_state("seen", 1)
        assert view is not None
        assert (view.content, view.last_modified_revision) == (None, 4)

    def test_a_view_that_fails_is_refused_with_its_name_and_fails_nothing_else(
        self, database: DatabaseUnderTest
    ) -> None:
        publish(database)
        fill(database)
        database.transact([event("4", event_type=FAILS)])
        with pytest.raises(DatabaseAccessError) as caught:
            database.latest().view_state("seen", 1)
        assert caught.value.kind is DatabaseAccessErrorKind.STATE_VIEW_FAILED
        assert "seen" in str(caught.value)
        assert "told to fail by 4" in str(caught.value)
        assert seen(database.at_revision(3)) == ["1", "0", "3"]
        assert database.transact([event("5")]).revision == 5


@needs(Capability.VIEWS)
class ViewParameters:
    """Parameters bind names to streams, subjects and event types."""

    @pytest.mark.parametrize("parameters", _FORMS, ids=range(len(_FORMS)))
    def test_they_are_given_as_a_mapping_or_as_pairs(
        self, database: DatabaseUnderTest, parameters: Any
    ) -> None:
        publish(database, _PARAMETRIC)
        fill(database)
        database.transact([event("4", stream="other"), event("5", event_type="account.debited")])
        assert seen(database.latest(), parameters) == ["1", "3"]

    @pytest.mark.parametrize("nobody", [None, SubjectAttribute(None)], ids=["None", "attribute"])
    def test_none_stands_for_no_subject(self, database: DatabaseUnderTest, nobody: Any) -> None:
        publish(database, _PARAMETRIC)
        fill(database)
        database.transact([event("4", None)])
        assert seen(database.latest(), _GOOD | {"who": nobody}) == ["4"]

    def test_each_value_has_a_view_of_its_own(self, database: DatabaseUnderTest) -> None:
        publish(database, Parameter.subject("who"))
        subjects = ["a", "ab", "A", "b%", "ü", "a b"]
        for number, subject in enumerate(subjects):
            database.transact([event(f"{number}-1", subject), event(f"{number}-2", subject)])
        for number, subject in enumerate(subjects):
            found = seen(database.latest(), {"who": subject})
            assert found == [f"{number}-1", f"{number}-2"]
        assert seen(database.latest(), {"who": "nobody"}) is None

    def test_a_parameter_may_be_a_prefix(self, database: DatabaseUnderTest) -> None:
        publish(database, Parameter.subject("who", starts_with=True))
        fill(database)
        assert seen(database.latest(), {"who": "a"}) == ["1", "3"]
        assert seen(database.latest(), {"who": "b"}) == ["0"]

    @pytest.mark.parametrize(
        ("parameters", "text"),
        [
            (None, "stream"),
            ({**_GOOD, "else": "x"}, "else"),
            ({"stream": _GOOD["stream"], "who": "a-1"}, "kind"),
            ({**_GOOD, "stream": EventSubject("accounts")}, "stream"),
            ({**_GOOD, "who": StreamName("accounts")}, "who"),
        ],
        ids=["none given", "unknown", "missing", "subject for a stream", "stream for a subject"],
    )
    def test_parameters_that_are_not_the_views_are_refused_by_name(
        self, database: DatabaseUnderTest, parameters: Any, text: str
    ) -> None:
        publish(database, _PARAMETRIC)
        fill(database)
        with pytest.raises(DatabaseAccessError) as caught:
            database.latest().view_state("seen", 1, parameters)
        assert caught.value.kind is DatabaseAccessErrorKind.STATE_VIEW_FAILED
        assert repr(text) in str(caught.value)
