"""The README: its quick starts run as they stand there, and its commands exist."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from evidentsource_core import Event, StateViewContext
from evidentsource_core.reference import ReferenceDatabase
from evidentsource_core.times import EPOCH
from evidentsource_functions import (
    Command,
    RenderedStateView,
    StateChangeError,
    StateChangeMetadata,
)

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"`(\w+\.py)`:\n\n```python\n(.*?)```", README, re.DOTALL)


@pytest.fixture
def quick_start(monkeypatch: pytest.MonkeyPatch) -> Any:
    def load(name: str) -> Any:
        module = ModuleType(name.removesuffix(".py"))
        monkeypatch.setitem(sys.modules, module.__name__, module)
        exec(compile(dict(BLOCKS)[name], name, "exec"), module.__dict__)
        return module

    return load


def test_both_quick_starts_stand_there_and_a_test() -> None:
    names = [name for name, _ in BLOCKS]
    assert names == ["my_state_view.py", "my_state_change.py", "test_deposit.py"]


def test_the_view_folds(quick_start: Any) -> None:
    world = quick_start("my_state_view.py").WitWorld()
    context = StateViewContext("bank", "view", 1, 1, EPOCH)
    credited = Event("e-1", "accounts", "account.credited", data='{"amount": 5}')
    content = world.evolve(RenderedStateView(context, None, 0, EPOCH), [credited])
    assert content.decode() in README


def decide(world: Any, command: dict[str, Any]) -> Any:
    metadata = StateChangeMetadata("deposit", 1, 0, EPOCH)
    database = ReferenceDatabase("bank").latest()
    return world.decide(database, Command(json.dumps(command).encode()), metadata)


def test_the_change_decides_and_refuses_as_it_says(quick_start: Any) -> None:
    world = quick_start("my_state_change.py").WitWorld()
    command = {"reference": "r-1", "account_id": "a-1", "amount": 5}
    ((event,), (condition,)) = decide(world, command)
    assert (event.subject, event.data_as_json()) == ("a-1", {"amount": 5})
    assert condition.min_revision() == 1
    with pytest.raises(StateChangeError, match="amount must be positive"):
        decide(world, command | {"amount": 0})
    with pytest.raises(StateChangeError) as caught:
        decide(world, command | {"amount": "5"})
    assert str(caught.value) in README.replace("\n", " ")


def test_the_scenario_fails_as_it_says(quick_start: Any) -> None:
    quick_start("my_state_change.py")
    scenario = quick_start("test_deposit.py").test_a_deposit_is_credited
    with pytest.raises(AssertionError) as caught:
        scenario()
    assert f"```\n{caught.value}\n```" in README


def test_every_target_of_make_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = re.findall(r"^make (\w+)", README, re.MULTILINE)
    assert targets[:2] == ["demo", "test"]
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)
