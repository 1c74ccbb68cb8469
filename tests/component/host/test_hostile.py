"""Whatever a component does, its caller gets a typed error, and the next component runs unharmed."""

from __future__ import annotations

import gc
import os
import signal
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from evidentsource_core import Command, StateChangeMetadata
from evidentsource_core.times import EPOCH
from evidentsource_functions import StateChangeError
from evidentsource_runtime.host import (
    ComponentError,
    ComponentExit,
    ComponentLimitError,
    ComponentOutputError,
    ComponentTrap,
    Host,
    HostCallError,
    Limits,
    StateChangeComponent,
    StateViewComponent,
)
from evidentsource_runtime.host.calls import depth
from evidentsource_runtime.host.limits import NESTED_CALLS
from tests.component.host.hostile import (
    FREE,
    NONE,
    decision,
    refusal,
    selecting,
    state_change,
    store,
)
from tests.unit.host.side_by_side import NeverAlone
from tests.unit.host.wat import state_view

COMMAND = Command(b"{}")
METADATA = StateChangeMetadata("open", 1, 0, EPOCH)
LIMITS = Limits(time_seconds=0.3, memory_bytes=8 * 1024 * 1024, events=3, conditions=2)
LOOP = "(loop $again (br $again)) (i32.const 0)"
DATABASE_HANDLE = "(i32.load (local.get 0))"


class Database:
    """As much of a database as these components look at."""

    def __init__(self, name: Callable[[], str] = lambda: "bank") -> None:
        self._name = name

    @property
    def name(self) -> str:
        return self._name()

    def at_effective_timestamp(self, _time: object) -> Database:
        return self


@pytest.fixture(scope="module", params=["packed", "stock", "packed in the pool"])
def host(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    codec, _, pool = request.param.partition(" ")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EVIDENTSOURCE_CODEC", codec)
        if pool:
            patch.setattr("evidentsource_runtime.host.host.Engines", NeverAlone)
        yield Host(tmp_path_factory.mktemp("cache"), limits=LIMITS)


@pytest.fixture(scope="module")
def good(host: Host) -> StateChangeComponent:
    return change(host, state_change())


def change(host: Host, component: bytes, limits: Limits | None = None) -> StateChangeComponent:
    loaded = host.load(component, name="hostile", limits=limits)
    assert isinstance(loaded, StateChangeComponent)
    return loaded


def view(host: Host, body: str) -> StateViewComponent:
    loaded = host.load(state_view(body), name="hostile")
    assert isinstance(loaded, StateViewComponent)
    return loaded


def assert_works(good: StateChangeComponent) -> None:
    with pytest.raises(StateChangeError, match="bank") as caught:
        good.decide(Database(), COMMAND, METADATA)
    assert caught.value.message == "bank"


def failure(bad: StateChangeComponent, good: StateChangeComponent) -> ComponentError:
    """How a component fails, twice in the same way, with a good one working in between."""
    kinds = set()
    for _ in range(2):
        with pytest.raises(ComponentError) as caught:
            bad.decide(Database(), COMMAND, METADATA)
        kinds.add(type(caught.value))
        assert_works(good)
    assert len(kinds) == 1
    return caught.value


def test_an_endless_loop_is_ended_in_time(host: Host, good: StateChangeComponent) -> None:
    started = time.monotonic()
    error = failure(change(host, state_change(LOOP)), good)
    assert time.monotonic() - started < 10
    assert isinstance(error, ComponentLimitError)
    assert (error.limit, error.allowed, error.unit) == ("time", 0.3, "seconds")
    assert error.reached is not None
    assert error.reached >= 0.3


def test_an_endless_loop_inside_a_fold_is_ended(host: Host, good: StateChangeComponent) -> None:
    with pytest.raises(ComponentLimitError, match="time: "):
        view(host, LOOP).evolve(None, [])
    assert_works(good)


@contextmanager
def ringing(act: Callable[[], object]) -> Iterator[None]:
    """Every 50 ms, ``act`` is done by the handler of a signal, where a component runs."""

    def ring(*_: object) -> None:
        if depth() == 1:
            act()

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("kind", [KeyboardInterrupt, TimeoutError])
def test_a_signal_ends_a_component_that_spins(
    host: Host, good: StateChangeComponent, kind: type[BaseException]
) -> None:
    patient = change(host, state_change(LOOP), Limits(time_seconds=120))

    def end() -> None:
        raise kind

    with ringing(end), pytest.raises(kind):
        patient.decide(Database(), COMMAND, METADATA)
    assert_works(good)


def test_a_handler_that_returns_has_its_turn_and_the_component_goes_on(
    host: Host, good: StateChangeComponent
) -> None:
    turns: list[None] = []

    def call() -> None:
        assert_works(good)
        turns.append(None)

    with ringing(call), pytest.raises(ComponentLimitError, match="time: "):
        change(host, state_change(LOOP)).decide(Database(), COMMAND, METADATA)
    assert turns
    assert_works(good)


def test_calls_on_other_threads_are_ended_each_in_its_own_time(host: Host) -> None:
    looping = change(host, state_change(LOOP))
    found: list[ComponentError] = []

    def run() -> None:
        try:
            looping.decide(Database(), COMMAND, METADATA)
        except ComponentError as error:
            found.append(error)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert [type(error) for error in found] == [ComponentLimitError] * 3


@pytest.mark.parametrize(
    "limits", [Limits(time_seconds=1.0), Limits(time_seconds=1.0, stack_bytes=128 * 1024)]
)
def test_a_component_may_have_limits_of_its_own(host: Host, limits: Limits) -> None:
    with pytest.raises(ComponentLimitError) as caught:
        change(host, state_change(LOOP), limits).decide(Database(), COMMAND, METADATA)
    assert caught.value.allowed == 1.0


def test_memory_beyond_the_limit_is_not_given(host: Host, good: StateChangeComponent) -> None:
    # Grows until there is no more, and then refuses with one character for each page that it has.
    grow = "(loop $more (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))"
    fill = "(memory.fill (i32.const 64) (i32.const 97) (memory.size))"
    text = "(i32.store (i32.const 28) (memory.size)) (i32.const 16)"
    bomb = change(host, state_change(f"{refusal(0, (64, 0), f'{grow} {fill}')} drop {text}"))
    with pytest.raises(StateChangeError) as caught:
        bomb.decide(Database(), COMMAND, METADATA)
    assert caught.value.message == "a" * (LIMITS.memory_bytes // 65_536)
    assert_works(good)


def test_a_component_too_large_to_start_is_over_the_limit(host: Host) -> None:
    with pytest.raises(ComponentLimitError) as caught:
        change(host, state_change(memory="129"))
    assert (caught.value.limit, caught.value.allowed) == ("memory", LIMITS.memory_bytes)
    assert caught.value.reached == 129 * 65_536


def test_memory_cannot_be_had_several_times(host: Host) -> None:
    several = "(core module $m (memory 1)) (core instance (instantiate $m))"
    with pytest.raises(ComponentLimitError) as caught:
        host.load(state_view(more=several))
    assert (caught.value.limit, caught.value.allowed, caught.value.reached) == ("memories", 1, 2)


def test_deep_recursion_is_over_the_limit_of_the_stack(
    host: Host, good: StateChangeComponent
) -> None:
    error = failure(change(host, state_change("(call $deeper (i32.const 0))")), good)
    assert isinstance(error, ComponentLimitError)
    assert (error.limit, error.allowed) == ("stack", LIMITS.stack_bytes)


@pytest.mark.parametrize(
    ("body", "limit", "allowed"),
    [
        (decision(events=(NONE, 4)), "decide.events", 3),
        (decision(conditions=(NONE, 3)), "decide.conditions", 2),
    ],
)
def test_a_decision_that_is_too_long_is_told_by_its_length(
    host: Host, good: StateChangeComponent, body: str, limit: str, allowed: int
) -> None:
    error = failure(change(host, state_change(body)), good)
    assert isinstance(error, ComponentLimitError)
    assert (error.limit, error.allowed, error.reached) == (limit, allowed, allowed + 1)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("(i32.store8 (i32.const 16) (i32.const 7)) (i32.const 16)", "discriminant"),
        (refusal(9, (64, 0)), "discriminant"),
        ("(i32.const 65535)", "aligned"),
        ("(i32.const 65532)", "out of bounds"),
        (decision(events=(NONE, 1_000_000)), "out of bounds"),
        (decision(events=(65_000, -1)), "out of bounds"),
        (decision(events=(3, 1)), "aligned"),
        (refusal(0, (65_530, 100)), "out of bounds"),
        (refusal(0, (FREE, 4), store((FREE, -1))), "utf-8"),
        ("(call $drop (i32.const 77)) (i32.const 0)", "handle"),
        (f"(call $drop {DATABASE_HANDLE}) (call $drop {DATABASE_HANDLE}) (i32.const 0)", "handle"),
        (
            f"(call $drop {DATABASE_HANDLE}) (call $ask {DATABASE_HANDLE} (i32.const 24)) unreachable",
            "handle",
        ),
        # The host's answer cannot be put there, which ends the call while the host is in it.
        (f"(call $ask {DATABASE_HANDLE} (i32.const -8)) (i32.const 0)", "out of bounds"),
        ("unreachable", "unreachable"),
    ],
)
def test_what_breaks_the_rules_of_components_is_a_trap(
    host: Host, good: StateChangeComponent, body: str, words: str
) -> None:
    error = failure(change(host, state_change(body)), good)
    assert isinstance(error, ComponentTrap)
    assert words in error.trap


@pytest.mark.parametrize(
    ("nodes", "path"),
    [
        ((), "decide.conditions[0].selector"),
        (((2, 5, 6),), "decide.conditions[0].selector"),
        (((2, 0, 0),), "decide.conditions[0].selector"),
        (((3, 1, 1), (2, 0, 0)), "decide.conditions[0].selector"),
        (((2, -1, -1),), "decide.conditions[0].selector"),
        (((0, 0, 0),), "decide.conditions[0].selector.nodes[0]"),
    ],
    ids=["none", "out of range", "itself", "cycle", "largest", "an empty name"],
)
def test_a_selector_that_means_nothing_is_refused_with_its_path(
    host: Host, good: StateChangeComponent, nodes: tuple[tuple[int, int, int], ...], path: str
) -> None:
    error = failure(change(host, state_change(selecting(*nodes))), good)
    assert isinstance(error, ComponentOutputError)
    assert error.field.startswith(path)


def test_an_event_of_zeros_is_refused_with_its_path(host: Host, good: StateChangeComponent) -> None:
    error = failure(change(host, state_change(decision(events=(NONE, 1)))), good)
    assert isinstance(error, ComponentOutputError)
    assert error.field == "decide.events[0].specversion"


@pytest.mark.parametrize("status", [0, 1])
def test_ending_itself_is_no_answer(host: Host, good: StateChangeComponent, status: int) -> None:
    body = f"(call $exit (i32.const {status})) (i32.const 0)"
    error = failure(change(host, state_change(body)), good)
    assert isinstance(error, ComponentExit)
    assert error.status == status


def test_ten_thousand_handles_left_open_are_let_go(host: Host, good: StateChangeComponent) -> None:
    count = 10_000
    open_all = f"""
      (loop $more
        (drop (call $at {DATABASE_HANDLE} (i64.const 0) (i32.const 0)))
        (br_if $more (i32.lt_u
          (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const {count}))))"""
    hoarder = change(host, state_change(decision(more=open_all)), Limits())
    database = Database()
    assert hoarder.decide(database, COMMAND, METADATA) == ([], [])
    gone = weakref.ref(database)
    del database
    gc.collect()
    assert gone() is None
    assert_works(good)


@pytest.mark.parametrize(
    "error", [ValueError("broken"), RecursionError("deep"), MemoryError(), StopIteration(3)]
)
def test_an_exception_of_the_database_comes_out_as_a_failed_host_call(
    good: StateChangeComponent, error: Exception
) -> None:
    def name() -> str:
        raise error

    with pytest.raises(HostCallError) as caught:
        good.decide(Database(name), COMMAND, METADATA)
    assert caught.value.__cause__ is error
    assert_works(good)


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit, BaseException])
def test_what_is_no_ordinary_exception_comes_out_as_it_is(
    good: StateChangeComponent, kind: type[BaseException]
) -> None:
    def name() -> str:
        raise kind("stop")

    with pytest.raises(kind, match="stop"):
        good.decide(Database(name), COMMAND, METADATA)
    assert_works(good)


def test_a_component_may_be_called_while_it_is_called(good: StateChangeComponent) -> None:
    def name() -> str:
        assert_works(good)
        return "bank"

    with pytest.raises(StateChangeError, match="bank"):
        good.decide(Database(name), COMMAND, METADATA)


def test_a_trap_inside_of_a_call_of_the_host_ends_only_its_own_call(
    host: Host, good: StateChangeComponent
) -> None:
    bad = change(host, state_change("unreachable"))

    def name() -> str:
        with pytest.raises(ComponentTrap):
            bad.decide(Database(), COMMAND, METADATA)
        return "still here"

    with pytest.raises(StateChangeError, match="still here"):
        good.decide(Database(name), COMMAND, METADATA)


def test_calls_inside_of_each_other_without_end_are_over_a_limit(
    good: StateChangeComponent,
) -> None:
    depth = 0

    def name() -> str:
        nonlocal depth
        depth += 1
        good.decide(Database(name), COMMAND, METADATA)
        raise AssertionError("there is no way back but the error")

    with pytest.raises(ComponentLimitError) as caught:
        good.decide(Database(name), COMMAND, METADATA)
    assert caught.value.limit == "nested calls"
    assert depth == caught.value.allowed == NESTED_CALLS
    assert_works(good)


def resources() -> SimpleNamespace:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    files = len(list(Path("/proc/self/fd").iterdir()))
    return SimpleNamespace(memory=pages * os.sysconf("SC_PAGESIZE"), files=files)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux's /proc")
def test_hundreds_of_calls_with_traps_among_them_leave_nothing_behind(
    host: Host, good: StateChangeComponent
) -> None:
    bad = [
        change(host, state_change(body))
        for body in ("unreachable", "(call $deeper (i32.const 0))", decision(events=(NONE, 4)))
    ]

    def round_of_calls(count: int) -> None:
        for index in range(count):
            with pytest.raises(ComponentError):
                bad[index % 3].decide(Database(), COMMAND, METADATA)
            assert_works(good)

    round_of_calls(60)
    before = resources()
    round_of_calls(200)
    after = resources()
    assert after.files == before.files
    assert after.memory - before.memory < 8 * 1024 * 1024
