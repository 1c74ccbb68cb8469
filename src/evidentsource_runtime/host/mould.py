"""A component linked in one engine: what its instances there are made from."""

from __future__ import annotations

from wasmtime import Engine, Store
from wasmtime.component import Component, Linker
from wasmtime.component import Instance as ComponentInstance

from evidentsource_runtime.host.convert.codec import Codec
from evidentsource_runtime.host.database import FUNCTIONS
from evidentsource_runtime.host.deterministic import link as link_simulation
from evidentsource_runtime.host.signals import Deferral


class Mould:
    """What the instances of a component in one engine are made from.

    Args:
        engine: the engine.
        compiled: the component, compiled for it.
        codec: gives it the functions of the host.
        simulated: whether clocks and randomness are the host's as well.
    """

    def __init__(
        self, engine: Engine, compiled: Component, codec: Codec, *, simulated: bool
    ) -> None:
        self.engine = engine
        self._compiled = compiled
        with Deferral():
            self._linker = Linker(engine)
            self._linker.add_wasip2()
            if simulated:
                link_simulation(self._linker, compiled, engine)
            codec.link(self._linker, FUNCTIONS)

    def make(self, store: Store) -> ComponentInstance:
        """Make an instance in ``store``, which is one of the same engine."""
        return self._linker.instantiate(store, self._compiled)
