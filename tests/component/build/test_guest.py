"""What a component is built from: the Python inside, and a path without anything of the environment's."""

from __future__ import annotations

import json
from typing import Any

import pytest

from evidentsource_runtime.build import BuildResult, guest
from tests.component.build.conftest import Evolve

pytestmark = [pytest.mark.component, pytest.mark.xdist_group("build")]


@pytest.fixture(scope="module")
def facts(guest_facts: BuildResult, evolve: Evolve) -> Any:
    return json.loads(evolve(guest_facts.path, "a", "b") or b"")


def test_the_guest_is_the_python_that_the_tables_describe(facts: Any) -> None:
    assert facts["version"] == [3, 14]
    lacking = guest.PRIVATE_LACKING | set(guest.LACKING) | guest.REMOVED
    assert sorted(lacking) == facts["lacking"]


def test_what_the_tables_call_built_in_and_loaded_is(facts: Any) -> None:
    assert sorted(guest.BUILTIN - set(facts["builtin"])) == []
    loaded = {*facts["at_start"], *facts["builtin"]}
    assert sorted(guest.AT_START - loaded) == []


def test_nothing_of_the_building_environment_is_importable(facts: Any) -> None:
    assert facts["leaked"] == []
    assert facts["folders"]["/0"] == ["guest_facts.py"]
    assert facts["folders"]["/1"] == [
        "evidentsource_component_entry.py",
        "evidentsource_core",
        "evidentsource_functions",
    ]
    assert [facts["folders"][path] for path in ("/2", "/3")] == [["attr", "attrs"], []]
    assert "VIRTUAL_ENV" not in facts["environment"]


def test_a_named_dependency_works_inside(facts: Any) -> None:
    assert facts["total"] == {"amount": 2}
