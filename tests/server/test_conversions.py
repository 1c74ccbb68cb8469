"""Whatever the domain holds goes through the contract's messages and back unchanged."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidentsource_core import (
    CommandRequest,
    DatabaseName,
    EventSelector,
    QueryOptions,
    Selector,
    StateView,
    StateViewName,
)
from evidentsource_core.domain.selectors import MAX_NODES, all_of
from evidentsource_runtime.server.protobuf.events import (
    event_from,
    event_to,
    prospective_from,
    prospective_to,
)
from evidentsource_runtime.server.protobuf.generated import cloudevents_pb2, domain_pb2, service_pb2
from evidentsource_runtime.server.protobuf.selectors import (
    condition_from,
    condition_to,
    parameters_from,
    parameters_to,
    selector_from,
    selector_to,
)
from evidentsource_runtime.server.protobuf.transactions import (
    committed_from,
    committed_to,
    state_from,
    state_to,
    summary_from,
    summary_to,
)
from evidentsource_runtime.server.protobuf.views import query_from, query_to, view_from, view_to
from evidentsource_runtime.server.protobuf.writes import ProtobufCodec, submission_from
from evidentsource_runtime.server.service import (
    About,
    Committed,
    DatabaseState,
    Execution,
    InvalidRequest,
    Origin,
    Submission,
    Summary,
    Transport,
)
from tests.strategies import (
    conditions,
    event_attributes,
    events,
    moments,
    prospective_events,
    query_options,
    selectors,
    texts,
)

few = settings(max_examples=40)
revisions = st.integers(0, 2**64 - 1)
wordy = texts.filter(bool)
words = st.none() | wordy
abouts = st.builds(
    About,
    st.sampled_from([Origin(), Origin(Transport.GRPC), Origin(Transport.HTTP, "deposit", 3)]),
    st.none() | revisions,
    st.dictionaries(texts, texts, max_size=3),
    words,
    words,
    words,
)
summaries = st.builds(Summary, texts, texts, revisions, revisions, moments(), abouts)


def wired(message: Any) -> Any:
    """The message as it arrives."""
    return type(message).FromString(message.SerializeToString())


@few
@given(events())
def test_a_stored_event_comes_back(event: Any) -> None:
    assert event_from(wired(event_to(event)), "event") == event


@few
@given(prospective_events())
def test_an_event_that_is_proposed_comes_back(event: Any) -> None:
    if "/" in event.stream or not event.stream or "#" in event.stream or "?" in event.stream:
        return
    assert prospective_from(wired(prospective_to(event)), "event", "bank") == event


@few
@given(selectors())
def test_a_selector_comes_back(selector: EventSelector) -> None:
    assert selector_from(wired(selector_to(selector)), "selector") == selector


@few
@given(conditions())
def test_a_condition_comes_back(condition: Any) -> None:
    assert condition_from(wired(condition_to(condition)), "condition") == condition


@few
@given(selectors(), query_options())
def test_a_query_comes_back(selector: EventSelector, options: QueryOptions) -> None:
    assert query_from(wired(query_to(selector, options)), "query") == (selector, options)


@few
@given(st.dictionaries(texts, event_attributes(), max_size=4))
def test_parameters_come_back(parameters: Any) -> None:
    assert parameters_from(wired(parameters_to(parameters)), "parameters") == parameters


@few
@given(summaries, st.lists(events(), max_size=2))
def test_a_transaction_comes_back(summary: Summary, found: list[Any]) -> None:
    assert summary_from(wired(summary_to(summary))) == summary
    committed = committed_from(wired(committed_to(Committed(summary, tuple(found)))))
    assert committed.events == tuple(found)
    assert committed.summary.about == summary.about


states = st.builds(DatabaseState, texts, moments(), revisions, revisions, moments())


@few
@given(states)
def test_a_database_comes_back(state: DatabaseState) -> None:
    assert state_from(wired(state_to(state))) == state


views = st.builds(
    StateView,
    st.just(DatabaseName("bank")),
    st.just(StateViewName("summary")),
    st.integers(1, 2**64 - 1),
    selectors(max_leaves=3),
    st.none() | st.integers(1, 2**64 - 1),
    st.none() | moments(),
    texts,
    words,
    st.none() | st.binary(max_size=10),
)


@few
@given(views)
def test_a_state_view_comes_back(view: StateView) -> None:
    assert view_from(wired(view_to(view))) == view


@few
@given(
    st.lists(prospective_events(), max_size=2),
    st.lists(conditions(), max_size=2),
    wordy,
    abouts,
)
def test_what_is_queued_comes_back(
    proposed: list[Any], wanted: list[Any], transaction_id: str, about: About
) -> None:
    usable = tuple(event for event in proposed if event.stream.isalnum())
    origin = Origin(Transport.GRPC)
    told = About(origin, about.last_read_revision, about.principal_attributes, about.commit_message)
    asked = Submission("bank", usable, tuple(wanted), transaction_id, told)
    codec = ProtobufCodec()
    assert codec.decode(*codec.encode(asked), Transport.GRPC) == asked
    command = CommandRequest((("X-Trace", "7"),), b"{}", "application/json", "https://x/schema")
    execution = Execution("bank", "deposit", 2, command, 5, transaction_id)
    kept = codec.decode(*codec.encode(execution), Transport.HTTP)
    assert isinstance(kept, Execution)
    assert (kept.command, kept.version, kept.last_seen_revision) == (command, 2, 5)
    assert kept.about.origin == Origin(Transport.HTTP, "deposit", 2)


def test_a_chain_too_long_for_protobuf_goes_out_balanced() -> None:
    leaves = [Selector.subject(f"a-{n}") for n in range(500)]
    chain: EventSelector = leaves[0]
    for leaf in leaves[1:]:
        chain = chain | leaf
    back = selector_from(wired(selector_to(chain)), "selector")
    assert {repr(node) for node in back.flatten() if "Equals" in repr(node)} == {
        repr(leaf.flatten()[0]) for leaf in leaves
    }


def event_message(**attributes: Any) -> cloudevents_pb2.CloudEvent:
    message = cloudevents_pb2.CloudEvent(
        id="e-1", source="accounts", spec_version="1.0", type="opened"
    )
    value = cloudevents_pb2.CloudEvent.CloudEventAttributeValue
    for name, fields in attributes.items():
        message.attributes[name].CopyFrom(value(**fields))
    return message


def test_a_time_and_a_schema_that_come_as_text_are_read_as_what_they_are() -> None:
    message = event_message(
        time={"ce_string": "2024-02-03T04:05:06Z"}, dataschema={"ce_string": "https://x/s"}
    )
    event = prospective_from(message, "event", "bank")
    assert (event.dataschema, dict(event.extensions)) == ("https://x/s", {})
    assert event.time is not None
    assert event.time.year == 2024


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (event_message(time={"ce_integer": 5}), 'events[0].attributes["time"]'),
        (event_message(time={"ce_string": "noon"}), 'events[0].attributes["time"]'),
        (event_message(subject={"ce_bytes": b"x"}), 'events[0].attributes["subject"]'),
        (event_message(tenant={}), 'events[0].attributes["tenant"]'),
        (cloudevents_pb2.CloudEvent(source="x"), "events[0].spec_version"),
        (
            cloudevents_pb2.CloudEvent(source="x", spec_version="1.0", proto_data={}),
            "events[0].proto_data",
        ),
    ],
)
def test_what_cannot_be_kept_of_an_event_is_refused_where_it_stands(
    message: cloudevents_pb2.CloudEvent, field: str
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        submission_from(service_pb2.TransactionRequest(database_name="bank", events=[message]))
    assert caught.value.field == field


def test_an_empty_part_of_a_condition_is_refused_where_it_stands() -> None:
    condition = domain_pb2.AppendCondition()
    getattr(condition.max.selector, "and").left.equals.stream = "accounts"
    with pytest.raises(InvalidRequest) as caught:
        submission_from(service_pb2.TransactionRequest(conditions=[condition]))
    assert caught.value.field == "conditions[0].max.selector.and.right"


def test_a_selector_has_as_many_nodes_as_may_come_from_outside() -> None:
    wide = all_of([Selector.subject(f"a-{n}") for n in range(MAX_NODES // 2)])
    assert wide.node_count == MAX_NODES - 1
    assert selector_from(wired(selector_to(wide)), "selector") == wide
    wider = wired(selector_to(wide & Selector.stream("accounts")))
    with pytest.raises(InvalidRequest, match="more than 10,000 nodes"):
        selector_from(wider, "selector")
