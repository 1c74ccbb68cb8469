"""The disk fails: the error says so, reads go on where they can, and nothing is lost or halved."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from evidentsource_core import ProspectiveEvent, QueryDirection, QueryOptions, Selector
from evidentsource_runtime.store import (
    CommitUncertain,
    DamagedStore,
    SqliteStore,
    StoreError,
    StoreFull,
    StoreIOError,
    reading,
    verify,
)
from evidentsource_runtime.store.fetching import fetch_one
from tests.crash.faulty import Faults, FaultyVfs
from tests.crash.levels import small_levels

ALL = Selector.stream("accounts")


def events(name: str, count: int = 3) -> list[ProspectiveEvent]:
    return [
        ProspectiveEvent(f"{name}-{index}", "accounts", "credited", "a-1", data="x" * 100)
        for index in range(count)
    ]


@pytest.fixture
def disk() -> Iterator[tuple[str, Faults]]:
    vfs = FaultyVfs("faulty")
    yield "faulty", vfs.faults
    vfs.unregister()


@pytest.fixture
def store(tmp_path: Path, disk: tuple[str, Faults]) -> Iterator[SqliteStore]:
    with SqliteStore.open(tmp_path / "bank.db", vfs=disk[0]) as opened:
        opened.transact(events("before"))
        yield opened
        disk[1].clear()


def sound(store: SqliteStore) -> bool:
    return list(verify(store)) == []


def ids(store: SqliteStore) -> list[str]:
    return [event.id for event in store.query(ALL)]


BEFORE = ["before-0", "before-1", "before-2"]


@pytest.mark.parametrize("after", [0, 1])
def test_a_full_disk_is_told_and_the_store_goes_on_once_there_is_room(
    store: SqliteStore, disk: tuple[str, Faults], after: int
) -> None:
    faults = disk[1]
    faults.write, faults.after = apsw.FullError, after
    with pytest.raises(StoreFull, match="make room and send the transaction again"):
        store.transact(events("full"))
    assert ids(store) == BEFORE
    faults.clear()
    assert store.transact(events("full")).revision == 6
    assert ids(store) == [*BEFORE, "full-0", "full-1", "full-2"]
    assert sound(store)


def test_a_write_that_fails_is_told_and_leaves_nothing(
    store: SqliteStore, disk: tuple[str, Faults]
) -> None:
    faults = disk[1]
    faults.write, faults.ending = apsw.IOError, "-wal"
    with pytest.raises(StoreIOError, match="the disk failed"):
        store.transact(events("lost"))
    assert ids(store) == BEFORE
    assert store.head().revision == 3
    faults.clear()
    assert store.transact(events("next")).basis == 3
    assert sound(store)


def test_a_sync_that_fails_leaves_the_outcome_open_and_the_same_id_settles_it(
    store: SqliteStore, disk: tuple[str, Faults]
) -> None:
    faults = disk[1]
    faults.sync = apsw.IOError
    with pytest.raises(CommitUncertain, match="again with the same transaction id"):
        store.transact(events("once"), transaction_id="t-1")
    faults.clear()
    assert ids(store) == BEFORE
    assert store.transact(events("once"), transaction_id="t-1").revision == 6
    assert store.transact(events("once"), transaction_id="t-1").revision == 6
    assert ids(store) == [*BEFORE, "once-0", "once-1", "once-2"]
    assert sound(store)


def test_a_disk_that_cannot_be_read_is_told(
    tmp_path: Path, store: SqliteStore, disk: tuple[str, Faults]
) -> None:
    disk[1].read = apsw.IOError
    with (
        pytest.raises(StoreIOError),
        SqliteStore.open(tmp_path / "bank.db", mode="read", vfs=disk[0]) as reader,
    ):
        ids(reader)
    disk[1].clear()
    assert ids(store) == BEFORE


def test_a_log_that_cannot_be_carried_over_stops_nobody(
    store: SqliteStore, disk: tuple[str, Faults], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evidentsource_runtime.store.commits.CHECKPOINT_PAGES", 1)
    monkeypatch.setattr("evidentsource_runtime.store.commits.LOOK_EVERY", 1)
    disk[1].write, disk[1].ending = apsw.FullError, ".db"
    for number in range(3):
        store.transact(events(str(number)))
    assert store.head().revision == 12
    disk[1].clear()
    store.transact(events("after"))
    assert sound(store)


# --- what lies on the disk -------------------------------------------------------------------------


def filled(path: Path, transactions: int = 40) -> None:
    with SqliteStore.open(path, synchronous="NORMAL") as store:
        for number in range(transactions):
            store.transact(events(f"t{number}", 5))


def page_of(path: Path, table: str) -> int:
    db = apsw.Connection(str(path))
    sql = "SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf' ORDER BY pageno LIMIT 1"
    page = fetch_one(db, sql, (table,))[0]
    db.close()
    return int(page)


def test_a_damaged_page_is_told_and_other_pages_are_read(tmp_path: Path) -> None:
    path = tmp_path / "bank.db"
    filled(path)
    page = page_of(path, "event")
    with path.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(bytes(4096))
    with SqliteStore.open(path, mode="read") as store:
        with pytest.raises(DamagedStore, match="restore a copy"):
            ids(store)
        assert next(store.query(ALL, revision=200, since=199)).id == "t39-4"
        assert [each.id for each in store.log(195)] != []
        assert {fault.code for fault in verify(store)} & {"damaged-structure", "damaged-store"}


@pytest.mark.parametrize("table", ["gathered", "run"])
def test_a_subject_is_read_though_its_run_is_damaged(
    tmp_path: Path, table: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "bank.db"
    with small_levels(), SqliteStore.open(path) as store:
        for number in range(1000):
            name = f"a-{number % 20}"
            store.transact([ProspectiveEvent(f"e-{number}", "accounts", "opened", name)])
        assert store.gather() > 900
        expected = {n: list(store.query(Selector.subject(f"a-{n}"))) for n in range(20)}
    page = page_of(path, table)
    with path.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(bytes(4096))
    with SqliteStore.open(path, mode="read") as store, pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "PAGE", 10)
        for n, events in expected.items():
            backwards = QueryOptions(direction=QueryDirection.REVERSE)
            assert list(store.query(Selector.subject(f"a-{n}"))) == events
            assert (
                list(store.query(Selector.subject(f"a-{n}"), QueryOptions().limit(7))) == events[:7]
            )
            assert list(store.query(Selector.subject(f"a-{n}"), backwards)) == events[::-1]
        assert "read without their runs" in caplog.text
        assert {fault.code for fault in verify(store)} & {"damaged-structure", "damaged-store"}


def test_a_changed_byte_in_an_event_is_found_by_its_checksum(tmp_path: Path) -> None:
    path = tmp_path / "bank.db"
    filled(path, 3)
    content = path.read_bytes()
    place = content.index(b"x" * 100)
    path.write_bytes(content[:place] + b"y" + content[place + 1 :])
    with SqliteStore.open(path) as store:
        assert [fault.code for fault in verify(store)] == ["changed-events"]


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.97])
def test_a_truncated_log_leaves_a_beginning_of_what_was_written(
    tmp_path: Path, share: float
) -> None:
    path = tmp_path / "bank.db"
    with SqliteStore.open(path) as store:
        names = [store.transact(events(f"t{number}")).id for number in range(20)]
        copy = tmp_path / "copy" / "bank.db"
        copy.parent.mkdir()
        copy.write_bytes(path.read_bytes())
        log = Path(f"{path}-wal").read_bytes()
    Path(f"{copy}-wal").write_bytes(log[: int(len(log) * share)])
    try:
        with SqliteStore.open(copy) as cut:
            found = [each.id for each in cut.log()]
            assert sound(cut)
            cut.transact(events("goes on"))
    except StoreError as error:
        pytest.fail(f"a store whose log was cut off has to open: {error}")
    assert found == names[: len(found)]
    assert len(found) < 20
