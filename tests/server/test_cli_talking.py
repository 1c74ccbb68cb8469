"""The commands that ask a database: of a file and of a server they print the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import evidentsource_runtime
from evidentsource_core import ProspectiveEvent
from evidentsource_runtime.cli import main
from evidentsource_runtime.server import Server
from tests.server.conftest import VIEW, event, total

Run = Callable[..., str]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: str, status: int = 0) -> str:
        capsys.readouterr()
        found = main(arguments)
        captured = capsys.readouterr()
        assert found == status, captured
        return captured.out + captured.err

    return call


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "bank.db"
    with evidentsource_runtime.open(path) as db:
        db.publish_state_view(VIEW, total)
        db.transact(
            [event(1, subject="a-1", data='{"amount": 5}'), event(2, subject="a-2")],
            transaction_id="t-1",
        )
        db.transact([ProspectiveEvent("e-3", "others", "other")], transaction_id="t-2")
    return path


@pytest.fixture
def served(server: Server, rules: str, run: Run) -> tuple[str, ...]:
    """A server's database in which account a-1 was credited once; the options that name it."""
    assert server.http is not None
    options = ("--url", server.http.url, "--database", rules)
    command = '{"id": "x", "times": 1}'
    said = run("execute", "credit", "--json", command, "--transaction-id", "t-1", *options)
    assert said == "1 event, revision 1, transaction t-1\n"
    return options


def test_events_of_a_file(file: Path, run: Run) -> None:
    lines = run("events", "--json", "--data", str(file)).splitlines()
    assert [json.loads(line)["id"] for line in lines] == ["e-1", "e-2", "e-3"]
    one = run("events", "--subject", "a-1", "--json", "--data", str(file)).splitlines()
    assert [json.loads(line)["data"] for line in one] == [{"amount": 5}]
    last = run("events", "--reverse", "--limit", "1", "--json", "--data", str(file))
    assert json.loads(last)["id"] == "e-3"
    assert run("events", "--start-at", "4", "--json", "--data", str(file)) == ""
    table = run("events", "--data", str(file)).splitlines()
    assert table[0].split() == ["revision", "recorded", "stream", "subject", "type", "id", "data"]
    assert table[1].split()[2:] == [
        "accounts",
        "a-1",
        "account.credited",
        "e-1",
        '{"amount":',
        "5}",
    ]


def test_log_and_trace_of_a_file(file: Path, run: Run) -> None:
    lines = [json.loads(line) for line in run("log", "--json", "--data", str(file)).splitlines()]
    assert [(each["id"], each["event_count"]) for each in lines] == [("t-1", 2), ("t-2", 1)]
    assert "t-2" not in run("log", "--limit", "1", "--data", str(file))
    assert json.loads(run("trace", "t-2", "--json", "--data", str(file)))["revision"] == 3
    assert "events were appended" in run("trace", "t-2", "--data", str(file))
    missing = run("trace", "t-9", "--json", "--data", str(file), status=1)
    assert json.loads(missing)["errors"][0]["code"] == "transaction-not-found"


def test_events_log_and_trace_of_a_server(served: tuple[str, ...], run: Run) -> None:
    found = json.loads(run("events", "--type", "account.credited", "--json", *served))
    assert (found["id"], found["sequence"]) == ("e-x-0", "00000000000000000001")
    assert json.loads(run("events", "--json", *served))["id"] == "e-x-0"
    assert json.loads(run("log", "--json", *served))["id"] == "t-1"
    trace = json.loads(run("trace", "t-1", "--json", *served))
    assert (trace["state_change"], trace["decided_on"]) == ("credit", 0)
    assert "credit.v1" in run("trace", "t-1", *served)


def test_a_view_of_a_server(served: tuple[str, ...], run: Run) -> None:
    found = json.loads(run("view", "credits", "account_id=a-1", "--json", *served))
    assert found == {
        "name": "credits", "version": 1, "last_modified_revision": 1,
        "content_type": "application/json", "content": 1,
    }  # fmt: skip
    assert run("view", "credits@1", "account_id=a-1", *served) == "1\n"
    never = run("view", "credits", "account_id=a-1", "--revision", "0", *served)
    assert never == "credits.v1 was never modified\n"
    assert "account_id" in run("view", "credits", *served, status=1)


def test_a_refusal_of_a_server_is_told(served: tuple[str, ...], run: Run) -> None:
    sent = ("execute", "credit", "--json", '{"refuse": "conflict"}')
    assert run(*sent, *served, status=1) == "error: conflict: as the command says\n"
    told = json.loads(run(*sent, "--print-json", *served, status=1))
    assert told["errors"][0]["code"] == "state-change-refused"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("events", "--url", "http://127.0.0.1:9", "--database", "bank"), "cannot be asked"),
        (("events", "--data", "nowhere.db"), "there is no database in nowhere.db"),
        (("execute", "deposit"), "a command is needed"),
        (("execute", "deposit", "--json", "{"), "--json is no JSON"),
        (("execute", "deposit@0", "--json", "{}"), "is no version"),
        (("view", "summary", "a1"), "is no parameter"),
        (("events", "--follow", "--reverse"), "--follow goes on"),
    ],
)
def test_a_wrong_call_says_what_to_do(arguments: tuple[str, ...], said: str, run: Run) -> None:
    assert said in run(*arguments, status=1)


def test_following_gives_what_there_is_and_what_comes(served: tuple[str, ...]) -> None:
    from evidentsource_runtime.cli.asked import Filter
    from evidentsource_runtime.cli.asked_server import AskedServer

    with AskedServer(served[1], served[3], None) as database:
        found: Any = database.follow(Filter(subject="a-1"))
        assert next(found)["id"] == "e-x-0"
        database.execute("credit", None, b'{"id": "y"}', "application/json", None, None)
        assert next(found)["id"] == "e-y-0"
        found.close()


def test_following_a_file_gives_what_another_process_could_commit(file: Path) -> None:
    from evidentsource_runtime.cli.asked import Filter
    from evidentsource_runtime.cli.asked_file import AskedFile

    with AskedFile(file, writes=False) as database:
        found: Any = database.follow(Filter(start_at=2))
        assert [next(found)["id"] for _ in range(2)] == ["e-2", "e-3"]
        with evidentsource_runtime.open(file) as writer:
            writer.transact([event(9)])
            assert next(found)["id"] == "e-9"
        found.close()
