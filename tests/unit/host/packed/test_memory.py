"""Nothing that a call allocates outlives it, on either side of the boundary."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Callable
from functools import cache
from statistics import median
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wasmtime import WasmtimeError

from evidentsource_core import (
    BinaryEventData,
    Command,
    Event,
    EventSelector,
    ProspectiveEvent,
    QueryOptions,
    Selector,
    StateChangeMetadata,
    StateViewContext,
)
from evidentsource_core.domain.errors import DatabaseAccessError
from evidentsource_core.domain.state_view import RenderedStateView
from evidentsource_core.times import from_parts
from evidentsource_functions import StateChangeError
from evidentsource_runtime.host.convert.packed.codec import PackedCodec
from evidentsource_runtime.host.convert.stock import StockCodec
from evidentsource_runtime.host.limits import Limits
from tests.strategies import events
from tests.unit.host.packed import trials

NOW = from_parts(5, 1_000)
LIMITS = Limits()
EVENTS = [
    Event(
        *(f"e-{n}", "accounts", "t", f"subject {n}", "{}" if n % 2 else BinaryEventData(b"\0\xff")),
        time=NOW,
        extensions={"text": "x", "flag": True, "bytes": b"x" * n, "when": NOW},
    )
    for n in range(5)
]


class _MallocInfo(ctypes.Structure):
    _fields_ = [
        (name, ctypes.c_size_t)
        for name in "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost".split()
    ]


@cache
def _mallinfo() -> Callable[[], _MallocInfo] | None:
    found = getattr(ctypes.CDLL(None), "mallinfo2", None)
    if found is not None:
        found.restype = _MallocInfo
    return found


needs_mallinfo = pytest.mark.skipif(_mallinfo() is None, reason="this C library does not count")


def allocated() -> int:
    """Bytes that are allocated in this process, by wasmtime's native code too."""
    while gc.collect():
        pass  # what is freed may leave more to free: a store goes with the last of its objects
    info = _mallinfo()
    assert info is not None
    now = info()
    return int(now.uordblks + now.hblkhd)


def growth(call: Callable[[], Any], times: int = 200) -> float:
    """Bytes that one more call leaves behind, after the first ones have filled every cache.

    What is left behind shows in every round; what else a process does, in few of them, as more or
    as less. Hence the round in the middle.
    """
    for _ in range(100):
        call()
    rounds = []
    for _ in range(5):
        before = allocated()
        for _ in range(times):
            call()
        rounds.append((allocated() - before) / times)
    return median(rounds)


@needs_mallinfo
def test_what_is_left_behind_is_found() -> None:
    kept = []
    assert growth(lambda: kept.append(ctypes.create_string_buffer(1_000))) > 1_000


def decide(answer: Callable[[Any, Any], Any], kind: Any = PackedCodec) -> Any:
    trial = trials.asking()
    codec = kind(trials.NAME, trial.contract, LIMITS)
    command, metadata = Command(b"{}"), StateChangeMetadata("ask", 1, 2, NOW, [("a", "b")])
    return trial.call(
        codec,
        {"database.name": str, "database.query-events": answer},
        lambda store, func: codec.decide(store, func, "bank", command, metadata),
    )


@needs_mallinfo
def test_a_fold_leaves_nothing_behind() -> None:
    trial = trials.view("own")
    codec = PackedCodec(trials.NAME, trial.contract, LIMITS)
    view = RenderedStateView(StateViewContext("b", "v", 1, 2, NOW), b"x" * 100, 1, NOW)
    grown = growth(
        lambda: trial.call(
            codec, {}, lambda store, func: codec.evolve(store, func, view, EVENTS, 0)
        )
    )
    assert grown < 16


@needs_mallinfo
def test_a_decision_that_asks_for_events_leaves_nothing_behind() -> None:
    assert growth(lambda: decide(lambda _database, _query: EVENTS)) < 16


def _refuse(_database: Any, _query: Any) -> list[Event]:
    raise DatabaseAccessError.query_failed("gone")


def _break(_database: Any, _query: Any) -> list[Event]:
    raise ZeroDivisionError


@needs_mallinfo
def test_a_decision_that_fails_in_the_host_leaves_nothing_behind() -> None:
    def fail() -> None:
        with pytest.raises(WasmtimeError):
            decide(_break)

    assert growth(lambda: decide(_refuse)) < 16
    assert growth(fail) < 16


def _proposed(event: Event) -> ProspectiveEvent:
    return ProspectiveEvent(
        *(event.id, event.source, event.event_type, event.subject, event.data, event.time),
        *(event.datacontenttype, event.dataschema, event.extensions),
    )


@given(found=st.lists(events(), max_size=4))
@settings(max_examples=50)
def test_events_that_a_component_asks_for_cross_the_boundary_both_ways(found: list[Event]) -> None:
    asked: list[tuple[EventSelector, QueryOptions]] = []

    def answer(_database: Any, query: tuple[EventSelector, QueryOptions]) -> list[Event]:
        asked.append(query)
        return found

    for kind in (PackedCodec, StockCodec):
        assert decide(answer, kind) == ([_proposed(event) for event in found], [])
    assert asked == [(Selector.stream("accounts"), QueryOptions(limit=7))] * 2


@pytest.mark.parametrize("kind", [PackedCodec, StockCodec])
def test_an_error_of_the_database_reaches_the_component_in_words(kind: type) -> None:
    assert decide(_refuse, kind) == StateChangeError.internal("gone")


@pytest.mark.parametrize("kind", [PackedCodec, StockCodec])
def test_an_answer_that_does_not_fit_reaches_the_component_in_words(kind: type) -> None:
    answer = decide(lambda _database, _query: [EVENTS[0], "no event"], kind)
    assert answer == StateChangeError.internal(
        "specimen: database.query-events[1]: must be an Event, got str"
    )
