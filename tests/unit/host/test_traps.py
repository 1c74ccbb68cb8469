"""However a component fails, the caller gets a typed error and the next call works."""

from __future__ import annotations

import gc
import pickle
from contextlib import suppress
from pathlib import Path

import pytest

from evidentsource_core import StateViewContext
from evidentsource_core.times import EPOCH
from evidentsource_runtime.host import (
    ComponentError,
    ComponentLimitError,
    ComponentTrap,
    Host,
    StateViewComponent,
)
from tests.unit.host.wat import NO_CONTENT, state_view

CONTEXT = StateViewContext("bank", "summary", 1, 1, EPOCH)


def pointing(tag: int, pointer: int, size: int) -> str:
    """Instructions that leave an ``option<list<u8>>`` made of these three numbers."""
    return f"""
      (i32.store8 (i32.const 64) (i32.const {tag}))
      (i32.store (i32.const 68) (i32.const {pointer}))
      (i32.store (i32.const 72) (i32.const {size}))
      (i32.const 64)"""


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Host:
    return Host(tmp_path_factory.mktemp("cache"))


def load(host: Host, body: str, *changes: tuple[str, str]) -> StateViewComponent:
    loaded = host.load(state_view(body, *changes), name="strange")
    assert isinstance(loaded, StateViewComponent)
    return loaded


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("unreachable", "unreachable"),
        ("(i32.div_u (i32.const 1) (i32.const 0))", "divide by zero"),
        ("(i32.load (i32.const -4))", "out of bounds"),
        (pointing(1, -16, 32), "list pointer/length out of bounds"),
        (pointing(1, 64, -1), "list pointer/length out of bounds"),
        (pointing(9, 0, 0), "discriminant"),
        ("(i32.const -1)", "not aligned"),
    ],
)
def test_a_trap_is_told_in_wasmtimes_words_where_the_component_has_none(
    host: Host, body: str, words: str
) -> None:
    view = load(host, body)
    for _ in range(2):
        with pytest.raises(ComponentTrap) as caught:
            view.evolve(None, [], CONTEXT)
        assert words in caught.value.trap
        assert caught.value.silent
        assert caught.value.reason == f"{caught.value.trap}; it left no Python traceback"


def test_the_next_call_after_a_trap_works(host: Host) -> None:
    # Traps if the first byte of the database's name, which its first parameter points to, is a "!".
    view = load(
        host,
        """
      (if (i32.eq (i32.load8_u (i32.load (local.get $given))) (i32.const 33)) (then unreachable))
      (i32.const 0)""",
    )
    for _ in range(3):
        with pytest.raises(ComponentTrap):
            view.evolve(None, [], StateViewContext("!", "summary", 1, 1, EPOCH))
        assert view.evolve(None, [], CONTEXT) is None


def test_a_list_that_is_too_long_is_a_limit(host: Host) -> None:
    view = load(host, pointing(1, 0, 3_000_000), ('(memory (export "memory") 4)', BIG_MEMORY))
    with pytest.raises(ComponentLimitError) as caught:
        view.evolve(None, [], CONTEXT)
    assert caught.value.limit == "the values of one call"


BIG_MEMORY = '(memory (export "memory") 64)'


def test_errors_survive_pickling_with_everything_they_know(host: Host) -> None:
    with pytest.raises(ComponentTrap) as caught:
        load(host, "unreachable").evolve(None, [], CONTEXT)
    copy = pickle.loads(pickle.dumps(caught.value))
    assert type(copy) is ComponentTrap
    assert vars(copy) == vars(caught.value)
    assert str(copy) == str(caught.value)


def test_every_error_has_a_code_of_its_own(tmp_path: Path) -> None:
    from evidentsource_runtime.host import errors

    kinds = [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, ComponentError) and "_" not in kind.__name__
    ]
    assert len({kind.code for kind in kinds}) == len(kinds) == 8


def open_files() -> int:
    gc.collect()
    return len(list(Path("/dev/fd").iterdir()))


def test_calls_and_failures_leave_no_file_open(host: Host) -> None:
    views = [load(host, "unreachable"), load(host, NO_CONTENT)]

    def call_all() -> None:
        for view in views:
            with suppress(ComponentTrap):
                view.evolve(None, [], CONTEXT)

    call_all()
    before = open_files()
    for _ in range(100):
        call_all()
    assert open_files() == before
