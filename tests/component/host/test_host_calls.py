"""Whatever happens while a component uses the database, it ends in order and nothing is lost."""

from __future__ import annotations

import inspect
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evidentsource_core import Command, Event, Selector, StateView
from evidentsource_core.times import EPOCH, from_parts
from evidentsource_functions import DatabaseAccessError, StateChangeError
from evidentsource_runtime.host import (
    ComponentError,
    ComponentInputError,
    ComponentOutputError,
    HostCallError,
    StateChangeComponent,
    StateViewComponent,
)
from tests.component.host import wire
from tests.component.host.conftest import Built
from tests.component.host.wire import CONTEXT, metadata, order, script, told

pytestmark = [pytest.mark.component, pytest.mark.xdist_group("bases")]

QUERY = [0, "query_events", wire.query(Selector.stream("accounts"))]
VIEW = [0, "view_state", "summary", 1, []]


class Bank:
    """A database that does something of its own in every call."""

    def __init__(self, act: Callable[[], Any]) -> None:
        self.act = act

    def __getattr__(self, name: str) -> Any:
        self.act()
        answers = {"name": "bank", "revision": 7, "created_at": EPOCH, "revision_timestamp": EPOCH}
        return answers.get(name)

    def query_events(self, *_: Any) -> list[Event]:
        self.act()
        return []

    def view_state(self, *_: Any) -> StateView | None:
        self.act()
        return None

    def at_revision(self, _revision: int) -> Bank:
        self.act()
        return self

    def at_effective_timestamp(self, _moment: Any) -> Bank:
        self.act()
        return self

    def speculate_with_transaction(self, _events: Any) -> Bank:
        self.act()
        return self


def raising(error: BaseException) -> Bank:
    def act() -> None:
        raise error

    return Bank(act)


def nothing() -> None:
    pass


REFUSING = [QUERY, VIEW, [0, "at_revision", 3]]
SILENT = [
    *([0, method] for method in ("name", "revision", "created_at", "revision_timestamp")),
    [0, "effective_timestamp"],
    [0, "at_effective_timestamp", wire.time(EPOCH)],
    [0, "speculate_with_batch", []],
]


def called(step: list[Any]) -> str:
    return str(step[1])


def works(change: StateChangeComponent) -> bool:
    return script(change, Bank(nothing), [0, "revision"], QUERY) == [7, []]


@pytest.mark.parametrize("step", REFUSING, ids=called)
@pytest.mark.parametrize(
    ("error", "words"),
    [
        (DatabaseAccessError.query_failed("the index is gone"), "the index is gone"),
        (ComponentInputError("summary", "content", "no"), "summary: content: no"),
        (DatabaseAccessError.query_failed("half \ud800"), "half \\ud800"),
    ],
    ids=["of access", "of the domain", "not quite text"],
)
def test_an_error_that_the_database_announces_reaches_the_component_as_text(
    change: StateChangeComponent, step: list[Any], error: Exception, words: str
) -> None:
    assert script(change, raising(error), step) == [{"refused": words}]


@pytest.mark.parametrize("step", SILENT, ids=called)
def test_where_the_contract_has_no_room_for_an_error_the_caller_gets_it_as_cause(
    change: StateChangeComponent, step: list[Any]
) -> None:
    error = DatabaseAccessError.query_failed("the index is gone")
    with pytest.raises(HostCallError) as caught:
        script(change, raising(error), step)
    assert caught.value.__cause__ is error
    assert caught.value.operation == "database." + step[1].replace("_", "-")
    assert works(change)


@pytest.mark.parametrize("step", [*REFUSING, *SILENT], ids=called)
def test_an_exception_that_the_database_does_not_announce_gets_to_the_caller_as_cause(
    change: StateChangeComponent, step: list[Any]
) -> None:
    error = KeyError("accounts")
    with pytest.raises(HostCallError, match=r"KeyError: 'accounts'") as caught:
        script(change, raising(error), step)
    assert caught.value.__cause__ is error
    assert works(change)


@pytest.mark.parametrize("step", [QUERY, [0, "name"]], ids=called)
@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3), GeneratorExit()], ids=repr)
def test_an_interrupt_is_raised_to_the_caller_as_it_is(
    change: StateChangeComponent, step: list[Any], error: BaseException
) -> None:
    with pytest.raises(type(error)) as caught:
        script(change, raising(error), step)
    assert caught.value is error
    assert works(change)


def test_a_component_cannot_go_on_after_a_call_that_failed(change: StateChangeComponent) -> None:
    asked: list[None] = []

    def act() -> None:
        asked.append(None)
        raise KeyError("accounts")

    with pytest.raises(HostCallError):
        change.decide(Bank(act), order(["name", "revision"]), metadata("insist"))
    assert len(asked) == 1


def test_what_a_component_hands_over_wrongly_is_its_own_error(
    change: StateChangeComponent,
) -> None:
    event: dict[str, Any] = {"is": "Cloudevent", "id": "e", "source": "s", "specversion": "0.3"} | {
        "type": "t",
        "data": None,
        "attributes": [],
    }
    with pytest.raises(ComponentOutputError) as caught:
        script(change, Bank(nothing), [0, "speculate_with_batch", [event]])
    assert caught.value.field == "database.speculate-with-batch.events[0].specversion"
    assert works(change)


def test_an_answer_that_the_contract_cannot_carry_is_told_where_no_error_fits(
    change: StateChangeComponent, contract: str
) -> None:
    class Old(Bank):
        created_at = from_parts(-1)

    class Vast(Bank):
        revision = 2**64

    with pytest.raises(ComponentInputError) as caught:
        script(change, Vast(nothing), [0, "revision"])
    assert caught.value.field == "database.revision"
    if contract == "variant":
        with pytest.raises(ComponentInputError, match="u64 seconds"):
            script(change, Old(nothing), [0, "created_at"])
    else:
        assert script(change, Old(nothing), [0, "created_at"]) == [wire.time(from_parts(-1))]


def test_a_component_may_hold_many_databases(change: StateChangeComponent) -> None:
    steps = [[0, "at_revision", 1] for _ in range(300)]
    assert script(change, Bank(nothing), *steps) == ["Database"] * 300


# --- components within components, and on several threads ----------------------------------------


class Nesting(Bank):
    """A database whose views run in a component."""

    def __init__(self, view: StateViewComponent, content: bytes | None = None) -> None:
        super().__init__(nothing)
        self.view = view
        self.content = content

    def view_state(self, *_: Any) -> StateView | None:
        content = self.view.evolve(self.content, [], CONTEXT)
        return StateView("bank", "summary", 1, None, 4, EPOCH, content=content)  # type: ignore[arg-type]  # plain text stands for names


def test_a_decision_can_read_a_view_that_runs_in_the_same_host(
    change: StateChangeComponent, view: StateViewComponent
) -> None:
    told_twice = script(change, Nesting(view, b"do-return-bytes:2"), VIEW, [0, "revision"], VIEW)
    contents = [told_twice[0]["content"], told_twice[1], told_twice[2]["content"]]
    assert contents == [wire.binary(b"\0\0"), 7, wire.binary(b"\0\0")]


def test_a_view_that_fails_within_a_decision_is_refused_in_words(
    change: StateChangeComponent, view: StateViewComponent
) -> None:
    (refused,) = script(change, Nesting(view, b"do-return-int"), VIEW)
    assert refused["refused"].startswith(f"{view.name}: called `Result::unwrap()`")
    assert works(change)


def test_decisions_within_decisions_keep_their_databases_apart(
    change: StateChangeComponent,
) -> None:
    seen: list[Any] = []

    class Outer(Bank):
        revision = 99

        def query_events(self, *_: Any) -> list[Event]:
            seen.append(script(change, Bank(nothing), [0, "at_revision", 1], [1, "revision"]))
            return []

    outer = Outer(nothing)
    assert script(change, outer, [0, "at_revision", 1], QUERY, [1, "revision"]) == [
        *("Database", [], 99)
    ]
    assert seen == [["Database", 7]]


def test_threads_share_a_component(change: StateChangeComponent, view: StateViewComponent) -> None:
    results: list[Any] = []

    def work(number: int) -> None:
        event = Event(f"e-{number}", "s", "t", extensions={"n": number})
        for _ in range(5):
            content = view.evolve(b"do-fail-on:none,", [event], CONTEXT)
            results.append(content == b"do-fail-on:none,e-%d " % number)
            results.append(script(change, Nesting(view, b"do-return-none"), QUERY) == [[]])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 40


def test_the_database_may_use_another_thread_that_uses_a_component(
    change: StateChangeComponent, view: StateViewComponent
) -> None:
    contents: list[bytes | None] = []

    def act() -> None:
        thread = threading.Thread(
            target=lambda: contents.append(view.evolve(b"do-return-bytes:1", [], CONTEXT))
        )
        thread.start()
        thread.join(30)

    assert script(change, Bank(act), QUERY) == [[]]
    assert contents == [b"\0"]


def test_a_stack_without_room_for_a_call_is_an_ordinary_recursion_error(
    change: StateChangeComponent,
) -> None:
    outcomes: set[str] = set()

    def descend(depth: int) -> None:
        try:
            change.decide(Bank(nothing), order([[0, "revision"], QUERY]), metadata("script"))
        except (RecursionError, HostCallError, StateChangeError) as error:
            outcomes.add(type(error).__name__)
        if depth:
            descend(depth - 1)

    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack(0)) + 150)
    try:
        with pytest.raises(RecursionError):
            descend(1000)
    finally:
        sys.setrecursionlimit(limit)
    # Far from the end it works, and close to it nothing but an exception comes of it.
    assert {"StateChangeError", "RecursionError"} <= outcomes
    assert works(change)


# --- signals -------------------------------------------------------------------------------------


def test_an_interrupt_in_the_databases_code_ends_the_decision_at_once(
    change: StateChangeComponent,
) -> None:
    asked: list[None] = []

    def act() -> None:
        asked.append(None)
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        change.decide(Bank(act), order(["name", "revision"]), metadata("insist"))
    assert len(asked) == 1
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert works(change)


INTERRUPTED = """
import os, signal, sys, threading, time
from evidentsource_core import Event, StateViewContext
from evidentsource_core.times import EPOCH
from evidentsource_runtime.host import Host

view = Host().load(sys.argv[1])
context = StateViewContext("bank", "summary", 1, 1, EPOCH)
events = [Event(f"e-{n}", "s", "t", extensions={"a": "b"}) for n in range(200)]
handled = []
if sys.argv[2] == "alarm":
    signal.signal(signal.SIGALRM, lambda *_: handled.append(1))
    signal.setitimer(signal.ITIMER_REAL, 0.002, 0.002)
    for _ in range(20):
        assert view.evolve(b"do-return-size", events, context) == b"200"
    signal.setitimer(signal.ITIMER_REAL, 0)
    assert len(handled) > 20, handled
    print("handled")
else:
    pid = os.getpid()
    caught = 0
    for round in range(60):
        timer = threading.Timer(round / 1000, lambda: os.kill(pid, signal.SIGINT))
        try:
            timer.start()
            while True:
                view.evolve(b"do-return-size", events[:20], context)
        except KeyboardInterrupt:
            caught += 1
        timer.join()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert view.evolve(b"do-return-size", events, context) == b"200"
    print("caught", caught)
"""


@pytest.mark.parametrize(("kind", "said"), [("interrupt", "caught 60"), ("alarm", "handled")])
def test_a_signal_at_any_moment_of_a_call_is_handled_and_harms_nothing(
    built: Built, kind: str, said: str
) -> None:
    path: Path = built("echo_view", "own")
    run = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, path, kind], capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stdout.strip(), run.stderr) == (0, said, "")


def test_nothing_but_component_errors_leaves_a_failed_call(change: StateChangeComponent) -> None:
    with pytest.raises(ComponentError):
        change.decide(Bank(nothing), Command(), metadata("return-int"))
    assert told(change, "count-decisions", Bank(nothing), Command()) == 1
