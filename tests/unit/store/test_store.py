"""What the store adds to the platform's rules: other tables, news, streaming."""

from __future__ import annotations

import itertools
import threading
import time
import tracemalloc
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from evidentsource_core import (
    DatabaseAccessError,
    DuplicateTransactionId,
    EffectiveTimeRange,
    InvalidEvents,
    InvalidValue,
    QueryDirection,
    QueryOptions,
    RangeCursor,
    Selector,
)
from evidentsource_core.domain.flat_selectors import SUBJECT
from evidentsource_functions.lane import decode_batch
from evidentsource_runtime.store import (
    Head,
    Index,
    Module,
    SqliteStore,
    names,
    reading,
    verify,
)
from evidentsource_runtime.store.fetching import fetch_one
from tests.crash.folders import fast_folder
from tests.unit.core.reference.helpers import START, Clock
from tests.unit.store.helpers import bank, event

ACCOUNTS = Selector.stream("accounts")
NOTES = Module("notes", ("CREATE TABLE note (text TEXT NOT NULL) STRICT",))


# --- transactions ----------------------------------------------------------------------------------


def test_an_id_with_a_fingerprint_stands_for_what_was_asked_not_for_the_events(
    tmp_path: Path,
) -> None:
    with bank(tmp_path) as store:
        first = store.transact([event("e-1")], transaction_id="t", fingerprint=b"command")
    with bank(tmp_path) as store:
        again = store.transact([event("e-2")], transaction_id="t", fingerprint=b"command")
        assert again == first
        assert store.transact([], transaction_id="t", fingerprint=b"command") == first
        assert store.transaction("t", fingerprint=b"command") == first
        for other in (b"another", None):
            with pytest.raises(DuplicateTransactionId):
                store.transact([event("e-2")], transaction_id="t", fingerprint=other)
        with pytest.raises(DuplicateTransactionId):
            store.transaction("t", fingerprint=b"another")
        with pytest.raises(InvalidValue, match="fingerprint"):
            store.transact([event("e-2")], fingerprint=b"")


def test_what_is_also_written_is_there_with_the_transaction_or_not_at_all(tmp_path: Path) -> None:
    def note(db: Any, record: Any) -> None:
        db.execute("INSERT INTO note VALUES (?)", (f"{record.basis}-{record.revision}",))

    def fail(db: Any, record: Any) -> None:
        note(db, record)
        raise InvalidValue("note", "no")

    with bank(tmp_path, modules=[NOTES]) as store:
        store.transact([event("e-1"), event("e-2")], also=note)
        with pytest.raises(InvalidValue):
            store.transact([event("e-3")], also=fail)
        with store.read() as db:
            assert fetch_one(db, "SELECT group_concat(text) FROM note") == ("0-2",)
        assert store.transact([event("e-3", "new")]).basis == 2
        assert list(verify(store)) == []


def test_times_of_commits_never_go_back_also_over_a_restart(tmp_path: Path) -> None:
    clock = Clock()
    with bank(tmp_path, clock=clock) as store:
        clock.now = START + timedelta(hours=2, microseconds=7)
        late = store.transact([event("e-1")]).timestamp
        clock.now = START + timedelta(hours=1)
        assert store.transact([event("e-2")]).timestamp == late
    with bank(tmp_path, clock=clock) as store:
        assert (
            store.transact([event("e-3")]).timestamp
            == late
            == START + timedelta(hours=2, microseconds=7)
        )
        clock.now = START + timedelta(hours=3)
        store.transact([event("e-4")])
        assert store.at_time(late) == Head(3, late)
        assert store.at_time(late - timedelta(microseconds=1)) == Head(0, store.created_at)
        assert store.at_time(START - timedelta(days=1)) is None
        assert store.at_time(START + timedelta(days=9)) == store.head()
        assert store.at_revision(2) == Head(2, late)


def test_a_refusal_tells_every_problem_with_ids_that_are_taken_among_them(tmp_path: Path) -> None:
    with bank(tmp_path) as store:
        store.transact([event("e-1")])
        with pytest.raises(InvalidEvents) as caught:
            store.transact([event("e-1"), event(" ")])
        assert [problem.code for problem in caught.value.errors] == [
            "duplicate-event-id",
            "invalid-event-id",
        ]


def test_extension_attributes_in_another_order_are_the_same_request(tmp_path: Path) -> None:
    with bank(tmp_path) as store:
        first = store.transact([event("e-1", extensions={"a": 1, "b": 2})], transaction_id="t")
        again = store.transact([event("e-1", extensions={"b": 2, "a": 1})], transaction_id="t")
        assert again == first
        with pytest.raises(DuplicateTransactionId):
            store.transact([event("e-1", extensions={"a": 2, "b": 1})], transaction_id="t")


# --- news ------------------------------------------------------------------------------------------


def test_whoever_waits_is_told_of_the_next_revision(tmp_path: Path) -> None:
    with bank(tmp_path) as store:
        told: list[int] = []
        end = store.subscribe(lambda head: told.append(head.revision))
        assert store.wait(0, timeout=0).revision == 0
        writer = threading.Timer(0.05, lambda: store.transact([event("e-1"), event("e-2")]))
        writer.start()
        assert store.wait(0, timeout=10).revision == 2
        writer.join()
        end()
        store.transact([event("e-3")])
        assert told == [2]


def test_a_subscriber_that_fails_undoes_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_head: Head) -> None:
        raise RuntimeError("not today")

    with bank(tmp_path) as store:
        store.subscribe(fail)
        assert store.transact([event("e-1")]).revision == 1
    assert "a subscriber failed at revision 1" in caplog.text


def test_a_reader_is_told_of_what_another_store_writes(tmp_path: Path) -> None:
    with bank(tmp_path) as store, SqliteStore.open(store.path, mode="read") as reader:
        told: list[int] = []
        reader.subscribe(lambda head: told.append(head.revision))
        writer = threading.Timer(0.05, lambda: store.transact([event("e-1")]))
        writer.start()
        assert reader.wait(0, timeout=10).revision == 1
        writer.join()
        store.transact([event("e-2")])
        assert reader.head().revision == 2
        assert reader.wait(1, timeout=10).revision == 2
    assert told[0] == 1


def test_names_are_remembered_anew_when_they_have_become_too_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(names, "_REMEMBERED", 5)
    with bank(tmp_path) as store:
        for number in range(23):
            store.transact([event(f"e-{number}", f"a-{number}")])
            assert 1 <= len(store._names._known[SUBJECT]) <= 5
            assert f"a-{number}" in store._names._known[SUBJECT]
        store.transact([event(f"f-{number}", f"a-{number}") for number in range(23)])
        assert [store.count(Selector.subject(f"a-{number}")) for number in range(23)] == [2] * 23
        assert list(verify(store)) == []


def test_who_waits_for_a_revision_is_told_of_it_at_once(tmp_path: Path) -> None:
    with bank(tmp_path) as store:
        found: list[Head] = []
        waiting = threading.Thread(target=lambda: found.append(store.wait(0)))
        waiting.start()
        while not store._watch._waiting:
            time.sleep(0.001)
        store.transact([event("e-1")])
        waiting.join(20)
        assert [head.revision for head in found] == [1]


# --- reading ---------------------------------------------------------------------------------------


def test_a_query_does_not_show_what_is_committed_while_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "FIRST_RUN", 2)
    with bank(tmp_path) as store:
        store.transact([event(f"e-{number}") for number in range(10)])
        found = store.query(ACCOUNTS)
        ids = [next(found).id]
        store.transact([event("later")])
        assert [*ids, *(each.id for each in found)] == [f"e-{number}" for number in range(10)]


def test_both_bounds_of_effective_time_hold(tmp_path: Path) -> None:
    with bank(tmp_path) as store:
        store.transact([event(f"e-{day}", time=START + timedelta(days=day)) for day in range(5)])
        for end, bound in ((1, 3), (3, 1)):
            options = QueryOptions(range=EffectiveTimeRange(end_at=START + timedelta(days=end)))
            found = store.query(ACCOUNTS, options, effective_at=START + timedelta(days=bound))
            assert [each.id for each in found] == ["e-0", "e-1"]


@pytest.mark.parametrize("direction", QueryDirection)
def test_events_with_times_and_without_come_in_one_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, direction: QueryDirection
) -> None:
    monkeypatch.setattr(reading, "PAGE", 4)
    places: list[tuple[datetime, int, str]] = []
    clock = Clock()
    with bank(tmp_path, clock=clock) as store:
        for number in range(40):
            clock.now = START + timedelta(seconds=number // 2)
            named = clock.now + timedelta(seconds=number % 5 - 2)
            first, second = event(f"a-{number}"), event(f"c-{number}")
            store.transact([first, event(f"b-{number}", time=named), second])
            times = enumerate((clock.now, named, clock.now), 3 * number + 1)
            places += [
                (time, revision, f"{name}-{number}")
                for name, (revision, time) in zip("abc", times, strict=True)
            ]
        by_revision = list(places)
        places.sort(reverse=direction is QueryDirection.REVERSE)
        assert places != by_revision
        for low, revision, high in itertools.product(
            (None, -5, 0, 7, 19, 30), (0, 24, 10**6), (None, -5, 0, 7, 12, 30)
        ):
            start = None if low is None else RangeCursor(START + timedelta(seconds=low), revision)
            end = None if high is None else START + timedelta(seconds=high)
            options = QueryOptions(range=EffectiveTimeRange(start, end), direction=direction)
            assert [each.id for each in store.query(ACCOUNTS, options)] == [
                name
                for time, number, name in places
                if (start is None or (time, number) >= (start.timestamp, start.revision))
                and (end is None or time <= end)
            ]


def test_a_batch_says_where_the_rest_is(tmp_path: Path) -> None:
    with bank(tmp_path) as store:
        store.transact(
            [
                event("late", time=START + timedelta(days=2)),
                event("early", time=START - timedelta(days=2)),
                event("now"),
            ]
        )
        for options in (QueryOptions(), QueryOptions(range=EffectiveTimeRange())):
            expected = [each.id for each in store.query(ACCOUNTS, options)]
            ids, span, newest = [], options.range, []
            for _ in expected:
                batch = next(store.batches(ACCOUNTS, QueryOptions(range=span), size=1))
                ids += [each.id for each in decode_batch(batch.text, f"{store.streams}/")]
                newest.append(batch.newest)
                span = batch.rest
            assert ids == expected
            assert sorted(newest) == [1, 2, 3]
            assert list(store.batches(ACCOUNTS, QueryOptions(range=span))) == []


def test_large_events_come_in_smaller_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "PAGE_BYTES", 1000)
    with bank(tmp_path) as store:
        store.transact([event(f"e-{number}", data="x" * 400) for number in range(9)])
        sizes = [batch.count for batch in store.batches(ACCOUNTS)]
        assert max(sizes) <= 2
        assert sum(sizes) == 9
        assert len(list(store.query(ACCOUNTS))) == 9


def test_single_events_and_values_are_found(tmp_path: Path) -> None:
    with bank(tmp_path) as store:
        store.transact([event("e-1", "b"), event("e-2", "a", stream="others")])
        store.transact([event("e-3", None, event_type="closed")])
        assert [each.id for each in store.events_at([3, 1, 3])] == ["e-3", "e-1", "e-3"]
        left = store.events_at([2, 4])
        assert next(left).id == "e-2"
        with pytest.raises(DatabaseAccessError, match="no event of revision 4"):
            next(left)
        assert store.event("accounts", "e-2") is None
        assert list(store.keys(Index.SUBJECT)) == ["a", "b"]
        assert list(store.keys(Index.STREAM, "acc")) == ["accounts"]
        assert list(store.keys(Index.EVENT_TYPE, revision=2)) == ["account.credited"]
        assert list(store.query(ACCOUNTS, since=1, revision=2)) == []
        assert store.highest(ACCOUNTS) == 3
        assert store.count(ACCOUNTS, since=1) == 1


def test_the_log_is_read_in_both_directions_and_between_revisions(tmp_path: Path) -> None:
    with bank(tmp_path) as store:
        for size in (1, 3, 2):
            store.transact([event(f"{size}-{number}") for number in range(size)])
        ends = [1, 4, 6]
        assert [each.revision for each in store.log()] == ends
        assert [each.revision for each in store.log(reverse=True)] == ends[::-1]
        assert [each.revision for each in store.log(2, 5)] == [4]
        assert [each.basis for each in store.log(2)] == [1, 4]
        (record,) = store.log(1, 1)
        assert (record.summary.revision, record.summary.event_count) == (1, 1)
        assert [len(each.events) for each in store.log(detail=True)] == [1, 3, 2]


def test_memory_stays_flat_while_a_long_query_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    with fast_folder() as folder, bank(folder, synchronous="NORMAL") as store:
        for start in range(0, 8000, 2000):
            store.transact([event(f"e-{number}") for number in range(start, start + 2000)])

        def peak(limit: int) -> int:
            tracemalloc.start()
            count = sum(1 for _ in store.query(ACCOUNTS, QueryOptions().limit(limit)))
            count += sum(
                batch.count for batch in store.batches(ACCOUNTS, QueryOptions(limit=limit))
            )
            most = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            assert count == 2 * limit
            return most

        monkeypatch.setattr(reading, "LONGEST_RUN", 512)
        assert peak(8000) < 1.5 * peak(2000)
