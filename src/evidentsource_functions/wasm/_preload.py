"""Modules that the standard library itself imports late, when they are first needed.

A component can only import what was imported while it was built, so ``datetime.strptime`` or
``text.encode("latin-1")`` would fail at the first command. Imported here, they are there.
"""

from __future__ import annotations

from importlib import import_module

LATE_MODULES = (
    "_strptime",  # datetime.strptime
    "encodings.ascii",
    "encodings.cp1252",
    "encodings.latin_1",
    "encodings.raw_unicode_escape",
    "encodings.unicode_escape",
    "encodings.utf_16",
    "encodings.utf_16_be",
    "encodings.utf_16_le",
    "encodings.utf_32",
    "encodings.utf_8_sig",
    "hashlib",  # uuid.uuid3 and uuid5
    "linecache",  # tracebacks
    "traceback",
)
"""What is imported; data, so that a test can hold each against the guest."""


def preload() -> None:
    """Import them all."""
    for name in LATE_MODULES:
        import_module(name)
