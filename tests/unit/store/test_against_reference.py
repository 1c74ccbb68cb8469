"""The store beside the reference database: the same histories, the same answers."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidentsource_core import (
    ProspectiveEvent,
)
from evidentsource_functions.lane import decode_batch
from evidentsource_runtime.store import plans, reading
from tests.unit.core.reference import helpers
from tests.unit.store.helpers import pair

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


@settings(max_examples=120, deadline=None)
@given(data=st.data(), way=st.sampled_from(WAYS))
def test_queries_give_what_the_reference_database_gives(data: st.DataObject, way: str) -> None:
    batches = data.draw(helpers.batches)
    with (
        forced(way),
        tempfile.TemporaryDirectory() as folder,
        pair(Path(folder)) as (store, reference, clock),
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
