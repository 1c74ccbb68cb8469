"""Which codec a component gets, and what happens where the packed one does not work."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import pytest

from evidentsource_core.domain.errors import InvalidValue
from evidentsource_runtime.host.convert import abi, choice
from evidentsource_runtime.host.convert.choice import VARIABLE, choose_codec
from evidentsource_runtime.host.convert.packed import check, layout, writers
from evidentsource_runtime.host.convert.packed.codec import PackedCodec
from evidentsource_runtime.host.convert.stock import StockCodec
from evidentsource_runtime.host.limits import Limits
from tests.unit.host.packed import trials


@pytest.fixture(autouse=True)
def _first_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(choice, "_self_check", choice._SelfCheck())


def chosen() -> type[object]:
    return type(choose_codec("c", trials.view("own").contract, Limits()))


def test_the_layout_is_the_one_that_wasmtime_declares() -> None:
    assert layout.layout() == abi.declared_layout()


def test_the_packed_codec_works_here_and_is_chosen(caplog: pytest.LogCaptureFixture) -> None:
    assert check.find_fault() is None
    assert chosen() is PackedCodec
    assert not caplog.records


@pytest.mark.parametrize(("name", "codec"), [("packed", PackedCodec), ("stock", StockCodec)])
def test_a_codec_can_be_forced(
    monkeypatch: pytest.MonkeyPatch, name: str, codec: type[object]
) -> None:
    monkeypatch.setenv(VARIABLE, name)
    monkeypatch.setattr(choice, "find_fault", lambda: "not asked")
    assert chosen() is codec


def test_a_codec_that_does_not_exist_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "fast")
    with pytest.raises(InvalidValue, match=r"EVIDENTSOURCE_CODEC: 'fast' is no codec; set it to"):
        chosen()


def test_another_layout_means_stock_and_one_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    declared = abi.declared_layout() | {"entry": 56}
    monkeypatch.setattr(check, "declared_layout", lambda: declared)
    with caplog.at_level(logging.WARNING, "evidentsource.host"):
        assert [chosen(), chosen()] == [StockCodec, StockCodec]
    (record,) = caplog.records
    assert record.name == "evidentsource.host"
    assert "{'entry': 56}" in record.getMessage()


def _break_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    broken: Mapping[str, tuple[int, str]] = {**layout.NUMBERS, "u64": (layout.U64, "q")}
    monkeypatch.setattr("evidentsource_runtime.host.convert.packed.readers.NUMBERS", broken)


def _break_options(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writers, "_option", lambda _payload: lambda _sheet, _value: writers._NONE)


def _break_compiling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "view_text", lambda: "(component")


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        (_break_numbers, "a decision: "),
        (_break_options, "a view written: "),
        (_break_compiling, "WasmtimeError: "),
    ],
)
def test_values_that_come_out_otherwise_mean_stock(
    monkeypatch: pytest.MonkeyPatch, break_it: object, words: str
) -> None:
    assert callable(break_it)
    break_it(monkeypatch)
    fault = check.find_fault()
    assert fault is not None
    assert fault.startswith(words)
    assert chosen() is StockCodec
