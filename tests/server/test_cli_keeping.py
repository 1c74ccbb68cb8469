"""Backup, restore, verify, export and import of a database in a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import evidentsource_runtime
from evidentsource_core import ProspectiveEvent
from evidentsource_runtime.cli import main


def event(number: int) -> ProspectiveEvent:
    return ProspectiveEvent(f"e-{number}", "accounts", "opened", data=f'{{"n": {number}}}')


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "bank.db"
    with evidentsource_runtime.open(path) as db:
        for number in range(1, 4):
            db.transact([event(number)], transaction_id=f"t-{number}")
    return path


def call(*arguments: str | Path, status: int = 0) -> None:
    assert main([str(each) for each in arguments]) == status


def test_a_backup_is_taken_while_the_database_is_written(file: Path, tmp_path: Path) -> None:
    with evidentsource_runtime.open(file) as db:
        db.transact([event(4)])
        call("backup", file, tmp_path / "copy.db")
        db.transact([event(5)])
    with evidentsource_runtime.open(tmp_path / "copy.db", mode="read") as copy:
        assert (copy.name, copy.latest().revision) == ("bank", 4)
    call("restore", tmp_path / "copy.db", tmp_path / "again.db")
    with evidentsource_runtime.open(tmp_path / "again.db") as restored:
        assert restored.transact([event(5)]).revision == 5
    assert not list(tmp_path.glob(".*"))


def test_no_file_is_overwritten(file: Path, tmp_path: Path) -> None:
    (tmp_path / "copy.db").write_bytes(b"mine")
    call("backup", file, tmp_path / "copy.db", status=1)
    assert (tmp_path / "copy.db").read_bytes() == b"mine"


def test_what_is_no_database_is_not_restored(tmp_path: Path) -> None:
    (tmp_path / "copy.db").write_bytes(b"nonsense" * 1000)
    call("restore", tmp_path / "copy.db", tmp_path / "bank.db", status=1)
    assert not (tmp_path / "bank.db").exists()


def test_a_damaged_database_is_told(
    file: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    call("verify", file)
    assert capsys.readouterr().out == f"{file}: no fault found\n"
    content = file.read_bytes()
    assert b'{"n": 2}' in content
    damaged = tmp_path / "damaged.db"
    damaged.write_bytes(content.replace(b'{"n": 2}', b'{"n": 7}'))
    call("verify", damaged, status=1)
    assert "error:" in capsys.readouterr().err


def test_events_go_out_and_come_in_once(file: Path, tmp_path: Path) -> None:
    lines = tmp_path / "events.jsonl"
    call("export", file, "--output", lines)
    assert [json.loads(line)["data"] for line in lines.read_text().splitlines()] == [
        {"n": 1}, {"n": 2}, {"n": 3},
    ]  # fmt: skip
    other = tmp_path / "other.db"
    for _ in range(2):
        call("import", lines, other, "--batch", "2")
    with evidentsource_runtime.open(other, mode="read") as db:
        found = [each for transaction in db.log() for each in transaction.events]
    assert [(each.id, each.data_as_string()) for each in found] == [
        (f"e-{n}", f'{{"n": {n}}}') for n in (1, 2, 3)
    ]


def test_a_wrong_line_is_told_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = '{"specversion": "1.0", "id": "e", "source": "accounts", "type": "t"}'
    (tmp_path / "events.jsonl").write_text(f"{good}\n{good.replace('accounts', '7')}\n")
    call("import", tmp_path / "events.jsonl", tmp_path / "bank.db", status=1)
    assert "events.jsonl:2: " in capsys.readouterr().err
    assert not (tmp_path / "bank.db").exists()


def spread(file: Path) -> None:
    """Two dozen subjects with as many events each, most of which have entries in the index."""
    with evidentsource_runtime.open(file, gather=False) as db:
        for number in range(24):
            db.transact(
                [
                    ProspectiveEvent(f"{number}-{n}", "accounts", "opened", f"a-{n}")
                    for n in range(24)
                ]
            )


def test_events_are_laid_side_by_side_and_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "bank.db"
    spread(file)
    call("gather", file, "--json")
    told = json.loads(capsys.readouterr().out)
    assert told["file"] == str(file)
    assert told["copied"] > 24 * 8
    assert told["size"] == file.stat().st_size
    call("gather", file)
    assert "0 events laid side by side" in capsys.readouterr().out
    call("verify", file)
    call("gather", file, "--drop")
    assert "dropped" in capsys.readouterr().out
    call("gather", file, "--json")
    assert json.loads(capsys.readouterr().out)["copied"] == told["copied"]
    call("verify", file)


def test_progress_of_gathering_is_told_on_a_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "bank.db"
    spread(file)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    call("gather", file)
    printed = capsys.readouterr()
    assert printed.err == "\r576 of 576 events\n"
    assert "events laid side by side" in printed.out


def test_a_database_that_somebody_writes_is_not_gathered(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with evidentsource_runtime.open(file):
        call("gather", file, status=1)
    assert "is open for writing in" in capsys.readouterr().err
    call("gather", file.with_name("none.db"), "--json", status=1)
    assert json.loads(capsys.readouterr().out)["errors"][0]["code"] == "no-database"
