"""Streams, and clients that are slow, many, or gone."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from evidentsource_core import QueryOptions, Selector
from evidentsource_runtime.server import Server, Settings, running
from evidentsource_runtime.server.access import Limits
from evidentsource_runtime.server.grpc.calls import SERVICE
from evidentsource_runtime.server.protobuf.events import prospective_to
from evidentsource_runtime.server.protobuf.generated import service_pb2
from evidentsource_runtime.server.protobuf.views import query_to
from tests.server.conftest import SOMEBODY, event
from tests.server.stub import OPTIONS, Stub, said


def commit(stub: Stub, bank: str, *numbers: int, **fields: Any) -> None:
    proposed = [prospective_to(event(number, **fields)) for number in numbers]
    stub.Transact(database_name=bank, events=proposed)


def eventually(holds: Callable[[], bool], seconds: float = 10.0) -> bool:
    until = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


@contextmanager
def subscribed(stub: Stub, bank: str) -> Iterator[Any]:
    call = stub.SubscribeDatabaseUpdates(database_name=bank)
    try:
        yield call
    finally:
        call.cancel()


def test_a_subscription_gives_the_current_state_and_then_each_transaction(
    stub: Stub, bank: str
) -> None:
    commit(stub, bank, 1, 2)
    with subscribed(stub, bank) as call:
        assert next(call).database.revision == 2
        commit(stub, bank, 3)
        commit(stub, bank, 4, 5)
        found = [next(call).database for _ in range(2)]
        assert [(each.basis, each.revision) for each in found] == [(2, 3), (3, 5)]


def test_whoever_is_slow_gets_every_transaction_all_the_same(stub: Stub, bank: str) -> None:
    with subscribed(stub, bank) as call:
        assert next(call).database.revision == 0
        for number in range(60):
            commit(stub, bank, number)
        assert [next(call).database.revision for _ in range(60)] == list(range(1, 61))


def test_a_subscription_ends_with_its_client(server: Server, stub: Stub, bank: str) -> None:
    before = server.admission.open_streams
    with subscribed(stub, bank) as call:
        next(call)
        assert server.admission.open_streams == before + 1
    assert eventually(lambda: server.admission.open_streams == before)


def test_waiting_for_a_revision_ends_with_its_deadline(
    server: Server, stub: Stub, bank: str
) -> None:
    before = server.admission.open_streams
    began = time.monotonic()
    with pytest.raises(grpc.RpcError) as caught:
        stub.AwaitDatabase(database_name=bank, at_revision=1, timeout=0.3)
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert time.monotonic() - began < 5
    assert eventually(lambda: server.admission.open_streams == before)


def test_waiting_for_a_revision_ends_when_it_comes(stub: Stub, bank: str) -> None:
    timer = threading.Timer(0.2, commit, (stub, bank, 1))
    timer.start()
    assert stub.AwaitDatabase(database_name=bank, at_revision=1).database.revision == 1
    timer.join()


def test_a_deleted_database_ends_its_subscriptions_and_waits(stub: Stub, bank: str) -> None:
    with subscribed(stub, bank) as call:
        next(call)
        stub.DeleteDatabase(database_name=bank)
        with pytest.raises(grpc.RpcError) as caught:
            next(call)
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND


def test_two_hundred_subscriptions_are_served_and_others_are_answered_meanwhile(
    server: Server, stub: Stub, bank: str
) -> None:
    threads = threading.active_count()

    async def play() -> float:
        async with grpc.aio.insecure_channel(server.grpc.target, OPTIONS) as channel:
            subscribe: Any = channel.unary_stream(
                f"/{SERVICE.full_name}/SubscribeDatabaseUpdates",
                service_pb2.DatabaseUpdatesSubscriptionRequest.SerializeToString,
                service_pb2.DatabaseReply.FromString,
            )
            request = service_pb2.DatabaseUpdatesSubscriptionRequest(database_name=bank)
            calls = [subscribe(request, timeout=60) for _ in range(200)]
            for call in calls:
                assert (await call.read()).database.revision == 0
            began = time.monotonic()
            await asyncio.to_thread(commit, stub, bank, 1)
            seconds = time.monotonic() - began
            for call in calls:
                assert (await call.read()).database.revision == 1
            # What waits takes no thread of the server.
            assert threading.active_count() - threads < 80
            for call in calls:
                call.cancel()
        return seconds

    assert asyncio.run(play()) < 5
    assert eventually(lambda: server.admission.open_streams == 0)


class Counted:
    """Counts the events that are read of a store."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from evidentsource_runtime.store import SqliteStore

        self.count = 0
        query = SqliteStore.query

        def counted(store: Any, *args: Any, **kwargs: Any) -> Iterator[Any]:
            for found in query(store, *args, **kwargs):
                self.count += 1
                yield found

        monkeypatch.setattr(SqliteStore, "query", counted)


def test_events_are_read_only_as_fast_as_the_client_takes_them(
    server: Server, stub: Stub, bank: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    payload = "x" * 100_000
    for start in range(0, 200, 100):
        commit(stub, bank, *range(start, start + 100), data=payload)
    counted = Counted(monkeypatch)
    call = stub.QueryEvents(
        database_name=bank,
        revision=200,
        include_event_detail=True,
        query=query_to(Selector.stream("accounts"), QueryOptions()),
    )
    next(call)
    time.sleep(0.5)
    # 20 MB are asked for; what was read lies in the buffers between.
    assert counted.count < 120
    assert stub.FetchLatestDatabase(database_name=bank).database.revision == 200
    assert sum(1 for _ in call) == 199


def test_a_client_that_vanishes_in_the_middle_of_a_query_stops_it(
    server: Server, bank: str, stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(stub, bank, *range(300), data="x" * 50_000)
    counted = Counted(monkeypatch)
    before = server.admission.open_streams
    channel = grpc.insecure_channel(server.grpc.target, OPTIONS)
    call = Stub(channel).QueryEvents(
        database_name=bank,
        revision=300,
        include_event_detail=True,
        query=query_to(Selector.stream("accounts"), QueryOptions()),
    )
    next(call)
    channel.close()
    assert eventually(lambda: server.admission.open_streams == before)
    assert counted.count < 300


def test_streams_are_counted_and_no_more_are_opened_than_allowed(
    tmp_path: Path, connected: Callable[..., Stub]
) -> None:
    limits = Limits(streams_per_principal=2)
    with running(Settings(tmp_path, grpc_port=0, limits=limits)) as server:
        server.ask(server.service.databases.create(SOMEBODY, "bank"))
        stub = connected(server)
        with subscribed(stub, "bank") as one, subscribed(stub, "bank") as two:
            next(one), next(two)
            with subscribed(stub, "bank") as three, pytest.raises(grpc.RpcError) as caught:
                next(three)
            assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            assert "2 streams" in said(caught.value)
        assert eventually(lambda: server.admission.open_streams == 0)
        with subscribed(stub, "bank") as again:
            next(again)


def test_the_server_stops_at_once_with_streams_and_waits_open(
    tmp_path: Path, connected: Callable[..., Stub]
) -> None:
    codes: list[grpc.StatusCode] = []

    def wait(ask: Callable[[], Any]) -> None:
        with pytest.raises(grpc.RpcError) as caught:
            ask()
        codes.append(caught.value.code())

    with running(Settings(tmp_path, grpc_port=0)) as server:
        server.ask(server.service.databases.create(SOMEBODY, "bank"))
        stub = connected(server)
        with subscribed(stub, "bank") as call:
            next(call)
            waits = [
                lambda: next(call),
                lambda: stub.AwaitDatabase(database_name="bank", at_revision=9),
            ]
            threads = [threading.Thread(target=wait, args=(each,)) for each in waits]
            for thread in threads:
                thread.start()
            time.sleep(0.2)
            began = time.monotonic()
            server.stop()
            for thread in threads:
                thread.join()
    assert time.monotonic() - began < 4
    assert codes == [grpc.StatusCode.UNAVAILABLE] * 2
