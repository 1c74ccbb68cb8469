"""The levels beyond Python in this process: sandbox, component, server, and all compared."""

from __future__ import annotations

import atexit
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from evidentsource_core import (
    AppendCondition,
    Command,
    Event,
    ProspectiveEvent,
    RenderedStateView,
    StateChangeMetadata,
)
from evidentsource_core.reference import DatabaseSnapshot, Decide, Evolve
from evidentsource_functions.testing import (
    ChangeRule,
    ComparingLevel,
    Level,
    LevelUnavailable,
    Rules,
    RuleSource,
    ViewRule,
    _levels,
    level_named,
    level_names,
    register_level,
    use_level,
)
from evidentsource_runtime.testing.components import Component, Components, session_components
from evidentsource_runtime.testing.guard.rules import GuardedRules

__all__ = [
    "SANDBOX",
    "ComponentLevel",
    "ComponentRules",
    "SandboxLevel",
    "all_of",
    "level_names",
    "server_url",
    "set_server_url",
    "use_level",
]

NATIVE, SANDBOX, COMPONENT, SERVER, ALL = "native", "sandbox", "component", "server", "all"


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Where the server of the level ``server`` answers.

    Args:
        url: over HTTP; None for a server of the level's own.
        grpc: over gRPC, ``HOST:PORT``; None for port 50051 of the same host.
    """

    url: str | None = None
    grpc: str | None = None


_address: list[ServerAddress] = [ServerAddress()]


def server_url() -> str | None:
    """The server that tests run against (``--es-url``), for what registers the level ``server``."""
    return _address[0].url


def set_server_url(url: str | None, grpc: str | None = None) -> None:
    """Name the server that tests run against; None for a server of the level's own.

    Args:
        url: where it answers HTTP.
        grpc: where it answers gRPC, ``HOST:PORT``; port 50051 of the same host where left out.
    """
    _address[0] = ServerAddress(url, grpc)
    # What was made for another address is forgotten; a level of somebody else's stays.
    for name, make in ((SERVER, _server), (ALL, _all_levels)):
        if _levels._makers.get(name) is make:  # noqa: SLF001 - the same distribution
            register_level(name, make)


def sourced(level: str, source: RuleSource | None, rule: str, attribute: str) -> RuleSource:
    """Where a rule's module stands.

    Args:
        level: the name of the level, for the message.
        source: what is known of it.
        rule: the name that it is published under.
        attribute: what of a ``WitWorld`` it would have to be.

    Raises:
        LevelUnavailable: no component can be made of it.
    """
    if source is not None:
        return source
    raise LevelUnavailable(
        level,
        f"no component can be made of {rule}",
        f"its module needs a WitWorld whose {attribute} it is; or mark the test "
        '@pytest.mark.es_level("native")',
    )


class ComponentRules(Rules):
    """Runs rules as components, for a database in memory.

    A component is made when its rule is first needed: a test of one change does not wait for the
    others. The views are made before the first decision, since what a decision waits for counts
    against the time that it may take.

    Args:
        level: the name of the level, for messages.
        load: gives the component of a module.
    """

    def __init__(self, level: str, load: Callable[[RuleSource], Component]) -> None:
        self._level = level
        self._load = load
        self._failure: Exception | None = None
        self._views: list[RuleSource] = []

    def evolve(self, view: ViewRule) -> Evolve:
        """What folds a view."""
        source = sourced(self._level, view.source, view.name, "state_view_type")
        self._views.append(source)

        def evolve(rendered: RenderedStateView, events: list[Event]) -> bytes | None:
            component: Any = self._loaded(source)
            content: bytes | None = component.handler()(rendered, events)
            return content

        return evolve

    def decide(self, change: ChangeRule) -> Decide:
        """What decides a command."""
        source = sourced(self._level, change.source, change.name, "decide_func")

        def decide(
            database: DatabaseSnapshot, command: Command, metadata: StateChangeMetadata
        ) -> tuple[Iterable[ProspectiveEvent], Iterable[AppendCondition]]:
            for needed in self._views:
                self._loaded(needed)
            component: Any = self._loaded(source)
            decided: tuple[list[ProspectiveEvent], list[AppendCondition]] = component.decide(
                database, command, metadata
            )
            return decided

        return decide

    def check(self) -> None:
        """Raise why a component could not be made, which a rule may have taken for its own."""
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure

    def _loaded(self, source: RuleSource) -> Component:
        try:
            return self._load(source)
        except Exception as error:
            self._failure = error
            raise


class SandboxLevel(Level):
    """The user's source inside of wasmtime, without a build: milliseconds after an edit.

    Args:
        components: what makes the components.
        guard: whether each rule is run once more in another process and compared, so that nothing
            it decides or folds depends on a clock, randomness or the order of a set.
    """

    name = SANDBOX

    def __init__(self, components: Components | None = None, *, guard: bool = True) -> None:
        self._components = components
        self._guard = guard

    def rules(self) -> Rules:
        """Run each rule from its source."""
        components = self._components or session_components()
        rules = ComponentRules(self.name, components.from_source)
        return GuardedRules(rules) if self._guard else rules


class ComponentLevel(Level):
    """The component that would be shipped, built once and then taken from the cache.

    Args:
        components: what makes them; by default those of this process.
    """

    name = COMPONENT

    def __init__(self, components: Components | None = None) -> None:
        self._components = components

    def rules(self) -> Rules:
        """Run each rule as its built component."""
        components = self._components or session_components()
        return ComponentRules(self.name, components.built)


def _server() -> Level:
    # The room above this one, which needs packages that not everybody has: entered when asked for.
    try:
        from evidentsource_runtime.server.testing import ServerLevel  # noqa: PLC0415
    except ImportError as error:
        if error.name is None:
            raise LevelUnavailable(SERVER, str(error)) from error  # which says what to install
        hint = "run: pip install 'evidentsource-functions[server]'"
        needed = f"it needs {error.name}, which is not installed"
        raise LevelUnavailable(SERVER, needed, hint) from error
    return ServerLevel(_address[0].url, grpc=_address[0].grpc)


def all_of(names: Iterable[str]) -> Level:
    """The level ``all`` of some levels only.

    Args:
        names: their names; ``server`` counts where a server is named.

    Raises:
        LevelUnavailable: one of them cannot run here.
    """
    wanted = set(names)
    rules = [level_named(name) for name in (NATIVE, SANDBOX, COMPONENT) if name in wanted]
    others = [level_named(SERVER)] if SERVER in wanted and (server_url() or not rules) else []
    if len(rules) + len(others) == 1:
        return [*rules, *others][0]
    return ComparingLevel(rules, others)


def _all_levels() -> Level:
    return all_of((NATIVE, SANDBOX, COMPONENT, SERVER))


register_level(SANDBOX, SandboxLevel)
register_level(COMPONENT, ComponentLevel)
if SERVER not in level_names():
    register_level(SERVER, _server)
register_level(ALL, _all_levels)


@atexit.register
def _remove_files() -> None:
    if session_components.cache_info().currsize:
        session_components().close()
