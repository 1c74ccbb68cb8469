"""The wasmtime engine, and what must be equal for a compiled component to be used again."""

from __future__ import annotations

import platform
import sys
from importlib.metadata import version

import wasmtime

from evidentsource_runtime.host.limits import Limits
from evidentsource_runtime.host.traps import TRAP_HANDLERS

SETTINGS: dict[str, object] = {"epoch_interruption": True}
"""What differs from wasmtime's own configuration in compiled code, by the name of the property."""


def make_engine(stack_bytes: int = Limits().stack_bytes) -> wasmtime.Engine:
    """An engine with our settings; the stack is no matter of compiled code."""
    config = wasmtime.Config()
    for name, value in SETTINGS.items():
        setattr(config, name, value)
    config.max_wasm_stack = stack_bytes
    engine = wasmtime.Engine(config)
    TRAP_HANDLERS.note()
    return engine


def fingerprint() -> str:
    """What a compiled component depends on beside its own bytes.

    >>> fingerprint() == fingerprint()
    True
    """
    settings = ",".join(f"{name}={value}" for name, value in sorted(SETTINGS.items()))
    return f"{version('wasmtime')}|{sys.platform}|{platform.machine()}|{settings}"
