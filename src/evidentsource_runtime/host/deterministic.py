"""Clocks and randomness that a component finds the same at every repetition.

>>> from datetime import UTC, datetime
>>> from evidentsource_runtime.host import Deterministic
>>> Deterministic(seed=7, now=datetime(2024, 1, 1, tzinfo=UTC)).seed
7
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias

from wasmtime import Engine, StoreContext, WasmtimeError
from wasmtime.component import (
    Component,
    ComponentInstanceType,
    FuncType,
    Linker,
    Record,
    ValType,
)

from evidentsource_core.domain.errors import InvalidType, InvalidValue
from evidentsource_core.times import to_parts
from evidentsource_runtime.host import calls
from evidentsource_runtime.host.convert import abi

WASI_VERSION: Final = "0.2.12"
"""The version under which wasmtime 50 defines WASI. What is defined under it again takes the place of
single functions; under any other, it would take the place of the whole interface."""

_MOST_BYTES = 65_536
_STEP = 1_000
"""Nanoseconds from one reading of a clock to the next, so that what waits for a clock goes on."""
_BILLION = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Deterministic:
    """What a component takes for the time, and for chance.

    Every instance of a component starts anew from both, so that a decision on the same database, from
    the same command, is the same again, down to the ids it makes up.

    Attributes:
        seed: what random numbers come from.
        now: what the wall clock shows when it is first read; a microsecond more at every further
            reading. Not before 1970.

    Sleeping takes its time and is seen on no clock.

    Raises:
        InvalidType: the seed is of another type, or ``now`` no datetime.
        InvalidValue: ``now`` has no time zone, or is before 1970.
    """

    seed: int | str | bytes
    now: datetime

    def __post_init__(self) -> None:
        if isinstance(self.seed, bool) or not isinstance(self.seed, (int, str, bytes)):
            raise InvalidType("deterministic.seed", "int, str or bytes", self.seed)
        if not isinstance(self.now, datetime):
            raise InvalidType("deterministic.now", "datetime", self.now)
        if self.now.utcoffset() is None:
            hint = "give it one: datetime(..., tzinfo=UTC)"
            raise InvalidValue("deterministic.now", "has no time zone", hint)
        if to_parts(self.now)[0] < 0:
            raise InvalidValue("deterministic.now", "is before 1970, where WASI's clock starts")

    def simulation(self) -> Simulation:
        """The clocks and the randomness of one instance."""
        return Simulation(self)


class Simulation:
    """The clocks and the randomness of one instance."""

    def __init__(self, given: Deterministic) -> None:
        seconds, nanoseconds = to_parts(given.now)
        self._wall = seconds * _BILLION + nanoseconds
        self._monotonic = 0
        # The type counts too: 1, "1" and b"1" are three seeds.
        self._seed = hashlib.sha256(repr(given.seed).encode()).digest()
        self._blocks = 0

    def wall(self) -> Record:
        """The time of day, a step later at each reading."""
        seconds, nanoseconds = divmod(self._wall, _BILLION)
        self._wall += _STEP
        record = Record()
        record.__dict__.update(seconds=seconds, nanoseconds=nanoseconds)
        return record

    def monotonic(self) -> int:
        """Nanoseconds since some moment, a step more at each reading."""
        self._monotonic += _STEP
        return self._monotonic

    def random(self, count: int) -> bytes:
        """So many bytes.

        Raises:
            WasmtimeError: it is more than a component can need.
        """
        if count > _MOST_BYTES:
            raise WasmtimeError(f"{count:,} random bytes at once are over {_MOST_BYTES:,}")
        data = bytearray()
        while len(data) < count:
            data += hashlib.sha256(self._seed + self._blocks.to_bytes(8, "big")).digest()
            self._blocks += 1
        return bytes(data[:count])

    def number(self) -> int:
        """A number of 64 bits."""
        return int.from_bytes(self.random(8), "big")


_Source: TypeAlias = Callable[..., Any]

_FUNCTIONS: Final[Mapping[str, Mapping[str, _Source]]] = {
    "wasi:clocks/wall-clock": {"now": Simulation.wall},
    "wasi:clocks/monotonic-clock": {"now": Simulation.monotonic},
    "wasi:random/random": {
        "get-random-bytes": Simulation.random,
        "get-random-u64": Simulation.number,
    },
    "wasi:random/insecure": {
        "get-insecure-random-bytes": Simulation.random,
        "get-insecure-random-u64": Simulation.number,
    },
    "wasi:random/insecure-seed": {
        "insecure-seed": lambda simulation: (simulation.number(), simulation.number()),
    },
}
"""What is not live in this mode, by interface and function."""


def link(linker: Linker, compiled: Component, engine: Engine) -> None:
    """Put the simulated functions in the place of the live ones that a component imports."""
    linker.allow_shadowing = True
    for name, item in compiled.type.imports(engine).items():
        interface = name.partition("@")[0]
        if interface not in _FUNCTIONS or not isinstance(item.ty, ComponentInstanceType):
            continue
        kinds = {key: extern.ty for key, extern in item.ty.exports(engine).items()}
        with linker.root() as root, root.add_instance(f"{interface}@{WASI_VERSION}") as instance:
            for function, source in _FUNCTIONS[interface].items():
                kind = kinds.get(function)
                if isinstance(kind, FuncType) and kind.result is not None:
                    parameters = [part for _, part in kind.params]
                    body = _body(f"{interface}.{function}", source, parameters, kind.result)
                    abi.define(instance, function, body)


def _body(path: str, source: _Source, parameters: list[ValType], result: ValType) -> abi.Body:
    def answer(store: StoreContext, arguments: Any, results: Any) -> None:
        call = calls.current()
        try:
            given = [kind.convert_from_c(arguments[at]) for at, kind in enumerate(parameters)]
            abi.write(result, store, source(call.simulation, *given), results)
        except WasmtimeError:
            raise
        except BaseException as error:  # noqa: BLE001 - any that left it would crash the process
            call.fail(path, error)
            raise WasmtimeError(f"{path} failed in the host") from None

    return answer
