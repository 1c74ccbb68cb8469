"""Building the modules of `tests/data/build` and running what comes out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from evidentsource_core import Event
from evidentsource_functions import StateViewContext
from evidentsource_runtime.build import BuildResult, build
from evidentsource_runtime.host import Host, StateViewComponent

ROOT = Path(__file__).parents[3]
DATA = ROOT / "tests" / "data" / "build"
MOMENT = datetime(2024, 1, 1, tzinfo=UTC)
CONTEXT = StateViewContext("bank", "view", 1, 1, MOMENT, "application/json")

Make = Callable[..., BuildResult]
Evolve = Callable[..., bytes | None]


@pytest.fixture(scope="session")
def make(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Build a module of the data folder: `make("impure_view", pure=True)`."""
    folder = tmp_path_factory.mktemp("built")

    def make_component(module: str, **options: Any) -> BuildResult:
        name = "-".join([module, *sorted(options)])
        return build(DATA / f"{module}.py", output=folder / f"{name}.wasm", **options)

    return make_component


@pytest.fixture(scope="session")
def guest_facts(make: Make, tmp_path_factory: pytest.TempPathFactory) -> BuildResult:
    """A view by hand with a dependency, against another contract, with nothing beside it."""
    text = (ROOT / "interface" / "decider.wit").read_text("utf-8")
    other = tmp_path_factory.mktemp("contract") / "other.wit"
    other.write_text(
        text.replace("package evidentsource:decider;", "package elsewhere:rules@2.1.0;")
    )
    return make("guest_facts", wit=other, contract_only=True, dependencies=("attrs",))


@pytest.fixture(scope="session")
def evolve() -> Evolve:
    """Fold events of the given types, in a component, into no content."""
    host = Host()

    def fold(path: Path, *event_types: str) -> bytes | None:
        view = host.load(path)
        assert isinstance(view, StateViewComponent)
        source = "https://example.com/db/bank/streams/accounts"
        events = [Event(f"e-{n}", source, kind) for n, kind in enumerate(event_types)]
        return view.evolve(None, events, CONTEXT)

    return fold
