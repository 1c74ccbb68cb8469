"""Copies of a store: one moment of it, checked, and never in the place of another file."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from evidentsource_core import Selector
from evidentsource_runtime.store import (
    DamagedStore,
    Module,
    SqliteStore,
    StoreClosed,
    StoreIOError,
    TargetExists,
    copying,
    verify,
)
from tests.unit.store.helpers import bank, event

ACCOUNTS = Selector.stream("accounts")
NOTES = Module("notes", ("CREATE TABLE note (text TEXT NOT NULL) STRICT",))


def test_a_copy_is_one_moment_of_a_store_that_is_written_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "_PAGES", 1)
    with bank(tmp_path) as store:
        store.transact([event(f"e-{n}", data="x" * 1000) for n in range(200)])
        ended = threading.Event()

        def write() -> None:
            number = 0
            while not ended.is_set():
                store.transact([event(f"a-{number}"), event(f"b-{number}")])
                number += 1

        writer = threading.Thread(target=write)
        writer.start()
        try:
            store.wait(201)
            head = store.backup(tmp_path / "copy.db")
        finally:
            ended.set()
            writer.join()
        assert head.revision % 2 == 0
        assert head == store.at_revision(head.revision)
        expected = list(store.query(ACCOUNTS, revision=head.revision))
    with SqliteStore.open(tmp_path / "copy.db") as copy:
        assert (copy.name, copy.head(), list(verify(copy))) == ("bank", head, [])
        assert list(copy.query(ACCOUNTS)) == expected
        assert copy.transact([event("next")]).revision == head.revision + 1


def test_a_copy_is_one_file_with_the_tables_of_modules_in_it(tmp_path: Path) -> None:
    with bank(tmp_path, modules=[NOTES]) as store:
        store.write(lambda db: db.execute("INSERT INTO note VALUES ('kept')"))
        with SqliteStore.open(tmp_path / "bank.db", mode="read") as reader:
            reader.backup(tmp_path / "copy.db")
        assert sorted(path.name for path in tmp_path.glob("*copy*")) == ["copy.db"]
    with (
        SqliteStore.open(tmp_path / "copy.db", mode="read", modules=[NOTES]) as copy,
        copy.read() as db,
    ):
        assert db.execute("SELECT text FROM note").fetchall() == [("kept",)]


def test_no_file_is_overwritten_by_a_copy(tmp_path: Path) -> None:
    (tmp_path / "copy.db").write_bytes(b"mine")
    (tmp_path / "dangling.db").symlink_to(tmp_path / "nowhere")
    with bank(tmp_path) as store:
        for name in ("copy.db", "bank.db", "dangling.db"):
            with pytest.raises(TargetExists, match="name another file") as caught:
                store.backup(tmp_path / name)
            assert caught.value.path == str(tmp_path / name)
    assert (tmp_path / "copy.db").read_bytes() == b"mine"


def test_nor_where_one_came_while_it_was_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def meanwhile(store: SqliteStore) -> object:
        (tmp_path / "copy.db").write_bytes(b"mine")
        return verify(store)

    monkeypatch.setattr(copying, "verify", meanwhile)
    with bank(tmp_path) as store, pytest.raises(TargetExists):
        store.backup(tmp_path / "copy.db")
    assert (tmp_path / "copy.db").read_bytes() == b"mine"
    assert not list(tmp_path.glob(".*"))


def test_a_damaged_store_is_told_and_leaves_no_copy(tmp_path: Path) -> None:
    with bank(tmp_path) as store:
        store.transact([event("e-1", data="x" * 100)])
    path = tmp_path / "bank.db"
    path.write_bytes(path.read_bytes().replace(b"x" * 100, b"y" * 100))
    with bank(tmp_path) as store:
        with pytest.raises(DamagedStore, match="changed-events") as caught:
            store.backup(tmp_path / "copy.db")
        assert caught.value.path == str(path)
    assert not list(tmp_path.glob("*copy*"))


def test_a_folder_that_is_not_there_is_named_and_a_closed_store_refuses(tmp_path: Path) -> None:
    with bank(tmp_path) as store, pytest.raises(StoreIOError, match=r"nowhere.*its folder"):
        store.backup(tmp_path / "nowhere" / "copy.db")
    with pytest.raises(StoreClosed):
        store.backup(tmp_path / "copy.db")
