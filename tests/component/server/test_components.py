"""Real components behind the gRPC interface: they decide, they fail, and the server goes on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from evidentsource_core import Selector, SelectorTemplate, StateChangeDefinition
from evidentsource_core.domain.definitions import StateViewDefinition
from evidentsource_core.domain.identifiers import StateChangeName, StateViewName
from evidentsource_runtime.host import Host
from evidentsource_runtime.host import Limits as ComponentLimits
from evidentsource_runtime.server import Settings, running
from evidentsource_runtime.server.access import EVERYTHING, Principal
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


def test_a_view_that_traps_names_its_event_and_is_readable_before_it(stub: Stub) -> None:
    revision = say(stub, "poison", "w-poison")
    with pytest.raises(grpc.RpcError) as caught:
        said_by(stub, revision)
    assert caught.value.code() is grpc.StatusCode.INTERNAL
    assert "'w-poison'" in said(caught.value)
    assert said_by(stub, revision - 1).startswith(b'{"words"')
