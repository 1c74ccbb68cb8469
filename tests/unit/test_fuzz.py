"""The fuzzer in short: it goes through all that it fuzzes, and finds what is wrong."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(
    find_spec("atheris") is None, reason="atheris has no build for this machine"
)

PLANTED = """
import sys
from tests.fuzz.boundary import main

def planted(data):
    if data[:1] == b"!":
        raise AssertionError("found the defect")

sys.exit(main({"planted": planted}))
"""


def run(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=directory,
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_short_run_finds_nothing(tmp_path: Path) -> None:
    done = run(tmp_path, "-m", "tests.fuzz.boundary", "--seconds", "1", "--seed", "1")
    assert done.returncode == 0, done.stderr[-2000:]
    assert "DONE" in done.stderr


def test_a_planted_defect_is_found_and_can_be_run_again(tmp_path: Path) -> None:
    done = run(tmp_path, "-c", PLANTED, "--seconds", "30", "--seed", "1")
    assert done.returncode
    (found,) = (tmp_path / ".fuzz").iterdir()
    again = run(tmp_path, "-c", PLANTED, str(found))
    assert again.returncode
    assert "found the defect" in again.stderr
