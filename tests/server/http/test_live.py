"""Server-sent events: what there is first, then what comes, and where one left off."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any, Self

import httpx
import pytest

from evidentsource_runtime.server import Server, Settings, running

ACCEPT = {"accept": "text/event-stream"}


def credit(web: httpx.Client, bank: str, number: int, account: str = "a-1") -> None:
    value = {"id": f"c{number}", "account": account}
    answer = web.post(f"/api/v1/db/{bank}/state-changes/credit/1", json=value)
    assert answer.status_code == 201


class Reader:
    """Reads events off a stream, one by one."""

    def __init__(self, web: httpx.Client, path: str, **headers: str) -> None:
        self._open = web.stream("GET", path, headers=ACCEPT | headers)
        self.answer = self._open.__enter__()
        self._lines: Iterator[str] = (
            self.answer.iter_lines() if self.answer.status_code == 200 else iter(())
        )

    def next(self) -> tuple[int | None, str, Any]:
        found: dict[str, str] = {}
        for line in self._lines:
            name, _, value = line.partition(": ")
            if line and not line.startswith(":"):
                found[name] = value
            elif not line and "event" in found:
                number = found.get("id")
                return (
                    (None if number is None else int(number)),
                    found["event"],
                    json.loads(found["data"]),
                )
        raise EOFError

    def close(self) -> None:
        self._open.__exit__(None, None, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def test_a_database_is_told_as_it_is_and_after_each_commit(web: httpx.Client, rules: str) -> None:
    path = f"/api/v1/db/{rules}/updates"
    with Reader(web, path) as reader:
        assert reader.next()[:2] == (0, "database")
        credit(web, rules, 1)
        number, _, state = reader.next()
        assert (number, state["revision"]) == (1, 1)
    credit(web, rules, 2)
    credit(web, rules, 3)
    with Reader(web, path, **{"last-event-id": "1"}) as reader:
        assert [reader.next()[0] for _ in range(2)] == [2, 3]


def test_events_come_none_missed_and_none_twice(web: httpx.Client, rules: str) -> None:
    credit(web, rules, 1)
    credit(web, rules, 2, "a-2")
    path = f"/api/v1/db/{rules}/latest/events?subject=a-1"
    with Reader(web, path) as reader:
        assert reader.next()[0] == 1
        credit(web, rules, 3)
        number, kind, event = reader.next()
        assert (number, kind, event["id"], event["subject"]) == (3, "event", "e-c3-0", "a-1")
    credit(web, rules, 4)
    with Reader(web, path, **{"last-event-id": "3"}) as reader:
        assert reader.next()[0] == 4
    with Reader(web, f"{path}&start_at=now") as reader:
        credit(web, rules, 5)
        assert reader.next()[0] == 5


def test_a_view_comes_as_it_is_and_whenever_an_event_of_it_is_committed(
    web: httpx.Client, rules: str
) -> None:
    credit(web, rules, 1)
    path = f"/api/v1/db/{rules}/latest/state-views/credits/1?subject.account_id=a-1"
    with Reader(web, path) as reader:
        assert reader.next()[2]["content"] == "1"
        credit(web, rules, 2, "a-2")
        credit(web, rules, 3)
        number, kind, view = reader.next()
        assert (number, kind, view["content"]) == (3, "state-view", "2")
    with Reader(web, path, **{"last-event-id": "3"}) as reader:
        credit(web, rules, 4)
        assert reader.next()[0] == 4


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/db/nowhere/updates", 404),
        ("/api/v1/db/nowhere/latest/events", 404),
        ("/api/v1/db/BANK/latest/state-views/nothing/1", 404),
        ("/api/v1/db/BANK/latest/state-views/credits/1", 400),
        ("/api/v1/db/BANK/1/state-views/credits/1?subject.account_id=a-1", 400),
        ("/api/v1/db/BANK/latest/events?limit=1", 400),
    ],
)
def test_a_stream_that_cannot_begin_is_an_answer(
    path: str, status: int, web: httpx.Client, rules: str
) -> None:
    with Reader(web, path.replace("BANK", rules)) as reader:
        assert reader.answer.status_code == status
        assert reader.answer.headers["content-type"] == "application/problem+json"


def test_a_stream_ends_with_its_database(web: httpx.Client, rules: str) -> None:
    with Reader(web, f"/api/v1/db/{rules}/updates") as reader:
        reader.next()
        web.delete(f"/api/v1/db/{rules}")
        _, kind, problem = reader.next()
        assert (kind, problem["code"], problem["name"]) == ("problem", "database-not-found", rules)


def test_a_client_that_goes_leaves_nothing_open(
    server: Server, web: httpx.Client, rules: str
) -> None:
    before = server.admission.open_streams
    readers = [Reader(web, f"/api/v1/db/{rules}/updates") for _ in range(20)]
    for reader in readers:
        reader.next()
    assert server.admission.open_streams == before + 20
    for reader in readers:
        reader.close()
    until = time.monotonic() + 10
    while server.admission.open_streams > before and time.monotonic() < until:
        time.sleep(0.01)
    assert server.admission.open_streams == before


def test_whoever_waits_for_a_revision_is_answered_when_it_is_there(
    web: httpx.Client, rules: str
) -> None:
    late = web.get(f"/api/v1/db/{rules}/1", params={"wait": "0"})
    assert (late.status_code, late.json()["code"]) == (504, "timeout")
    credit(web, rules, 1)
    assert web.get(f"/api/v1/db/{rules}/1").json()["revision"] == 1


def test_a_server_that_stops_ends_its_streams(tmp_path: Any) -> None:
    with running(Settings(tmp_path, grpc_port=0, http_port=0, grace=5.0)) as server:
        assert server.http is not None
        web = httpx.Client(base_url=server.http.url)
        web.post("/api/v1/databases", json={"name": "bank"})
        reader = Reader(web, "/api/v1/db/bank/updates")
        reader.next()
        began = time.monotonic()
    assert reader.next()[1] == "stopping"
    assert time.monotonic() - began < 4
    reader.close()
    web.close()
