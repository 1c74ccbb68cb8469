"""The index: entries that wait, are written many at once and move on, and what is found by them."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidentsource_core import (
    Constraint,
    ConstraintViolations,
    Event,
    EventSelector,
    InvalidEvents,
    ProspectiveEvent,
    QueryDirection,
    QueryOptions,
    Selector,
)
from evidentsource_runtime.store import CommitUncertain, SqliteStore, plans, reading, verify
from evidentsource_runtime.store.connecting import LARGE_CACHE_KIB
from evidentsource_runtime.store.entries import LEVELS, TABLES
from evidentsource_runtime.store.fetching import fetch, fetch_one
from evidentsource_runtime.store.keys import Keys
from evidentsource_runtime.store.pool import KEPT
from tests.crash.folders import fast_folder
from tests.crash.levels import small_levels
from tests.unit.store.helpers import bank

stream, kind, subject = Selector.stream, Selector.event_type, Selector.subject


def made(numbers: random.Random, count: int, first: int) -> list[ProspectiveEvent]:
    return [
        ProspectiveEvent(
            f"e-{number}",
            f"stream-{numbers.choice('aaaabbc')}",
            f"type-{min(numbers.randrange(40), 3)}",
            numbers.choice((None, *(f"a-{n}" for n in range(12)))),
        )
        for number in range(first, first + count)
    ]


def filled(
    store: SqliteStore, numbers: random.Random, events: int, *, gathered: float = 0
) -> list[Event]:
    while (head := store.head().revision) < events:
        store.transact(made(numbers, numbers.choice((1, 1, 1, 2, 5, 40)), head + 1))
        if gathered and numbers.random() < gathered:
            store.gather()
    return list(store.events_at(range(1, store.head().revision + 1)))


def entries(db: apsw.Connection) -> dict[int, int]:
    return {level: fetch_one(db, f"SELECT count(*) FROM {TABLES[level]}")[0] for level in LEVELS}


def leaves() -> st.SearchStrategy[EventSelector]:
    return st.one_of(
        st.sampled_from("abcd").map(lambda name: stream(f"stream-{name}")),
        st.integers(0, 4).map(lambda number: kind(f"type-{number}")),
        st.integers(0, 12).map(lambda number: subject(f"a-{number}")),
        st.just(Selector.no_subject()),
        st.sampled_from(("a-", "a-1", "b")).map(Selector.subject_starts_with),
        st.sampled_from(("type-", "t", "u")).map(Selector.event_type_starts_with),
        st.sampled_from(("stream-", "stream-a")).map(Selector.stream_starts_with),
    )


def trees() -> st.SearchStrategy[EventSelector]:
    return st.recursive(
        leaves(),
        lambda inner: st.one_of(
            st.builds(lambda a, b: a & b, inner, inner), st.builds(lambda a, b: a | b, inner, inner)
        ),
        max_leaves=5,
    )


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    asked=st.lists(trees(), min_size=5, max_size=10),
    after=st.integers(0, 250),
    back=st.integers(0, 60),
    way=st.sampled_from(("planned", "by the index", "in short runs")),
    gathered=st.sampled_from((0, 0.05, 0.5)),
)
def test_what_the_index_leads_to_is_what_is_selected_wherever_its_entries_are(
    seed: int, asked: list[EventSelector], after: int, back: int, way: str, gathered: float
) -> None:
    with small_levels(), fast_folder() as folder, bank(folder) as store:
        every = filled(store, random.Random(seed), 200, gathered=gathered)
        with store.read() as db:
            assert all(entries(db).values()), "every level has some"
            runs = fetch_one(db, "SELECT count(*) FROM run")[0]
            assert runs if gathered == 0.5 else gathered or not runs
            assert fetch_one(db, "SELECT indexed FROM store")[0] < len(every) + 1
        assert list(verify(store)) == []
        upto = len(every) - back
        with pytest.MonkeyPatch.context() as patch:
            if way != "planned":
                patch.setattr(plans, "SHARE", 1)
                patch.setattr(plans, "LEAST", 10**9)
            if way == "in short runs":
                for constant in ("FIRST_RUN", "LONGEST_RUN", "SORTED_RUN", "PAGE"):
                    patch.setattr(reading, constant, 3)
            for selector in asked:
                _check(store, selector, every, after, upto)


def _check(
    store: SqliteStore, selector: EventSelector, every: list[Event], after: int, upto: int
) -> None:
    expected = [each for each in every[after:upto] if selector.matches(each)]
    bounds: dict[str, Any] = {"since": after, "revision": upto}
    assert list(store.query(selector, **bounds)) == expected
    backwards = QueryOptions(direction=QueryDirection.REVERSE)
    assert list(store.query(selector, backwards, **bounds)) == expected[::-1]
    assert list(store.query(selector, backwards.limit(4), **bounds)) == expected[::-1][:4]
    assert list(store.query(selector, QueryOptions().limit(4), **bounds)) == expected[:4]
    assert sum(batch.count for batch in store.batches(selector, **bounds)) == len(expected)
    whole = [each for each in every[:upto] if selector.matches(each)]
    assert store.count(selector, revision=upto) == len(whole)
    assert store.highest(selector, revision=upto) == (whole[-1].revision() if whole else 0)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_ids_and_conditions_are_found_wherever_their_entries_are(seed: int) -> None:
    numbers = random.Random(seed)
    with small_levels(), fast_folder() as folder:
        for _ in range(2):  # the second one has forgotten everything
            with bank(folder) as store:
                every = filled(store, numbers, store.head().revision + 120)
                for event in numbers.sample(every, 20):
                    number = event.revision()
                    assert store.event(event.stream() or "", event.id) == event
                    again = ProspectiveEvent(event.id, event.stream() or "", "other")
                    fresh = ProspectiveEvent(f"n-{number}", event.stream() or "", "other")
                    with pytest.raises(InvalidEvents, match=r"events\[1\]"):
                        store.transact([fresh, again])
                    assert store.event("elsewhere", event.id) is None
                    _check_condition(store, event)
                for record in list(store.log())[:: max(1, len(every) // 40)]:
                    found = store.transaction(record.id)
                    assert found is not None
                    assert (found.basis, found.revision) == (record.basis, record.revision)
                assert store.head().revision == len(every)
                assert list(verify(store)) == []


def _check_condition(store: SqliteStore, event: Event) -> None:
    selector = stream(event.stream() or "") & kind(event.event_type)
    last = store.highest(selector)
    with pytest.raises(ConstraintViolations):
        store.transact(
            [ProspectiveEvent("never", "s1", "t")], [Constraint.unchanged_since(selector, last - 1)]
        )


def test_the_same_transaction_twice_is_found_wherever_its_entry_is(tmp_path: Path) -> None:
    numbers = random.Random(1)
    with small_levels(), bank(tmp_path) as store:
        wanted = made(numbers, 1, 0)
        first = store.transact(wanted, transaction_id="t-1")
        for _ in range(12):
            assert store.transact(wanted, transaction_id="t-1") == first
            filled(store, numbers, store.head().revision + 20)
        with store.read() as db:
            assert fetch(db, "SELECT 1 FROM entry_4 WHERE kind = 4 AND revision = 1") == [(1,)]


def test_levels_hold_what_they_should_and_not_much_more(tmp_path: Path) -> None:
    with small_levels(), bank(tmp_path) as store:
        filled(store, random.Random(3), 600)
        with store.read() as db:
            found = entries(db)
            assert found == dict(fetch(db, "SELECT number, entries FROM level"))
        # What came with the last, largest transaction may lie above the limit for one round.
        assert found[1] < 40 + 5 * 40
        assert found[2] < 80 + 5 * 40
        assert found[3] < 160 + 5 * 40
        assert found[4] > 300


def test_a_transaction_larger_than_a_level_is_indexed_at_once(tmp_path: Path) -> None:
    numbers = random.Random(5)
    with small_levels(), bank(tmp_path) as store:
        store.transact(made(numbers, 900, 1))
        assert list(verify(store)) == []
        filled(store, numbers, 1000)
        assert list(verify(store)) == []
        every = list(store.events_at(range(1, store.head().revision + 1)))
        _check(store, subject("a-3"), every, 0, len(every))


def test_a_transaction_that_fails_leaves_the_index_as_it_was(tmp_path: Path) -> None:
    def fails(_db: object, _record: object) -> None:
        raise RuntimeError("no")

    numbers = random.Random(7)
    with small_levels(), bank(tmp_path) as store:
        filled(store, numbers, 100)
        head = store.head().revision
        refused = made(numbers, 50, head + 1)
        with pytest.raises(RuntimeError, match="no"):
            store.transact(refused, also=fails)
        assert list(verify(store)) == []
        # Their ids are not used either.
        assert store.transact(refused).revision == head + 50
        filled(store, numbers, 300)
        assert list(verify(store)) == []


def test_two_ids_that_share_a_key_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Keys, "of_event", lambda *_: 7)
    monkeypatch.setattr(Keys, "of_transaction", lambda *_: 7)
    numbers = random.Random(9)
    with small_levels(), bank(tmp_path) as store:
        every = filled(store, numbers, 60)
        store.transact(made(numbers, 1, 1000), transaction_id="given")
        for event in every:
            assert store.event(event.stream() or "", event.id) == event
        with pytest.raises(InvalidEvents):
            store.transact([ProspectiveEvent("e-9", every[8].stream() or "", "t")])
        given = store.transaction("given")
        assert given is not None
        assert given.events[0].id == "e-1000"
        assert list(verify(store)) == []


def test_keys_differ_from_store_to_store_and_stay_with_one(tmp_path: Path) -> None:
    for name in ("one", "two"):
        with SqliteStore.open(tmp_path / f"{name}.db") as store:
            store.transact([ProspectiveEvent("e-1", "accounts", "opened")], transaction_id="t")
    keys = {}
    for name in ("one", "two"):
        with SqliteStore.open(tmp_path / f"{name}.db", mode="read") as store, store.read() as db:
            keys[name] = fetch_one(db, "SELECT key, tx_key FROM event")
            assert store.event("accounts", "e-1") is not None
            assert store.transaction("t") is not None
    assert set(keys["one"]).isdisjoint(keys["two"])


DAMAGES = {
    "an entry is missing": "DELETE FROM entry_2 WHERE rowid_of = 1",
    "an entry too many": "INSERT INTO entry_1 VALUES (1, 1, 100000)",
    "entries of other values": "UPDATE entry_2 SET value = value + 1000 WHERE kind = 1",
    "entries out of order": (
        "INSERT INTO entry_1 SELECT * FROM entry_4 WHERE kind = 0; DELETE FROM entry_4 WHERE kind = 0"
    ),
    "a key of something else": "UPDATE event SET key = key + 1 WHERE revision = 290",
    "a transaction's key": "UPDATE event SET tx_key = tx_key + 1 WHERE tx_key IS NOT NULL",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_index_is_found(tmp_path: Path, damage: str) -> None:
    numbers = random.Random(11)
    sql = DAMAGES[damage].replace(
        "rowid_of = 1",
        "(kind, value, revision) = (SELECT kind, value, revision FROM entry_2 LIMIT 1)",
    )
    with small_levels(fresh=64), bank(tmp_path) as store:
        filled(store, numbers, 300)
        assert list(verify(store)) == []
        store.write(lambda db: db.execute(sql).fetchall())
        assert {fault.code for fault in verify(store)} == {"damaged-index"}


def test_an_id_that_shares_its_key_with_a_failed_one_stays_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_db: object, _record: object) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(Keys, "of_event", lambda *_: 7)
    with bank(tmp_path) as store:
        first = ProspectiveEvent("e-1", "accounts", "opened")
        store.transact([first])
        with pytest.raises(RuntimeError, match="no"):
            store.transact([ProspectiveEvent("e-2", "accounts", "opened")], also=fails)
        with pytest.raises(InvalidEvents):
            store.transact([first])


class Doubtful:
    """A cursor that commits, and then says that the disk failed."""

    def __init__(self, cursor: apsw.Cursor) -> None:
        self.cursor = cursor
        self.fails = True

    def execute(self, sql: str, *values: Any) -> Any:
        found = self.cursor.execute(sql, *values)
        if sql == "COMMIT" and self.fails:
            self.fails = False
            raise apsw.IOError("after all")
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self.cursor, name)


def test_what_was_written_though_the_disk_failed_is_known_to_be_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bank(tmp_path) as store:
        event = ProspectiveEvent("e-1", "accounts", "opened")
        with monkeypatch.context() as patch:
            assert store._commits is not None
            patch.setattr(store._commits, "_cursor", Doubtful(store._commits._cursor))
            with pytest.raises(CommitUncertain):
                store.transact([event])
        with pytest.raises(InvalidEvents):
            store.transact([event])
        assert store.transact([ProspectiveEvent("e-2", "accounts", "opened")]).revision == 2
        assert list(verify(store)) == []


def test_who_reads_alone_gets_the_connection_with_the_large_cache(tmp_path: Path) -> None:
    def cache(db: apsw.Connection) -> object:
        return db.pragma("cache_size")

    with bank(tmp_path) as store:
        pool = store._pool
        some = [pool.take() for _ in range(KEPT + 1)]
        large, *others = sorted(some, key=lambda db: int(str(cache(db))))
        assert len({cache(db) for db in others}) == 1
        assert cache(large) != cache(others[0])
        for db in (others[0], large, others[1]):
            pool.give_back(db)
        assert pool.take() is large
        for db in others[2:]:
            pool.give_back(db)
        pool.give_back(large)  # one too many, which is closed
        kept = [pool.take() for _ in range(KEPT)]
        assert large not in kept
        kept.append(pool.take())
        assert cache(kept[-1]) == -LARGE_CACHE_KIB
        for db in kept:
            pool.give_back(db)


def test_the_log_backwards_ends_before_a_transaction_that_began_too_early(tmp_path: Path) -> None:
    with bank(tmp_path) as store:
        for size in (2, 4, 1):
            head = store.head().revision
            store.transact([ProspectiveEvent(f"e-{head + n}", "s1", "t") for n in range(size)])
        found = {
            (first, last): [each.revision for each in store.log(first, last, reverse=True)]
            for first in range(9)
            for last in range(9)
        }
        for (first, last), revisions in found.items():
            assert revisions == [end for end in (7, 6, 2) if first <= end <= last]
            assert revisions[::-1] == [each.revision for each in store.log(first, last)]
