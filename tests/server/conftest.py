"""One server for all tests of this folder; each test has a database of its own in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import grpc
import pytest

from evidentsource_core import (
    Constraint,
    Parameter,
    ProspectiveEvent,
    QueryTemporality,
    Selector,
    SelectorTemplate,
    StateChangeDefinition,
    StateChangeName,
    StateViewDefinition,
    StateViewName,
)
from evidentsource_functions import StateChangeError
from evidentsource_runtime.server import Server, Settings, running
from evidentsource_runtime.server.access import EVERYTHING, Principal
from tests.server.stub import OPTIONS, Stub

SOMEBODY = Principal("somebody", EVERYTHING)
_numbers = count(1)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(Settings(tmp_path_factory.mktemp("data"), grpc_port=0, http_port=0)) as server:
        yield server


@pytest.fixture(scope="session")
def channel(server: Server) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(server.grpc.target, OPTIONS) as channel:
        yield channel


@pytest.fixture
def stub(channel: grpc.Channel) -> Stub:
    return Stub(channel)


@pytest.fixture
def bank(stub: Stub) -> str:
    """The name of a new, empty database."""
    name = f"bank-{next(_numbers)}"
    stub.CreateDatabase(database_name=name)
    return name


@pytest.fixture
def connected() -> Iterator[Callable[[Server], Stub]]:
    """Connects to servers that a test starts by itself."""
    channels: list[grpc.Channel] = []

    def connect(server: Server, *metadata: tuple[str, str]) -> Stub:
        channels.append(grpc.insecure_channel(server.grpc.target, OPTIONS))
        return Stub(channels[-1], metadata)

    yield connect
    for channel in channels:
        channel.close()


def event(number: int | str, **fields: Any) -> ProspectiveEvent:
    values: dict[str, Any] = {"stream": "accounts", "event_type": "account.credited"}
    return ProspectiveEvent(f"e-{number}", **(values | fields))


def total(state: Any, events: list[Any]) -> bytes:
    """How many events there were, as text; it fails on one whose payload says so."""
    for each in events:
        if each.data_as_string() == "poison":
            raise ValueError("the event is poison")
    return str(int(state.content or b"0") + len(events)).encode()


def credit(database: Any, command: Any, metadata: Any) -> Any:
    """Obeys: credits, or refuses in the way that the command asks for."""
    wanted = command.parse_json()
    if "refuse" in wanted:
        raise getattr(StateChangeError, wanted["refuse"])("as the command says")
    if "fail" in wanted:
        raise ZeroDivisionError("as the command says")
    subject = wanted.get("account", "a-1")
    events = [
        event(f"{wanted['id']}-{n}", subject=subject, data=str(metadata.command_headers))
        for n in range(wanted.get("times", 1))
    ]
    conditions = [Constraint.must_exist(Selector.subject("nobody"))] if "violate" in wanted else []
    return events, conditions


VIEW = StateViewDefinition(
    StateViewName("credits"),
    Selector.event_type("account.credited") & Parameter.subject("account_id"),
)
EFFECTIVE = StateViewDefinition(
    StateViewName("effective"),
    SelectorTemplate.of(Selector.stream("accounts")),
    temporality=QueryTemporality.EFFECTIVE_TIMESTAMP,
)
CHANGE = StateChangeDefinition(StateChangeName("credit"))


@pytest.fixture
def rules(server: Server, bank: str) -> str:
    """A database with a state change and two state views; its name."""
    for definition in (VIEW, EFFECTIVE):
        server.ask(server.service.views.publish_state_view(SOMEBODY, bank, definition, total))
    server.ask(server.service.views.publish_state_change(SOMEBODY, bank, CHANGE, credit))
    return bank
