"""What makes a rule's result another one when it is repeated, and what to use instead.

Data alone: a call is named as module and qualified name, as a profiler sees it.
"""

from __future__ import annotations

from typing import Final

from evidentsource_functions.wasm.pure import CLASS_CLOCKS, CLOCK, IMPURE, OPTIONAL_TIME, RANDOM

ENVIRONMENT: Final = (
    "a component has no environment; write the value into the module, or send it with the command"
)
SET_ORDER: Final = (
    "the order of a set of texts differs from process to process; use sorted(...), or a dict or a "
    "list"
)
IDENTITY: Final = (
    "differs from process to process; compare and derive from the values themselves, say with "
    "hashlib"
)
UNKNOWN: Final = "derive it from the command, the event or the database alone"

_ENVIRONMENT: dict[str, str] = {
    "os": "getenv getcwd getlogin getpid uname cpu_count _Environ.__getitem__ _Environ.get",
    "collections.abc": "Mapping.get",
    "platform": "node platform system machine python_version",
    "socket": "gethostname getfqdn",
    "getpass": "getuser",
    "locale": "getlocale getpreferredencoding",
}
_IDENTITY: dict[str, str] = {"builtins": "id hash object.__hash__"}
# How a profiler calls functions that stand under another name for whoever calls them.
_ALIASES: dict[str, str] = {
    "posix.urandom": "os.urandom",
    "posix.getrandom": "os.getrandom",
    "posix.getpid": "os.getpid",
    "posix.getcwd": "os.getcwd",
}


def _table() -> dict[str, str]:
    groups = {
        CLOCK: IMPURE[CLOCK],
        RANDOM: IMPURE[RANDOM],
        ENVIRONMENT: _ENVIRONMENT,
        IDENTITY: _IDENTITY,
    }
    table = {
        f"{module}.{name}": advice
        for advice, modules in groups.items()
        for module, names in modules.items()
        for name in names.split()
    }
    table |= {f"datetime.{kind}.{name}": CLOCK for kind, name in CLASS_CLOCKS}
    table |= {f"time.{name}": CLOCK for name in OPTIONAL_TIME}
    # Methods of the module's own generators, which `random.choice` and its like are.
    names = IMPURE[RANDOM]["random"].split()
    table |= {
        f"random.{kind}.{name}": RANDOM for kind in ("Random", "SystemRandom") for name in names
    }
    return table | {alias: table[name] for alias, name in _ALIASES.items()}


WATCHED: Final[dict[str, str]] = _table()
"""What to use instead, by what was called."""

SHIFT_SECONDS: Final = 77_777_777
"""How much later it is in the other process: about two and a half years, at another time of day."""
OTHER_ZONE: Final = "FAR-11:30"
"""The time zone of the other process."""
HASH_SEED: Final = "20240101"
"""The hash seed of the other process; one's own is random, or another one."""
