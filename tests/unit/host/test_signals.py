"""While a component runs, a signal's handler waits until it may raise; it is never lost."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from evidentsource_runtime.host import signals as room
from evidentsource_runtime.host.signals import Deferral, admit, shut


class Told(Exception):
    pass


handled: list[int] = []


def note(number: int, _frame: Any) -> None:
    handled.append(number)


def refuse(number: int, _frame: Any) -> None:
    handled.append(number)
    raise Told


def interrupted(number: int) -> None:
    """A call in which a signal comes; 0 is handled at its end."""
    with Deferral():
        signal.raise_signal(number)
        handled.append(0)


@pytest.fixture(autouse=True)
def own_handlers() -> Iterator[None]:
    handled.clear()
    before = {number: signal.getsignal(number) for number in (signal.SIGUSR1, signal.SIGUSR2)}
    signal.signal(signal.SIGUSR1, note)
    signal.signal(signal.SIGUSR2, refuse)
    yield
    assert signal.getsignal(signal.SIGUSR1) is note
    assert signal.getsignal(signal.SIGUSR2) is refuse
    for number, handler in before.items():
        signal.signal(number, handler)
    # Nothing that this test did keeps later ones from being interrupted.
    with pytest.raises(KeyboardInterrupt), Deferral():
        signal.raise_signal(signal.SIGINT)


def test_a_handler_runs_after_the_call_with_what_it_would_have_had() -> None:
    with Deferral():
        signal.raise_signal(signal.SIGUSR1)
        signal.raise_signal(signal.SIGUSR1)
        assert handled == []
    assert handled == [signal.SIGUSR1] * 2


def test_what_a_handler_raises_comes_out_after_the_call() -> None:
    finished = []

    def call() -> None:
        with Deferral():
            signal.raise_signal(signal.SIGUSR2)
            finished.append(True)

    with pytest.raises(Told):
        call()
    assert finished


def test_a_handler_runs_at_once_where_it_may_raise() -> None:
    with Deferral():
        signal.raise_signal(signal.SIGUSR1)
        admit()
        assert handled == [signal.SIGUSR1]
        signal.raise_signal(signal.SIGUSR1)
        assert len(handled) == 2
        shut()
        signal.raise_signal(signal.SIGUSR1)
        assert len(handled) == 2
    assert len(handled) == 3


def test_after_a_handler_has_raised_the_next_one_waits() -> None:
    kept: list[int] = []

    def call() -> None:
        with Deferral():
            admit()
            try:
                signal.raise_signal(signal.SIGUSR2)
            except Told:
                # This is where a failure is kept: nothing may come in between.
                signal.raise_signal(signal.SIGUSR2)
                kept.append(len(handled))
                raise

    with pytest.raises(Told):
        call()
    assert (kept, len(handled)) == ([1], 2)


def test_calls_nest() -> None:
    with Deferral():
        with Deferral():
            signal.raise_signal(signal.SIGUSR1)
        assert handled == []
        admit()
        assert handled == [signal.SIGUSR1]
        with Deferral():
            signal.raise_signal(signal.SIGUSR1)
            assert len(handled) == 1
        # The outer call was where a handler may run, so the inner one's end is such a place.
        assert len(handled) == 2
        shut()


def test_a_handler_set_where_it_may_run_waits_in_the_next_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked: list[int] = []

    def looking(number: int) -> Any:
        looked.append(number)
        return signal.getsignal(number)

    monkeypatch.setattr(room, "_handler_of", looking)
    with Deferral():
        admit()
        signal.signal(signal.SIGUSR1, refuse)
        with pytest.raises(Told):
            interrupted(signal.SIGUSR1)
        assert handled == [0, signal.SIGUSR1]
        shut()
        # What no code of the database's lies in between is not looked for again: it takes a while.
        looked.clear()
        with Deferral():
            assert looked == []
        signal.signal(signal.SIGUSR1, note)


def test_after_a_handler_has_raised_at_the_end_the_next_call_is_safe_again() -> None:
    for _ in range(2):
        with pytest.raises(Told):
            interrupted(signal.SIGUSR2)
    assert handled == [0, signal.SIGUSR2] * 2


def test_the_calls_own_exception_is_kept_beside_that_of_a_handler() -> None:
    def call() -> None:
        with Deferral():
            signal.raise_signal(signal.SIGUSR2)
            raise KeyError("own")

    with pytest.raises(Told) as caught:
        call()
    assert isinstance(caught.value.__context__, KeyError)


def test_another_thread_leaves_the_handlers_alone() -> None:
    seen: list[object] = []

    def work() -> None:
        with Deferral():
            shut()
            seen.append(signal.getsignal(signal.SIGUSR1))
            admit()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [note]
    signal.raise_signal(signal.SIGUSR1)
    assert handled == [signal.SIGUSR1]


def test_a_signal_without_a_handler_in_python_is_not_touched() -> None:
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    with Deferral():
        assert signal.getsignal(signal.SIGUSR1) is signal.SIG_IGN
        assert signal.getsignal(signal.SIGUSR2) is not refuse
    signal.signal(signal.SIGUSR1, note)
