"""The codec that uses wasmtime-py's own conversion. It is exact, and slow: about 1 ms an event."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast

from wasmtime import Store, StoreContext, WasmtimeError
from wasmtime.component import (
    Func,
    Linker,
    ResourceAny,
    ResourceHost,
    ResourceType,
    ResultType,
    ValType,
    Variant,
)

from evidentsource_core.domain.errors import DatabaseAccessError, EvidentSourceError
from evidentsource_core.domain.events import Event
from evidentsource_core.domain.state_change import Command, StateChangeMetadata
from evidentsource_core.domain.state_view import RenderedStateView
from evidentsource_functions.errors import StateChangeError
from evidentsource_runtime.host import calls, signals
from evidentsource_runtime.host.calls import Call
from evidentsource_runtime.host.convert import callbacks
from evidentsource_runtime.host.convert.codec import Codec, HostFunction
from evidentsource_runtime.host.convert.contract import Handle, Kind
from evidentsource_runtime.host.convert.lift import Decision, Lift
from evidentsource_runtime.host.convert.lower import Lower
from evidentsource_runtime.host.convert.shapes import Contract, Import

_RESOURCES = {"database": 1, "speculative-database": 2}
"""The numbers that wasmtime tells the two host resources apart by."""

_conversion = threading.Lock()
"""wasmtime-py's conversion keeps a set of classes in a module global, so one thread at a time. The
lock is let go while a database's own code runs: that may run another component."""


class StockCodec(Codec):
    """Converts with wasmtime-py's ``Record`` and ``Variant`` objects."""

    def __init__(self, component: str, contract: Contract, content_limit: int) -> None:
        self._contract = contract
        self._lift = Lift(component, content_limit)
        self._lower = Lower(component, contract, content_limit)

    def link(self, linker: Linker, functions: Mapping[str, HostFunction]) -> None:
        """Define the interface with the database, where the component imports it."""
        if self._contract.interface is None:
            return
        with linker.root() as root, root.add_instance(self._contract.interface) as instance:
            for resource in self._contract.resources:
                kind = ResourceType.host(_RESOURCES[resource])
                instance.add_resource(resource, kind, _drop)
            for item in self._contract.imports:
                body = _Body(item, functions[item.path], self._lift, self._lower)
                callbacks.define(instance, f"[method]{item.path}", body)

    def evolve(
        self,
        store: Store,
        func: Func,
        view: RenderedStateView,
        events: Sequence[Event],
        offset: int,
    ) -> bytes | None:
        """Call ``evolve``."""
        arguments = self._lower.rendered(view), self._lower.events(events, offset=offset)
        content: bytes | None = _invoke(store, func, *arguments)
        return self._lift.content(content, "evolve.content")

    def explain(
        self,
        store: Store,
        func: Func,
        view: RenderedStateView,
        events: Sequence[Event],
        offset: int,
    ) -> str | None:
        """Call ``explain-evolve``."""
        arguments = self._lower.rendered(view), self._lower.events(events, offset=offset)
        words: str | None = _invoke(store, func, *arguments)
        return words

    def decide(
        self,
        store: Store,
        func: Func,
        database: Any,
        command: Command,
        metadata: StateChangeMetadata,
    ) -> Decision | StateChangeError:
        """Call ``decide``."""
        arguments = self._lower.command(command), self._lower.metadata(metadata)
        make = ResourceHost.borrow if self._contract.borrows_database else ResourceHost.own
        handle = make(calls.current().handles.add(database), _RESOURCES["database"])
        answer = _invoke(store, func, handle, *arguments)
        # The two sides of this result have different Python classes, so it comes without a tag.
        if isinstance(answer, Variant):
            return self._lift.refusal(answer)
        return self._lift.decision(answer)


def _invoke(store: Store, func: Func, *arguments: Any) -> Any:
    # Waiting for another thread's call may take long, so there Ctrl-C works.
    signals.admit()
    with _conversion:
        signals.shut()
        answer = func(store, *arguments)
        func.post_return(store)
        return answer


def _drop(_store: StoreContext, number: int) -> None:
    calls.current().handles.drop(number)


@contextmanager
def _outside() -> Iterator[None]:
    """Here the database's own code runs: it may take long, call another component, and raise."""
    _conversion.release()
    try:
        signals.admit()
        yield
    finally:
        try:
            signals.shut()
        finally:
            _conversion.acquire()


class _Body:
    """An imported function: lifts its arguments, runs the host's function, lowers the result.

    Nothing but a :class:`WasmtimeError` leaves it. What the database announces (an error of the
    domain) goes to the component as text where the function can say so; every other exception is kept
    for the caller of the component and ends the call.
    """

    def __init__(self, item: Import, function: HostFunction, lift: Lift, lower: Lower) -> None:
        self._item = item
        self._path = item.path
        self._function = function
        self._lift = lift
        self._lower = lower
        # Read once: wasmtime-py reads the types anew whenever it is asked for them.
        self._self_type, *self._parameters = item.parameters
        self._sides: tuple[ValType, ValType] | None = None
        if isinstance(item.result, ResultType):
            self._sides = cast("ValType", item.result.ok), cast("ValType", item.result.err)

    def __call__(self, store: StoreContext, arguments: Any, results: Any) -> None:
        call = calls.current()
        try:
            self._answer(call, store, arguments, results)
        except BaseException as error:  # noqa: BLE001 - any that left it would crash the process
            call.fail(self._path, error)
            raise WasmtimeError(f"{self._path} failed in the host") from None

    def _answer(self, call: Call, store: StoreContext, arguments: Any, results: Any) -> None:
        borrowed: ResourceAny = self._self_type.convert_from_c(arguments[0])
        # This ends the loan; a handle that is still on loan when the function returns is a trap.
        database = call.handles.get(borrowed.to_host(store).rep)
        given = [
            kind.convert_from_c(arguments[index]) for index, kind in enumerate(self._parameters, 1)
        ]
        if self._sides is None:
            value = self._lowered(call, self._run(database, given))
            callbacks.write(self._item.result, store, value, results)
            return
        ok, err = self._sides
        try:
            value = self._lowered(call, self._run(database, given))
        except EvidentSourceError as error:
            callbacks.write_outcome(err, store, _words(error), results, ok=False)
        else:
            callbacks.write_outcome(ok, store, value, results, ok=True)

    def _run(self, database: Any, given: list[Any]) -> Any:
        lifted = [
            self._lifted(kind, value)
            for kind, value in zip(self._item.method.parameters, given, strict=True)
        ]
        with _outside():
            return self._function(database, *lifted)

    def _lifted(self, kind: Kind, value: Any) -> Any:
        if kind in (Kind.NUMBER, Kind.TEXT):
            return value
        lift: dict[Kind, Callable[[Any, str], Any]] = {
            Kind.TIME: self._lift.time,
            Kind.EVENTS: self._lift.events,
            Kind.QUERY: self._lift.query,
            Kind.PARAMETERS: self._lift.parameters,
        }
        return lift[kind](value, f"{self._path}.{kind.name.lower()}")

    def _lowered(self, call: Call, value: Any) -> Any:
        kind = self._item.method.result
        if kind is Kind.NUMBER:
            return self._lower.whole(value, self._path, self._path)
        if kind in (Kind.DATABASE, Kind.SPECULATIVE):
            return ResourceHost.own(
                call.handles.add(value), _RESOURCES[cast("Handle", kind.value).resource]
            )
        if value is None and kind in (Kind.OPTIONAL_TIME, Kind.VIEW):
            return None
        lower: dict[Kind, Callable[[Any, str], Any]] = {
            Kind.TEXT: self._lower.text,
            Kind.TIME: self._lower.time,
            Kind.OPTIONAL_TIME: self._lower.time,
            Kind.EVENTS: self._lower.events,
            Kind.VIEW: self._lower.rendered,
        }
        return lower[kind](value, self._path)


def _words(error: EvidentSourceError) -> str:
    """What the component is told; for an error of access without what the guest's side adds again."""
    text = error.reason if isinstance(error, DatabaseAccessError) else str(error)
    return text.encode(errors="backslashreplace").decode()
