"""A component without any system behind it still says in words why it failed."""

from __future__ import annotations

from pathlib import Path

import pytest

from evidentsource_core import Event
from evidentsource_runtime.build import build
from evidentsource_runtime.host import ComponentTrap, Host, StateViewComponent
from tests.component.host.conftest import DATA
from tests.component.host.wire import CONTEXT

pytestmark = [pytest.mark.component, pytest.mark.xdist_group("bases")]

FIRST = Event("e-1", "https://host.example/db/bank/streams/accounts", "account.opened")


@pytest.fixture(scope="module")
def view(host: Host, tmp_path_factory: pytest.TempPathFactory) -> StateViewComponent:
    path: Path = tmp_path_factory.mktemp("pure") / "echo_view.wasm"
    build(DATA / "echo_view.py", output=path, world="state-view", pure=True, reproducible=True)
    component = host.load(path)
    assert isinstance(component, StateViewComponent)
    return component


@pytest.mark.parametrize(
    ("content", "reason", "function"),
    [
        (b"do-fail", "KeyError: 'second'", "_fail"),
        (b"do-exit:3", "SystemExit: 3", "_exit"),
        (b"do-fail-on:e-1,", "ValueError: at e-1 after ", "_fail_on"),
    ],
)
def test_a_pure_view_that_fails_tells_its_traceback(
    view: StateViewComponent, content: bytes, reason: str, function: str
) -> None:
    with pytest.raises(ComponentTrap) as caught:
        view.evolve(content, [FIRST], CONTEXT)
    assert caught.value.reason == reason
    assert f'File "{DATA / "echo_view.py"}", line ' in caught.value.guest_traceback
    assert f"in {function}" in caught.value.guest_traceback
    assert view.evolve(b"do-return-size", [FIRST], CONTEXT) == b"1"


def test_a_failure_that_leaves_no_traceback_is_told_without_one(view: StateViewComponent) -> None:
    with pytest.raises(ComponentTrap, match="it left no Python traceback") as caught:
        view.evolve(b"do-return-int", [FIRST], CONTEXT)
    assert caught.value.silent
