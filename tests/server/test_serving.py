"""A server's life: where it listens, what it says of itself, how it begins and ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)

from evidentsource_core.rules import Limits as TransactionLimits
from evidentsource_runtime.host import Host
from evidentsource_runtime.server import Server, Settings, running
from evidentsource_runtime.server.access import AccessSetupError, Limits, StaticTokens
from evidentsource_runtime.server.protobuf.events import prospective_to
from evidentsource_runtime.server.service import DatabaseFolder
from evidentsource_runtime.store import StoreInUse
from tests.server.conftest import SOMEBODY, event
from tests.server.stub import Stub, said

SERVICE = "com.evidentsource.EvidentSource"


def test_the_health_service_says_that_it_serves(channel: grpc.Channel) -> None:
    health: Any = health_pb2_grpc.HealthStub(channel)
    for name in ("", SERVICE):
        reply = health.Check(health_pb2.HealthCheckRequest(service=name))
        assert reply.status == health_pb2.HealthCheckResponse.SERVING


def test_the_contract_can_be_had_by_reflection(channel: grpc.Channel) -> None:
    reflected = ProtoReflectionDescriptorDatabase(channel)
    assert SERVICE in reflected.get_services()
    found = reflected.FindFileContainingSymbol(SERVICE)
    assert len(found.service[0].method) == 21
    assert reflected.FindFileByName("domain.proto").package == "com.evidentsource"


def test_a_port_that_is_taken_is_said_so(server: Server, tmp_path: Path) -> None:
    settings = Settings(tmp_path, grpc_port=server.grpc.port)
    with pytest.raises(AccessSetupError, match=f"nobody can listen on .*{server.grpc.port}"):
        running(settings).__enter__()
    # Nothing was left open.
    with running(Settings(tmp_path, grpc_port=0)):
        pass


def test_two_servers_cannot_have_one_folder(tmp_path: Path) -> None:
    with running(Settings(tmp_path, grpc_port=0)), pytest.raises(StoreInUse):
        running(Settings(tmp_path, grpc_port=0)).__enter__()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])
def test_an_address_that_others_reach_is_refused_without_authentication(
    tmp_path: Path, host: str
) -> None:
    with pytest.raises(AccessSetupError, match="ask for it by name"):
        Server(Settings(tmp_path, host))
    Server(Settings(tmp_path, host, exposed=True))
    Server(Settings(tmp_path, host, authenticator=StaticTokens.of({"secret": SOMEBODY})))


def test_everything_is_there_after_a_restart(
    tmp_path: Path, connected: Callable[..., Stub]
) -> None:
    settings = Settings(tmp_path, grpc_port=0, components=Host())
    with running(settings) as server:
        stub = connected(server)
        stub.CreateDatabase(database_name="Bank.one")
        stub.Transact(database_name="Bank.one", events=[prospective_to(event(1))])
    with running(settings) as server:
        stub = connected(server)
        assert [reply.database_name for reply in stub.FetchCatalog()] == ["Bank.one"]
        assert stub.FetchLatestDatabase(database_name="Bank.one").database.revision == 1


def test_files_that_are_no_databases_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "UPPER.db").write_text("none of ours: capitals are escaped")
    folder = DatabaseFolder(tmp_path)
    folder.create("bank").close()
    assert folder.names() == ["bank"]
    folder.delete("bank")
    folder.close()
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"notes.txt", "UPPER.db", "server-lock"}


def test_a_database_whose_file_is_damaged_leaves_the_others_alone(
    tmp_path: Path, connected: Callable[..., Stub]
) -> None:
    (tmp_path / "broken.db").write_bytes(b"not a database" * 100)
    with running(Settings(tmp_path, grpc_port=0)) as server:
        stub = connected(server)
        stub.CreateDatabase(database_name="bank")
        with pytest.raises(grpc.RpcError) as caught:
            stub.FetchLatestDatabase(database_name="broken")
        assert caught.value.code() is grpc.StatusCode.INTERNAL
        assert str(tmp_path) not in said(caught.value)
        assert stub.FetchLatestDatabase(database_name="bank").database.revision == 0


def test_the_limits_of_a_request_and_a_transaction_are_kept(
    tmp_path: Path, connected: Callable[..., Stub]
) -> None:
    settings = Settings(
        tmp_path,
        grpc_port=0,
        limits=Limits(request_bytes=100_000),
        transactions=TransactionLimits(max_events=2),
    )
    with running(settings) as server:
        stub = connected(server)
        stub.CreateDatabase(database_name="bank")
        proposals: list[list[Any]] = [[event(n) for n in range(3)], [event(1, data="x" * 200_000)]]
        for events in proposals:
            with pytest.raises(grpc.RpcError) as caught:
                stub.Transact(database_name="bank", events=map(prospective_to, events))
            assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        stub.Transact(database_name="bank", events=[prospective_to(event(1))])


def test_what_computes_too_long_is_given_up(tmp_path: Path, connected: Callable[..., Stub]) -> None:
    import time

    from tests.server.conftest import CHANGE

    def slow(database: Any, command: Any, metadata: Any) -> Any:
        time.sleep(1)
        return [event(1)], []

    with running(Settings(tmp_path, grpc_port=0, limits=Limits(seconds=0.2))) as server:
        server.ask(server.service.databases.create(SOMEBODY, "bank"))
        server.ask(server.service.views.publish_state_change(SOMEBODY, "bank", CHANGE, slow))
        with pytest.raises(grpc.RpcError) as caught:
            connected(server).ExecuteStateChange(
                database_name="bank", state_change_name="credit", version=1
            )
        assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


SERVE = """
import sys
from evidentsource_runtime.server import Settings, serve
serve(Settings(sys.argv[1], grpc_port=0), lambda server: print(server.grpc.target, flush=True))
print("ended")
"""


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_served_process_ends_cleanly_when_it_is_told_to(
    tmp_path: Path, number: signal.Signals
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    target = process.stdout.readline().strip()
    with grpc.insecure_channel(target) as channel:
        stub = Stub(channel)
        stub.CreateDatabase(database_name="bank")
        call = stub.SubscribeDatabaseUpdates(database_name="bank")
        next(call)
        process.send_signal(number)
        with pytest.raises(grpc.RpcError):
            next(call)
    assert process.communicate(timeout=20)[0] == "ended\n"
    assert process.returncode == 0


def test_a_missing_package_says_what_to_install() -> None:
    code = (
        "import importlib.util as util; find = util.find_spec\n"
        "util.find_spec = lambda name: None if name == 'grpc_health' else find(name)\n"
        "try: import evidentsource_runtime.server\n"
        "except ImportError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'evidentsource-functions[server]'" in done.stdout
