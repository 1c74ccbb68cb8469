"""Where the level's databases are: a server of this process, or one that runs somewhere."""

from __future__ import annotations

import contextlib
import json
import tempfile
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, Final
from urllib.parse import quote, urlsplit

import httpx

from evidentsource_core import (
    EvidentSourceError,
    InvalidValue,
    ProspectiveEvent,
    StateChangeDefinition,
    StateViewDefinition,
)
from evidentsource_core.reference import Decide
from evidentsource_functions.testing import ChangeRule, LevelUnavailable, RuleSource, ViewRule
from evidentsource_runtime.build import ComponentSpec, build
from evidentsource_runtime.server.access import EVERYTHING, Principal
from evidentsource_runtime.server.serving import Settings, running
from evidentsource_runtime.server.testing.client import Client
from evidentsource_runtime.testing.components import Components, session_components
from evidentsource_runtime.testing.levels import ComponentRules, sourced

__all__ = ["OwnServer", "Place", "RunningServer"]

GRPC_PORT: Final = 50051
_SOMEBODY: Final = Principal("test", EVERYTHING)
_START: Final = (
    "evidentsource serve --data FOLDER starts a server; without --es-url the level has its own"
)
_SECONDS: Final = httpx.Timeout(90.0, connect=10.0)


class Place(ABC):
    """A server with databases of tests.

    Attributes:
        client: asks it.
        exact: whether its clock is the test's, and what a rule decides is seen as it is decided.
    """

    client: Client
    exact: ClassVar[bool]

    def __init__(self) -> None:
        self._made: list[str] = []

    def create(self, name: str) -> None:
        """Make a database; it is deleted when the level is let go of."""
        self.client.ask("CreateDatabase", database_name=name)
        self._made.append(name)

    def shows(self, clock: Callable[[], datetime]) -> None:  # noqa: B027 - one elsewhere cannot
        """Let the server's clock show what a test's does, as far as it can."""

    def sent(self, events: Sequence[ProspectiveEvent], _at: datetime) -> list[ProspectiveEvent]:
        """Events of a history as they are sent, so that they take effect when the test says."""
        return list(events)

    @abstractmethod
    def publish_view(self, database: str, rule: ViewRule) -> None:
        """Publish a state view."""

    @abstractmethod
    def publish_change(
        self, database: str, rule: ChangeRule, seen: Callable[[Decide], Decide]
    ) -> None:
        """Publish a state change.

        Args:
            database: where.
            rule: what.
            seen: put around the rule where the server is :attr:`exact`.
        """

    def check(self) -> None:  # noqa: B027 - one elsewhere is told when it publishes
        """Raise why a component could not be made, which a rule may have taken for its own."""

    def clear(self) -> None:
        """Delete the databases that were made."""
        while self._made:
            name = self._made.pop()
            try:
                self.client.ask("DeleteDatabase", database_name=name)
            except EvidentSourceError as error:
                text = f"database {name} of a test stays on {self.client.target}: {error}"
                warnings.warn(text, stacklevel=2)

    def close(self) -> None:
        """Leave nothing behind."""
        self.clear()
        self.client.close()


class OwnServer(Place):
    """A server of this process: rules from their source in the sandbox, the clock of the test.

    Args:
        components: what makes the components.
    """

    exact = True

    def __init__(self, components: Components | None = None) -> None:
        super().__init__()
        self._components = components or session_components()
        self._rules = ComponentRules("server", self._components.from_source)
        self._clock: Callable[[], datetime] | None = None
        self._open = contextlib.ExitStack()
        folder = self._open.enter_context(tempfile.TemporaryDirectory(prefix="evidentsource-"))
        settings = Settings(
            folder,
            grpc_port=0,
            source_host="test.local",
            components=self._components.host,
            clock=self._now,
            grace=0.5,
        )
        self._server = self._open.enter_context(running(settings))
        self.client = Client(self._server.grpc.target)

    def _now(self) -> datetime:
        if self._clock is None:
            raise InvalidValue("clock", "shows nothing before a database is asked for")
        return self._clock()

    def shows(self, clock: Callable[[], datetime]) -> None:
        """Let the server's clock show what a test's does."""
        self._clock = clock

    def publish_view(self, database: str, rule: ViewRule) -> None:
        """Publish a state view as it stands in its source."""
        evolve = self._rules.evolve(rule)
        # What a decision waits for would count against its time.
        self._components.from_source(sourced("server", rule.source, rule.name, "state_view_type"))
        views = self._server.service.views
        self._server.ask(views.publish_state_view(_SOMEBODY, database, rule.definition, evolve))

    def publish_change(
        self, database: str, rule: ChangeRule, seen: Callable[[Decide], Decide]
    ) -> None:
        """Publish a state change as it stands in its source."""
        decide = seen(self._rules.decide(rule))
        self._components.from_source(sourced("server", rule.source, rule.name, "decide_func"))
        views = self._server.service.views
        self._server.ask(views.publish_state_change(_SOMEBODY, database, rule.definition, decide))

    def check(self) -> None:
        """Raise why a component could not be made."""
        self._rules.check()

    def close(self) -> None:
        """Stop the server, and remove its folder."""
        self.client.close()
        self._open.close()


class RunningServer(Place):
    """A server that runs somewhere: rules are built and uploaded, its clock is its own.

    Args:
        url: where it answers HTTP, over which components are published.
        grpc: where it answers gRPC, ``HOST:PORT``; port 50051 of the same host where left out.
        token: what is shown to a server that asks who somebody is.
    """

    exact = False

    def __init__(self, url: str, grpc: str | None = None, token: str | None = None) -> None:
        super().__init__()
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            hint = "say http://127.0.0.1:3000, and with --es-grpc where gRPC is"
            raise InvalidValue("--es-url", f"{url!r} is no HTTP address", hint)
        self._url = url.rstrip("/")
        self._headers = {"authorization": f"Bearer {token}"} if token else {}
        target = grpc or f"{parts.hostname}:{GRPC_PORT}"
        self.client = Client(target, secure=parts.scheme == "https", token=token)
        self._built: dict[RuleSource, bytes] = {}

    def meet(self) -> None:
        """Make sure that somebody answers, on both ways.

        Raises:
            LevelUnavailable: nobody does; the message says where, and what to do.
        """
        self._over_http("GET", "/health")
        self.client.ask("FetchCatalog")

    def sent(self, events: Sequence[ProspectiveEvent], at: datetime) -> list[ProspectiveEvent]:
        """Events that name no time with the one at which they would have been recorded."""
        return [each if each.time is not None else _at(each, at) for each in events]

    def publish_view(self, database: str, rule: ViewRule) -> None:
        """Build a state view and upload it."""
        source = sourced("server", rule.source, rule.name, "state_view_type")
        self._upload(database, "state-view", rule.definition, source)

    def publish_change(
        self,
        database: str,
        rule: ChangeRule,
        seen: Callable[[Decide], Decide],  # noqa: ARG002 - it runs elsewhere
    ) -> None:
        """Build a state change and upload it; what it decides is seen by what it commits."""
        source = sourced("server", rule.source, rule.name, "decide_func")
        self._upload(database, "state-change", rule.definition, source)

    def _upload(
        self,
        database: str,
        world: str,
        definition: StateViewDefinition | StateChangeDefinition,
        source: RuleSource,
    ) -> None:
        name = str(definition.name)
        spec = ComponentSpec(name, world, source.module, None, definition)
        files: dict[str, tuple[str | None, str | bytes, str]] = {
            "metadata": (None, json.dumps(spec.metadata()), "application/json"),
            "wasm": (f"{name}.wasm", self._component(source), "application/wasm"),
        }
        self._over_http("POST", f"/api/v1/db/{quote(database)}/{world}s", files=files)

    def _over_http(self, method: str, path: str, **request: Any) -> None:
        # A connection for each request: nobody tells a level that the last test is over.
        address = f"{self._url}{path}"
        try:
            answer = httpx.request(
                method, address, headers=self._headers, timeout=_SECONDS, **request
            )
        except httpx.HTTPError as error:
            said = str(error) or type(error).__name__
            reason = f"nobody answers HTTP at {self._url} ({said})"
            raise LevelUnavailable("server", reason, _START) from None
        if answer.is_error:
            raise LevelUnavailable("server", f"{method} {address}: {_told(answer)}")

    def _component(self, source: RuleSource) -> bytes:
        if source not in self._built:
            with tempfile.TemporaryDirectory(prefix="evidentsource-") as folder:
                made = build(
                    source.module,
                    output=Path(folder, "component.wasm"),
                    directory=source.directory,
                    pure=source.pure,
                    dependencies=source.dependencies,
                    wit=source.wit,
                    reproducible=True,
                )
                self._built[source] = made.path.read_bytes()
        return self._built[source]


def _at(event: ProspectiveEvent, moment: datetime) -> ProspectiveEvent:
    return ProspectiveEvent(
        event.id,
        event.stream,
        event.event_type,
        subject=event.subject,
        data=event.data,
        time=moment,
        datacontenttype=event.datacontenttype,
        dataschema=event.dataschema,
        extensions=event.extensions,
    )


def _told(answer: httpx.Response) -> str:
    try:
        document = answer.json()
    except ValueError:
        document = None
    detail = document.get("detail") if isinstance(document, dict) else None
    return str(detail or f"{answer.status_code} {answer.reason_phrase}")
