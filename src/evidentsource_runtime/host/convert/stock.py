"""The codec that uses wasmtime-py's own conversion. It is exact, and slow: about 1 ms an event."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast

from wasmtime import Store, StoreContext
from wasmtime.component import (
    Func,
    Linker,
    ResourceAny,
    ResourceHost,
    ResultType,
    ValType,
    Variant,
)

from evidentsource_core.domain.errors import EvidentSourceError
from evidentsource_core.domain.events import Event
from evidentsource_core.domain.state_change import Command, StateChangeMetadata
from evidentsource_core.domain.state_view import RenderedStateView
from evidentsource_functions.errors import StateChangeError
from evidentsource_runtime.host import calls, signals
from evidentsource_runtime.host.calls import Call
from evidentsource_runtime.host.convert import abi, bodies
from evidentsource_runtime.host.convert.bodies import Body, words
from evidentsource_runtime.host.convert.codec import Answer, Codec, Content, HostFunction
from evidentsource_runtime.host.convert.lift import Decision, Lift
from evidentsource_runtime.host.convert.lower import Lower
from evidentsource_runtime.host.convert.shapes import Contract, Import
from evidentsource_runtime.host.limits import Limits

CONVERSION = threading.RLock()
"""wasmtime-py's conversion keeps a set of classes in a module global, so one thread at a time. The
lock is let go while a database's own code runs: that may run another component. So may the handler of
a signal, in the middle of a call: it has the lock already."""


class StockCodec(Codec):
    """Converts with wasmtime-py's ``Record`` and ``Variant`` objects."""

    def __init__(self, component: str, contract: Contract, limits: Limits) -> None:
        self._component = component
        self._contract = contract
        self._limits = limits
        self._lift = Lift(component, limits.content_bytes)
        self._lower = Lower(component, contract, limits.content_bytes)

    def link(self, linker: Linker, functions: Mapping[str, HostFunction]) -> None:
        """Define the interface with the database, where the component imports it."""
        bodies.link(
            linker,
            self._contract,
            lambda item: _StockBody(item, functions[item.path], self._lift, self._lower),
        )

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

    def fold(
        self,
        store: Store,
        func: Func,
        header: str,
        contents: Sequence[Content],
        batches: Sequence[str],
    ) -> list[Answer]:
        """Call the lane."""
        answers = _invoke(store, func, header, list(contents), list(batches))
        return [(text, data, words) for text, data, words in answers]

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
        handle = make(calls.current().handles.add(database), bodies.RESOURCES["database"])
        answer = _invoke(store, func, handle, *arguments)
        # The two sides of this result have different Python classes, so it comes without a tag.
        if isinstance(answer, Variant):
            return self._lift.refusal(answer)
        self._limits.check_decision(self._component, *map(len, answer))
        return self._lift.decision(answer)


def _invoke(store: Store, func: Func, *arguments: Any) -> Any:
    # Waiting for another thread's call may take long, so there Ctrl-C works.
    signals.admit()
    with CONVERSION:
        signals.shut()
        answer = func(store, *arguments)
        func.post_return(store)
        return answer


@contextmanager
def _outside() -> Iterator[None]:
    """Here the database's own code runs: it may take long, call another component, and raise."""
    CONVERSION.release()
    try:
        signals.admit()
        yield
    finally:
        try:
            signals.shut()
        finally:
            CONVERSION.acquire()


class _StockBody(Body):
    """An imported function, its values converted by wasmtime-py."""

    def __init__(self, item: Import, function: HostFunction, lift: Lift, lower: Lower) -> None:
        super().__init__(item, function, lift, lower)
        # Read once: wasmtime-py reads the types anew whenever it is asked for them.
        self._self_type, *self._parameters = item.parameters
        self._result = item.result
        self._sides: tuple[ValType, ValType] | None = None
        if isinstance(item.result, ResultType):
            self._sides = cast("ValType", item.result.ok), cast("ValType", item.result.err)

    def answer(self, call: Call, store: StoreContext, arguments: Any, results: Any) -> None:
        """Convert the arguments, run the function, convert the result."""
        borrowed: ResourceAny = self._self_type.convert_from_c(arguments[0])
        # This ends the loan; a handle that is still on loan when the function returns is a trap.
        database = call.handles.get(borrowed.to_host(store).rep)
        given = [
            kind.convert_from_c(arguments[index]) for index, kind in enumerate(self._parameters, 1)
        ]
        if self._sides is None:
            value = self.lowered(call, self._run(database, given))
            abi.write(self._result, store, value, results)
            return
        ok, err = self._sides
        try:
            value = self.lowered(call, self._run(database, given))
        except EvidentSourceError as error:
            abi.write_outcome(err, store, words(error), results, ok=False)
        else:
            abi.write_outcome(ok, store, value, results, ok=True)

    def _run(self, database: Any, given: list[Any]) -> Any:
        kinds = self.method.parameters
        lifted = [self.lifted(kind, value) for kind, value in zip(kinds, given, strict=True)]
        with _outside():
            return self.function(database, *lifted)
