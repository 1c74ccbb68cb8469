"""Real components behind the gRPC interface: they decide, they fail, and the server goes on."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from evidentsource_core import Selector, SelectorTemplate, StateChangeDefinition
from evidentsource_core.domain.definitions import StateViewDefinition
from evidentsource_core.domain.identifiers import StateChangeName, StateViewName
from evidentsource_runtime.host import Host
from evidentsource_runtime.host import Limits as ComponentLimits
from evidentsource_runtime.server import Settings, running
from evidentsource_runtime.server.access import EVERYTHING, Principal
from evidentsource_runtime.server.grpc.calls import SERVICE
from evidentsource_runtime.server.logs import JsonLines
from evidentsource_runtime.server.protobuf.generated import service_pb2
from tests.server.stub import Stub, said

pytestmark = [pytest.mark.component, pytest.mark.xdist_group("bases")]

VIEW = """
from dataclasses import dataclass

from evidentsource_functions import StateViewBase
from evidentsource_functions.wasm import StateViewAdapter


@dataclass
class Said(StateViewBase):
    words: tuple[str, ...] = ()

    def evolve_event(self, event):
        if event.event_type == "poison":
            raise ValueError("the event is poison")
        self.words = (*self.words, event.id)


class WitWorld(StateViewAdapter):
    state_view_type = Said
"""
CHANGE = """
from evidentsource_functions import ProspectiveEvent, StateChangeError
from evidentsource_functions.wasm import StateChangeAdapter


def decide(db, command, metadata):
    if command["what"] == "loop":
        while True:
            db.query_events
    if command["what"] == "refuse":
        raise StateChangeError.conflict("it was said before")
    if command["what"] == "fail":
        raise ZeroDivisionError("as the command says")
    return [ProspectiveEvent(command["id"], "words", command["what"])]


class WitWorld(StateChangeAdapter):
    command_type = dict
    decide_func = decide
"""


@pytest.fixture(scope="module")
def stub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stub]:
    folder: Path = tmp_path_factory.mktemp("programs")
    (folder / "word_view.py").write_text(VIEW)
    (folder / "word_change.py").write_text(CHANGE)
    host = Host(limits=ComponentLimits(time_seconds=1.0))
    settings = Settings(tmp_path_factory.mktemp("data"), grpc_port=0, components=host)
    somebody = Principal("somebody", EVERYTHING)
    with running(settings) as server:
        selector = SelectorTemplate.of(Selector.stream("words"))
        view = StateViewDefinition(StateViewName("said"), selector)
        change = StateChangeDefinition(StateChangeName("say"))
        server.ask(server.service.databases.create(somebody, "bank"))
        rules = server.service.views
        for publish, definition, module in (
            (rules.publish_state_view, view, "word_view"),
            (rules.publish_state_change, change, "word_change"),
        ):
            code = host.load_source(module, directory=folder)
            server.ask(publish(somebody, "bank", definition, code))  # type: ignore[arg-type]  # each its own kind
        with grpc.insecure_channel(server.grpc.target) as channel:
            yield Stub(channel)


def say(stub: Stub, what: str, event_id: str) -> int:
    reply = stub.ExecuteStateChange(
        database_name="bank",
        state_change_name="say",
        version=1,
        request={
            "body": f'{{"what": "{what}", "id": "{event_id}"}}'.encode(),
            "content_type": "application/json",
        },
    )
    revision: int = reply.result.transaction_summary.revision
    return revision


def said_by(stub: Stub, revision: int) -> bytes:
    identity = {"database_name": "bank", "state_view_name": "said", "state_view_version": 1}
    reply = stub.FetchStateViewAtRevision(state_view_identity=identity, database_revision=revision)
    content: bytes = reply.state_view.data
    return content


def test_a_component_decides_and_a_component_folds(stub: Stub) -> None:
    revision = say(stub, "hello", "w-1")
    assert said_by(stub, revision) == b'{"words": ["w-1"]}'


@pytest.mark.parametrize(
    ("what", "code", "expected"),
    [
        ("refuse", grpc.StatusCode.FAILED_PRECONDITION, "it was said before"),
        ("fail", grpc.StatusCode.INTERNAL, "ZeroDivisionError: as the command says"),
        ("loop", grpc.StatusCode.INTERNAL, "over the limit of 1.0 seconds"),
    ],
)
def test_a_component_that_refuses_fails_or_loops_says_so_and_the_next_call_is_unharmed(
    stub: Stub, what: str, code: grpc.StatusCode, expected: str
) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        say(stub, what, f"w-{what}")
    assert caught.value.code() is code
    assert expected in said(caught.value)
    say(stub, "hello", f"w-after-{what}")


@pytest.mark.parametrize("what", ["hello", "refuse", "fail"])
def test_every_answer_of_a_component_names_the_inputs_that_it_was_made_of(
    stub: Stub, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[str] = []
    log = logging.getLogger("evidentsource.server.grpc")
    monkeypatch.setattr(log, "isEnabledFor", lambda level: True)
    monkeypatch.setattr(log, "handle", lambda record: lines.append(JsonLines().format(record)))
    request = {"body": f'{{"what": "{what}", "id": "h-{what}"}}'.encode()}
    call: Any = stub._channel.unary_unary(
        f"/{SERVICE.full_name}/ExecuteStateChange",
        service_pb2.ExecuteStateChangeRequest.SerializeToString,
    )
    asked = service_pb2.ExecuteStateChangeRequest(
        database_name="bank", state_change_name="say", request=request
    )
    ended: Any = call.future(asked, timeout=30)
    ended.exception()
    told = dict(ended.trailing_metadata())
    assert told["x-evidentsource-served-by"] == "attached"
    assert re.fullmatch("[0-9a-f]{64}", told["x-evidentsource-input-hash"])
    assert ("grpc-status-details-bin" in told) is (what != "hello")
    (line,) = map(json.loads, lines)
    assert line["input_hash"] == told["x-evidentsource-input-hash"]
    assert line["call"] == "ExecuteStateChange"


def test_a_view_says_which_code_it_is_folded_by_and_what_is_no_rule_says_nothing(
    stub: Stub,
) -> None:
    for name, request, named in (
        (
            "FetchStateViewAtRevision",
            service_pb2.FetchStateViewRequest(
                state_view_identity={"database_name": "bank", "state_view_name": "said"}
            ),
            True,
        ),
        ("FetchLatestDatabase", service_pb2.LatestDatabaseRequest(database_name="bank"), False),
    ):
        ask: Any = stub._channel.unary_unary(
            f"/{SERVICE.full_name}/{name}", type(request).SerializeToString
        )
        ended: Any = ask.future(request, timeout=30)
        ended.result()
        assert ("x-evidentsource-input-hash" in dict(ended.trailing_metadata())) is named


def test_a_view_that_traps_names_its_event_and_is_readable_before_it(stub: Stub) -> None:
    revision = say(stub, "poison", "w-poison")
    with pytest.raises(grpc.RpcError) as caught:
        said_by(stub, revision)
    assert caught.value.code() is grpc.StatusCode.INTERNAL
    assert "'w-poison'" in said(caught.value)
    assert said_by(stub, revision - 1).startswith(b'{"words"')
