"""What is made of one component's contract, once: everything that its calls need."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from evidentsource_core.domain.events import Event
from evidentsource_runtime.host.convert.contract import Shape
from evidentsource_runtime.host.convert.lift import Lift
from evidentsource_runtime.host.convert.lower import Lower
from evidentsource_runtime.host.convert.packed.events import EventWriter
from evidentsource_runtime.host.convert.packed.makers import DomainMakers, PlainMakers
from evidentsource_runtime.host.convert.packed.names import Names
from evidentsource_runtime.host.convert.packed.readers import Reader, Readers
from evidentsource_runtime.host.convert.packed.sheet import Sheet
from evidentsource_runtime.host.convert.packed.writers import Writer, Writers
from evidentsource_runtime.host.convert.shapes import Contract


class Plan:
    """How values of one component are read and written.

    Args:
        component: its name, for messages.
        contract: its contract.
        content_limit: the most bytes that one value may have.

    Attributes:
        lift: says what is wrong with a value that the component gave.
        lower: checks what the component is given; records are dicts.
    """

    def __init__(self, component: str, contract: Contract, content_limit: int) -> None:
        self.lift = Lift(component, content_limit)
        self.lower = Lower(component, contract, content_limit, record=dict)
        names = Names()
        self._events = EventWriter(contract, names, content_limit)
        self._writers = Writers(contract, names, self._events)
        self._domain = Readers(contract, DomainMakers(content_limit))
        self._plain = Readers(contract, PlainMakers())

    def writer(self, shape: Shape, key: str) -> Writer:
        """What writes values of that shape, after ``lower`` has checked them."""
        return self._writers.of(shape, key)

    def write_events(
        self, sheet: Sheet, events: Sequence[Event], path: str, offset: int = 0
    ) -> bytes:
        """Write a list of events; ``offset`` is the index of the first in what the caller gave.

        Raises:
            ComponentInputError: this contract cannot carry a value.
            ComponentLimitError: a value has too many bytes.
        """
        try:
            return self._events(sheet, events)
        except Exception as error:  # noqa: BLE001 - whatever it is, the next line says it better
            unfit = error
        self.lower.events(events, path, offset)
        raise unfit

    def reader(self, shape: Shape, key: str, lift: Callable[[Any], Any]) -> Reader:
        """What reads values of that shape.

        Args:
            shape: the shape.
            key: what its width is kept under, where it is a number.
            lift: makes the same of wasmtime-py's value, and says what is wrong with it.
        """
        read = self._domain.of(shape, key)
        read_plain = self._plain.of(shape, key)

        def read_or_explain(address: int) -> Any:
            try:
                return read(address)
            except Exception:  # noqa: BLE001, S110 - whatever it is, the next line says it better
                pass
            return lift(read_plain(address))

        return read_or_explain
