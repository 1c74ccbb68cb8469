"""The published quick starts, unmodified: built with their own commands and with ours, and run."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from evidentsource_core import (
    Event,
    ProspectiveEvent,
    Selector,
    StateViewContext,
    StringEventData,
)
from evidentsource_core.reference import ReferenceDatabase
from evidentsource_functions import Command, StateChangeError, StateChangeMetadata
from evidentsource_functions.testing import ScenarioFailed, Scenarios, event
from evidentsource_runtime.build import build
from evidentsource_runtime.cachedir import cache_directory
from evidentsource_runtime.host import Host, StateChangeComponent, StateViewComponent
from evidentsource_runtime.testing import use_level
from tests.whole import WHOLE, whole

ROOT = Path(__file__).parents[2]
QUICK_STARTS = ROOT / "examples" / "quickstart"
CONTRACTS = {
    "own": ROOT / "interface" / "decider.wit",
    "variant": ROOT / "tests/data/host/variant.wit",
}
WORLDS = {"my_state_view": "state-view", "my_state_change": "state-change"}
NOW = datetime(2024, 1, 1, tzinfo=UTC)

Built = Callable[[str], Path]

pytestmark = pytest.mark.component
# Where a component is looked for by two workers at once, both compile it.
BUILDS, BASES = pytest.mark.xdist_group("builds"), pytest.mark.xdist_group("bases")


def by_their_own_command(module: str, contract: Path, folder: Path) -> Path:
    """``componentize-py -d ./interface/decider.wit -w WORLD componentize -p . -p src -o OUT MODULE``."""
    kept = cache_directory("tests") / f"{module}-{inputs(module, contract)}.wasm"
    if kept.exists():
        return kept
    (folder / "interface").mkdir()
    shutil.copy(contract, folder / "interface" / "decider.wit")
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__"))
    for file in QUICK_STARTS.glob("my_*.py"):
        shutil.copy(file, folder)
    command = [
        *("componentize-py", "-d", "./interface/decider.wit", "-w", WORLDS[module]),
        *("componentize", "-p", ".", "-p", "src", "-o", "component.wasm", module),
    ]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(
        command, cwd=folder, check=True, capture_output=True, env=os.environ | {"PATH": path}
    )
    shutil.move(folder / "component.wasm", kept)
    return kept


def inputs(module: str, contract: Path) -> str:
    digest = hashlib.sha256()
    guest = [ROOT / "src" / "evidentsource_core", ROOT / "src" / "evidentsource_functions"]
    files = [contract, QUICK_STARTS / f"{module}.py"]
    for package in guest:
        files += sorted(package.rglob("*.py"))
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:32]


WAYS = [
    pytest.param(("their command", "own"), id="their command", marks=BUILDS),
    pytest.param(
        ("their command", "variant"), id="their command, another contract", marks=[BUILDS, whole]
    ),
    pytest.param(("evidentsource build", "own"), id="evidentsource build", marks=[BUILDS, whole]),
    pytest.param(
        ("evidentsource build --reproducible", "own"),
        id="evidentsource build --reproducible",
        marks=BASES,
    ),
    pytest.param(
        ("evidentsource build", "variant"),
        id="evidentsource build, another contract",
        marks=[BUILDS, whole],
    ),
]


@pytest.fixture(scope="module", params=WAYS)
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Built:
    way, contract = request.param

    def make(module: str) -> Path:
        folder = tmp_path_factory.mktemp(module)
        if way == "their command":
            if module == "my_state_view" and not WHOLE:
                pytest.skip("the other quick start by their command: `make whole`")
            return by_their_own_command(module, CONTRACTS[contract], folder)
        return build(
            QUICK_STARTS / f"{module}.py",
            output=folder / "component.wasm",
            wit=None if contract == "own" else CONTRACTS[contract],
            reproducible=way.endswith("--reproducible"),
        ).path

    return make


@pytest.fixture(scope="module")
def view(built: Built) -> StateViewComponent:
    component = Host().load(built("my_state_view"))
    assert isinstance(component, StateViewComponent)
    return component


@pytest.fixture(scope="module")
def change(built: Built) -> StateChangeComponent:
    component = Host().load(built("my_state_change"))
    assert isinstance(component, StateChangeComponent)
    return component


def credited(n: int, amount: float) -> Event:
    data = StringEventData(json.dumps({"account_id": "a-1", "amount": amount}))
    source = "https://host/db/bank/streams/accounts"
    return Event(f"e-{n}", source, "account.credited", "a-1", data, NOW, "application/json")


CONTEXT = StateViewContext("bank", "account-summary", 1, 2, NOW, "application/json")


def test_the_view_folds_events_from_nothing_and_on(view: StateViewComponent) -> None:
    first = view.evolve(None, [credited(1, 5), credited(2, 2.5)], CONTEXT)
    assert first == b'{"balance": 7.5, "transaction_count": 2}'
    assert (
        view.evolve(first, [credited(3, 1)], CONTEXT) == b'{"balance": 8.5, "transaction_count": 3}'
    )


def deposit(change: StateChangeComponent, body: bytes | None) -> Any:
    database = ReferenceDatabase("bank", created_at=NOW).latest()
    metadata = StateChangeMetadata("deposit", 1, 0, NOW)
    return change.decide(database, Command(body), metadata)


def test_a_deposit_becomes_an_event_with_a_fresh_id(change: StateChangeComponent) -> None:
    first, second = (deposit(change, b'{"account_id": "a-1", "amount": 5}') for _ in range(2))
    ((deposited,), conditions) = first
    assert conditions == []
    assert deposited == ProspectiveEvent(
        deposited.id,
        "accounts",
        "account.credited",
        "a-1",
        '{"account_id": "a-1", "amount": 5}',
        datacontenttype="application/json",
    )
    assert deposited.id != second[0][0].id


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"account_id": "a-1", "amount": -1}', "Amount must be positive"),
        (b'{"account_id": "a-1"}', "command.amount: is missing"),
        (b'{"account_id": "a-1", "amount": "x"}', "command.amount: expected float, got str"),
        (None, "command: command body is required"),
    ],
)
def test_a_refusal_is_validation_and_says_why(
    change: StateChangeComponent, body: bytes | None, message: str
) -> None:
    with pytest.raises(StateChangeError) as caught:
        deposit(change, body)
    assert caught.value == StateChangeError.validation(message)


@BASES
def test_the_view_reads_the_same_at_every_level(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The component is the one that other tests build of the same file."""
    file = shutil.copy(QUICK_STARTS / "my_state_view.py", tmp_path)
    spec = importlib.util.spec_from_file_location("my_state_view", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "my_state_view", module)
    spec.loader.exec_module(module)
    summary = module.AccountSummary
    rules = Scenarios("bank", stream="accounts").view(summary, selector=Selector.stream("accounts"))
    with use_level("all"):
        history = rules.given(event("account.credited", amount=5), event("account.opened"))
        history.then_view(summary(5, 1))
        with pytest.raises(ScenarioFailed, match="balance"):
            history.then_view(summary(6, 1))
