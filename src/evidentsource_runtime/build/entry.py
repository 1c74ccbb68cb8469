"""The small module that a build puts before the user's: what componentize-py is given to import.

It imports the user's module, loads what would otherwise be imported too late, has the SDK rehearse,
and, in a pure build, installs the guard. A component does not need it: one that is built by
componentize-py alone imports the user's module itself.
"""

from __future__ import annotations

from collections.abc import Iterable

from evidentsource_runtime.build.guest import COMPANIONS

ENTRY_MODULE = "evidentsource_component_entry"
LATE_MARK = "evidentsource late import: "
USER_PREFIX = "/0/"

_ENTRY = '''\
"""Written by `evidentsource build`: exports the WitWorld of {module}."""

import importlib
import pkgutil
import sys

WitWorld = importlib.import_module({module!r}).WitWorld

for _name, _companions in {companions!r}.items():
    if _name in sys.modules:
        for _companion in _companions.split():
            importlib.import_module(_companion)

import wit_world

for _found in pkgutil.walk_packages(wit_world.__path__, "wit_world."):
    importlib.import_module(_found.name)

_late = [
    _name
    for _name in {late!r}
    if _name not in sys.modules and _name not in sys.builtin_module_names
]
if _late:
    raise ImportError({mark!r} + _late[0])
'''

_REHEARSE = """
if "evidentsource_functions.wasm.adapters" in sys.modules:
    from evidentsource_functions.wasm._rehearsal import rehearse

    rehearse(WitWorld)
"""

_EXPLAIN = """
import traceback


class WitWorld(WitWorld):
    def explain_evolve(self, state_view, events):
        try:
            self.evolve(state_view, events)
        except BaseException:
            return traceback.format_exc()
        return None
"""

_PURE = """
from evidentsource_functions.wasm import pure

pure.install({prefix!r})
"""

FREEZE = """
import gc

gc.collect()
# The collector need not look again at what is here for good. Last: what is frozen is not found any more.
gc.freeze()
"""


def entry_source(module: str, late: Iterable[str], *, explained: bool, pure: bool) -> str:
    """Return the source of the entry module.

    Args:
        module: the user's module, dotted.
        late: modules that functions import; the build fails where nothing has loaded them.
        explained: whether it exports `explain-evolve`.
        pure: whether to install the guard.
    """
    source = _ENTRY.format(module=module, companions=COMPANIONS, late=sorted(late), mark=LATE_MARK)
    if explained:
        source += _EXPLAIN
    source += _REHEARSE
    if pure:
        source += _PURE.format(prefix=USER_PREFIX)
    return source + FREEZE
