"""Which files a store opens, and what it says of the others."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import apsw
import pytest

from evidentsource_core import (
    EffectiveTimeRange,
    InvalidDatabaseName,
    InvalidValue,
    ProspectiveEvent,
    QueryOptions,
    Selector,
)
from evidentsource_runtime.store import (
    ForeignFile,
    Module,
    NewerStore,
    OlderStore,
    SqliteStore,
    StoreClosed,
    StoreError,
    StoreForked,
    StoreInUse,
    StoreNotFound,
    StoreReadOnly,
    WrongDatabase,
    schema,
    verify,
)
from evidentsource_runtime.store.fetching import fetch, fetch_one
from tests.crash.levels import small_levels
from tests.unit.store.helpers import bank, event

ROOT = Path(__file__).parents[3]
ACCOUNTS = Selector.stream("accounts")


def raw(path: Path, *statements: str) -> None:
    db = apsw.Connection(str(path))
    for statement in statements:
        db.execute(statement)
    db.close()


# --- what is no store ------------------------------------------------------------------------------


def text(path: Path) -> None:
    path.write_text("dear diary")


def other_application(path: Path) -> None:
    raw(path, "CREATE TABLE mine (a)", "PRAGMA application_id = 7")


def no_application(path: Path) -> None:
    raw(path, "CREATE TABLE mine (a)")


def folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize("make", [text, other_application, no_application, folder])
@pytest.mark.parametrize("mode", ["read", "write"])
def test_a_file_of_something_else_is_refused_and_left_as_it_is(
    tmp_path: Path, make: Any, mode: Any
) -> None:
    path = tmp_path / "bank.db"
    make(path)
    before = None if path.is_dir() else path.read_bytes()
    with pytest.raises(ForeignFile, match="name a file of this store"):
        SqliteStore.open(path, mode=mode)
    assert path.is_dir() or path.read_bytes() == before


def test_an_empty_file_becomes_a_store_and_cannot_be_read_before(tmp_path: Path) -> None:
    path = tmp_path / "bank.db"
    path.touch()
    with pytest.raises(StoreNotFound):
        SqliteStore.open(path, mode="read")
    with SqliteStore.open(path) as store:
        assert store.head().revision == 0


@pytest.mark.parametrize("how", [{"mode": "read"}, {"create": False}])
def test_a_file_that_is_not_there_is_only_made_for_writing(
    tmp_path: Path, how: dict[str, Any]
) -> None:
    with pytest.raises(StoreNotFound, match="open it for writing once"):
        SqliteStore.open(tmp_path / "bank.db", **how)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreReadOnly, match="its folder does not exist; make the folder first"):
        SqliteStore.open(tmp_path / "nowhere" / "bank.db")


@pytest.mark.parametrize("how", [{"mode": "append"}, {"synchronous": "OFF"}])
def test_an_argument_without_meaning_is_named(tmp_path: Path, how: dict[str, Any]) -> None:
    with pytest.raises(InvalidValue, match=next(iter(how))):
        SqliteStore.open(tmp_path / "bank.db", **how)


# --- names -----------------------------------------------------------------------------------------


def test_a_store_is_named_after_its_file_and_keeps_the_name(tmp_path: Path) -> None:
    with SqliteStore.open(tmp_path / "bank.db", host="example.org") as store:
        assert (store.name, store.streams) == ("bank", "https://example.org/db/bank/streams")
    (tmp_path / "bank.db").rename(tmp_path / "other.db")
    with SqliteStore.open(tmp_path / "other.db") as store:
        assert store.name == "bank"


@pytest.mark.parametrize("mode", ["read", "write"])
@pytest.mark.parametrize("wanted", [{"name": "shop"}, {"host": "example.org"}])
def test_a_store_of_another_database_is_refused(
    tmp_path: Path, wanted: dict[str, Any], mode: Any
) -> None:
    bank(tmp_path).close()
    with pytest.raises(WrongDatabase, match=r"leave .* out"):
        SqliteStore.open(tmp_path / "bank.db", mode=mode, **wanted)


def test_a_file_whose_name_is_none_of_a_database_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(InvalidDatabaseName):
        SqliteStore.open(tmp_path / "1.db")
    assert list(tmp_path.iterdir()) == []


# --- one writer, many readers ----------------------------------------------------------------------


def test_a_second_writer_is_told_who_has_the_file(tmp_path: Path) -> None:
    with bank(tmp_path), pytest.raises(StoreInUse, match=r'this process; .* mode="read"'):
        bank(tmp_path)
    bank(tmp_path).close()


def elsewhere(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_another_process_reads_what_is_committed_and_may_not_write(tmp_path: Path) -> None:
    with bank(tmp_path) as store:
        store.transact([event("e-1")])
        found = elsewhere(
            """
            import sys
            from evidentsource_core import Selector
            from evidentsource_runtime.store import SqliteStore, StoreInUse
            with SqliteStore.open(sys.argv[1], mode="read") as reader:
                print([event.id for event in reader.query(Selector.stream("accounts"))])
            try:
                SqliteStore.open(sys.argv[1])
            except StoreInUse as error:
                print(error.holder)
            """,
            store.path,
        )
    assert found.stdout.splitlines() == ["['e-1']", f"process {os.getpid()}"], found.stderr


def test_a_reader_in_a_folder_that_cannot_be_written_reads_the_file_as_it_is(
    tmp_path: Path,
) -> None:
    with bank(tmp_path) as store:
        store.transact([event("e-1")])
    # As root nothing is forbidden, so the reader becomes somebody else.
    found = elsewhere(
        """
        import os, sys
        from evidentsource_core import Selector
        from evidentsource_runtime.store import SqliteStore, StoreError
        folder, path = sys.argv[1:]
        for entry in (*os.scandir(folder),):
            os.chmod(entry.path, 0o444)
        os.chmod(folder, 0o555)
        if os.getuid() == 0:
            parent = folder
            while parent != "/":
                parent = os.path.dirname(parent)
                os.chmod(parent, os.stat(parent).st_mode | 0o055) if "pytest" in parent else None
            os.setuid(65534)
        with SqliteStore.open(path, mode="read") as reader:
            print([event.id for event in reader.query(Selector.stream("accounts"))])
        try:
            SqliteStore.open(path)
        except StoreError as error:
            print(error.code)
        """,
        tmp_path,
        store.path,
    )
    tmp_path.chmod(0o755)
    assert found.stdout.splitlines() == ["['e-1']", "store-read-only"], found.stderr


def test_a_store_that_was_opened_to_read_is_not_written(tmp_path: Path) -> None:
    bank(tmp_path).close()
    with (
        SqliteStore.open(tmp_path / "bank.db", mode="read") as store,
        pytest.raises(StoreReadOnly, match='mode="write"'),
    ):
        store.transact([event("e-1")])


def test_a_closed_store_refuses_everything_and_can_be_closed_again(tmp_path: Path) -> None:
    store = bank(tmp_path)
    store.transact([event("e-1")])
    left = store.query(Selector.stream("accounts"))
    store.close()
    store.close()
    for use in (
        lambda: store.transact([event("e-2")]),
        lambda: list(left),
        lambda: store.event("accounts", "e-1"),
        lambda: store.wait(0, 1),
    ):
        with pytest.raises(StoreClosed, match="open it again"):
            use()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this machine cannot fork")
def test_a_child_of_a_fork_is_told_to_open_its_own(tmp_path: Path) -> None:
    found = elsewhere(
        """
        import os, sys
        from evidentsource_core import ProspectiveEvent
        from evidentsource_runtime.store import SqliteStore, StoreForked
        store = SqliteStore.open(sys.argv[1])
        if os.fork() == 0:
            for use in (lambda: store.event("a1", "b"),
                        lambda: store.transact([ProspectiveEvent("a", "a1", "b")])):
                try:
                    use()
                except StoreForked as error:
                    print(error.code, flush=True)
            os._exit(0)
        os.wait()
        store.close()
        """,
        tmp_path / "bank.db",
    )
    assert found.stdout.splitlines() == [StoreForked.code] * 2, found.stderr


# --- versions --------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["read", "write"])
def test_a_store_of_a_newer_release_is_refused(tmp_path: Path, mode: Any) -> None:
    path = tmp_path / "bank.db"
    bank(tmp_path).close()
    raw(path, "UPDATE module SET version = version + 1")
    with pytest.raises(NewerStore, match="a later one") as caught:
        SqliteStore.open(path, mode=mode)
    assert (caught.value.module, caught.value.found) == ("events", schema.EVENTS.version + 1)


NOTES = Module("notes", ("CREATE TABLE note (revision INTEGER PRIMARY KEY, text TEXT) STRICT",))
MORE_NOTES = Module("notes", (*NOTES.steps, "ALTER TABLE note ADD COLUMN author TEXT"))


def test_a_module_gets_its_tables_and_their_later_versions(tmp_path: Path) -> None:
    bank(tmp_path, modules=[NOTES]).close()
    path = tmp_path / "bank.db"
    with pytest.raises(OlderStore, match="open it once for writing"):
        SqliteStore.open(path, mode="read", modules=[MORE_NOTES])
    with bank(tmp_path, modules=[MORE_NOTES]) as store:
        store.write(lambda db: db.execute("INSERT INTO note VALUES (1, 'a', 'b')").fetchall())
    with SqliteStore.open(path, mode="read") as store, store.read() as db:
        assert fetch_one(db, "SELECT * FROM note") == (1, "a", "b")


def test_a_step_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    bank(tmp_path, modules=[NOTES]).close()
    wrong = Module(
        "notes", (*NOTES.steps, "CREATE TABLE other (a)", "ALTER TABLE nowhere RENAME TO b")
    )
    with pytest.raises(StoreError):
        bank(tmp_path, modules=[wrong])
    with bank(tmp_path, modules=[NOTES]) as store, store.read() as db:
        assert fetch_one(db, "SELECT 1 FROM sqlite_schema WHERE name = 'other'") is None


_AS_BEFORE = """
INSERT INTO store SELECT id, name, streams, created_us FROM new.store;
INSERT INTO stream SELECT * FROM new.stream;
INSERT INTO subject SELECT * FROM new.subject;
INSERT INTO type SELECT * FROM new.type;
INSERT INTO tx SELECT revision, basis, tx_id, coalesce(recorded_us, effective_us), recorded,
    fingerprint, checksum FROM new.event WHERE basis IS NOT NULL;
INSERT INTO event SELECT revision, tx, stream, subject, type, effective_us, effective_ns, timed, id, data,
    datacontenttype, dataschema, extensions FROM new.event;
"""


def as_before(made: Path, path: Path) -> None:
    """A file of the first version of the tables, with what another file has."""
    db = apsw.Connection(str(path))
    db.pragma("application_id", schema.APPLICATION_ID)
    db.execute("CREATE TABLE module (name TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT")
    db.execute("INSERT INTO module VALUES ('events', 1)")
    first = schema.EVENTS.steps[0]
    assert isinstance(first, str)
    db.execute(first)
    db.execute("ATTACH ? AS new", (str(made),))
    db.execute(_AS_BEFORE)
    db.close()


@pytest.mark.parametrize("events", [0, 1, 15, 16, 300])
def test_a_store_with_earlier_tables_keeps_everything_and_gets_the_index(
    tmp_path: Path, events: int
) -> None:
    wanted = [
        ProspectiveEvent(
            f"e-{n}",
            f"stream-{n % 3}",
            f"type-{n % 2}",
            None if n % 5 == 0 else f"a-{n % 20}",
            data=f"{n}",
            time=datetime(2020, 1, 1, tzinfo=UTC) if n % 7 == 0 else None,
        )
        for n in range(events)
    ]
    batches = [wanted[start : start + 4] for start in range(0, events, 4)]
    with SqliteStore.open(tmp_path / "made.db", name="bank") as made:
        for number, batch in enumerate(batches):
            made.transact(batch, transaction_id=f"t-{number}")
        expected = list(made.log(detail=True))
    as_before(tmp_path / "made.db", tmp_path / "bank.db")
    with pytest.raises(OlderStore, match="open it once for writing"):
        SqliteStore.open(tmp_path / "bank.db", mode="read")
    with SqliteStore.open(tmp_path / "bank.db") as store:
        assert list(verify(store)) == []
        assert list(store.log(detail=True)) == expected
        for event in [event for result in expected for event in result.events][::7]:
            assert store.event(event.stream() or "", event.id) == event
            found = store.query(Selector.subject(event.subject))
            assert event in list(found)
        for number, batch in enumerate(batches):
            assert store.transact(batch, transaction_id=f"t-{number}") == expected[number]
        store.transact([ProspectiveEvent("new", "stream-0", "type-0")])
        assert store.head().revision == events + 1
    with SqliteStore.open(tmp_path / "bank.db", mode="read") as store:
        assert list(verify(store)) == []
        assert store.event("stream-0", "new") is not None


_MERGED = (
    "INSERT INTO entry_4 SELECT * FROM entry_3",
    "UPDATE level SET entries = (SELECT count(*) FROM entry_4) WHERE number = 4",
)
_AS_OF_VERSION_2 = (
    *("DROP TABLE gathered", "DROP TABLE run", "DROP TABLE gathering"),
    "DROP INDEX event_by_time",
    "CREATE INDEX event_by_time ON event (effective_us)",
    "DROP TABLE entry_3",
    "ALTER TABLE entry_4 RENAME TO entry_3",
    "DELETE FROM level WHERE number = 3",
    "UPDATE level SET number = 3 WHERE number = 4",
    "UPDATE module SET version = 2 WHERE name = 'events'",
)


def test_a_store_with_three_levels_and_every_time_in_an_index_gets_four_and_the_named_times(
    tmp_path: Path,
) -> None:
    late = datetime(2030, 1, 1, tzinfo=UTC)
    options = QueryOptions(range=EffectiveTimeRange())
    with small_levels(), bank(tmp_path) as store:
        for number in range(400):
            named = late if number % 7 == 0 else None
            store.transact([event(f"e-{number}", f"a-{number % 5}", time=named)])
        expected = list(store.query(ACCOUNTS, options))
        with store.read() as db:
            rest = fetch_one(db, "SELECT count(*) FROM entry_3")
    raw(tmp_path / "bank.db", *_MERGED, *_AS_OF_VERSION_2)
    with pytest.raises(OlderStore):
        SqliteStore.open(tmp_path / "bank.db", mode="read")
    with small_levels(), bank(tmp_path) as store:
        with store.read() as db:
            levels = dict(fetch(db, "SELECT number, entries FROM level"))
            assert (levels[3], sorted(levels)) == (0, [1, 2, 3, 4])
            entries = "SELECT count(*) FROM event INDEXED BY event_by_time WHERE timed = 1"
            assert fetch_one(db, entries) == (58,)
        assert list(store.query(ACCOUNTS, options)) == expected
        for number in range(400):
            store.transact([event(f"f-{number}", f"a-{number % 5}")])
        assert list(verify(store)) == []
        for name in range(5):
            assert store.count(Selector.subject(f"a-{name}")) == 160
    assert rest != (0,)
