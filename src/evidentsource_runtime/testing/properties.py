"""Properties that every state view and every state change should have, one line each.

>>> from dataclasses import dataclass
>>> from hypothesis import strategies as st
>>> from evidentsource_functions import Event, StateViewBase
>>> from evidentsource_runtime.testing.strategies import events
>>> @dataclass
... class Balance(StateViewBase):
...     amount: int = 0
...     def evolve_event(self, event: Event) -> None:
...         self.amount += event.data_as_json()["amount"]
>>> check_view(Balance, of=[events("account.credited", amount=st.integers())], examples=20)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from evidentsource_core import Event
from evidentsource_core.reference import Evolve
from evidentsource_functions.testing import Scenarios
from evidentsource_runtime.testing._hypothesis import st
from evidentsource_runtime.testing._play import Play, problem_of
from evidentsource_runtime.testing._trials import (
    Fold,
    PropertyFailed,
    for_all,
    shown_content,
    shown_history,
)
from evidentsource_runtime.testing.strategies.events import (
    AnyEvents,
    histories,
    one_of,
    prospective,
)

__all__ = [
    "PropertyFailed",
    "check_batches",
    "check_change",
    "check_content",
    "check_evolve",
    "check_refusals",
    "check_repeatable",
    "check_view",
]

EXAMPLES = 100
"""Examples that a property is tried with, unless it is told otherwise."""


# --- state views ---------------------------------------------------------------------------------


def check_view(
    view: type[Any] | Evolve,
    of: Sequence[AnyEvents],
    *,
    content_type: str = "application/json",
    examples: int = EXAMPLES,
) -> None:
    """All that follows for one state view: it never fails, and neither batches nor storing matter.

    Args:
        view: its class; or a handler ``(rendered, events) -> bytes | None``.
        of: the events that it selects, as ``histories`` takes them.
        content_type: what its content is.
        examples: how many histories to try.

    Raises:
        PropertyFailed: with the shortest history found that breaks one, and what happens then.
    """
    check_evolve(view, of, content_type=content_type, examples=examples)
    check_content(view, of, content_type=content_type, examples=examples)
    check_batches(view, of, content_type=content_type, examples=examples)


def check_evolve(
    view: type[Any] | Evolve,
    of: Sequence[AnyEvents],
    *,
    content_type: str = "application/json",
    examples: int = EXAMPLES,
) -> None:
    """``evolve`` fails on no history of these events. Arguments and errors as :func:`check_view`."""
    fold = Fold(view, content_type)

    def check(history: list[Event]) -> None:
        try:
            fold([history])
        except Exception as error:
            raise PropertyFailed(f"{fold.name} fails: {error}\n{shown_history(history)}") from error

    for_all(histories(of, min_size=1), check, examples)


def check_content(
    view: type[Any] | Evolve,
    of: Sequence[AnyEvents],
    *,
    content_type: str = "application/json",
    examples: int = EXAMPLES,
) -> None:
    """What is read back is written again to the byte. Arguments and errors as :func:`check_view`."""
    fold = Fold(view, content_type)

    def check(history: list[Event]) -> None:
        content = fold([history])
        again = None if content is None else fold.read_back(content)
        if again != content:
            raise PropertyFailed(
                f"{fold.name} is another one when it is read back from its content\n"
                f"  content:    {shown_content(content)}\n"
                f"  read back:  {shown_content(again)}\n{shown_history(history)}"
            )

    for_all(histories(of, min_size=1), check, examples)


def check_batches(
    view: type[Any] | Evolve,
    of: Sequence[AnyEvents],
    *,
    content_type: str = "application/json",
    examples: int = EXAMPLES,
) -> None:
    """A fold in one batch is the fold in any others. Arguments and errors as :func:`check_view`."""
    fold = Fold(view, content_type)

    def check(drawn: tuple[list[Event], list[int]]) -> None:
        history, sizes = drawn
        batches = _cut(history, sizes)
        whole, pieces = fold([history]), fold(batches)
        if whole != pieces:
            told = ", ".join(str(len(batch)) for batch in batches)
            raise PropertyFailed(
                f"{fold.name} is another one in other batches\n"
                f"  in one batch of {len(history)}:  {shown_content(whole)}\n"
                f"  in batches of {told}:  {shown_content(pieces)}\n{shown_history(history)}"
            )

    sizes = st.lists(st.integers(1, 5), max_size=10)
    for_all(st.tuples(histories(of, min_size=1), sizes), check, examples)


def _cut(history: list[Event], sizes: list[int]) -> list[list[Event]]:
    """The history in batches of these sizes; what is left comes one by one."""
    batches: list[list[Event]] = []
    start = 0
    while start < len(history):
        size = sizes[len(batches)] if len(batches) < len(sizes) else 1
        batches.append(history[start : start + size])
        start += size
    return batches


# --- state changes -------------------------------------------------------------------------------


def check_change(
    rules: Scenarios[Any],
    commands: Sequence[st.SearchStrategy[Any]],
    *,
    given: Sequence[AnyEvents] = (),
    examples: int = EXAMPLES,
) -> None:
    """Both that follow: any command leads to events or to a refusal, and to the same ones again.

    Args:
        rules: the state changes, and the views that they read.
        commands: the commands to try, such as ``commands(Deposit)``.
        given: the events that may have happened before.
        examples: how many commands to try.

    Raises:
        PropertyFailed: with the shortest history found, the command, and what happens then.
    """
    check_refusals(rules, commands, given=given, examples=examples)
    check_repeatable(rules, commands, given=given, examples=examples)


def check_refusals(
    rules: Scenarios[Any],
    commands: Sequence[st.SearchStrategy[Any]],
    *,
    given: Sequence[AnyEvents] = (),
    examples: int = EXAMPLES,
) -> None:
    """``decide`` fails with no well-typed command: what it refuses, it refuses as a rule does.

    Arguments and errors as :func:`check_change`.
    """

    def check(drawn: tuple[list[Any], Any]) -> None:
        play = Play(rules.book)
        play.commit(_numbered(drawn[0]))
        problem = problem_of(play.send(drawn[1]))
        if problem is not None:
            raise PropertyFailed(f"{problem}\n{play.story()}")

    for_all(_situations(commands, given), check, examples)


def check_repeatable(
    rules: Scenarios[Any],
    commands: Sequence[st.SearchStrategy[Any]],
    *,
    given: Sequence[AnyEvents] = (),
    examples: int = EXAMPLES,
) -> None:
    """``decide`` gives the same for the same inputs; ids of events may differ.

    Both runs are in this process, one after the other: :mod:`evidentsource_runtime.testing.guard`
    compares more. Arguments and errors as :func:`check_change`.
    """

    def check(drawn: tuple[list[Any], Any]) -> None:
        plays = [Play(rules.book), Play(rules.book)]
        outcomes = []
        for play in plays:
            play.commit(_numbered(drawn[0]))
            outcomes.append(play.send(drawn[1]))
        first, second = (each.without_ids() for each in outcomes)
        if first != second:
            raise PropertyFailed(
                f"{outcomes[0].change} decides otherwise when it is asked again\n"
                f"{plays[0].story()}\nand then\n{plays[1].story()}"
            )

    for_all(_situations(commands, given), check, examples)


def _situations(
    commands: Sequence[st.SearchStrategy[Any]], given: Sequence[AnyEvents]
) -> st.SearchStrategy[tuple[list[Any], Any]]:
    before = st.lists(one_of(given), max_size=10) if given else st.just([])
    return st.tuples(before, st.one_of(*commands))


def _numbered(given: list[Any]) -> list[Any]:
    return [prospective(each, f"given-{number}") for number, each in enumerate(given, 1)]
