"""Scenarios: what had happened, what is sent, and what should come of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, Never, Self, TypeVar

from evidentsource_core import (
    EventSelector,
    InvalidValue,
    ProspectiveEvent,
    QueryTemporality,
    SelectorTemplate,
)
from evidentsource_core.domain.definitions import ViewParameter
from evidentsource_core.reference import Evolve
from evidentsource_functions.state_change import DecideFunc
from evidentsource_functions.testing._builder import as_moment
from evidentsource_functions.testing._commands import CommandSpec, as_sent
from evidentsource_functions.testing._events import AnySpec, as_spec
from evidentsource_functions.testing._levels import current_level
from evidentsource_functions.testing._outcome import Decided
from evidentsource_functions.testing._published import change_rule, view_rule
from evidentsource_functions.testing._rules import RuleBook
from evidentsource_functions.testing._stage import STARTED, Attempt, Stage
from evidentsource_functions.testing._view_check import ViewCheck

C = TypeVar("C")
D = TypeVar("D")


class Scenarios(Generic[C]):
    """The rules that a test is about, and where its sentences begin.

    It does not change: each method gives another one. The type of the commands it takes grows with
    every ``change``, so that a type checker knows what ``when`` may be given.

    Args:
        database: the name of the database.
        stream: the stream of events that name none.

    >>> from dataclasses import dataclass
    >>> from evidentsource_core import Selector
    >>> from evidentsource_functions import StateChangeError
    >>> from evidentsource_functions.testing import EventBuilder, Scenarios, event
    >>> @dataclass
    ... class Open:
    ...     account_id: str
    >>> def open_account(db, command: Open, metadata):
    ...     if db.query_events(Selector.subject(command.account_id)):
    ...         raise StateChangeError.conflict(f"account {command.account_id} exists already")
    ...     opened = EventBuilder("account.opened").stream("accounts").subject(command.account_id)
    ...     return [opened.build()]
    >>> given = Scenarios("bank", stream="accounts").change(open_account).given
    >>> _ = given().when(Open("ann")).then(event("account.opened", subject="ann"))
    >>> _ = given(event("account.opened", subject="ann")).when(Open("ann")).then_rejected("conflict")
    """

    def __init__(
        self: Scenarios[Never], database: str = "test", *, stream: str | None = None
    ) -> None:
        self._book = RuleBook(database, stream)

    @classmethod
    def of(cls, book: RuleBook) -> Scenarios[Any]:
        """Scenarios of rules that were put together elsewhere, say from a project's manifest."""
        made: Scenarios[Any] = cls.__new__(cls)
        made._book = book
        return made

    @property
    def book(self) -> RuleBook:
        """The rules."""
        return self._book

    def view(
        self,
        view: type[Any] | Evolve,
        name: str | None = None,
        selector: EventSelector | SelectorTemplate | None = None,
        *,
        temporality: QueryTemporality | str | None = None,
        content_type: str | None = None,
        content_schema: str | None = None,
    ) -> Scenarios[C]:
        """With a state view, which is folded by its own code.

        Args:
            view: its class; or a handler ``(rendered, events) -> bytes | None``.
            name: what it is published as; by default after its class.
            selector: which events it folds; ``Parameter`` leaves places for its parameters. A class
                with a ``definition`` says it itself.
            temporality: in which order: ``revision`` or ``effective_timestamp``.
            content_type: what its content is; JSON by default.
            content_schema: the URI of its content's schema.

        Raises:
            InvalidValue: nothing says which events it folds.
            InvalidDefinition: the class cannot fold.
        """
        rule = view_rule(
            view,
            name,
            selector,
            temporality=temporality,
            content_type=content_type,
            content_schema=content_schema,
        )
        return Scenarios.of(self._book.with_view(rule))

    def change(
        self, decide: DecideFunc[D], name: str | None = None, *, command_type: type[D] | None = None
    ) -> Scenarios[C | D]:
        """With a state change.

        Args:
            decide: the rule, ``decide(db, command, metadata)``.
            name: what it is published as; by default after its module, or after the function where
                that is not called ``decide``.
            command_type: the class of its command; by default the rule's annotation.

        Raises:
            InvalidDefinition: the two cannot work; the message names what is missing.
        """
        return Scenarios.of(
            self._book.with_change(change_rule(decide, name, command_type=command_type))
        )

    def given(self, *events: AnySpec) -> Given[C]:
        """What had happened before: one transaction, or nothing."""
        return Given[C](self._book).given(*events)

    def given_at(self, recorded_at: datetime | str, *events: AnySpec) -> Given[C]:
        """The same, recorded at a time: with a zone, its RFC 3339 text, or a day."""
        return Given[C](self._book).given_at(recorded_at, *events)

    def when(self, command: C | CommandSpec) -> Decided:
        """Send a command when nothing had happened before."""
        return self.given().when(command)


@dataclass(frozen=True)
class _Happened:
    events: tuple[ProspectiveEvent, ...]
    recorded_at: datetime | None


@dataclass(frozen=True)
class Given(Generic[C]):
    """What had happened before; :meth:`Scenarios.given` gives it. Each method gives another one."""

    _book: RuleBook
    _past: tuple[_Happened, ...] = ()
    _last_seen: int | None = None
    _received_at: datetime | None = None
    _revision: int | None = None
    _effective_at: datetime | None = None

    def given(self, *events: AnySpec) -> Self:
        """And then this: one more transaction."""
        return self._after(None, events)

    def given_at(self, recorded_at: datetime | str, *events: AnySpec) -> Self:
        """And then this, recorded at a time; the clock stands there from then on.

        Raises:
            InvalidValue: that is before what had happened until then, or nothing happened.
        """
        moment = as_moment(recorded_at, "given_at")
        if not events:
            hint = "when a command arrives is given(...).received_at(...)"
            raise InvalidValue("given_at", "names no event that was recorded then", hint)
        before = max((each.recorded_at for each in self._past if each.recorded_at), default=None)
        if before is not None and moment < before:
            hint = "recorded times never go back; when it took effect is event(..., time=...)"
            raise InvalidValue("given_at", f"{moment} lies before {before}", hint)
        return self._after(moment, events)

    def last_seen(self, revision: int) -> Self:
        """Whoever sends the command has seen the database at this revision: it is decided there.

        It is committed behind the latest revision, as everything is.
        """
        return replace(self, _last_seen=revision)

    def received_at(self, time: datetime | str) -> Self:
        """The command arrives at this time: ``metadata.command_received_at``."""
        return replace(self, _received_at=as_moment(time, "received_at"))

    def as_of(
        self, *, effective: datetime | str | None = None, revision: int | None = None
    ) -> Self:
        """Read views as of an effective time, a revision, or both."""
        moment = None if effective is None else as_moment(effective, "as_of(effective=...)")
        return replace(self, _effective_at=moment, _revision=revision)

    def when(self, command: C | CommandSpec) -> Decided:
        """Send a command.

        Args:
            command: an object of the type that a rule takes; or ``command("NAME", ...)``, where what
                arrives is not of that type.

        Raises:
            InvalidValue: no rule takes it, or several do.
            InvalidType: it has no form in JSON.
        """
        sent = as_sent(command)
        change = self._book.change_for(command)
        attempt = Attempt(change, sent.command, sent.headers, self._last_seen, self._received_at)
        stage = self._stage()
        history = stage.history()
        check = ViewCheck(
            self._book, stage, current_level().name, self._revision, self._effective_at
        )
        return Decided(check, history, attempt, stage.attempt(attempt))

    def then_view(
        self,
        expected: Any,
        view: str | type[Any] | None = None,
        /,
        **parameters: ViewParameter,
    ) -> Self:
        """Check what a state view contains.

        Args:
            expected: an object of the view's class; or plain values as JSON has them; ``bytes`` are
                the content itself; None is a view that no event ever modified.
            view: its name or its class, where ``expected`` does not say it.
            **parameters: its parameters: a ``str`` is a subject, None no subject; a stream or a type
                is given as its attribute.

        Raises:
            ScenarioFailed: it contains something else.
        """
        __tracebackhide__ = True
        stage = self._stage()
        check = ViewCheck(
            self._book, stage, current_level().name, self._revision, self._effective_at
        )
        check.then_view(expected, view, parameters)
        return self

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            if name not in {"then", "then_nothing", "then_rejected", "then_conditions", "events"}:
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            raise AttributeError(
                f"{name} comes after a command: given(...).when(COMMAND).{name}; "
                "what a view contains without one is given(...).then_view(...)"
            )

    def _after(self, moment: datetime | None, events: Sequence[AnySpec]) -> Self:
        if not events:
            return self
        count = sum(len(each.events) for each in self._past)
        made = tuple(
            as_spec(each).prospective(self._book.stream, f"given-{number}")
            for number, each in enumerate(events, count + 1)
        )
        return replace(self, _past=(*self._past, _Happened(made, moment)))

    def _stage(self) -> Stage:
        first = next((each.recorded_at for each in self._past if each.recorded_at), STARTED)
        stage = current_level().stage(self._book, min(STARTED, first))
        for each in self._past:
            stage.commit(each.events, each.recorded_at)
        return stage
