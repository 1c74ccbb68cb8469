"""The savings bank natively and as components: equal bytes, events, conditions and errors."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from evidentsource_core import Command, StateChangeMetadata
from evidentsource_core.reference import ReferenceDatabase
from evidentsource_functions import StateChangeError
from evidentsource_runtime.build import ComponentSpec, Manifest, build, read_manifest
from evidentsource_runtime.host import Host, StateViewComponent
from examples.savings_account.bank import HERE, Rule, native_rules, open_bank
from examples.savings_account.story import STORY

pytestmark = [pytest.mark.component, pytest.mark.xdist_group("savings_account")]

MANIFEST: Manifest = read_manifest(HERE / "pyproject.toml")


@pytest.fixture(scope="module")
def components(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Rule]:
    """Every component of the manifest, built pure: it has no clock, no randomness and no files."""
    folder = tmp_path_factory.mktemp("components")
    host = Host()
    rules: dict[str, Rule] = {}
    for spec in MANIFEST.components:
        built = build(spec.module, output=folder / f"{spec.name}.wasm", pure=True, directory=HERE)
        component = host.load(built.path)
        is_view = isinstance(component, StateViewComponent)
        rules[spec.name] = component.handler() if is_view else component.decide  # type: ignore[union-attr]
    return rules


def bank_of(rules: dict[str, Rule]) -> ReferenceDatabase:
    rule: Callable[[ComponentSpec], Rule] = lambda spec: rules[spec.name]  # noqa: E731
    return open_bank(rule)


def decided(rule: Rule, bank: ReferenceDatabase, change: str, command: dict[str, Any]) -> Any:
    received = bank.created_at
    metadata = StateChangeMetadata(change, 1, bank.latest().revision, received)
    try:
        return rule(bank.latest(), Command(json.dumps(command).encode()), metadata)
    except StateChangeError as error:
        return error


def views(bank: ReferenceDatabase) -> list[bytes | None]:
    latest = bank.latest()
    contents: list[bytes | None] = []
    for spec in MANIFEST.components:
        if spec.world != "state-view":
            continue
        parametric = bool(spec.definition.selector.parameters)  # type: ignore[union-attr]
        for account in ("ann", "bob") if parametric else (None,):
            parameters = None if account is None else {"account_id": account}
            found = latest.view_state(spec.name, 1, parameters)
            contents.append(None if found is None else found.content)
    return contents


def test_every_step_of_the_story_gives_the_same(components: dict[str, Rule]) -> None:
    native = native_rules()
    rules = {spec.name: native(spec) for spec in MANIFEST.components}
    natively, as_components = open_bank(native), bank_of(components)
    refusals = 0
    for change, command in STORY:
        expected = decided(rules[change], natively, change, command)
        got = decided(components[change], as_components, change, command)
        assert got == expected, change
        if isinstance(expected, StateChangeError):
            refusals += 1
            continue
        for bank in (natively, as_components):
            bank.transact(*expected)
        assert views(as_components) == views(natively), change
    assert refusals == 8
    assert natively.latest().revision == as_components.latest().revision == 9
