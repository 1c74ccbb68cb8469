"""Holds the packed codec against wasmtime-py's own conversion, value by value and call by call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

from wasmtime import Config, Engine, Store
from wasmtime.component import Component, Func, FuncType, Linker, ValType

from evidentsource_runtime.host.calls import Call, running
from evidentsource_runtime.host.convert import abi
from evidentsource_runtime.host.convert.codec import Codec, HostFunction
from evidentsource_runtime.host.convert.packed.plan import Plan
from evidentsource_runtime.host.convert.packed.sheet import Cells, Sheet
from evidentsource_runtime.host.convert.shapes import read_contract
from evidentsource_runtime.host.convert.stock import CONVERSION

T = TypeVar("T")


class Trial:
    """A component of :mod:`.specimen`, and values on their way between it and us.

    Args:
        text: the component.
        content_limit: the most bytes that one value may have.

    Attributes:
        contract: its contract.
        plan: how we read and write its values.
        kinds: the types of parameters (``function.index``) and results (``function``).
    """

    def __init__(self, text: str, content_limit: int = 2**21) -> None:
        self._engine = Engine(Config())
        self._store = Store(self._engine)
        self._component = Component(self._engine, text)
        self._cells = Cells(content_limit)
        self.contract = read_contract("specimen", self._component, self._engine)
        self.plan = Plan("specimen", self.contract, content_limit)
        exports = self._component.type.exports(self._engine)
        function = cast("FuncType", exports[self.contract.export].ty)
        named = [kind for _, kind in function.params]
        self.kinds = _kinds(self.contract.export, 0, named, cast("ValType", function.result))
        for item in self.contract.imports:
            self.kinds |= _kinds(item.path, 1, item.parameters[1:], item.result)

    def theirs_of_ours(self, key: str, write: Callable[[Sheet], bytes]) -> Any:
        """What wasmtime-py reads of a value that we wrote."""
        with CONVERSION, Sheet(self._cells) as sheet:
            return abi.converted_back(self.kinds[key], sheet.place(write(sheet)))

    def ours_of_theirs(self, key: str, value: Any, read: Callable[[int], T]) -> T:
        """What we read of a value that wasmtime-py wrote."""
        with CONVERSION, abi.converted(self.kinds[key], self._store, value) as address:
            return read(address)

    def theirs_of_theirs(self, key: str, value: Any) -> Any:
        """What wasmtime-py reads of a value that it wrote itself."""
        kind = self.kinds[key]
        with CONVERSION, abi.converted(kind, self._store, value) as address:
            return abi.converted_back(kind, address)

    def call(
        self,
        codec: Codec,
        functions: Mapping[str, HostFunction],
        use: Callable[[Store, Func], T],
    ) -> T:
        """Call the component in a new instance."""
        linker = Linker(self._engine)
        store = Store(self._engine)
        codec.link(linker, functions)
        with running(Call()):
            function = linker.instantiate(store, self._component).get_func(
                store, self.contract.export
            )
            return use(store, cast("Func", function))


def _kinds(
    function: str, first: int, parameters: list[ValType] | tuple[ValType, ...], result: ValType
) -> dict[str, ValType]:
    named = {f"{function}.{index}": kind for index, kind in enumerate(parameters, first)}
    return named | {function: result}
