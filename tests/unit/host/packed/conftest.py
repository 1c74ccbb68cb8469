"""Components that several tests share are let go while wasmtime can still free them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.host.packed import trials


@pytest.fixture(scope="session", autouse=True)
def _components_let_go() -> Iterator[None]:
    yield
    for kept in (trials.view, trials.change, trials.asking):
        kept.cache_clear()
