"""The platform's published Python client, as it comes from the package index, against this server.

It needs a Python of its own (3.12 or newer) and an environment of its own, which is made once and kept
in the user's cache directory. Where there is no such Python, or no index to install from, it says so.
"""

from __future__ import annotations

import ast
import fcntl
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from evidentsource_core import (
    Parameter,
    QueryTemporality,
    Selector,
    SelectorTemplate,
    StateViewDefinition,
    StateViewName,
)
from evidentsource_runtime.cachedir import cache_directory
from evidentsource_runtime.server import Server
from tests.server.conftest import CHANGE, SOMEBODY, VIEW, credit, total

# One process runs them all: they share the environment, and one run of the script.
pytestmark = pytest.mark.xdist_group("published-client")

CLIENT = "evidentsource-client==1.0.0rc1"
SCRIPT = Path(__file__).parents[1] / "data" / "server" / "published_client.py"
CHECKS = [
    node.name
    for node in ast.parse(SCRIPT.read_text()).body
    if isinstance(node, ast.AsyncFunctionDef) and node.decorator_list
]
DEFECTS = {
    "selectors_with_and_and_or_select": "the client spells the fields 'and_' and 'or_'",
    "a_view_over_a_selector_with_and_is_read": "the client cannot decode 'and' and 'or'",
    "a_speculative_database_is_queried": "the client's speculative database has no queries",
    "a_transaction_over_four_mebibytes_is_read_from_the_log": (
        "the client receives messages of 4 MiB at most, and a transaction is one message"
    ),
}
OF_ACCOUNT = StateViewDefinition(StateViewName("of-account"), Parameter.subject("account_id"))
EFFECTIVE = StateViewDefinition(
    StateViewName("effective"),
    SelectorTemplate.of(Selector.stream("only-effective")),
    temporality=QueryTemporality.EFFECTIVE_TIMESTAMP,
)


def newer_pythons() -> list[str]:
    """Pythons from 3.12 on: this one, those on the PATH, those of pyenv."""
    names = [f"python3.{minor}" for minor in (13, 14, 12)]
    found = [shutil.which(name) for name in names]
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found += map(str, sorted(root.glob("3.1[2-9].*/bin/python3"), reverse=True))
    own = [sys.executable] if sys.version_info >= (3, 12) else []
    asked = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 12))"
    return [
        python
        for python in [*own, *(each for each in found if each)]
        if subprocess.run([python, "-c", asked], capture_output=True, check=False).returncode == 0
    ]


@pytest.fixture(scope="module")
def client_python() -> Path:
    """The Python of an environment with the client in it; one process at a time makes it."""
    folder = cache_directory("test-environments") / CLIENT.replace("==", "-")
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return installed(folder)


def installed(folder: Path) -> Path:
    python = folder / "bin" / "python"
    mark = folder / "complete"
    if mark.exists():
        return python
    pythons = newer_pythons()
    if not pythons:
        pytest.skip("the published client needs Python 3.12 or newer, and there is none here")
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([pythons[0], "-m", "venv", folder], check=True)
    install = [
        str(python),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        CLIENT,
    ]
    done = subprocess.run(install, capture_output=True, text=True, check=False, timeout=600)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["pip failed"])[-1]
        pytest.skip(f"the published client cannot be installed here: {last}")
    mark.touch()
    return python


@pytest.fixture(scope="module")
def outcomes(server: Server, channel: object, client_python: Path) -> dict[str, str]:
    """What each check came to."""
    bank = "for-the-client"
    server.ask(server.service.databases.create(SOMEBODY, bank))
    for definition in (OF_ACCOUNT, EFFECTIVE, VIEW):
        server.ask(server.service.views.publish_state_view(SOMEBODY, bank, definition, total))
    server.ask(server.service.views.publish_state_change(SOMEBODY, bank, CHANGE, credit))
    asked = [str(client_python), str(SCRIPT), server.grpc.target, bank]
    done = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    found: dict[str, str] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("check", CHECKS)
def test_the_published_client_works(outcomes: dict[str, str], check: str) -> None:
    outcome = outcomes[check]
    if check in DEFECTS and outcome != "ok":
        pytest.skip(f"a defect of the client: {DEFECTS[check]}")
    assert outcome == "ok", outcome
