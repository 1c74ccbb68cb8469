"""State views: publishing, the fold, its order, parameters, and what a failure says."""

from __future__ import annotations

import json
from collections.abc import Callable
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
    EventSubject,
    EventType,
    InvalidEventSubject,
    InvalidType,
    Parameter,
    ParameterError,
    QueryTemporality,
    RenderedStateView,
    RevisionRange,
    Selector,
    SelectorTemplate,
    StateViewDefinition,
    StateViewName,
    StreamName,
    SubjectAttribute,
)
from evidentsource_core.domain.selectors import EventTypeAttribute, StreamAttribute
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
    selectors,
)

BY_EFFECT = QueryTemporality.EFFECTIVE_TIMESTAMP


def append_ids(view: RenderedStateView, events: list[Event]) -> bytes:
    """Content that tells in which order events came."""
    known: list[str] = json.loads(view.content or b"[]")
    return json.dumps(known + ids(events)).encode()


def definition(name: str = "ids", selector: Any = None, **fields: Any) -> StateViewDefinition:
    template = SelectorTemplate.of(selector or Selector.stream("accounts"))
    return StateViewDefinition(StateViewName(name), template, **fields)


def one_a_day(**arguments: Any) -> ReferenceDatabase:
    """Recorded on days 1 to 3, in effect on days 1, 0 and 3, of two subjects."""
    clock = Clock()
    database = bank(clock=clock, **arguments)
    for number, each in enumerate([event("1"), event("0", "b-1", time=day(0)), event("3")], 1):
        clock.now = day(number)
        database.transact([each])
    return database


def test_publishing_makes_the_next_version_of_that_name() -> None:
    database = bank()
    first = database.publish_state_view(definition(version=7), append_ids)
    second = database.publish_state_view(definition(description="other"), append_ids)
    other = database.publish_state_view(definition("others"), append_ids)
    assert [each.version for each in (first, second, other)] == [1, 2, 1]
    assert second.description == "other"


@pytest.mark.parametrize(
    ("published", "evolve", "text"),
    [("ids", append_ids, "definition"), (definition(), None, "evolve")],
)
def test_what_cannot_be_published_is_refused_by_name(
    published: Any, evolve: Any, text: str
) -> None:
    with pytest.raises(InvalidType, match=text):
        bank().publish_state_view(published, evolve)


def test_a_view_is_read_with_what_its_definition_says_and_when_it_was_modified() -> None:
    database = one_a_day()
    database.publish_state_view(
        definition(
            selector=Selector.subject("a-1"), content_type="text/plain", content_schema="urn:s"
        ),
        append_ids,
    )
    view = database.latest().view_state("ids", 1)
    assert view is not None
    assert (str(view.database), str(view.name), view.version) == ("bank", "ids", 1)
    assert (view.content_type, view.content_schema_url) == ("text/plain", "urn:s")
    assert (view.last_modified_revision, view.last_modified_timestamp) == (3, day(3))
    assert view.event_selector == Selector.subject("a-1")
    assert view.json() == ["1", "3"]


def test_a_view_that_does_not_exist_is_none() -> None:
    database = one_a_day()
    database.publish_state_view(definition(), append_ids)
    latest = database.latest()
    for name, version in (("ids", 0), ("ids", 2), ("ids", -1), ("none", 1), ("", 1)):
        assert latest.view_state(name, version) is None
    assert latest.view_state(StateViewName("ids"), 1) is not None


@pytest.mark.parametrize(("name", "version"), [(None, 1), (7, 1), ("ids", "1"), ("ids", True)])
def test_a_name_or_version_of_the_wrong_type_is_refused(name: Any, version: Any) -> None:
    with pytest.raises(InvalidType):
        bank().latest().view_state(name, version)


def test_a_view_that_no_event_modified_is_none_even_where_its_code_would_have_content() -> None:
    database = one_a_day()
    database.publish_state_view(definition(selector=Selector.subject("zz")), append_ids)
    assert database.latest().view_state("ids", 1) is None


def test_a_view_without_content_was_still_modified() -> None:
    database = one_a_day()
    database.publish_state_view(definition(), lambda _view, _events: None)
    view = database.latest().view_state("ids", 1)
    assert view is not None
    assert (view.content, view.last_modified_revision) == (None, 3)


def test_each_version_keeps_its_code() -> None:
    database = one_a_day()
    database.publish_state_view(definition(), lambda _view, _events: b"first")
    database.publish_state_view(definition(), lambda _view, _events: b"second")
    latest = database.latest()
    contents = [getattr(latest.view_state("ids", version), "content", 0) for version in (1, 2)]
    assert contents == [b"first", b"second"]


@pytest.mark.parametrize("revision", range(4))
def test_a_view_can_be_read_at_any_revision_also_at_those_before_it_was_published(
    revision: int,
) -> None:
    database = one_a_day()
    snapshot = database.at_revision(revision)
    database.publish_state_view(definition(), append_ids)
    view = snapshot.view_state("ids", 1)
    if revision == 0:
        assert view is None
    else:
        assert view is not None
        assert view.json() == ["1", "0", "3"][:revision]
        assert view.last_modified_revision == revision


def test_a_view_of_revisions_folds_in_the_order_of_recording() -> None:
    database = one_a_day()
    database.publish_state_view(definition(), append_ids)
    bound = database.latest().at_effective_timestamp(day(2))
    view, bound_view = database.latest().view_state("ids", 1), bound.view_state("ids", 1)
    assert view is not None and bound_view is not None  # noqa: PT018 - both or nothing
    assert view.json() == ["1", "0", "3"]
    assert bound_view.json() == ["1", "0"]


@pytest.mark.parametrize("batch_size", [1, 2, 9])
def test_a_view_of_effective_time_folds_in_its_order_and_was_modified_by_the_last_recorded(
    batch_size: int,
) -> None:
    database = one_a_day(view_batch_size=batch_size)
    database.publish_state_view(definition(temporality=BY_EFFECT), append_ids)
    bound = database.latest().at_effective_timestamp(day(2))
    view, bound_view = database.latest().view_state("ids", 1), bound.view_state("ids", 1)
    assert view is not None and bound_view is not None  # noqa: PT018 - both or nothing
    assert (view.json(), view.last_modified_revision) == (["0", "1", "3"], 3)
    assert (bound_view.json(), bound_view.last_modified_revision) == (["0", "1"], 2)
    assert bound_view.last_modified_timestamp == day(2)


def test_speculated_events_are_folded_in() -> None:
    database = one_a_day()
    database.publish_state_view(definition(), append_ids)
    view = (
        database.latest()
        .speculate_with_transaction([event("4"), event("5", stream="elsewhere")])
        .view_state("ids", 1)
    )
    assert view is not None
    assert view.json() == ["1", "0", "3", "4"]
    assert (view.last_modified_revision, view.last_modified_timestamp) == (4, day(3))


def test_evolve_gets_its_last_content_with_each_batch_and_where_it_is() -> None:
    database = one_a_day(view_batch_size=2)
    seen: list[tuple[RenderedStateView, list[str]]] = []

    def evolve(view: RenderedStateView, events: list[Event]) -> bytes:
        seen.append((view, ids(events)))
        return str(len(seen)).encode()

    database.publish_state_view(definition(content_type="a/b", content_schema="urn:s"), evolve)
    database.at_revision(3).view_state("ids", 1)
    (first, events), (second, more) = seen
    assert (events, more) == (["1", "0"], ["3"])
    assert (first.content, first.last_modified_revision) == (None, 0)
    assert first.last_modified_timestamp == database.created_at
    assert (second.content, second.last_modified_revision) == (b"1", 2)
    assert second.last_modified_timestamp == day(2)
    context = first.context
    assert (context.database, context.name, context.version) == ("bank", "ids", 1)
    assert (context.database_revision, context.database_revision_timestamp) == (3, day(3))
    assert (context.content_type, context.content_schema) == ("a/b", "urn:s")


# --- parameters ----------------------------------------------------------------------------------

PARAMETRIC = Parameter.stream("stream") & Parameter.subject("who") & Parameter.event_type("kind")
GOOD: dict[str, Any] = {
    "stream": StreamName("accounts"),
    "who": "a-1",
    "kind": EventTypeAttribute(EventType("account.credited")),
}
FORMS: list[Any] = [
    GOOD,
    list(GOOD.items()),
    {**GOOD, "who": EventSubject("a-1")},
    {**GOOD, "who": SubjectAttribute(EventSubject("a-1"))},
    {**GOOD, "stream": StreamAttribute(StreamName("accounts"))},
    {**GOOD, "kind": EventType("account.credited")},
    (pair for pair in GOOD.items()),
]


def parametric() -> ReferenceDatabase:
    database = one_a_day()
    database.transact([event("none", None)])
    database.publish_state_view(definition(selector=PARAMETRIC), append_ids)
    return database


@pytest.mark.parametrize("parameters", FORMS)
def test_parameters_of_all_kinds_are_given_as_a_mapping_or_as_pairs(parameters: Any) -> None:
    view = parametric().latest().view_state("ids", 1, parameters)
    assert view is not None
    assert view.json() == ["1", "3"]
    assert view.event_selector == (
        Selector.stream("accounts")
        & Selector.subject("a-1")
        & Selector.event_type("account.credited")
    )


@pytest.mark.parametrize("nobody", [None, SubjectAttribute(None)])
def test_none_stands_for_no_subject(nobody: Any) -> None:
    view = parametric().latest().view_state("ids", 1, GOOD | {"who": nobody})
    assert view is not None
    assert view.json() == ["none"]


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        (None, "'stream': is not bound"),
        ({**GOOD, "else": "x"}, "'else': unknown; the view's parameters are: stream, who, kind"),
        ({"stream": GOOD["stream"], "who": "a-1"}, "'kind': is not bound; give it a event_type"),
        ({**GOOD, "stream": "accounts"}, "'stream': binds a stream, got a subject"),
        ({**GOOD, "who": StreamName("accounts")}, "'who': binds a subject"),
    ],
)
def test_parameters_that_are_not_the_views_fail_it_with_their_names(
    parameters: Any, text: str
) -> None:
    with pytest.raises(DatabaseAccessError, match=text) as refused:
        parametric().latest().view_state("ids", 1, parameters)
    assert refused.value.kind is DatabaseAccessErrorKind.STATE_VIEW_FAILED
    assert "ids.v1" in str(refused.value)
    assert refused.value.__cause__ is not None


@pytest.mark.parametrize(
    ("parameters", "error", "text"),
    [
        ({**GOOD, "who": " "}, InvalidEventSubject, "invalid event subject"),
        ({**GOOD, "who": 7}, InvalidType, "parameter 'who': expected str"),
        ([*GOOD.items(), ("who", "b-1")], ParameterError, "'who': is bound twice"),
        ([("who", "a-1", "more")], InvalidType, "parameters: expected a mapping, or pairs"),
        ("who", InvalidType, "parameters: expected a mapping, or pairs"),
        ({7: "a-1"}, InvalidType, "parameters: expected a name"),
    ],
)
def test_parameters_that_no_view_could_have_are_refused_before_any_is_looked_for(
    parameters: Any, error: type[Exception], text: str
) -> None:
    for name in ("ids", "no-such-view"):
        with pytest.raises(error, match=text):
            parametric().latest().view_state(name, 1, parameters)


def test_a_parameter_of_a_view_without_any_is_refused() -> None:
    database = one_a_day()
    database.publish_state_view(definition(), append_ids)
    with pytest.raises(DatabaseAccessError, match="parameters are: none"):
        database.latest().view_state("ids", 1, {"who": "a-1"})


def test_a_prefix_parameter_cannot_be_bound_to_no_subject() -> None:
    database = one_a_day()
    template = Parameter.subject("who", starts_with=True)
    database.publish_state_view(definition(selector=template), append_ids)
    latest = database.latest()
    view = latest.view_state("ids", 1, {"who": "a"})
    assert view is not None
    assert view.json() == ["1", "3"]
    with pytest.raises(DatabaseAccessError, match="'who': is a prefix"):
        latest.view_state("ids", 1, {"who": None})


# --- failures ------------------------------------------------------------------------------------


def failing(error: Exception) -> Callable[[RenderedStateView, list[Event]], bytes]:
    def evolve(_view: RenderedStateView, _events: list[Event]) -> bytes:
        raise error

    return evolve


def test_a_failing_evolve_fails_the_view_with_its_cause_chained() -> None:
    database = one_a_day()
    cause = KeyError("amount")
    database.publish_state_view(definition(), failing(cause))
    with pytest.raises(DatabaseAccessError, match=r"ids\.v1: KeyError: 'amount'") as refused:
        database.latest().view_state("ids", 1)
    assert refused.value.kind is DatabaseAccessErrorKind.STATE_VIEW_FAILED
    assert refused.value.__cause__ is cause


@pytest.mark.parametrize("content", ["text", {}, 7, bytearray(b"x")])
def test_content_that_is_no_bytes_fails_the_view(content: Any) -> None:
    database = one_a_day()
    database.publish_state_view(definition(), lambda _view, _events: content)
    with pytest.raises(DatabaseAccessError, match=r"ids\.v1.*expected bytes or None"):
        database.latest().view_state("ids", 1)


# --- everything at once --------------------------------------------------------------------------


@settings(max_examples=80, deadline=None)
@given(
    history=batches,
    selector=selectors,
    revision=st.integers(0, 24),
    bound=st.none() | days,
    temporality=st.sampled_from(QueryTemporality),
    batch_size=st.integers(1, 5),
)
def test_any_view_folds_exactly_the_events_of_its_query_whatever_the_size_of_batches(
    *,
    history: Any,
    selector: Any,
    revision: int,
    bound: datetime | None,
    temporality: QueryTemporality,
    batch_size: int,
) -> None:
    database = filled(history, view_batch_size=batch_size)
    database.publish_state_view(definition(selector=selector, temporality=temporality), append_ids)
    snapshot = database.at_revision(min(revision, database.latest().revision))
    if bound is not None:
        snapshot = snapshot.at_effective_timestamp(bound)
    by_revision = temporality is QueryTemporality.REVISION
    events = snapshot.query_events(
        selector, range=RevisionRange() if by_revision else EffectiveTimeRange()
    )
    view = snapshot.view_state("ids", 1)
    if not events:
        assert view is None
        return
    assert view is not None
    assert view.json() == ids(events)
    assert view.last_modified_revision == max(each.revision() or 0 for each in events)
