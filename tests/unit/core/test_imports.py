"""What runs in a component imports nothing but the standard library, and not much of that."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import evidentsource_core

SOURCES = Path(evidentsource_core.__file__).parents[1]
# -I -S: no site-packages, no environment, no user site; only the interpreter and the sources.
BARE = """
import sys
sys.path.insert(0, {sources!r})
before = set(sys.modules)
import importlib, json
for name in {modules!r}:
    importlib.import_module(name)
print(json.dumps(sorted(set(sys.modules) - before)))
"""

CORE = ("evidentsource_core", "evidentsource_core.jsontext", "evidentsource_core.times")
GUEST = (
    "evidentsource_functions",
    "evidentsource_functions.content",
    "evidentsource_functions.errors",
    "evidentsource_functions.state_change",
    "evidentsource_functions.state_view",
    "evidentsource_functions.wit_types",
    "evidentsource_functions.wasm",
    "evidentsource_functions.wasm.adapters",
)
OURS = {"evidentsource_core", "evidentsource_functions"}
# A guest lacks them, or they would make every component larger and every start slower.
TOO_MUCH = {
    "asyncio", "concurrent", "ctypes", "email", "http", "logging", "lzma", "multiprocessing",
    "pdb", "pydoc", "sqlite3", "ssl", "subprocess", "tempfile", "unittest", "urllib", "xml", "zipfile",
}  # fmt: skip


def imported_bare(modules: tuple[str, ...]) -> list[str]:
    program = BARE.format(sources=str(SOURCES), modules=modules)
    command = [sys.executable, "-I", "-S", "-B", "-W", "error", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    found: list[str] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("modules", [CORE, GUEST], ids=["core", "guest"])
def test_only_the_standard_library_is_imported(modules: tuple[str, ...]) -> None:
    roots = {name.partition(".")[0] for name in imported_bare(modules)}
    assert roots - OURS <= sys.stdlib_module_names
    assert not roots & TOO_MUCH


def test_the_core_needs_nothing_of_the_functions() -> None:
    roots = {name.partition(".")[0] for name in imported_bare(CORE)}
    assert roots & OURS == {"evidentsource_core"}


def test_the_core_is_imported_with_few_modules() -> None:
    found = imported_bare(CORE)
    ours = [name for name in found if name.startswith("evidentsource_core")]
    assert len(found) - len(ours) <= 70
    assert "evidentsource_core.reference" not in found


def test_the_guest_part_leaves_the_testing_half_out() -> None:
    found = imported_bare(GUEST)
    assert not [name for name in found if name.startswith("evidentsource_functions.testing")]
