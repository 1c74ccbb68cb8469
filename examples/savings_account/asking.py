"""The bank's server in a process of its own, and its two interfaces, asked as any client asks them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import grpc
import httpx

from evidentsource_runtime.cloudevents import event_json
from evidentsource_runtime.server.protobuf.events import event_from
from evidentsource_runtime.server.protobuf.generated import service_pb2 as pb

SERVICE = "com.evidentsource.EvidentSource"
DATABASE = "bank"
API = f"/api/v1/db/{DATABASE}"
CloudEvent = dict[str, Any]


@dataclass(frozen=True)
class Where:
    """Where a server listens."""

    grpc: str
    http: str


class Refused(Exception):
    """The server said no, and why."""


@contextmanager
def served(file: Path) -> Iterator[Where]:
    """A server of one database's file on free ports, ended as Ctrl-C would end it."""
    ports = ("--grpc-port", "0", "--http-port", "0")
    serve = (sys.executable, "-m", "evidentsource_runtime.cli", "serve", "--data", str(file))
    with subprocess.Popen(
        (*serve, *ports, "--json", "--log-level", "warning"), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            told = process.stdout.readline()
            if not told.startswith('{"grpc"'):
                # What went wrong takes more than a line.
                problem = json.loads(told + process.stdout.read())["errors"][0]
                raise Refused(problem["message"])
            where = json.loads(told)
            yield Where(where["grpc"], where["http"])
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()


class Client(Protocol):
    """What the story needs of either interface."""

    name: str

    def execute(self, change: str, command: dict[str, Any]) -> list[CloudEvent]:
        """Have a state change decide; the events that it led to."""
        ...

    def view(self, name: str, parameters: dict[str, str]) -> dict[str, Any]:
        """What a state view has come to."""
        ...

    def close(self) -> None:
        """Hang up."""
        ...


class OverGrpc:
    """The bank over gRPC, by the contract's own messages."""

    name = "gRPC"

    def __init__(self, where: Where) -> None:
        self._channel = grpc.insecure_channel(where.grpc)

    def execute(self, change: str, command: dict[str, Any]) -> list[CloudEvent]:
        body = json.dumps(command).encode()
        reply = self._ask(
            "ExecuteStateChange",
            pb.ExecuteStateChangeRequest(
                database_name=DATABASE,
                state_change_name=change,
                request=pb.CommandRequest(body=body, content_type="application/json"),
            ),
            pb.ExecuteStateChangeReply,
        )
        wanted = pb.FetchTransactionByIdRequest(
            database_name=DATABASE, transaction_id=reply.result.transaction_summary.id
        )
        found = self._ask("FetchTransactionById", wanted, pb.FetchTransactionReply)
        return [event_json(event_from(each, "event")) for each in found.transaction.events]

    def view(self, name: str, parameters: dict[str, str]) -> dict[str, Any]:
        database = self._ask(
            "FetchLatestDatabase",
            pb.LatestDatabaseRequest(database_name=DATABASE),
            pb.DatabaseReply,
        ).database
        request = pb.FetchStateViewRequest(database_revision=database.revision)
        request.state_view_identity.database_name = DATABASE
        request.state_view_identity.state_view_name = name
        for key, value in parameters.items():
            subject = request.parameters.bindings[key].subject
            subject.has_value, subject.value = True, value
        found = self._ask("FetchStateViewAtRevision", request, pb.StateViewReply)
        content: dict[str, Any] = json.loads(found.state_view.data)
        return content

    def _ask(self, call: str, request: Any, reply: Any) -> Any:
        ask: Any = self._channel.unary_unary(
            f"/{SERVICE}/{call}", type(request).SerializeToString, reply.FromString
        )
        try:
            return ask(request, timeout=60.0)
        except grpc.RpcError as error:
            raise Refused(f"{error.code().name}, {error.details()}") from error

    def close(self) -> None:
        self._channel.close()


class OverHttp:
    """The bank over HTTP."""

    name = "HTTP"

    def __init__(self, where: Where) -> None:
        self._web = httpx.Client(base_url=where.http, timeout=60.0)

    def execute(self, change: str, command: dict[str, Any]) -> list[CloudEvent]:
        done = self.ask("POST", f"{API}/state-changes/{change}/latest", json=command)
        events: list[CloudEvent] = self.ask("GET", done.headers["location"]).json()["events"]
        return events

    def view(self, name: str, parameters: dict[str, str]) -> dict[str, Any]:
        query = {f"subject.{key}": value for key, value in parameters.items()}
        found = self.ask("GET", f"{API}/latest/state-views/{name}/latest", params=query)
        content: dict[str, Any] = found.json()
        return content

    def ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Any request."""
        answer = self._web.request(method, path, **request)
        if answer.is_error:
            raise Refused(f"{answer.status_code}, {answer.json()['detail']}")
        return answer

    def close(self) -> None:
        self._web.close()
