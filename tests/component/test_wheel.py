"""The built wheel, in an empty environment outside of the checkout: builds, inspects and runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RUN = """
import sys
from datetime import UTC, datetime
from evidentsource_core import Event
from evidentsource_functions import StateViewContext
from evidentsource_runtime.host import Host
context = StateViewContext("bank", "account", 1, 1, datetime(2024, 1, 1, tzinfo=UTC), "application/json")
event = Event("e-1", "https://h/db/bank/streams/accounts", "account.credited", data='{"amount": 5}')
print(Host().load(sys.argv[1]).evolve(None, [event], context).decode())
"""
KIT = """
import sys
from evidentsource_functions.testing import Scenarios, event
from evidentsource_runtime.testing import level_names, use_level

def touch(db, command: dict, metadata):
    return [event("touched").prospective("things", "e-1")]

with use_level("native"):
    Scenarios("bank", stream="things").change(touch).when({}).then(event("touched"))
assert level_names() == ["native", "sandbox", "component", "server", "all"]
assert not {"pytest", "hypothesis"} & set(sys.modules)
"""

pytestmark = [pytest.mark.component, pytest.mark.xdist_group("builds")]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    return path


Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def run(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run a program of an environment that holds nothing but the wheel."""
    environment = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
    programs = environment / "bin"
    install = [
        str(programs / "python"),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-compile",
        "--disable-pip-version-check",
    ]
    subprocess.run([*install, str(wheel)], check=True)
    variables = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}

    def run_program(program: str, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(programs / program), *arguments],
            cwd=cwd,
            env=variables,
            capture_output=True,
            text=True,
            check=False,
        )

    return run_program


def test_the_wheel_holds_the_packages_their_types_and_the_contract(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for package in ("evidentsource_core", "evidentsource_functions", "evidentsource_runtime"):
        assert f"{package}/py.typed" in names
    contract = zipfile.ZipFile(wheel).read("evidentsource_runtime/interface/decider.wit")
    assert contract == (ROOT / "interface" / "decider.wit").read_bytes()
    assert [name for name in names if name.startswith(("tests", "examples"))] == []
    licences = [name.rpartition("/")[2] for name in names if "/licenses/" in name]
    assert sorted(licences) == ["LICENSE-APACHE", "LICENSE-MIT"]


def test_an_installed_sdk_builds_inspects_and_runs_the_quick_start(
    run: Run, tmp_path: Path
) -> None:
    source = ROOT / "examples" / "quickstart" / "my_state_view.py"
    (tmp_path / "my_state_view.py").write_bytes(source.read_bytes())

    built = run("evidentsource", "build", "my_state_view", "--json", cwd=tmp_path)
    assert built.returncode == 0, built.stdout + built.stderr
    facts = json.loads(built.stdout)
    assert facts["world"] == "state-view"

    inspected = run("evidentsource", "inspect", "my_state_view.wasm", cwd=tmp_path)
    assert inspected.returncode == 0, inspected.stderr
    assert facts["input_hash"] in inspected.stdout

    ran = run("python", "-c", RUN, "my_state_view.wasm", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == {"balance": 5, "transaction_count": 1}


def test_an_installed_sdk_tests_rules_without_pytest_and_tells_pytest_of_its_plugin(
    run: Run, wheel: Path, tmp_path: Path
) -> None:
    ran = run("python", "-c", KIT, cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    archive = zipfile.ZipFile(wheel)
    (name,) = [name for name in archive.namelist() if name.endswith("entry_points.txt")]
    text = archive.read(name).decode()
    assert "[pytest11]\nevidentsource = evidentsource_runtime.testing.plugin" in text


def test_an_installed_sdk_says_what_is_wrong(run: Run, tmp_path: Path) -> None:
    (tmp_path / "view.py").write_text("import ssl\n")
    failed = run("evidentsource", "build", "view.py", cwd=tmp_path)
    assert failed.returncode == 1
    assert failed.stderr.startswith("error: view.py:1: a component has no module ssl")
