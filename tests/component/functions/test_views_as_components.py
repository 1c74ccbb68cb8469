"""Views with bytes of their own, natively and in the sandbox: the same bytes, and failures in words."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from evidentsource_core import Event, RenderedStateView, StateViewContext, StateViewEvolveError
from evidentsource_core.times import EPOCH
from evidentsource_functions import DeserializationFailed
from evidentsource_runtime.host import ComponentTrap, Host, StateViewComponent

MODULES = Path(__file__).parents[2] / "data" / "modules"

pytestmark = [pytest.mark.component, pytest.mark.xdist_group("bases")]


def event(n: int, event_type: str = "happened", data: str | None = None) -> Event:
    return Event(f"e-{n}", "accounts", event_type, data=data or f'{{"n": {n}}}')


@pytest.fixture(scope="module")
def host() -> Host:
    return Host()


@pytest.fixture(params=["codec_view", "text_view"])
def module(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def sandboxed(host: Host, module: str) -> StateViewComponent:
    component = host.load_source(MODULES / f"{module}.py")
    assert isinstance(component, StateViewComponent)
    return component


def native(module: str) -> Any:
    spec = importlib.util.spec_from_file_location(module, MODULES / f"{module}.py")
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded.WitWorld()


CONTEXT = StateViewContext("bank", "own-bytes", 1, 3, EPOCH, "text/plain; x=1", "urn:schema")


def state(content: bytes | None) -> RenderedStateView:
    return RenderedStateView(CONTEXT, content, 0, EPOCH)


def test_a_view_with_bytes_of_its_own_folds_to_the_same_bytes(host: Host, module: str) -> None:
    view, world = sandboxed(host, module), native(module)
    expected = world.evolve(state(world.evolve(state(None), [event(1)])), [event(2), event(3)])
    got = view.evolve(view.evolve(None, [event(1)], CONTEXT), [event(2), event(3)], CONTEXT)
    assert got == expected
    assert b"text/plain" in expected.replace(b"\x00", b"")


def test_a_failing_evolve_is_told_with_the_event_and_the_users_line(host: Host) -> None:
    events = [event(1), event(2, "fail"), event(3)]
    with pytest.raises(StateViewEvolveError) as natively:
        native("codec_view").evolve(state(None), events)
    with pytest.raises(ComponentTrap) as caught:
        sandboxed(host, "codec_view").evolve(None, events, CONTEXT)
    for said in (
        "event 1 of 3 (id 'e-2', type 'fail'): ValueError: cannot take e-2",
        "codec_view:16",
    ):
        assert said in str(natively.value)
        assert said in caught.value.guest_traceback
    assert f"{MODULES / 'codec_view.py'}" in caught.value.guest_traceback


def test_content_that_cannot_be_read_is_an_error_in_words(host: Host) -> None:
    kept = "application/xml\ne-1 1".encode("utf-16-le")
    with pytest.raises(DeserializationFailed, match="kept as application/xml"):
        native("text_view").evolve(state(kept), [event(2)])
    view = sandboxed(host, "text_view")
    with pytest.raises(ComponentTrap) as caught:
        view.evolve(kept, [event(2)], CONTEXT)
    assert "kept as application/xml" in caught.value.guest_traceback
    assert view.evolve(None, [], CONTEXT) is not None
