"""The lane is used where a component has exactly it, and what it answers is checked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evidentsource_core import Event, StateViewContext
from evidentsource_core.domain.errors import InvalidType
from evidentsource_core.times import from_parts
from evidentsource_functions.lane import EXPORT
from evidentsource_runtime.host import (
    ComponentOutputError,
    EncodedEvents,
    Fold,
    Host,
    StateViewComponent,
)
from evidentsource_runtime.host.convert.choice import VARIABLE
from tests.unit.host.wat import exporting, state_view, view_with_lane

CONTEXT = StateViewContext("bank", "s\u00e4ldo", 3, 40, from_parts(5, 6), "text/plain", None)
SOURCE = "https://h/db/bank/streams/"
EVENT = Event("e-1", f"{SOURCE}accounts", "opened")

EVOLVE = """
  (i32.store8 (i32.const 0) (i32.const 1))
  (i32.store (i32.const 4) (i32.const 64))
  (i32.store (i32.const 8) (i32.const 2))
  (i32.const 0)"""
"""Answers with two zero bytes, by the contract."""
BY_CONTRACT = b"\0\0"


def answers(count: int, first: str = "") -> str:
    return f"""
  (i32.store (i32.const 16) (i32.const 32))
  (i32.store (i32.const 20) (i32.const {count}))
  {first}
  (i32.const 16)"""


HEADER = answers(
    1,
    """
  (i32.store8 (i32.const 32) (i32.const 1))
  (i32.store (i32.const 36) (local.get $header))
  (i32.store (i32.const 40) (local.get $size))""",
)
"""Answers with the header."""
BYTES = answers(
    1,
    """
  (i32.store8 (i32.const 44) (i32.const 1))
  (i32.store (i32.const 48) (i32.const 2048))
  (i32.store (i32.const 52) (i32.const 3))
  (i32.store8 (i32.const 2048) (i32.const 255))""",
)
"""Answers with bytes that are no UTF-8."""


@pytest.fixture(params=["packed", "stock"])
def host(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    monkeypatch.setenv(VARIABLE, str(request.param))
    return Host(tmp_path / "cache")


def load(
    host: Host, fold: str, *changes: tuple[str, str], lane: bool | None = None
) -> StateViewComponent:
    component = host.load(view_with_lane(EVOLVE, fold, *changes), lane=lane)
    assert isinstance(component, StateViewComponent)
    return component


def test_the_header_says_which_view_it_is_and_when_it_was_modified(host: Host) -> None:
    view = load(host, HEADER)
    assert view.uses_lane
    told = view.evolve(
        b"{}",
        [EVENT],
        CONTEXT,
        last_modified_revision=7,
        last_modified_timestamp=from_parts(-1, 999_999_999),
    )
    assert told is not None
    assert json.loads(told) == {
        "database": "bank",
        "name": "s\u00e4ldo",
        "version": 3,
        "revision": 40,
        "timestamp": [5, 6],
        "content_type": "text/plain",
        "content_schema": None,
        "source": SOURCE,
        "modified": [[7, -1, 999_999_999]],
        "counts": [None],
    }
    batch = EncodedEvents('[["e","a","t",null,null,null,null,null,null]]', 1, "s:")
    told = view.evolve_encoded(None, batch, CONTEXT)
    assert told is not None
    facts = json.loads(told)
    assert (facts["source"], facts["counts"]) == ("s:", [1])


def test_after_each_batch_the_header_says_what_is_in_the_content(host: Host) -> None:
    view = load(host, HEADER)
    history = [
        Event(f"e-{n}", SOURCE, "t", extensions={"sequence": f"{n:020}", "recordedtime": time})
        for n, time in ((2, "1970-01-01T00:00:02Z"), (1, "1970-01-01T00:00:01Z"), (3, ""))
    ]
    told = view.evolve(None, history, CONTEXT, batch_size=2)
    assert told is not None
    assert json.loads(told)["modified"] == [[2, 2, 0]]


def test_bytes_that_are_no_text_come_back_as_they_are(host: Host) -> None:
    assert load(host, BYTES).evolve(b"\xff", [EVENT], CONTEXT) == b"\xff\0\0"


def test_no_content_is_an_answer(host: Host) -> None:
    assert load(host, answers(1)).evolve(b"{}", [EVENT], CONTEXT) is None


def test_a_host_may_be_told_to_keep_to_the_contract(host: Host, tmp_path: Path) -> None:
    view = load(host, HEADER, lane=False)
    assert not view.uses_lane
    assert view.evolve(None, [EVENT], CONTEXT) == BY_CONTRACT
    contract_host = Host(tmp_path / "cache", lane=False)
    assert not load(contract_host, HEADER).uses_lane
    assert load(contract_host, HEADER, lane=True).uses_lane


@pytest.mark.parametrize(
    "component",
    [
        state_view(EVOLVE),
        state_view(EVOLVE, more=exporting(EXPORT)),
        view_with_lane(EVOLVE, HEADER, ('(param "header" string)', '(param "header" (list u8))')),
        view_with_lane(
            EVOLVE,
            HEADER,
            ("(option (list u8)) (option string)", "(option (list u8)) (option bool)"),
        ),
    ],
    ids=["none", "without parameters", "another parameter", "another result"],
)
def test_somebody_elses_function_of_that_name_is_left_alone(host: Host, component: bytes) -> None:
    view = host.load(component)
    assert isinstance(view, StateViewComponent)
    assert not view.uses_lane
    assert view.evolve(None, [EVENT], CONTEXT) == BY_CONTRACT


def test_a_program_that_does_without_the_lane_is_called_by_the_contract(host: Host) -> None:
    view = load(host, "(i32.const 0)")
    folds = [Fold(None, [EVENT]), Fold(b"", [EVENT, EVENT])]
    assert [each.result() for each in view.evolve_many(folds, CONTEXT)] == [BY_CONTRACT] * 2
    assert not view.uses_lane
    assert load(host, "(i32.const 0)").evolve(None, [EVENT], CONTEXT) == BY_CONTRACT


def test_answers_that_are_too_many_are_refused(host: Host) -> None:
    view = load(host, answers(2))
    with pytest.raises(ComponentOutputError, match="2 answers to 1 batches") as caught:
        view.evolve(None, [EVENT], CONTEXT)
    assert caught.value.field == EXPORT


def test_what_is_no_fold_is_refused(host: Host) -> None:
    view = load(host, HEADER)
    with pytest.raises(InvalidType, match="folds"):
        list(view.evolve_many([(None, [EVENT])], CONTEXT))  # type: ignore[list-item]
    with pytest.raises(InvalidType, match=r"Fold\.events"):
        Fold(None, "text")  # type: ignore[arg-type]
    with pytest.raises(InvalidType, match="EncodedEvents"):
        view.evolve_encoded(None, [EVENT], CONTEXT)  # type: ignore[arg-type]
