"""The functions that a component calls: what they do, whichever way values cross.

A codec says how arguments are read and results are written (:meth:`Body.answer`); what is lifted and
lowered on the way, and what becomes of exceptions, is the same for all.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from wasmtime import StoreContext, WasmtimeError
from wasmtime.component import Linker, ResourceHost, ResourceType

from evidentsource_core.domain.errors import DatabaseAccessError, EvidentSourceError
from evidentsource_runtime.host import calls
from evidentsource_runtime.host.calls import Call
from evidentsource_runtime.host.convert import abi
from evidentsource_runtime.host.convert.codec import HostFunction
from evidentsource_runtime.host.convert.contract import Handle, Kind
from evidentsource_runtime.host.convert.lift import Lift
from evidentsource_runtime.host.convert.lower import Lower
from evidentsource_runtime.host.convert.shapes import Contract, Import

RESOURCES: Final[Mapping[str, int]] = {"database": 1, "speculative-database": 2}
"""The numbers that wasmtime tells the two host resources apart by."""


def words(error: EvidentSourceError) -> str:
    """What the component is told; for an error of access without what the guest's side adds again."""
    text = error.reason if isinstance(error, DatabaseAccessError) else str(error)
    return text.encode(errors="backslashreplace").decode()


def link(linker: Linker, contract: Contract, make: Callable[[Import], Callable[..., None]]) -> None:
    """Define the interface with the database, where the component imports it.

    Args:
        linker: where to define it.
        contract: the component's contract.
        make: makes the body of an imported function.
    """
    if contract.interface is None:
        return
    with linker.root() as root, root.add_instance(contract.interface) as instance:
        for resource in contract.resources:
            instance.add_resource(resource, ResourceType.host(RESOURCES[resource]), _drop)
        for item in contract.imports:
            abi.define(instance, f"[method]{item.path}", make(item))


def _drop(_store: StoreContext, number: int) -> None:
    calls.current().handles.drop(number)


class Body(ABC):
    """An imported function: lifts its arguments, runs the host's function, lowers the result.

    Nothing but a :class:`WasmtimeError` leaves it. What the database announces (an error of the
    domain) goes to the component as text where the function can say so; every other exception is kept
    for the caller of the component and ends the call.
    """

    def __init__(self, item: Import, function: HostFunction, lift: Lift, lower: Lower) -> None:
        self.path = item.path
        self.method = item.method
        self.function = function
        self._lift = lift
        self._lower = lower

    def __call__(self, store: StoreContext, arguments: Any, results: Any) -> None:
        """Answer the component's call; the two arrays are wasmtime's."""
        call = calls.current()
        try:
            self.answer(call, store, arguments, results)
        except BaseException as error:  # noqa: BLE001 - any that left it would crash the process
            call.fail(self.path, error)
            raise WasmtimeError(f"{self.path} failed in the host") from None

    @abstractmethod
    def answer(self, call: Call, store: StoreContext, arguments: Any, results: Any) -> None:
        """Do what the function is for, between the two arrays."""

    def lifted(self, kind: Kind, value: Any) -> Any:
        """A parameter in the domain, from wasmtime-py's value."""
        if kind in (Kind.NUMBER, Kind.TEXT):
            return value
        lift: dict[Kind, Callable[[Any, str], Any]] = {
            Kind.TIME: self._lift.time,
            Kind.EVENTS: self._lift.events,
            Kind.QUERY: self._lift.query,
            Kind.PARAMETERS: self._lift.parameters,
        }
        return lift[kind](value, f"{self.path}.{kind.name.lower()}")

    def lowered(self, call: Call, value: Any) -> Any:
        """The result, checked; a database as a handle, anything else as ``Lower`` makes it."""
        kind = self.method.result
        if kind is Kind.NUMBER:
            return self._lower.whole(value, self.path, self.path)
        if kind in (Kind.DATABASE, Kind.SPECULATIVE):
            number = RESOURCES[cast("Handle", kind.value).resource]
            return ResourceHost.own(call.handles.add(value), number)
        if value is None and kind in (Kind.OPTIONAL_TIME, Kind.VIEW):
            return None
        lower: dict[Kind, Callable[[Any, str], Any]] = {
            Kind.TEXT: self._lower.text,
            Kind.TIME: self._lower.time,
            Kind.OPTIONAL_TIME: self._lower.time,
            Kind.EVENTS: self._lower.events,
            Kind.VIEW: self._lower.rendered,
        }
        return lower[kind](value, self.path)
