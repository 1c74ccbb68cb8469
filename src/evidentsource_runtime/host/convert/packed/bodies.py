"""The functions that a component calls, with their arguments read out of memory.

wasmtime frees what a function returns, so a result is packed on a sheet of our own like any other
value, and wasmtime is given a copy.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property, partial
from typing import Any, Final

from wasmtime import StoreContext
from wasmtime.component import ResourceHost

from evidentsource_core.domain.errors import EvidentSourceError
from evidentsource_runtime.host import signals
from evidentsource_runtime.host.calls import Call
from evidentsource_runtime.host.convert import abi
from evidentsource_runtime.host.convert.bodies import Body, words
from evidentsource_runtime.host.convert.codec import HostFunction
from evidentsource_runtime.host.convert.contract import Kind
from evidentsource_runtime.host.convert.packed.layout import PAYLOAD, RESULT, SIDE, VALUE_SIZE
from evidentsource_runtime.host.convert.packed.plan import Plan
from evidentsource_runtime.host.convert.packed.readers import Reader
from evidentsource_runtime.host.convert.packed.sheet import Cells, Sheet
from evidentsource_runtime.host.convert.packed.writers import Writer
from evidentsource_runtime.host.convert.shapes import Import

_word: Final = struct.Struct("<Q").unpack_from


class PackedBody(Body):
    """An imported function."""

    def __init__(self, item: Import, function: HostFunction, plan: Plan, cells: Cells) -> None:
        super().__init__(item, function, plan.lift, plan.lower)
        self._plan = plan
        self._cells = cells

    # Of some twenty functions a component mostly calls two or three, and each takes a while to plan.
    @cached_property
    def _write(self) -> Writer:
        return self._plan.writer(self.method.result.value, self.path)

    @cached_property
    def _parameters(self) -> list[tuple[Reader, int]]:
        return [
            (
                self._plan.reader(kind.value, f"{self.path}.{index}", partial(self.lifted, kind)),
                index * VALUE_SIZE,
            )
            for index, kind in enumerate(self.method.parameters, 1)
        ]

    def answer(self, call: Call, store: StoreContext, arguments: Any, results: Any) -> None:
        """Read the arguments, run the function, hand over what it gave."""
        first = abi.address_of(arguments)
        (resource,) = _word(abi.MEMORY, first + PAYLOAD)
        database = call.handles.get(abi.borrowed(store, resource))
        with Sheet(self._cells) as sheet:
            if self.method.can_refuse:
                try:
                    good, side = True, self._run(call, store, sheet, database, first)
                except EvidentSourceError as error:
                    good, side = False, sheet.text(words(error))
                value = SIDE.pack(RESULT, good, sheet.place(side))
            else:
                value = self._run(call, store, sheet, database, first)
            abi.hand_over(sheet.place(value), results)

    def _run(
        self, call: Call, store: StoreContext, sheet: Sheet, database: Any, first: int
    ) -> bytes:
        given = [read(first + offset) for read, offset in self._parameters]
        with _outside():
            found = self.function(database, *given)
        if self.method.result is Kind.EVENTS:
            return self._plan.write_events(sheet, found, self.path)
        value = self.lowered(call, found)
        if isinstance(value, ResourceHost):
            value = value.to_any(store)
        return self._write(sheet, value)


@contextmanager
def _outside() -> Iterator[None]:
    """Here the database's own code runs: it may take long, call another component, and raise."""
    try:
        signals.admit()
        yield
    finally:
        signals.shut()
