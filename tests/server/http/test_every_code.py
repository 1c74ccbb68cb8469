"""Every way in which a request can end badly, brought about and asked for over both interfaces."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw
import grpc
import httpx
import pytest

from evidentsource_core import Constraint, Selector
from evidentsource_core.domain.errors import ConcurrentWriteCollision
from evidentsource_core.rules import Limits as TransactionLimits
from evidentsource_runtime.database import Database
from evidentsource_runtime.server import Server, Settings, running
from evidentsource_runtime.server.access import Limits
from evidentsource_runtime.server.service import Kind
from evidentsource_runtime.store import SqliteStore
from tests.crash.faulty import Faults, FaultyVfs
from tests.server.conftest import CHANGE, SOMEBODY, credit, event
from tests.server.http.test_same_answers import Question, command, transaction
from tests.server.stub import OPTIONS, Stub, reason, said

SECRET = "of-the-machine"
"""Part of the path of every database here; no caller is to see it."""


@dataclass
class Place:
    """A server whose limits are soon reached, and whose disk and calls can be told to fail."""

    server: Server
    stub: Stub
    web: httpx.Client
    faults: Faults
    patch: pytest.MonkeyPatch
    held: ExitStack = field(default_factory=ExitStack)


@dataclass(frozen=True)
class Case:
    """One way to end badly.

    Args:
        name: in words.
        kind: what it is to the service.
        grpc: the status over gRPC.
        http: the status over HTTP.
        question: what is asked.
        prepare: what is done before it is asked, on each interface.
        headers: what goes with it.
    """

    name: str
    kind: Kind
    grpc: str
    http: int
    question: Question
    prepare: Callable[[Place], object] = lambda place: None
    headers: dict[str, str] = field(default_factory=dict)


LATEST = Question(
    "latest", "FetchLatestDatabase", {"database_name": "bank"}, "GET", "/api/v1/db/bank", ""
)
BROKEN = Question(
    "broken", "FetchLatestDatabase", {"database_name": "broken"}, "GET", "/api/v1/db/broken", ""
)
NOWHERE = Question(
    "nowhere", "FetchLatestDatabase", {"database_name": "nowhere"}, "GET", "/api/v1/db/nowhere", ""
)
TWICE = Question(
    "twice", "CreateDatabase", {"database_name": "bank"}, "POST", "/api/v1/databases", "",
    {"json": {"name": "bank"}},
)  # fmt: skip
AHEAD = Question(
    "ahead", "EventById",
    {"database_name": "bank", "stream": "accounts", "event_id": "e-1", "revision": 99},
    "GET", "/api/v1/db/bank/99/events/accounts/e-1", "",
)  # fmt: skip
SUBSCRIBE = Question(
    "subscribe", "SubscribeDatabaseUpdates", {"database_name": "bank"}, "GET",
    "/api/v1/db/bank/updates", "", {"headers": {"accept": "text/event-stream"}},
)  # fmt: skip


def append(*events: Any, **more: Any) -> Question:
    return transaction("append", "", *events, database="bank", **more)


def full(place: Place) -> None:
    place.faults.write = apsw.FullError


def unsure(place: Place) -> None:
    place.faults.sync = apsw.IOError


def overtaken(place: Place) -> None:
    def lose(*_: Any, **__: Any) -> Any:
        raise ConcurrentWriteCollision

    place.patch.setattr(Database, "transact", lose)


def as_many_streams_as_may_be(place: Place) -> None:
    if not place.server.admission.open_streams:
        call = place.stub.SubscribeDatabaseUpdates(database_name="bank")
        next(call)
        place.held.callback(call.cancel)


def as_many_requests_as_may_be(place: Place) -> None:
    place.patch.setattr(place.server.admission._rates, "_rate", 0.001)
    place.patch.setattr(place.server.admission._rates, "_burst", 0.5)


HOLDS_NOT = Constraint.must_exist(Selector.subject("nobody"))
CASES = (
    Case("a name that is none", Kind.INVALID, "INVALID_ARGUMENT", 400,
         append(event(1, stream="7"))),
    Case("refused: validation", Kind.INVALID, "INVALID_ARGUMENT", 400,
         command("", "", {"refuse": "validation"})),
    Case("nobody known", Kind.UNAUTHENTICATED, "UNAUTHENTICATED", 401, LATEST,
         headers={"authorization": "Bearer nonsense"}),
    Case("not allowed", Kind.DENIED, "PERMISSION_DENIED", 403, append(event(1)),
         headers={"x-dev-grants": '["reader"]'}),
    Case("refused: unauthorized", Kind.DENIED, "PERMISSION_DENIED", 403,
         command("", "", {"refuse": "unauthorized"})),
    Case("no such database", Kind.NOT_FOUND, "NOT_FOUND", 404, NOWHERE),
    Case("refused: not found", Kind.NOT_FOUND, "NOT_FOUND", 404,
         command("", "", {"refuse": "not_found"})),
    Case("a database that is there", Kind.EXISTS, "ALREADY_EXISTS", 409, TWICE),
    Case("an event that is there", Kind.EXISTS, "ALREADY_EXISTS", 409, append(event("first"))),
    Case("a condition that holds not", Kind.CONFLICT, "FAILED_PRECONDITION", 409,
         append(event(1), conditions=[HOLDS_NOT])),
    Case("refused: conflict", Kind.CONFLICT, "FAILED_PRECONDITION", 409,
         command("", "", {"refuse": "conflict"})),
    Case("another writer was faster", Kind.ABORTED, "ABORTED", 409, append(event(1)), overtaken),
    Case("a revision to come", Kind.OUT_OF_RANGE, "OUT_OF_RANGE", 404, AHEAD),
    Case("too large a request", Kind.TOO_LARGE, "RESOURCE_EXHAUSTED", 413,
         append(event(1, data="x" * 200_000))),
    Case("too large a transaction", Kind.TOO_LARGE, "RESOURCE_EXHAUSTED", 413,
         append(event(1), event(2), event(3))),
    Case("too many requests", Kind.TOO_MANY, "RESOURCE_EXHAUSTED", 429, LATEST,
         as_many_requests_as_may_be),
    Case("too many streams", Kind.TOO_MANY, "RESOURCE_EXHAUSTED", 429, SUBSCRIBE,
         as_many_streams_as_may_be),
    Case("too long", Kind.TIMEOUT, "DEADLINE_EXCEEDED", 504, command("", "", {"sleep": 1})),
    Case("a full disk", Kind.UNAVAILABLE, "UNAVAILABLE", 503, append(event(1)), full),
    Case("a disk that fails in a commit", Kind.UNCERTAIN, "UNKNOWN", 500, append(event(1)), unsure),
    Case("a component that fails", Kind.COMPONENT, "INTERNAL", 500, command("", "", {"fail": 1})),
    Case("refused: internal", Kind.COMPONENT, "INTERNAL", 500,
         command("", "", {"refuse": "internal"})),
    Case("a file that is no database", Kind.INTERNAL, "INTERNAL", 500, BROKEN),
)  # fmt: skip


def decide(database: Any, request: Any, metadata: Any) -> Any:
    time.sleep(request.parse_json().get("sleep", 0))
    return credit(database, request, metadata)


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder: Path = tmp_path_factory.mktemp(SECRET)
    (folder / "broken.db").write_bytes(b"not a database" * 100)
    vfs = FaultyVfs("failing")
    opened = SqliteStore.open
    limits = Limits(request_bytes=100_000, seconds=0.3, streams=1)
    settings = Settings(
        folder,
        grpc_port=0,
        http_port=0,
        limits=limits,
        transactions=TransactionLimits(max_events=2),
    )
    with pytest.MonkeyPatch.context() as patch, running(settings) as server:
        assert server.http is not None
        patch.setattr(SqliteStore, "open", lambda *a, **k: opened(*a, **k, vfs="failing"))
        server.ask(server.service.databases.create(SOMEBODY, "bank"))
        server.ask(server.service.views.publish_state_change(SOMEBODY, "bank", CHANGE, decide))
        with (
            grpc.insecure_channel(server.grpc.target, OPTIONS) as channel,
            httpx.Client(base_url=server.http.url, timeout=30.0) as web,
        ):
            place = Place(server, Stub(channel), web, vfs.faults, patch)
            transaction("", "", event("first"), database="bank").asked(place.stub, "bank")
            yield place
    vfs.unregister()


@pytest.fixture
def place(failing: Place) -> Iterator[Place]:
    with pytest.MonkeyPatch.context() as patch, ExitStack() as held:
        yield Place(failing.server, failing.stub, failing.web, failing.faults, patch, held)
        failing.faults.clear()


def begun(question: Question, stub: Stub) -> None:
    """Ask over gRPC; what is a stream fails when it is read."""
    next(question.asked(stub, "bank"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_kind_of_failure_has_its_code_on_both_interfaces(case: Case, place: Place) -> None:
    question = case.question
    case.prepare(place)
    metadata = tuple(case.headers.items())
    with pytest.raises(grpc.RpcError) as refused:
        begun(question, Stub(place.stub._channel, metadata))
    place.faults.clear()
    case.prepare(place)
    sent = dict(question.sent)
    headers = sent.pop("headers", {}) | case.headers
    path = question.path.replace("BANK", "bank")
    answer = place.web.request(question.method, path, headers=headers, **sent)
    problem = answer.json()

    assert (refused.value.code().name, answer.status_code) == (case.grpc, case.http)
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["status"] == case.http
    told = "" if case.name == "too large a request" else reason(refused.value)
    # grpc itself turns away what is too large, before anything of the server's is asked.
    assert told in {"", problem["code"].upper().replace("-", "_")}
    for text in (answer.text, said(refused.value)):
        assert text
        assert SECRET not in text
        assert "Traceback" not in text


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_kind_is_what_the_service_says(case: Case) -> None:
    from evidentsource_runtime.server.grpc.status import code_of
    from evidentsource_runtime.server.http.problems import status_of

    assert (code_of(case.kind).name, status_of(case.kind)) == (case.grpc, case.http)


def test_no_kind_is_left_out() -> None:
    assert {case.kind for case in CASES} == set(Kind)


def test_the_server_goes_on_after_all_of_it(place: Place) -> None:
    assert place.web.get("/api/v1/db/bank").json()["name"] == "bank"
    command("", "", {"id": "after"}).asked(place.stub, "bank")
