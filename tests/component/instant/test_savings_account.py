"""The savings bank from its sources: equal bytes, events, conditions and errors at every step."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from evidentsource_functions import StateChangeError
from evidentsource_runtime.build import build_project
from evidentsource_runtime.host import Host, StateViewComponent
from examples.savings_account.bank import HERE, Rule, native_rules, open_bank
from examples.savings_account.story import STORY
from tests.component.examples.test_savings_account_as_components import (
    MANIFEST,
    bank_of,
    decided,
    views,
)

pytestmark = [pytest.mark.component, pytest.mark.xdist_group("instant")]


def components_of(kind: str, folder: Path) -> dict[str, Rule]:
    host = Host()
    if kind == "filled base":
        shutil.copytree(HERE, folder / "bank", ignore=shutil.ignore_patterns("dist"))
        project = build_project(folder / "bank", reproducible=True)
        found = {name: host.load(result.path) for name, result in project.results.items()}
    else:
        found = {
            spec.name: host.load_source(spec.module, directory=HERE, pure=kind == "pure source")
            for spec in MANIFEST.components
        }
    return {
        name: each.handler() if isinstance(each, StateViewComponent) else each.decide
        for name, each in found.items()
    }


@pytest.mark.parametrize("kind", ["source", "pure source", "filled base"])
def test_every_step_of_the_story_gives_the_same(kind: str, tmp_path: Path) -> None:
    native = native_rules()
    rules = {spec.name: native(spec) for spec in MANIFEST.components}
    components = components_of(kind, tmp_path)
    natively, instantly = open_bank(native), bank_of(components)
    refusals = 0
    for change, command in STORY:
        expected = decided(rules[change], natively, change, command)
        assert decided(components[change], instantly, change, command) == expected, change
        if isinstance(expected, StateChangeError):
            refusals += 1
            continue
        for bank in (natively, instantly):
            bank.transact(*expected)
        assert views(instantly) == views(natively), change
    assert refusals == 8
