"""Instances are made before they are needed and ended after, on a thread where nobody waits."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from evidentsource_core import Command, InvalidType, InvalidValue, StateChangeMetadata
from evidentsource_core.times import EPOCH
from evidentsource_functions import StateChangeError
from evidentsource_runtime.host import ComponentTrap, Host, StateChangeComponent
from evidentsource_runtime.host import instances as room
from evidentsource_runtime.host.ahead import AHEAD, MOST, Ahead
from evidentsource_runtime.host.instances import Instance
from tests.component.host.hostile import state_change

METADATA = StateChangeMetadata("open", 1, 0, EPOCH)


class Database:
    name = "bank"


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The threads on which instances are made, in order."""
    names: list[str] = []
    make = Instance.__init__

    def making(*arguments: Any) -> None:
        names.append(threading.current_thread().name)
        make(*arguments)

    monkeypatch.setattr(Instance, "__init__", making)
    yield names
    AHEAD.wait()


def change(tmp_path: Path, *body: str, ahead: int = 0) -> StateChangeComponent:
    loaded = Host(tmp_path).load(state_change(*body), name="change", ahead=ahead)
    assert isinstance(loaded, StateChangeComponent)
    return loaded


def decide(component: StateChangeComponent) -> None:
    with pytest.raises(StateChangeError, match="bank"):
        component.decide(Database(), Command(b"{}"), METADATA)


def test_the_next_instance_is_made_on_another_thread_after_each_decision(
    tmp_path: Path, made: list[str]
) -> None:
    component = change(tmp_path, ahead=1)
    main = threading.current_thread().name
    assert made == [main]
    decide(component)
    AHEAD.wait()
    assert made == [main, main, "evidentsource-ahead"]
    decide(component)
    AHEAD.wait()
    assert made == [main, main, *["evidentsource-ahead"] * 2]


def test_nothing_is_made_ahead_unless_it_is_wanted(tmp_path: Path, made: list[str]) -> None:
    component = change(tmp_path)
    decide(component)
    AHEAD.wait()
    assert "evidentsource-ahead" not in made


def test_no_more_are_kept_than_wanted(tmp_path: Path, made: list[str]) -> None:
    component = change(tmp_path, ahead=2)
    for _ in range(3):
        component._template.make_ahead()
    assert len(component._template._ahead) == 2


def test_an_instance_that_failed_is_not_used_again(tmp_path: Path, made: list[str]) -> None:
    component = change(tmp_path, "unreachable", ahead=1)
    for count in range(1, 4):
        with pytest.raises(ComponentTrap):
            component.decide(Database(), Command(b"{}"), METADATA)
        AHEAD.wait()
        assert len(made) == 2 + count


def test_an_instance_that_cannot_be_made_is_the_next_calls_concern(
    tmp_path: Path, made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    component = change(tmp_path, ahead=1)

    def failing() -> None:
        raise OSError("no files left")

    monkeypatch.setattr(component._template, "make_ahead", failing)
    for _ in range(3):
        decide(component)
        AHEAD.wait()


def test_a_component_that_nobody_has_any_more_is_let_go_with_its_instances(tmp_path: Path) -> None:
    component = change(tmp_path, ahead=1)
    decide(component)
    AHEAD.wait()
    kept = weakref.ref(component._template._ahead[0])
    del component
    gc.collect()
    assert kept() is None


def test_with_too_much_waiting_the_caller_ends_its_instance_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "AHEAD", busy := Ahead())
    hold = threading.Event()

    def held() -> None:
        hold.wait()

    assert busy.takes(held)
    while busy._work.qsize():
        time.sleep(0.001)
    for _ in range(MOST):
        assert busy.takes(lambda: None)
    assert not busy.takes(lambda: None)
    component = change(tmp_path, ahead=1)
    decide(component)
    hold.set()
    busy.wait()
    assert component._template._ahead == []


@pytest.mark.parametrize(("ahead", "error"), [(-1, InvalidValue), (True, InvalidType)])
def test_a_number_that_is_none_is_refused(
    tmp_path: Path, ahead: int, error: type[Exception]
) -> None:
    with pytest.raises(error, match="ahead"):
        change(tmp_path, ahead=ahead)
