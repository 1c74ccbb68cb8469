"""A view in a component is given everything that the host was, and its content comes back."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from evidentsource_core import (
    Event,
    ProspectiveEvent,
    Selector,
    SelectorTemplate,
    StateViewContext,
    StateViewDefinition,
    StateViewName,
    TimestampExtension,
)
from evidentsource_core.reference import ReferenceDatabase
from evidentsource_core.times import EPOCH, from_parts
from evidentsource_runtime.host import StateViewComponent
from tests.component.host import wire
from tests.component.host.wire import CONTEXT
from tests.unit.core.strategies import events, instants, revisions

pytestmark = [pytest.mark.component, pytest.mark.xdist_group("bases")]

FIRST = Event("e-1", "https://host.example/db/bank/streams/accounts", "account.opened")


def fold(view: StateViewComponent, *arguments: Any, **options: Any) -> Any:
    content = view.evolve(*arguments, **options)
    assert content is not None
    return json.loads(content)


def fits(contract: str, *moments: object) -> bool:
    """Whether the contract can carry these times; u64 seconds begin in 1970."""
    return contract == "own" or all(
        moment >= EPOCH for moment in moments if isinstance(moment, datetime)
    )


def moments_of(event: Event | ProspectiveEvent) -> list[object]:
    return [event.time, *(extension.value for extension in event.extensions.values())]


@given(data=st.data())
@settings(max_examples=120)
def test_every_event_arrives_with_everything_it_has(
    view: StateViewComponent, contract: str, data: st.DataObject
) -> None:
    drawn = data.draw(st.lists(events, min_size=1, max_size=4))
    assume(all(fits(contract, *moments_of(event)) for event in drawn))
    assert fold(view, None, drawn, CONTEXT)["events"] == [wire.seen(event) for event in drawn]


@pytest.mark.parametrize(
    "moment",
    [
        EPOCH,
        from_parts(0, 1),
        from_parts(1_700_000_000, 999_999_999),
        from_parts(253_402_300_799, 999_999_999),
    ],
    ids=["epoch", "a nanosecond later", "nanoseconds", "the last one"],
)
def test_extreme_times_arrive_exactly(view: StateViewComponent, moment: datetime) -> None:
    event = Event("e", "s", "t", time=moment, extensions={"at": TimestampExtension(moment)})
    assert fold(view, None, [event], CONTEXT)["events"] == [wire.seen(event)]


@given(
    content=st.none() | st.binary(max_size=50).filter(lambda text: not text.startswith(b"do-")),
    content_type=st.none() | st.text(),
    schema=st.none() | st.text(),
    version=st.integers(0, 2**32 - 1),
    at=st.tuples(revisions, revisions),
    times=st.tuples(instants, instants),
)
@settings(max_examples=60)
def test_content_and_context_arrive_as_they_are(
    view: StateViewComponent,
    contract: str,
    content: bytes | None,
    content_type: str | None,
    schema: str | None,
    version: int,
    at: tuple[int, int],
    times: tuple[datetime, datetime],
) -> None:
    assume(fits(contract, *times))
    context = StateViewContext("bänk", "s", version, at[0], times[0], content_type, schema)
    told = fold(
        view,
        content,
        [],
        context,
        last_modified_revision=at[1],
        last_modified_timestamp=times[1],
    )["view"]
    assert told == {
        "is": "RenderedStateView",
        "content": wire.binary(content),
        "last_modified_revision": at[1],
        "last_modified_timestamp": wire.time(times[1]),
        "context": {
            "is": "StateViewContext",
            "database": "bänk",
            "name": "s",
            "version": version,
            "database_revision": at[0],
            "database_revision_timestamp": wire.time(times[0]),
            "content_type": content_type,
            "content_schema": schema,
        },
    }


@pytest.mark.parametrize(
    ("content", "answer"),
    [(b"do-return-none", None), (b"do-return-bytes:0", b""), (b"do-return-bytes:3", b"\0\0\0")],
)
def test_no_content_and_empty_content_are_two_things(
    view: StateViewComponent, content: bytes, answer: bytes | None
) -> None:
    assert view.evolve(content, [FIRST], CONTEXT) == answer


def test_without_events_the_component_is_called_once(view: StateViewComponent) -> None:
    assert view.evolve(b"do-return-size", [], CONTEXT) == b"0"


def stored(number: int) -> Event:
    extensions = {"sequence": f"{number:020}", "recordedtime": f"2024-01-{number:02}T00:00:00Z"}
    return Event(f"e-{number}", FIRST.source, "t", extensions=extensions)


def test_events_are_folded_in_batches_each_over_what_the_one_before_returned(
    view: StateViewComponent,
) -> None:
    history = (stored(number) for number in range(1, 6))
    folded = view.evolve(b"do-fail-on:none,", history, CONTEXT, batch_size=2)
    assert folded == b"do-fail-on:none,e-1 e-2 e-3 e-4 e-5 "


@pytest.mark.parametrize(
    ("numbers", "batch_size", "newest"),
    [([1, 3, 2, 4], 3, 3), ([3, 1, 4], 1, 3), ([1, 2], 1, 1)],
    ids=["the newest in the middle", "an older one after it", "each newer"],
)
def test_a_batch_is_told_when_the_view_was_last_modified(
    view: StateViewComponent, numbers: list[int], batch_size: int, newest: int
) -> None:
    # Events may come in the order of effective time, so the last one need not be the newest.
    history = [stored(number) for number in numbers]
    told = fold(view, None, history, CONTEXT, batch_size=batch_size)["view"]
    moment = datetime.fromisoformat(f"2024-01-{newest:02}T00:00+00:00")
    assert told["last_modified_revision"] == newest
    assert told["last_modified_timestamp"] == wire.time(moment)


def test_a_view_that_is_told_nothing_was_never_modified(view: StateViewComponent) -> None:
    told = fold(view, None, [stored(1)], CONTEXT)["view"]
    assert (told["last_modified_revision"], told["content"]) == (0, None)
    assert told["last_modified_timestamp"] == wire.time(EPOCH)


def test_an_event_without_a_revision_leaves_last_modified_as_it_was(
    view: StateViewComponent,
) -> None:
    told = fold(view, None, [FIRST, FIRST], CONTEXT, batch_size=1, last_modified_revision=7)
    assert told["view"]["last_modified_revision"] == 7


@pytest.mark.parametrize(("size", "kind"), [(0, ValueError), (True, TypeError), ("2", TypeError)])
def test_a_batch_size_that_cannot_be_is_refused(
    view: StateViewComponent, size: Any, kind: type[Exception]
) -> None:
    with pytest.raises(kind, match="batch_size"):
        view.evolve(None, [], CONTEXT, batch_size=size)


def test_nothing_survives_in_the_component_from_one_fold_to_the_next(
    view: StateViewComponent,
) -> None:
    assert [view.evolve(b"do-count-calls", [FIRST], CONTEXT) for _ in range(2)] == [b"1", b"1"]


def test_the_batches_of_one_fold_share_an_instance(view: StateViewComponent) -> None:
    history = [stored(1), stored(2), stored(3)]
    told = view.evolve(b"do-keep-counting", history, CONTEXT, batch_size=1)
    assert told == b"do-keep-counting:3"


def test_a_database_folds_its_views_in_the_component(view: StateViewComponent) -> None:
    database = ReferenceDatabase("bank", clock=lambda: from_parts(1_700_000_000))
    definition = StateViewDefinition(
        StateViewName("seen"), SelectorTemplate.of(Selector.stream("accounts"))
    )
    database.publish_state_view(definition, view.handler())
    committed = [ProspectiveEvent("e-1", "accounts", "t"), ProspectiveEvent("e-2", "others", "t")]
    database.transact(committed)
    state = database.latest().view_state("seen", 1)
    assert state is not None
    told = state.json()
    assert [event["id"] for event in told["events"]] == ["e-1"]
    assert told["view"]["context"]["database"] == "bank"
