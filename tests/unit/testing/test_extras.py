"""Without the packages of the extra ``testing``, whoever imports what needs them reads what to install."""

from __future__ import annotations

import subprocess
import sys

import pytest

_WITHOUT = """
from importlib.machinery import PathFinder
real = PathFinder.find_spec
def find(name, path=None, target=None):
    return None if name.partition(".")[0] in ("hypothesis", "pytest") else real(name, path, target)
PathFinder.find_spec = find
"""


@pytest.mark.parametrize(
    ("module", "package"),
    [
        ("evidentsource_runtime.testing.strategies", "hypothesis"),
        ("evidentsource_runtime.testing.properties", "hypothesis"),
        ("evidentsource_runtime.testing.machine", "hypothesis"),
        ("evidentsource_runtime.contract", "pytest"),
    ],
)
def test_what_is_missing_is_told_with_what_to_install(module: str, package: str) -> None:
    command = [sys.executable, "-c", f"{_WITHOUT}\nimport {module}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    last = done.stderr.splitlines()[-1]
    assert last.startswith("ImportError: ")
    assert f"need {package}: pip install 'evidentsource-functions[testing]'" in last.replace(
        "needs", "need"
    )


def test_the_guard_needs_neither() -> None:
    command = [sys.executable, "-c", f"{_WITHOUT}\nimport evidentsource_runtime.testing.guard"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr == ""
