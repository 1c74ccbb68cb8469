"""Building the modules of `tests/data/build` and running what comes out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
        name = "-".join([module, *(option for option in sorted(options) if options[option])])
        return build(DATA / f"{module}.py", output=folder / f"{name}.wasm", **options)

    return make_component


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder that one is in; whatever is built there, nothing hidden is left behind."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    yield folder
    assert [path.name for path in folder.iterdir() if path.name.startswith(".")] == []


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
