"""What a component is built from: the Python inside, and a path without anything of the environment's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evidentsource_core import Event
from evidentsource_runtime.artifact import read_component
from evidentsource_runtime.build import BuildResult, guest
from evidentsource_runtime.host import Host, StateViewComponent
from tests.component.build.conftest import CONTEXT

ROOT = Path(__file__).parents[3]

pytestmark = [pytest.mark.component, pytest.mark.xdist_group("bases")]


@pytest.fixture(scope="module")
def view(of_another_contract: BuildResult) -> StateViewComponent:
    component = Host().load(of_another_contract.path)
    assert isinstance(component, StateViewComponent)
    return component


@pytest.fixture(scope="module")
def facts(view: StateViewComponent) -> Any:
    events = [Event(name, "accounts", "happened") for name in ("e-1", "e-2")]
    return json.loads(view.evolve(b"do-tell-facts", events, CONTEXT) or b"")


def test_the_reader_sees_in_a_real_component_what_wasmtime_sees(
    of_another_contract: BuildResult, view: StateViewComponent
) -> None:
    found = read_component(of_another_contract.path)
    kind, engine = view._loaded.compiled.component.type, view._template.engines.alone
    assert {each.name for each in found.imports} == set(kind.imports(engine))
    assert {each.name for each in found.exports} == set(kind.exports(engine))


def test_another_contract_is_built_against_and_nothing_else_where_that_is_asked(
    of_another_contract: BuildResult,
) -> None:
    assert of_another_contract.exports == ("evolve",)
    found = read_component(of_another_contract.path)
    assert [each.name for each in found.exports if each.kind == "func"] == ["evolve"]
    assert found.facts is not None
    assert found.facts.contract_only
    assert "acme:rules/state-view-types@2.3.0" in {each.name for each in found.imports}
    assert found.facts.wit_package == "acme:rules@2.3.0"


def test_the_facts_of_a_build_are_in_the_component(of_another_contract: BuildResult) -> None:
    found = read_component(of_another_contract.path)
    assert (found.world, found.size) == ("state-view", of_another_contract.size)
    facts = found.facts
    assert facts is not None
    assert (facts.input_hash, facts.module, facts.world) == (
        of_another_contract.input_hash,
        "guest_facts",
        "state-view",
    )
    modules = ("echo_view", "guest_facts", "plain")
    assert facts.sources == {f"/0/{each}.py": f"tests/data/host/{each}.py" for each in modules}
    assert set(facts.dependencies) == {"attrs"}
    assert str(ROOT) not in facts.to_json()


def test_the_guest_is_the_python_that_the_tables_describe(facts: Any) -> None:
    assert facts["version"] == [3, 14]
    assert "cpython-{}{}".format(*facts["version"]) == guest.CACHE_TAG
    lacking = guest.PRIVATE_LACKING | set(guest.LACKING) | guest.REMOVED
    assert sorted(lacking) == facts["lacking"]


def test_what_the_tables_call_built_in_and_loaded_is(facts: Any) -> None:
    assert sorted(guest.BUILTIN - set(facts["builtin"])) == []
    loaded = {*facts["at_start"], *facts["builtin"]}
    assert sorted(guest.AT_START - loaded) == []


def test_nothing_of_the_building_environment_is_importable(facts: Any) -> None:
    assert facts["leaked"] == []
    assert facts["folders"]["/0"] == ["echo_view.py", "guest_facts.py", "plain.py"]
    assert facts["folders"]["/1"] == [
        "evidentsource_component_entry.py",
        "evidentsource_core",
        "evidentsource_functions",
    ]
    assert [facts["folders"][path] for path in ("/2", "/3")] == [["attr", "attrs"], []]
    assert "VIRTUAL_ENV" not in facts["environment"]


def test_a_named_dependency_works_inside(facts: Any) -> None:
    assert facts["total"] == {"amount": 2}
