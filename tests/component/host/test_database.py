"""The database that a component holds answers as the object behind it does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from evidentsource_core import (
    EffectiveTimeRange,
    Event,
    EventAttribute,
    EventSelector,
    EventTypeAttribute,
    Parameter,
    ProspectiveEvent,
    QueryDirection,
    QueryOptions,
    RangeCursor,
    RenderedStateView,
    RevisionRange,
    Selector,
    SelectorTemplate,
    StateView,
    StateViewDefinition,
    StateViewName,
    StreamAttribute,
    SubjectAttribute,
)
from evidentsource_core.reference import ReferenceDatabase
from evidentsource_core.times import EPOCH, from_parts
from evidentsource_functions import DatabaseAccessError
from evidentsource_runtime.host import StateChangeComponent
from tests.component.host import wire
from tests.component.host.wire import script

pytestmark = [pytest.mark.component, pytest.mark.xdist_group("bases")]

START = from_parts(1_700_000_000)
ALL = Selector.stream("accounts")


def day(number: int) -> datetime:
    return START + timedelta(days=number)


def count(view: RenderedStateView, events: list[Event]) -> bytes:
    return b"%d" % (int(view.content or b"0") + len(events))


@pytest.fixture(scope="module")
def database() -> ReferenceDatabase:
    clock = iter(day(number) for number in range(1, 100))
    database = ReferenceDatabase("bank", created_at=START, clock=lambda: next(clock))
    for number in range(1, 6):
        effective = None if number == 3 else day(10 - number)
        database.transact(
            [ProspectiveEvent(f"e-{number}", "accounts", "t", f"a-{number % 2}", time=effective)]
        )
    selector = Selector.stream("accounts") & Parameter.subject("account")
    by_account = StateViewDefinition(
        StateViewName("by-account"), SelectorTemplate.of(selector), content_schema="s:1"
    )
    database.publish_state_view(by_account, count)
    return database


def test_what_a_database_says_of_itself_arrives(
    change: StateChangeComponent, database: ReferenceDatabase
) -> None:
    told = script(
        change,
        database.at_revision(3),
        *([0, method] for method in ("name", "revision", "created_at")),
        *([0, method] for method in ("revision_timestamp", "effective_timestamp")),
    )
    assert told == ["bank", 3, wire.time(START), wire.time(day(3)), None]


def of_revisions(start: int | None) -> Any:
    return wire.case("QueryRange", "Revision", {"is": "RevisionRange", "start_at": start})


def of_times(start: RangeCursor | None, end: datetime | None) -> Any:
    cursor = start and {
        "is": "RangeCursor",
        "timestamp": wire.time(start.timestamp),
        "revision": start.revision,
    }
    body = {"is": "EffectiveTimeRange", "start_at": cursor, "end_at": end and wire.time(end)}
    return wire.case("QueryRange", "EffectiveTime", body)


@pytest.mark.parametrize(
    ("asked", "options"),
    [
        ({}, QueryOptions()),
        ({"limit": 2}, QueryOptions(limit=2)),
        ({"limit": 0}, QueryOptions(limit=0)),
        ({"direction": "REVERSE", "limit": 3}, QueryOptions().reverse().limit(3)),
        ({"span": of_revisions(None)}, QueryOptions(range=RevisionRange())),
        ({"span": of_revisions(3)}, QueryOptions(range=RevisionRange(3))),
        ({"span": of_times(None, None)}, QueryOptions(range=EffectiveTimeRange())),
        (
            {"span": of_times(RangeCursor(day(5), 0), day(6)), "direction": "REVERSE"},
            QueryOptions(
                QueryDirection.REVERSE, range=EffectiveTimeRange(RangeCursor(day(5), 0), day(6))
            ),
        ),
    ],
)
def test_a_query_runs_with_the_options_that_it_was_made_with(
    change: StateChangeComponent,
    database: ReferenceDatabase,
    asked: dict[str, Any],
    options: QueryOptions,
) -> None:
    (told,) = script(change, database.latest(), [0, "query_events", wire.query(ALL, **asked)])
    expected = database.latest().query_events(ALL, options)
    assert told == [wire.seen(event) for event in expected]


def test_another_revision_and_an_effective_time_are_databases_of_their_own(
    change: StateChangeComponent, database: ReferenceDatabase
) -> None:
    told = script(
        change,
        database.latest(),
        [0, "at_revision", 2],
        [1, "revision"],
        [0, "at_effective_timestamp", wire.time(day(6))],
        [2, "effective_timestamp"],
        [2, "query_events", wire.query(ALL)],
        [0, "at_revision", 99],
    )
    bounded = database.latest().at_effective_timestamp(day(6))
    with pytest.raises(DatabaseAccessError) as refused:
        database.latest().at_revision(99)
    assert told == [
        *("Database", 2, "Database", wire.time(day(6))),
        [wire.seen(event) for event in bounded.query_events(ALL)],
        {"refused": refused.value.reason},
    ]


def test_speculation_holds_its_events_and_knows_its_basis(
    change: StateChangeComponent, database: ReferenceDatabase
) -> None:
    first = ProspectiveEvent("s-1", "accounts", "t", "a-1", data=b"\x00")
    second = ProspectiveEvent("s-2", "accounts", "t", "a-1", data="text", time=day(0))
    account = [{"tuple": ["account", wire.attribute(SubjectAttribute("a-1"))]}]  # type: ignore[arg-type]  # plain text stands for a subject
    told = script(
        change,
        database.latest(),
        [0, "speculate_with_batch", [wire.cloudevent(first)]],
        [1, "speculate_with_batch", [wire.cloudevent(second)]],
        *([number, "revision"] for number in (0, 1, 2)),
        *([2, method] for method in ("name", "speculated_event_count", "created_at")),
        [2, "basis"],
        [3, "revision"],
        [2, "at_effective_timestamp", wire.time(day(0))],
        [4, "query_events", wire.query(ALL)],
        [2, "view_state", "by-account", 1, account],
        [4, "effective_timestamp"],
        [2, "revision_timestamp"],
    )
    latest = database.latest()
    both = latest.speculate_with_transaction([first]).speculate_with_transaction([second])
    bounded = both.at_effective_timestamp(day(0))
    view = both.view_state("by-account", 1, {"account": "a-1"})
    assert view is not None
    assert view.content == b"5"
    assert told[:10] == [
        *("SpeculativeDatabase", "SpeculativeDatabase"),
        *(5, 6, 7, "bank", 2, wire.time(START), "Database", 5),
    ]
    assert told[10] == "SpeculativeDatabase"
    assert told[11] == [wire.seen(event) for event in bounded.query_events(ALL)]
    assert [event["id"] for event in told[11]] == ["s-2"]
    assert told[12]["content"] == wire.binary(b"5")
    assert told[13:] == [wire.time(day(0)), wire.time(both.revision_timestamp)]


def test_a_view_arrives_with_the_database_that_it_is_of(
    change: StateChangeComponent, database: ReferenceDatabase
) -> None:
    account = [{"tuple": ["account", wire.attribute(SubjectAttribute("a-0"))]}]  # type: ignore[arg-type]  # plain text stands for a subject
    (told,) = script(change, database.at_revision(5), [0, "view_state", "by-account", 1, account])
    assert told == {
        "is": "RenderedStateView",
        "content": wire.binary(b"2"),
        "last_modified_revision": 4,
        "last_modified_timestamp": wire.time(day(4)),
        "context": {
            "is": "StateViewContext",
            "database": "bank",
            "name": "by-account",
            "version": 1,
            "database_revision": 5,
            "database_revision_timestamp": wire.time(day(5)),
            "content_type": "application/json",
            "content_schema": "s:1",
        },
    }


def test_no_view_is_none_and_a_wrong_parameter_is_refused_in_words(
    change: StateChangeComponent, database: ReferenceDatabase
) -> None:
    told = script(
        change,
        database.latest(),
        [0, "view_state", "unknown", 1, []],
        [0, "view_state", "by-account", 1, []],
    )
    with pytest.raises(DatabaseAccessError) as refused:
        database.latest().view_state("by-account", 1)
    assert told == [None, {"refused": refused.value.reason}]


class Recorder:
    """Keeps what it is asked, and answers with what it was given."""

    name = "bank"
    created_at = revision_timestamp = EPOCH
    revision = 7

    def __init__(self, answer: Any = None) -> None:
        self.answer = answer
        self.asked: list[Any] = []

    def view_state(self, *arguments: Any) -> Any:
        self.asked.append(arguments)
        return self.answer

    def query_events(self, selector: EventSelector) -> Any:
        self.asked.append(selector)
        return self.answer


def test_parameters_of_all_three_kinds_arrive_in_their_order(change: StateChangeComponent) -> None:
    bound: list[tuple[str, EventAttribute]] = [
        ("whom", SubjectAttribute("a-1")),  # type: ignore[arg-type]  # plain text stands for a subject
        ("nobody", SubjectAttribute(None)),
        ("where", StreamAttribute("accounts")),  # type: ignore[arg-type]  # as above
        ("what", EventTypeAttribute("account.opened")),  # type: ignore[arg-type]  # as above
    ]
    pairs = [{"tuple": [name, wire.attribute(value)]} for name, value in bound]
    database = Recorder()
    assert script(change, database, [0, "view_state", "summary", 4, pairs]) == [None]
    assert database.asked == [("summary", 4, bound)]


NEVER = StateView("bank", "summary", 1)  # type: ignore[arg-type]  # plain text stands for names
EMPTIED = StateView("bank", "summary", 1, None, 4, EPOCH)  # type: ignore[arg-type]  # as above
OWN = RenderedStateView(wire.CONTEXT, b"x", 3, EPOCH)


@pytest.mark.parametrize(
    ("view", "told"),
    [
        (NEVER, None),
        (EMPTIED, (None, 4, 7, "application/json")),
        (OWN, (wire.binary(b"x"), 3, 40, "application/json")),
    ],
    ids=["never modified", "modified, without content", "rendered already"],
)
def test_a_view_without_content_differs_from_one_never_modified(
    change: StateChangeComponent, view: Any, told: Any
) -> None:
    (seen,) = script(change, Recorder(view), [0, "view_state", "summary", 1, []])
    assert told == seen or told == (
        seen["content"],
        seen["last_modified_revision"],
        seen["context"]["database_revision"],
        seen["context"]["content_type"],
    )


def test_a_database_whose_queries_take_no_options_serves_all_that_need_none(
    change: StateChangeComponent,
) -> None:
    event = Event("e-1", "accounts", "t")
    database = Recorder(iter([event]))
    plain, limited = script(
        change,
        database,
        [0, "query_events", wire.query(ALL)],
        [0, "query_events", wire.query(ALL, limit=1)],
    )
    assert plain == [wire.seen(event)]
    assert "Recorder.query_events takes a selector only" in limited["refused"]
    assert database.asked == [ALL]


async def _later() -> list[Event]:
    return []


@pytest.mark.parametrize(
    ("answer", "steps", "words"),
    [
        (_later, ["query_events", wire.query(ALL)], "not an asynchronous one"),
        (lambda: ["e-1"], ["query_events", wire.query(ALL)], "must be an Event, got str"),
        (dict, ["view_state", "summary", 1, []], "expected a StateView or None, got dict"),
        (
            lambda: [Event("e", "s", "t", extensions={"id": "x"})],
            ["query_events", wire.query(ALL)],
            "database.query-events[0].extensions.id",
        ),
        (
            lambda: StateView("bank", "s1", 1, None, 4, EPOCH, content=bytes(2_097_153)),  # type: ignore[arg-type]  # plain text stands for names
            ["view_state", "summary", 1, []],
            "database.view-state.content: 2,097,153 bytes",
        ),
    ],
    ids=["asynchronous", "no event", "no view", "no attribute", "too large"],
)
def test_an_answer_that_cannot_be_handed_over_is_refused_in_words(
    change: StateChangeComponent, answer: Callable[[], Any], steps: list[Any], words: str
) -> None:
    given = answer()
    (told,) = script(change, Recorder(given), [0, *steps])
    assert words in told["refused"]
    if hasattr(given, "close"):
        given.close()


def test_a_query_that_means_nothing_is_refused_in_words(change: StateChangeComponent) -> None:
    empty = wire.query(ALL) | {"selector": {"is": "EventSelector", "nodes": []}}
    (told,) = script(change, Recorder([]), [0, "query_events", empty])
    assert "database.query-events.query.selector: invalid selector" in told["refused"]
