"""The store beside the reference database: the same histories, the same answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidentsource_core import (
    AppendCondition,
    Constraint,
    EvidentSourceError,
    ProspectiveEvent,
    Selector,
)
from evidentsource_core.times import from_parts
from evidentsource_functions.lane import decode_batch
from evidentsource_runtime.store import plans, reading, verify
from tests.crash.folders import fast_folder
from tests.strategies import conditions, prospective_events
from tests.unit.core.reference import helpers
from tests.unit.store.helpers import bank, event, pair

WAYS = ("as it is", "in short runs", "always a scan", "never a scan", "outside of SQL")


@contextmanager
def forced(way: str) -> Iterator[None]:
    """Lead queries the way that only large histories, or large selectors, would take."""
    with pytest.MonkeyPatch.context() as patch:
        if way != "as it is":
            for constant in ("FIRST_RUN", "LONGEST_RUN", "SORTED_RUN", "PAGE"):
                patch.setattr(reading, constant, 2)
        if way in {"always a scan", "never a scan"}:
            patch.setattr(plans, "mergeable", lambda drivers: False)
            patch.setattr(plans, "SHARE", 10**9 if way == "always a scan" else 1)
            patch.setattr(plans, "LEAST", 0 if way == "always a scan" else 10**9)
        if way == "outside of SQL":
            patch.setattr(plans, "MOST_TERMS", 0)
        yield


@settings(max_examples=50, deadline=None)
@given(data=st.data(), way=st.sampled_from(WAYS))
def test_queries_give_what_the_reference_database_gives(data: st.DataObject, way: str) -> None:
    batches = data.draw(helpers.batches)
    with (
        forced(way),
        fast_folder() as folder,
        pair(folder) as (store, reference, clock),
    ):
        for number, batch in enumerate(batches):
            clock.now += timedelta(days=1) * data.draw(st.integers(-1, 2))
            events = [
                ProspectiveEvent(f"{number}-{index}", stream, kind, subject, time=time)
                for index, (stream, subject, kind, time) in enumerate(batch)
            ]
            store.transact(events)
            reference.transact(events)
        revision = data.draw(st.integers(0, reference.latest().revision))
        for _ in range(4):
            selector = data.draw(helpers.selectors)
            options = data.draw(helpers.options)
            effective_at = data.draw(st.none() | helpers.days)
            snapshot = reference.at_revision(revision)
            if effective_at is not None:
                snapshot = snapshot.at_effective_timestamp(effective_at)
            expected = snapshot.query_events(selector, options)
            asked: dict[str, Any] = {"revision": revision, "effective_at": effective_at}
            assert list(store.query(selector, options, **asked)) == expected
            if options.get_direction().name == "FORWARD":
                found = store.batches(selector, options, size=2, **asked)
                source = f"{store.streams}/"
                assert [e for batch in found for e in decode_batch(batch.text, source)] == expected
            every = snapshot.query_events(selector)
            assert store.count(selector, **asked) == len(every)


@settings(max_examples=30, deadline=None)
@given(
    batches=st.lists(st.lists(prospective_events(), min_size=1, max_size=3), min_size=1, max_size=3)
)
def test_every_event_comes_back_as_it_was_and_on_the_lane_as_well(
    batches: list[list[ProspectiveEvent]],
) -> None:
    with fast_folder() as folder, pair(folder) as (store, reference, _):
        for batch in batches:
            results: list[Any] = []
            for database in (store, reference):
                try:
                    results.append(database.transact(batch, transaction_id=f"t{batch[0].id}"))
                except EvidentSourceError as error:
                    results.append((type(error), str(error)))
            assert results[0] == results[1]
        expected = [event for result in reference.log() for event in result.events]
        assert list(store.events_at(range(1, len(expected) + 1))) == expected
        for event in expected:
            everything = Selector.stream(event.stream() or "")
            found = [decode_batch(b.text, f"{store.streams}/") for b in store.batches(everything)]
            assert event in [each for batch in found for each in batch]
            assert store.event(event.stream() or "", event.id) == event
        assert [fault.message for fault in verify(store)] == []


@settings(max_examples=30, deadline=None)
@given(
    shapes=st.lists(helpers.shapes, min_size=1, max_size=6),
    wanted=st.lists(conditions(), max_size=2),
    also=st.lists(st.tuples(helpers.selectors, st.integers(0, 6)), max_size=2),
)
def test_conditions_are_decided_and_refused_in_the_same_words(
    shapes: list[Any], wanted: list[AppendCondition], also: list[Any]
) -> None:
    every = [*wanted, *(Constraint.unchanged_since(each, seen) for each, seen in also)]
    with fast_folder() as folder, pair(folder) as (store, reference, _):
        for number, event in enumerate(helpers.named(shapes, "e")):
            results: list[Any] = []
            for database in (store, reference):
                try:
                    database.transact([event], every if number else ())
                    results.append("")
                except EvidentSourceError as error:
                    results.append(str(error))
            assert results[0] == results[1]


def test_a_batch_has_every_kind_of_extension_attribute_and_time(tmp_path: Path) -> None:
    kinds: dict[str, Any] = {
        "text": 'a "quoted" text',
        "number": -7,
        "flag": False,
        "blob": b"\x00\xff",
        "moment": from_parts(-1, 999_999_999),
    }
    times = [None, from_parts(-2, 1), from_parts(1_700_000_000, 123_456_000)]
    with bank(tmp_path) as store:
        few = [kinds, {"one": 1}, {}]
        store.transact(
            [event(f"e-{n}", time=times[n], extensions=few[n], data=b"\xfe") for n in range(3)]
        )
        (batch,) = store.batches(Selector.stream("accounts"))
        found = list(decode_batch(batch.text, f"{store.streams}/"))
        for each, own in zip(found, few, strict=True):
            assert [*each.extensions] == [*own, "sequence", "recordedtime"]
            assert {name: each.extensions[name].value for name in own} == own
        assert [each.revision() for each in found] == [1, 2, 3]
        assert [each.time for each in found] == times
        assert found == list(store.query(Selector.stream("accounts")))
