"""Components that tests of several rooms share, because each takes as long as a hundred tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from evidentsource_runtime.build import BuildResult, build

DATA = Path(__file__).parents[1] / "data" / "host"


@pytest.fixture(scope="session")
def of_another_contract(tmp_path_factory: pytest.TempPathFactory) -> BuildResult:
    """The echo view, built against another contract, with a dependency and nothing beside the contract.

    One component shows what a build puts into it, what the guest finds there, and what crosses by a
    contract in which everything differs that may.
    """
    return build(
        DATA / "guest_facts.py",
        output=tmp_path_factory.mktemp("another-contract") / "guest_facts.wasm",
        wit=DATA / "variant.wit",
        world="state-view",
        contract_only=True,
        dependencies=("attrs",),
    )
