"""Calls of whole components through the packed codec, beside the same ones through stock."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wasmtime import WasmtimeError

from evidentsource_core import Command, Event, StateChangeMetadata, StateViewContext
from evidentsource_core.domain.errors import DatabaseAccessError
from evidentsource_core.domain.state_view import RenderedStateView
from evidentsource_core.times import from_parts
from evidentsource_functions import StateChangeError
from evidentsource_runtime.host.convert.codec import Codec
from evidentsource_runtime.host.convert.packed.codec import PackedCodec
from evidentsource_runtime.host.convert.packed.trial import Trial
from evidentsource_runtime.host.convert.stock import StockCodec
from evidentsource_runtime.host.limits import Limits
from tests.strategies import events
from tests.unit.host.packed import trials

NOW = from_parts(5, 1_000)
CONTEXT = StateViewContext("bank", "summary", 1, 9, NOW, "application/json")
COMMAND = Command(b"{}")
METADATA = StateChangeMetadata("open", 1, 0, NOW)
LIMIT = 2**22


def fold(trial: Trial, codec: Codec, batch: list[Event], content: bytes | None = None) -> Any:
    view = RenderedStateView(CONTEXT, content, 3, NOW)
    return trial.call(codec, {}, lambda store, func: codec.evolve(store, func, view, batch, 0))


def decide(trial: Trial, codec: Codec, name: Callable[[Any], Any], database: Any = "bank") -> Any:
    return trial.call(
        codec,
        dict.fromkeys(METHODS, name),
        lambda store, func: codec.decide(store, func, database, COMMAND, METADATA),
    )


METHODS = [item.path for item in trials.change("own").contract.imports]


def codecs(trial: Trial, limit: int = LIMIT) -> list[Codec]:
    limits = Limits(content_bytes=limit)
    return [kind(trials.NAME, trial.contract, limits) for kind in (PackedCodec, StockCodec)]


@given(batch=st.lists(events(), max_size=3), content=st.none() | st.binary(max_size=50))
def test_a_components_memory_is_the_same_byte_for_byte(
    batch: list[Event], content: bytes | None
) -> None:
    trial = trials.view("own")
    ours, theirs = (fold(trial, codec, batch, content) for codec in codecs(trial))
    assert ours == theirs


@pytest.mark.parametrize("contract", trials.CONTRACTS)
def test_a_function_of_the_host_is_called_with_the_database_and_answers(contract: str) -> None:
    trial = trials.change(contract)
    asked: list[object] = []

    def name(database: object) -> str:
        asked.append(database)
        return "bänk"

    for codec in codecs(trial):
        assert decide(trial, codec, name) == StateChangeError.validation("bänk")
    assert asked == ["bank", "bank"]


def test_what_a_database_raises_ends_the_call_where_the_function_cannot_say_so() -> None:
    trial = trials.change("own")

    def fail(_database: object) -> str:
        raise DatabaseAccessError.query_failed("gone")

    for codec in codecs(trial):
        with pytest.raises(WasmtimeError, match=r"database\.name failed in the host"):
            decide(trial, codec, fail)


def test_contents_of_the_largest_size_go_in_and_out() -> None:
    trial = trials.view("own")
    content = bytes(range(256)) * 4096
    packed = PackedCodec(trials.NAME, trial.contract, Limits(content_bytes=LIMIT))
    for _ in range(2):
        assert content in fold(trial, packed, [], content)


def test_calls_on_several_threads_give_what_they_give_alone() -> None:
    trial = trials.view("own")
    batches = [
        [
            Event(f"e-{n}-{m}", "accounts", "t", f"s{n}", bytes([n]) * m, extensions={f"x{n}": m})
            for m in range(40)
        ]
        for n in range(12)
    ]
    packed = PackedCodec(trials.NAME, trial.contract, Limits(content_bytes=LIMIT))
    alone = [fold(trial, packed, batch) for batch in batches]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda batch: fold(trial, packed, batch), batches * 3)) == alone * 3
