"""Commands played against a state change's rules, and the story of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from evidentsource_core import Event, ProspectiveEvent, StateView
from evidentsource_core.domain.definitions import ViewParameter
from evidentsource_core.domain.errors import TransactionError
from evidentsource_functions import StateChangeError, StateChangeErrorKind
from evidentsource_functions.testing import (
    Attempt,
    Outcome,
    Reading,
    RuleBook,
    current_level,
)
from evidentsource_functions.testing import _words as words
from evidentsource_functions.testing._commands import as_sent

__all__ = ["Play", "Sent", "problem_of"]


@dataclass(frozen=True, slots=True)
class Sent:
    """A command that was sent, and what came of it."""

    attempt: Attempt
    outcome: Outcome
    revision: int

    @property
    def change(self) -> str:
        """The state change's name."""
        return self.attempt.change.name

    def without_ids(self) -> tuple[object, ...]:
        """What has to be the same when it is decided again: everything but the ids of events."""
        error = self.outcome.error
        kind = getattr(error, "kind", type(error))
        return (
            [_without_id(each) for each in self.outcome.events],
            self.outcome.conditions,
            kind,
            str(error),
        )

    def lines(self) -> list[str]:
        """The command and what came of it, in words."""
        seen = self.attempt.last_seen
        behind = "" if seen is None else f"  decided on revision {seen} of {self.revision}"
        lines = [f"{self.change} {words.command_line(self.attempt.command)}{behind}"]
        if self.outcome.error is not None:
            told = [f"refused: {words.error_lines(self.outcome.error)[0]}"]
        else:
            told = words.event_lines(self.outcome.events) or ["nothing"]
        return [*lines, *(f"  {line.rstrip()}" for line in told)]


def _without_id(event: ProspectiveEvent) -> tuple[object, ...]:
    return tuple(getattr(event, name) for name in ProspectiveEvent.__slots__ if name != "id")


def problem_of(sent: Sent) -> str | None:
    """What is wrong with the way in which a command was refused; None if nothing is."""
    error = sent.outcome.error
    is_rule = (
        isinstance(error, StateChangeError) and error.kind is not StateChangeErrorKind.INTERNAL
    )
    if error is None or is_rule or isinstance(error, TransactionError):
        return None
    lines = "\n".join(f"  {line}" for line in words.error_lines(error))
    return f"{sent.change} fails, where a rule raises StateChangeError and nothing else:\n{lines}"


class Play:
    """One database with the rules published, and every command that was sent to it."""

    def __init__(self, book: RuleBook) -> None:
        self._book = book
        self._stage = current_level().stage(book)
        self._given: list[Event] = []
        self.sent: list[Sent] = []

    def commit(self, events: Sequence[ProspectiveEvent]) -> None:
        """What had happened before, in one transaction."""
        if events:
            self._stage.commit(events, None)
        self._given = self._stage.history()

    def send(self, given: Any, behind: int = 0) -> Sent:
        """Send a command, decided so many revisions behind the latest."""
        revision = len(self._stage.history())
        seen = max(0, revision - behind) if behind else None
        sent = as_sent(given)
        attempt = Attempt(self._book.change_for(given), sent.command, sent.headers, seen)
        played = Sent(attempt, self._stage.attempt(attempt), revision)
        self.sent.append(played)
        return played

    @property
    def history(self) -> list[Event]:
        """Every event, in the order of revisions."""
        return self._stage.history()

    def view(
        self, wanted: str | type[Any], parameters: dict[str, ViewParameter]
    ) -> StateView | None:
        """A state view as it is now."""
        return self._stage.view(Reading(self._book.view_for(wanted), parameters))

    def story(self) -> str:
        """What happened before, then each command with what came of it."""
        lines: list[str] = []
        if self._given:
            lines += ["given", *(f"  {each}" for each in words.history_lines(self._given))]
        for number, sent in enumerate(self.sent, 1):
            first, *rest = sent.lines()
            lines += [f"{number:>3}. {first}", *(f"     {each}" for each in rest)]
        return "\n".join(lines)
