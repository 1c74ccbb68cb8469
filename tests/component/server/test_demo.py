"""What `make demo` plays: the savings account over gRPC and HTTP, as a person reads it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from evidentsource_core import StateViewDefinition
from evidentsource_runtime.build import read_manifest
from evidentsource_runtime.host import Host
from evidentsource_runtime.server import Settings, running
from evidentsource_runtime.server.access import EVERYTHING, Principal
from examples.savings_account import demo
from examples.savings_account.asking import Client, OverGrpc, OverHttp, Refused, Where, served
from examples.savings_account.bank import HERE
from tests.whole import whole

pytestmark = [pytest.mark.component, pytest.mark.xdist_group("bases")]


@pytest.fixture
def bank(tmp_path: Path) -> Iterator[Where]:
    """The bank's rules from their sources, on a server."""
    host, somebody = Host(source_roots=[HERE]), Principal("somebody", EVERYTHING)
    manifest = read_manifest(HERE / "pyproject.toml")
    settings = Settings(
        tmp_path / "bank.db", grpc_port=0, http_port=0, create=("bank",), components=host
    )
    with running(settings) as server:
        assert server.http is not None
        views = server.service.views
        for spec in manifest.components:
            code = host.load_source(spec.module, directory=HERE, pure=spec.pure, world=spec.world)
            publish = (
                views.publish_state_view(somebody, "bank", spec.definition, code)
                if isinstance(spec.definition, StateViewDefinition)
                else views.publish_state_change(somebody, "bank", spec.definition, code)
            )
            server.ask(publish)
        yield Where(server.grpc.target, server.http.url)


def test_the_story_is_told_over_both_interfaces(
    bank: Where, capsys: pytest.CaptureFixture[str]
) -> None:
    web = OverHttp(bank)
    clients: list[Client] = [OverGrpc(bank), web]
    demo.play(clients, "")
    demo.show_views(clients, "")
    demo.show_trace(web)
    for client in clients:
        client.close()
    told = capsys.readouterr().out
    assert [line.split()[0] for line in told.splitlines() if line.startswith("  #")] == [
        f"#{revision}" for revision in range(1, 10)
    ]
    assert told.count("\ngRPC  ") == told.count("\nHTTP  ") == 8 + 2
    for said in (
        "refused: FAILED_PRECONDITION, conflict: account ann exists already",
        "refused: 400, validation: command.amount: must be positive, got -500",
        '"status": "open", "balance": "52.00", "movements": 4}',
        '"days": {"2024-01-29": "7.00", ',
        "close-account.v1 decided on revision 8",
        "having read account-summary.v1  account_id=bob",
    ):
        assert said in told


@whole
def test_the_demos_server_is_a_process_that_ends_and_says_why_it_cannot_start(
    tmp_path: Path,
) -> None:
    file = tmp_path / "bank.db"
    with served(file) as where:
        web = OverHttp(where)
        assert web.ask("GET", "/api/v1/db/bank").json()["revision"] == 0
        web.close()
        with pytest.raises(Refused, match="it is open for writing in process"), served(file):
            pass
    assert file.exists()
