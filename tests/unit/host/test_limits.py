"""Limits are checked when they are given, and the engine they stand on is part of the cache's key."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from wasmtime import Store

from evidentsource_core.domain.errors import InvalidType, InvalidValue
from evidentsource_runtime.host import Limits, engine
from evidentsource_runtime.host.calls import Call
from evidentsource_runtime.host.limits import exceeded_limit
from evidentsource_runtime.host.ticker import TICKER, Ticker

TRACEBACK = "Traceback (most recent call last):\n  File 'm', line 1\n"
CAUSED = "\nThe above exception was the direct cause of the following exception:\n\n"


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"time_seconds": 0}, InvalidValue, "limits.time_seconds: must be more than 0"),
        ({"time_seconds": float("inf")}, InvalidValue, "limits.time_seconds"),
        ({"time_seconds": float("nan")}, InvalidValue, "limits.time_seconds"),
        ({"time_seconds": "30"}, InvalidType, "limits.time_seconds: expected a number, got str"),
        ({"memory_bytes": 1.5}, InvalidType, "limits.memory_bytes: expected a whole number"),
        ({"events": -1}, InvalidValue, "limits.events: must not be negative"),
        ({"conditions": True}, InvalidType, "limits.conditions"),
        ({"content_bytes": None}, InvalidType, "limits.content_bytes"),
        ({"stack_bytes": 8 * 1024 * 1024}, InvalidValue, "must be from 65,536 to 1,048,576"),
        ({"stack_bytes": 1}, InvalidValue, "limits.stack_bytes"),
    ],
)
def test_a_limit_out_of_its_range_is_refused_by_name(
    given: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error) as caught:
        Limits(**given)
    assert words in str(caught.value)


def test_other_settings_of_the_engine_are_another_key_in_the_cache(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = engine.fingerprint()
    assert "epoch_interruption=True" in before
    monkeypatch.setitem(engine.SETTINGS, "consume_fuel", True)
    assert engine.fingerprint() != before


@pytest.mark.parametrize(
    ("words", "is_memory"),
    [
        ("Traceback (most recent call last):\n  File 'm', line 1\nMemoryError", True),
        ("memory allocation of 9 bytes failed", True),
        (f"{TRACEBACK}MemoryError\n{CAUSED}{TRACEBACK}StateViewEvolveError: event 3", True),
        (f"{TRACEBACK}MemoryError\n{CAUSED}{TRACEBACK}Logged\n{TRACEBACK}KeyError: 3", False),
        (f"{TRACEBACK}MemoryError\n{TRACEBACK}KeyError: 3", False),
        ("Traceback (most recent call last):\n  File 'm', line 1\nKeyError: 'MemoryError'", False),
        ("", False),
    ],
)
def test_a_guest_that_ran_out_of_memory_is_told_by_its_last_words(
    words: str, is_memory: bool
) -> None:
    error = exceeded_limit("c", Limits(memory_bytes=7), "wasm trap: unreachable", words, 0.1)
    assert (error is not None) == is_memory
    if error is not None:
        assert (error.limit, error.allowed, error.guest_traceback) == ("memory", 7, words)


def test_one_thread_serves_every_call_and_forgets_engines_that_are_done() -> None:
    ticker = Ticker()
    stores = [Store(engine.make_engine()) for _ in range(3)]

    def ticking() -> int:
        return sum(thread.name == "evidentsource-ticker" for thread in threading.enumerate())

    before = ticking()
    for store in stores:
        with ticker.limiting(Call(), store, 1), ticker.limiting(Call(), store, 1):
            assert ticker.running() == 1
    assert ticker.running() == 0
    assert ticking() == before + 1


def test_the_ticker_of_the_process_is_idle_while_nothing_runs() -> None:
    assert TICKER.running() == 0
