"""The two echo components, built against our contract and one that differs from it, with both codecs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

from evidentsource_runtime.build import BuildResult, build
from evidentsource_runtime.host import Host, StateChangeComponent, StateViewComponent
from evidentsource_runtime.host.convert.choice import VARIABLE
from tests.whole import WHOLE

DATA = Path(__file__).parents[2] / "data" / "host"
CONTRACTS = {"own": None, "variant": DATA / "variant.wit"}

Built: TypeAlias = Callable[[str, str], Path]


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Built:
    """Build a module of the data directory against one of the contracts."""
    directory = tmp_path_factory.mktemp("components")

    def make(module: str, contract: str) -> Path:
        if (module, contract) == ("echo_view", "variant"):
            found: BuildResult = request.getfixturevalue("of_another_contract")
            return found.path
        path = directory / f"{module}-{contract}.wasm"
        if not path.exists():
            world = module.replace("echo_", "state-")
            build(
                DATA / f"{module}.py",
                output=path,
                wit=CONTRACTS[contract],
                world=world,
                reproducible=True,  # made at once; that both kinds do the same is tested elsewhere
            )
        return path

    return make


@pytest.fixture(scope="session", params=["packed", "stock"])
def host(request: pytest.FixtureRequest) -> Iterator[Host]:
    """A host with either codec: whatever they are asked, both give the same."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(request.param))
        yield Host(source_roots=[DATA])


@pytest.fixture(scope="session", params=CONTRACTS)
def contract(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def view(host: Host, built: Built, contract: str) -> StateViewComponent:
    if contract == "variant" and os.environ[VARIABLE] == "stock" and not WHOLE:
        pytest.skip("stock conversion of another contract: `make whole`")
    component = host.load(built("echo_view", contract))
    assert isinstance(component, StateViewComponent)
    return component


@pytest.fixture(scope="session")
def change(host: Host, built: Built, contract: str) -> StateChangeComponent:
    if contract == "variant" and not WHOLE:
        pytest.skip("state changes by another contract: `make whole`")
    component = host.load(built("echo_change", contract))
    assert isinstance(component, StateChangeComponent)
    return component
