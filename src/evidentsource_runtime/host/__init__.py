"""Runs components: typed Python in, typed Python out, and nothing in between that can hurt.

    host = Host()
    view = host.load("account_summary.wasm")
    content = view.evolve(None, events, context)
    change = host.load("deposit.wasm")
    events, conditions = change.decide(database, command, metadata)

The rooms: :mod:`.loading` and :mod:`.cache` get a component, :mod:`.instances` runs it,
:mod:`.components` is what callers hold, with :mod:`.folding` and :mod:`.many` behind its views;
:mod:`.database` is what components hold, :mod:`.convert` carries values across.
"""

from evidentsource_functions.lane import EncodedEvents
from evidentsource_runtime.host.components import StateChangeComponent, StateViewComponent
from evidentsource_runtime.host.convert.lift import Decision
from evidentsource_runtime.host.deterministic import Deterministic
from evidentsource_runtime.host.errors import (
    ComponentError,
    ComponentExit,
    ComponentInputError,
    ComponentLimitError,
    ComponentLoadError,
    ComponentOutputError,
    ComponentTrap,
    HostCallError,
)
from evidentsource_runtime.host.host import Host
from evidentsource_runtime.host.limits import Limits
from evidentsource_runtime.host.loading import CompileProgress
from evidentsource_runtime.host.many import Fold, Folded

__all__ = [
    "CompileProgress",
    "ComponentError",
    "ComponentExit",
    "ComponentInputError",
    "ComponentLimitError",
    "ComponentLoadError",
    "ComponentOutputError",
    "ComponentTrap",
    "Decision",
    "Deterministic",
    "EncodedEvents",
    "Fold",
    "Folded",
    "Host",
    "HostCallError",
    "Limits",
    "StateChangeComponent",
    "StateViewComponent",
]
