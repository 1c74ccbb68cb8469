"""The wasmtime engine, and what must be equal for a compiled component to be used again."""

from __future__ import annotations

import platform
import sys
from importlib.metadata import version

import wasmtime

from evidentsource_runtime.host.convert.abi import use_pool
from evidentsource_runtime.host.limits import Limits
from evidentsource_runtime.host.traps import TRAP_HANDLERS

SETTINGS: dict[str, object] = {"epoch_interruption": True}
"""What differs from wasmtime's own configuration in compiled code, by the name of the property."""

_MIB = 1024 * 1024
_EACH = {
    "memories": 1,
    "tables": 20,
    "core_instances": 100,
}
"""What one instance may have in a pool; a component that has more runs outside of it."""


def make_engine(stack_bytes: int = Limits().stack_bytes, *, slots: int = 0) -> wasmtime.Engine:
    """An engine with our settings; neither the stack nor a pool is a matter of compiled code.

    Args:
        stack_bytes: the WebAssembly stack.
        slots: how many instances at once share a pool of memory that stays mapped; with 0, each
            instance maps and unmaps its own.

    Raises:
        WasmtimeError: there are no addresses for a pool of that size.
    """
    config = wasmtime.Config()
    for name, value in SETTINGS.items():
        setattr(config, name, value)
    config.max_wasm_stack = stack_bytes
    if slots:
        use_pool(config, _pool(slots))
    engine = wasmtime.Engine(config)
    TRAP_HANDLERS.note()
    return engine


def _pool(slots: int) -> dict[str, int]:
    """The sizes of a pool, by wasmtime's names for them."""
    return {
        "total_component_instances": slots,
        "max_component_instance_size": _MIB,
        "max_core_instance_size": _MIB,
        "table_elements": 100_000,
        # Memory is put back by copying where it is not more than this: pages that are given up and
        # faulted in again are what threads of one process wait for.
        "linear_memory_keep_resident": 32 * _MIB,
        "table_keep_resident": _MIB,
        "total_gc_heaps": slots,
        **{f"total_{kind}": slots * each for kind, each in _EACH.items()},
        **{f"max_{kind}_per_component": each for kind, each in _EACH.items()},
    }


def fingerprint() -> str:
    """What a compiled component depends on beside its own bytes.

    >>> fingerprint() == fingerprint()
    True
    """
    settings = ",".join(f"{name}={value}" for name, value in sorted(SETTINGS.items()))
    return f"{version('wasmtime')}|{sys.platform}|{platform.machine()}|{settings}"
