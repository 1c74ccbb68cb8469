"""Calls side by side get instances from a pool, and nobody sees a difference."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from wasmtime import WasmtimeError

from evidentsource_runtime.host import ComponentTrap, Host, StateViewComponent
from evidentsource_runtime.host import engines as room
from evidentsource_runtime.host.engines import Engines
from tests.unit.host.side_by_side import NeverAlone
from tests.unit.host.wat import state_view

COUNTING = """
      (i32.store (i32.const 2048) (i32.add (i32.load (i32.const 2048)) (i32.const 1)))
      (i32.store8 (i32.const 16) (i32.const 1))
      (i32.store (i32.const 20) (i32.const 2048))
      (i32.store (i32.const 24) (i32.const 4))
      (i32.const 16)"""
"""Counts its own calls in its memory, and answers with the count."""


class Clock:
    """Seconds that pass when a test says so."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def engines(clock: Clock) -> Engines:
    return Engines(512 * 1024, 2, clock)


def test_a_call_by_itself_takes_no_slot(engines: Engines) -> None:
    assert not engines.take(0)


def test_a_call_inside_of_another_one_is_by_itself_too(engines: Engines) -> None:
    engines.enter()
    assert not engines.take(1)


def test_a_call_beside_another_one_takes_a_slot_while_there_are_some(engines: Engines) -> None:
    engines.enter()
    assert [engines.take(0) for _ in range(3)] == [True, True, False]
    engines.give_back()
    assert engines.take(0)


def test_slots_are_taken_for_a_second_after_calls_were_side_by_side(
    engines: Engines, clock: Clock
) -> None:
    engines.enter()
    assert engines.take(0)
    engines.leave()
    clock.now += 0.9
    assert engines.take(0)
    engines.give_back()
    clock.now += 0.2
    assert not engines.take(0)


def test_where_there_are_no_addresses_for_a_pool_there_is_none(
    engines: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_: object, **__: object) -> None:
        raise WasmtimeError("mmap failed")

    monkeypatch.setattr(room, "make_engine", no_room)
    engines.enter()
    assert engines.pool() is None
    assert not engines.take(0)


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Host:
    monkeypatch.setattr("evidentsource_runtime.host.host.Engines", NeverAlone)
    return Host(tmp_path)


def view(host: Host, body: str, more: str = "") -> StateViewComponent:
    loaded = host.load(state_view(body, more=more))
    assert isinstance(loaded, StateViewComponent)
    return loaded


def engines_of(component: Any) -> set[str]:
    """Where instances of the component have come from."""
    template = component._template
    # Whatever became of the instances, their slots are free again.
    assert template.engines._taken == 0
    return {"alone"} | ({"pool"} if template._pooled else set())


def test_a_slot_is_as_new_for_each_instance(host: Host) -> None:
    counting = view(host, COUNTING)
    for _ in range(3 * room.SLOTS):
        assert counting.evolve(None, []) == b"\1\0\0\0"
    assert engines_of(counting) == {"alone", "pool"}


def test_a_trap_leaves_a_slot_as_new(host: Host) -> None:
    counting, failing = view(host, COUNTING), view(host, COUNTING + "unreachable")
    for _ in range(2 * room.SLOTS):
        with pytest.raises(ComponentTrap):
            failing.evolve(None, [])
        assert counting.evolve(None, []) == b"\1\0\0\0"
    assert engines_of(failing) == {"alone", "pool"}


def test_what_does_not_fit_into_the_pool_runs_without_it(host: Host) -> None:
    tables = "".join(
        f"(core module $t{n} (table 1 funcref)) (core instance (instantiate $t{n}))"
        for n in range(30)
    )
    large = view(host, COUNTING, more=tables)
    for _ in range(3):
        assert large.evolve(None, []) == b"\1\0\0\0"
    assert engines_of(large) == {"alone"}


def test_without_a_cache_the_compiled_form_is_taken_from_memory(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host, "_cache", None)
    counting = view(host, COUNTING)
    assert counting.evolve(None, []) == b"\1\0\0\0"
    assert engines_of(counting) == {"alone", "pool"}


def test_more_threads_than_slots_get_the_same(tmp_path: Path) -> None:
    counting = view(Host(tmp_path), COUNTING)
    threads = 2 * room.SLOTS + 1
    together = threading.Barrier(threads)

    def work(_: int) -> set[bytes | None]:
        together.wait()
        return {counting.evolve(None, []) for _ in range(20)}

    with ThreadPoolExecutor(threads) as executor:
        assert set().union(*executor.map(work, range(threads))) == {b"\1\0\0\0"}
