"""The wasmtime engine, and what must be equal for a compiled component to be used again."""

from __future__ import annotations

import platform
import sys
from importlib.metadata import version

import wasmtime

SETTINGS: dict[str, object] = {}
"""What differs from wasmtime's own configuration, by the name of the property."""


def make_engine() -> wasmtime.Engine:
    """An engine with our settings."""
    config = wasmtime.Config()
    for name, value in SETTINGS.items():
        setattr(config, name, value)
    return wasmtime.Engine(config)


def fingerprint() -> str:
    """What a compiled component depends on beside its own bytes.

    >>> fingerprint() == fingerprint()
    True
    """
    settings = ",".join(f"{name}={value}" for name, value in sorted(SETTINGS.items()))
    return f"{version('wasmtime')}|{sys.platform}|{platform.machine()}|{settings}"
