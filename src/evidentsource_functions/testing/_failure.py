"""What a scenario says when it fails: what happened before, what was sent, what differs."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from evidentsource_core import AppendCondition, Event, InvalidType, ProspectiveEvent
from evidentsource_functions.testing import _words as words
from evidentsource_functions.testing._align import Pair, align, reordered
from evidentsource_functions.testing._diff import event_differences
from evidentsource_functions.testing._events import EventSpec
from evidentsource_functions.testing._stage import Attempt


class ScenarioFailed(AssertionError):
    """A scenario did not end as its test says; the text is the whole story."""


@dataclass(frozen=True, slots=True)
class Story:
    """What every failure of a scenario begins with.

    Args:
        level: the level it ran at.
        history: what had happened before.
        attempt: the command, if one was sent.
        seen: the revision that was decided on, or read at; None for the latest.
        mark: what is said of that revision.
    """

    level: str
    history: Sequence[Event]
    attempt: Attempt | None = None
    seen: int | None = None
    mark: str = "last seen"

    def told(self, title: str, lines: Sequence[str]) -> ScenarioFailed:
        """The failure: in a few words, then what happened, then what is wrong with it."""
        blocks = [title]
        if self.level != "native":
            blocks.append(f"level {self.level}")
        blocks.append(_block("given", words.history_lines(self.history, self.seen, self.mark)))
        if self.attempt is not None:
            line = words.command_line(self.attempt.command)
            blocks.append(_block(f"when {self.attempt.change.name}", [line]))
        blocks.append(_block("then", lines))
        return ScenarioFailed("\n".join(blocks))


def events_differ(
    expected: Sequence[EventSpec], got: Sequence[ProspectiveEvent], stream: str | None
) -> tuple[str, list[str]] | None:
    """What is wrong with the events that were decided: a title, and lines; None for nothing."""

    def same(one: EventSpec, other: ProspectiveEvent) -> bool:
        return not event_differences(one, other, stream)

    def alike(one: EventSpec, other: ProspectiveEvent) -> int:
        if one.event_type == other.event_type:
            return 3 + (one.subject == other.subject)
        found = {each.path.partition(".")[0] for each in event_differences(one, other, stream)}
        return 1 + ("data" not in found) + (one.subject == other.subject)

    if len(expected) == len(got) and all(map(same, expected, got)):
        return None
    pairs = align(expected, got, same, alike)
    wrong = [pair for pair in pairs if not pair.same]
    if reordered(expected, got, same):
        lines = ["expected:", *(f"  {words.spec_line(each, stream)}" for each in expected)]
        lines += ["got:", *(f"  {words.event_line(each)}" for each in got)]
        return "the events come in another order", lines
    lines = [line for pair in pairs for line in _pair_lines(pair, expected, got, stream)]
    return _title(wrong, expected, got, stream), lines


def _title(
    wrong: list[Pair],
    expected: Sequence[EventSpec],
    got: Sequence[ProspectiveEvent],
    stream: str | None,
) -> str:
    if len(wrong) > 1:
        return f"{len(wrong)} events are not as expected"
    (pair,) = wrong
    if pair.got is None:
        return f"event {_number(pair)} ({expected[pair.expected or 0].event_type}) is missing"
    made = got[pair.got]
    if pair.expected is None:
        return f"event {_number(pair)} ({made.event_type}) was not expected"
    found = event_differences(expected[pair.expected], made, stream)
    paths = ", ".join(each.path for each in found)
    return f"event {_number(pair)} ({made.event_type}) differs in {paths}"


def _pair_lines(
    pair: Pair,
    expected: Sequence[EventSpec],
    got: Sequence[ProspectiveEvent],
    stream: str | None,
) -> list[str]:
    if pair.got is None:
        missing = words.spec_line(expected[pair.expected or 0], stream)
        return [f"- event {_number(pair)}: {missing}", "    is missing"]
    line = f"event {_number(pair)}: {words.event_line(got[pair.got])}"
    if pair.expected is None:
        return [f"+ {line}", "    was not expected"]
    if pair.same:
        return [f"  {line}"]
    found = event_differences(expected[pair.expected], got[pair.got], stream)
    return [f"! {line}", *(f"    {each}" for each in words.difference_lines(found))]


def _number(pair: Pair) -> int:
    """Where an event stands, counted from 1: among those there are, or those expected."""
    position = pair.expected if pair.got is None else pair.got
    return (position or 0) + 1


def conditions_differ(
    expected: Sequence[AppendCondition], got: Sequence[AppendCondition]
) -> list[str] | None:
    """What is wrong with the append conditions, in whatever order; None for nothing."""
    given: Sequence[object] = expected
    for each in given:
        if not isinstance(each, AppendCondition):
            hint = "write Constraint.must_exist(selector), .must_not_exist, .unchanged_since, ..."
            raise InvalidType("then_conditions", "append conditions", each, hint)
    left, lines = list(got), []
    for condition in expected:
        if condition in left:
            left.remove(condition)
            lines.append(f"  {words.condition_line(condition)}")
        else:
            lines += [f"- {words.condition_line(condition)}", "    is missing"]
    for condition in left:
        lines += [f"+ {words.condition_line(condition)}", "    was not expected"]
    return lines if any(not line.startswith("  ") for line in lines) else None


def _block(title: str, lines: Sequence[str]) -> str:
    return f"{title}\n{textwrap.indent(chr(10).join(lines), '    ')}"
