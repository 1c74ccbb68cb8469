"""What the writer knows of used ids: all of them, and it hardly asks the index."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidentsource_core import InvalidEvents
from evidentsource_core.domain.errors import DuplicateTransactionId
from evidentsource_runtime.store import SqliteStore, filters, taken, verify
from evidentsource_runtime.store.fetching import fetch
from evidentsource_runtime.store.keys import Keys
from evidentsource_runtime.store.writing import Writer
from tests.crash.folders import fast_folder
from tests.crash.levels import small_levels
from tests.unit.store.helpers import bank, event


def write(store: SqliteStore, first: int, count: int) -> None:
    events = [event(f"e-{number}") for number in range(first, first + count)]
    store.transact(events, transaction_id=f"t-{first}")


def fails(_db: object, _record: object) -> None:
    raise RuntimeError("no")


@settings(max_examples=25, deadline=None)
@given(numbers=st.randoms(use_true_random=False))
def test_every_id_that_was_used_is_known(numbers: random.Random) -> None:
    with pytest.MonkeyPatch.context() as patch, small_levels(), fast_folder() as folder:
        # So that filters fill, and new ones are begun, all the time.
        patch.setattr(filters, "_LEAST", 4)
        patch.setattr(filters, "_MOST", numbers.choice((8, 2**24)))
        patch.setattr(taken, "_READ_FOR_EACH", numbers.choice((1, 4, 16)))
        patch.setattr(taken, "_YOUNG", numbers.choice((0, 10, 512)))
        patch.setattr(taken, "_MOST_READ", numbers.choice((7, 2**16)))
        used, written = 0, {}
        for _ in range(4):  # the next one knows only what the file has
            with bank(folder) as store:
                for _ in range(numbers.randrange(40)):
                    count = numbers.choice((1, 1, 2, 5, 30))
                    if numbers.random() < 0.2:
                        with pytest.raises(RuntimeError, match="no"):
                            store.transact([event(f"e-{used}")], also=fails)
                    write(store, used, count)
                    written[used] = count
                    used += count
                    _check(store, numbers.choice(list(written)), written)
                for first in written:
                    _check(store, first, written)
        with bank(folder) as store:
            assert store.head().revision == used
            assert list(verify(store)) == []


def _check(store: SqliteStore, first: int, written: dict[int, int]) -> None:
    head = store.head()
    write(store, first, written[first])  # the same again changes nothing
    with pytest.raises(DuplicateTransactionId):
        store.transact([event("other")], transaction_id=f"t-{first}")
    with pytest.raises(InvalidEvents, match=r"events\[1\]"):
        store.transact([event("other"), event(f"e-{first + written[first] - 1}")])
    assert store.head() == head


class Asked:
    """Counts the keys that the index is asked of, and the entries that a filter reads."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.keys = self.read = self.most = 0
        patch.setattr(taken, "fetch", self.fetch)

    def fetch(self, db: apsw.Connection, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        found = fetch(db, sql, values)
        if sql == taken._FOUND:
            self.keys += len(json.loads(values[0]))
        elif sql == taken._KEYS_WITHIN:
            self.read += len(found)
            self.most = max(self.most, len(found))
        return found


def test_the_index_is_hardly_asked_by_who_wrote_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Asked(monkeypatch)
    with bank(tmp_path) as store:
        for first in range(0, 3_000, 100):
            write(store, first, 100)
        # Little is kept of what was written, but in the filter.
        assert len(store._writer._taken._young) < 700
    assert asked.keys < 10
    assert asked.read == 0


def test_a_filter_that_is_full_makes_room_for_a_larger_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filters, "_LEAST", 4)
    monkeypatch.setattr(taken, "_ASKED_FIRST", 100)
    asked = Asked(monkeypatch)
    with bank(tmp_path) as store:
        for first in range(0, 6_000, 20):
            write(store, first, 20)
    assert asked.read > 200
    assert asked.keys < 1_500


def test_who_writes_little_reads_nothing_and_who_writes_much_all_of_it_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taken, "_ASKED_FIRST", 500)
    with bank(tmp_path) as store:
        for first in range(0, 4_000, 1_000):
            write(store, first, 1_000)
    asked = Asked(monkeypatch)
    with bank(tmp_path) as store:
        for first in range(4_000, 4_500, 10):
            write(store, first, 10)
        assert (asked.keys, asked.read) == (500, 0)
        for first in range(4_500, 9_000, 10):
            write(store, first, 10)
    assert 4_000 < asked.read < 5_500
    assert asked.keys < 1_500


def test_no_more_than_so_many_entries_are_read_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taken, "_ASKED_FIRST", 1)
    monkeypatch.setattr(taken, "_MOST_READ", 200)
    with bank(tmp_path) as store:
        write(store, 0, 2_000)
    asked = Asked(monkeypatch)
    with bank(tmp_path) as store:
        for first in range(2_000, 6_000, 200):
            write(store, first, 200)
    # Half of all entries are of keys.
    assert asked.read > 1_000
    assert 50 < asked.most < 200


def test_failures_alone_fill_a_filter_and_lose_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filters, "_LEAST", 4)
    monkeypatch.setattr(taken, "_ASKED_FIRST", 20)
    monkeypatch.setattr(taken, "_STEP", 1)
    monkeypatch.setattr(taken, "_YOUNG", 0)
    with bank(tmp_path) as store:
        for number in range(100):
            with pytest.raises(RuntimeError, match="no"):
                store.transact([event(f"e-{number % 50}")], also=fails)
        write(store, 0, 1)
        _check(store, 0, {0: 1})


def test_every_key_is_in_one_step_of_a_reader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Keys, "of_event", lambda _keys, _stream, name: int(name[2:]) << 36)
    with small_levels(), bank(tmp_path) as store:
        write(store, 0, 16)
        with store.read() as db:
            for bound in range(0, 2**40, 2**36):
                found = fetch(db, taken._KEYS_WITHIN, (bound, bound + 2**36))
                assert (bound,) in found
                assert (bound + 2**36,) not in found


def test_only_ids_that_were_tried_before_are_looked_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up: list[str] = []

    def is_used(_writer: Writer, _stream: str, event_id: str, _key: int) -> bool:
        looked_up.append(event_id)
        return event_id == "e-0"

    monkeypatch.setattr(Writer, "_is_used", is_used)
    monkeypatch.setattr(taken, "_YOUNG", 0)
    with bank(tmp_path) as store:
        store.transact([event("e-0")])
        with pytest.raises(InvalidEvents):
            store.transact([event("e-0")])
        with pytest.raises(RuntimeError, match="no"):
            store.transact([event("e-1")], also=fails)
        store.transact([event("e-1")])
        assert not store._writer._taken._found
        with pytest.raises(InvalidEvents):
            store.transact([event("e-0"), event("e-2")])
    assert looked_up == ["e-0", "e-0"]
