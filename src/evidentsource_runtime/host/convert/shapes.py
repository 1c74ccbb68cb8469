"""What this component's own contract looks like: its world, interface names and integer widths.

Contracts differ in the package id, in how wide their whole numbers are, and in whether ``decide``
owns or borrows the database. All of it is read once, from the types that the component itself
carries, and whatever differs beyond that is refused at load with the path to the difference.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import NoReturn, cast

from wasmtime import Engine
from wasmtime import component as wt

from evidentsource_functions.lane import EXPORT as LANE
from evidentsource_runtime.host.convert import contract as expected
from evidentsource_runtime.host.convert.matching import Matcher, Mismatch, Width
from evidentsource_runtime.host.errors import ComponentLoadError

RESOURCE_INTERFACE = "state-change-types"
"""The last name part of the interface that holds the database."""

EXPLAIN = "explain-evolve"
"""What a pure state view exports beside the contract: the traceback of a call that would trap."""

_WASI = (
    *("wasi:io/", "wasi:cli/", "wasi:clocks/", "wasi:random/"),
    *("wasi:filesystem/", "wasi:sockets/"),
)
"""What is given under these names has no authority: no files, variables or network behind it."""


class World(Enum):
    """The two kinds of component."""

    STATE_VIEW = "state-view"
    STATE_CHANGE = "state-change"


@dataclass(frozen=True)
class Import:
    """A function that the component imports, with the types it has there."""

    resource: str
    name: str
    method: expected.Method
    parameters: tuple[wt.ValType, ...]
    result: wt.ValType

    @property
    def path(self) -> str:
        """How it is named in messages, and what the width of its result is kept under."""
        return f"{self.resource}.{self.name}"


@dataclass(frozen=True)
class Contract:
    """One component's contract.

    Attributes:
        world: which of the two it is.
        interface: the full name of the interface with the database, where it is imported.
        resources: the resources of that interface that the component knows.
        imports: the functions of that interface that it imports.
        borrows_database: whether ``decide`` borrows the database.
        explains: whether it exports :data:`EXPLAIN`.
        folds: whether it exports the lane, by which batches of events go as text.
        widths: of its whole numbers, by ``record.field``, ``variant.case`` or function.
        orders: of the fields of its records, by record.
    """

    world: World
    interface: str | None
    resources: tuple[str, ...]
    imports: tuple[Import, ...]
    borrows_database: bool
    explains: bool
    folds: bool
    widths: Mapping[str, Width]
    orders: Mapping[str, tuple[str, ...]]

    @property
    def export(self) -> str:
        """The function that is called."""
        return "evolve" if self.world is World.STATE_VIEW else "decide"


def read_contract(component: str, compiled: wt.Component, engine: Engine) -> Contract:
    """The contract of ``compiled``; ``component`` is its name, for messages.

    Raises:
        ComponentLoadError: it is of another world, imports what this host does not give, or has
            types that differ from the contract's; the message names where.
    """
    try:
        return _Reader(component, compiled, engine).read()
    except Mismatch as error:
        raise ComponentLoadError(
            component,
            f"it was built for another contract: {error}",
            hint="build it with this SDK's decider.wit, or one that differs only in its package id, "
            "its integer widths and who owns the database",
        ) from None


class _Reader:
    def __init__(self, component: str, compiled: wt.Component, engine: Engine) -> None:
        self._component = component
        self._engine = engine
        kind = compiled.type
        self._exports = {name: item.ty for name, item in kind.exports(engine).items()}
        self._imports = {name: item.ty for name, item in kind.imports(engine).items()}
        self._matcher = Matcher()

    def read(self) -> Contract:
        world, function = self._world()
        shapes = expected.EVOLVE if world is World.STATE_VIEW else expected.DECIDE
        parameters = [kind for _, kind in function.params]
        name = "evolve" if world is World.STATE_VIEW else "decide"
        self._matcher.function(name, shapes, parameters, function.result)
        interface, items = self._interface()
        return Contract(
            world,
            interface,
            tuple(key for key in items if key in expected.METHODS),
            tuple(self._functions(interface, items)),
            isinstance(parameters[0], wt.BorrowType),
            self._exports_beside(EXPLAIN, expected.EXPLAIN_EVOLVE),
            self._exports_beside(LANE, expected.FOLD),
            self._matcher.widths,
            self._matcher.orders,
        )

    def _refuse(self, reason: str) -> NoReturn:
        raise ComponentLoadError(self._component, reason)

    def _world(self) -> tuple[World, wt.FuncType]:
        found = [
            (world, item)
            for world, name in ((World.STATE_VIEW, "evolve"), (World.STATE_CHANGE, "decide"))
            if isinstance(item := self._exports.get(name), wt.FuncType)
        ]
        if len(found) == 1:
            return found[0]
        if found:
            self._refuse("it exports both evolve and decide; a component has one of the two worlds")
        names = ", ".join(sorted(self._exports)) or "nothing"
        raise ComponentLoadError(
            self._component,
            f"it is of another world: it exports {names}",
            hint="a state view exports the function evolve, a state change the function decide",
        )

    def _exports_beside(
        self, name: str, shapes: tuple[tuple[expected.Shape, ...], expected.Shape]
    ) -> bool:
        """Whether it exports that function, which is none of the contract's."""
        item = self._exports.get(name)
        if not isinstance(item, wt.FuncType):
            return False
        parameters = [kind for _, kind in item.params]
        try:
            Matcher().function(name, shapes, parameters, item.result)
        except Mismatch:
            # Somebody else's function of that name: none of the contract's business.
            return False
        return True

    def _interface(self) -> tuple[str | None, dict[str, wt.ComponentItem]]:
        """The interface with the database, and what it holds; every other import is checked."""
        found: tuple[str | None, dict[str, wt.ComponentItem]] = (None, {})
        for name, item in self._imports.items():
            if name.startswith(_WASI):
                continue
            if isinstance(item, wt.ComponentInstanceType):
                items = {key: extern.ty for key, extern in item.exports(self._engine).items()}
                if name.partition("@")[0].rpartition("/")[2] == RESOURCE_INTERFACE:
                    found = (name, items)
                else:
                    self._refuse_needs(name, items)
            elif isinstance(item, wt.FuncType):
                self._refuse(f"it imports the function {name}, which this host does not give")
        return found

    def _refuse_needs(self, interface: str, items: Mapping[str, wt.ComponentItem]) -> None:
        for key, item in items.items():
            if isinstance(item, (wt.FuncType, wt.ResourceType)):
                self._refuse(f"it imports {key} of {interface}, which this host does not give")

    def _functions(
        self, interface: str | None, items: Mapping[str, wt.ComponentItem]
    ) -> Iterator[Import]:
        for key, item in items.items():
            if isinstance(item, wt.ResourceType):
                if key not in expected.METHODS:
                    self._refuse(f"{interface} has a resource {key}, unknown to the contract")
            elif isinstance(item, wt.FuncType):
                resource, _, name = key.removeprefix("[method]").partition(".")
                method = expected.METHODS.get(resource, {}).get(name)
                if method is None or not key.startswith("[method]"):
                    self._refuse(f"{interface} has a function {key}, unknown to the contract")
                yield self._import(resource, name, method, item)

    def _import(
        self, resource: str, name: str, method: expected.Method, kind: wt.FuncType
    ) -> Import:
        ok: expected.Shape = method.result.value
        shape = expected.Outcome(ok, expected.TEXT) if method.can_refuse else ok
        shapes = [expected.Handle(resource), *(part.value for part in method.parameters)]
        parameters = tuple(part for _, part in kind.params)
        self._matcher.function(f"{resource}.{name}", (shapes, shape), parameters, kind.result)
        # Every shape of the contract has a result, so what matches one has it too.
        return Import(resource, name, method, parameters, cast("wt.ValType", kind.result))
