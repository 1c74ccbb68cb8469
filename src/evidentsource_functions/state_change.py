"""State changes: what ``decide`` is given, what it returns, and the handler that runs it."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Protocol, TypeAlias, TypeVar, overload, runtime_checkable

from evidentsource_core.domain.constraints import (
    AppendCondition,
    MaxConstraint,
    MinConstraint,
    RangeConstraint,
)
from evidentsource_core.domain.definitions import ViewParameters
from evidentsource_core.domain.events import Event, ProspectiveEvent
from evidentsource_core.domain.queries import QueryDirection, QueryOptions, QueryRange
from evidentsource_core.domain.selectors import EventSelector
from evidentsource_core.domain.state_change import Command, StateChangeMetadata
from evidentsource_core.domain.state_view import StateView
from evidentsource_functions._commands import parse_command
from evidentsource_functions._report import report
from evidentsource_functions.content import negotiate_command
from evidentsource_functions.errors import (
    InvalidDecision,
    InvalidDefinition,
    StateChangeError,
)

__all__ = [
    "Command",
    "DatabaseAccess",
    "DecideFunc",
    "DecideResult",
    "SpeculativeDatabase",
    "StateChangeHandler",
    "StateChangeMetadata",
    "ViewParameters",
    "create_state_change_handler",
    "negotiate_command",
]

T = TypeVar("T")


class _Readable(Protocol):
    """What can be read of a database, with or without speculated events."""

    @property
    def name(self) -> str:
        """The database's name."""
        ...

    @property
    def created_at(self) -> datetime:
        """When the database was created."""
        ...

    @property
    def revision(self) -> int:
        """The revision that is looked at."""
        ...

    @property
    def revision_timestamp(self) -> datetime:
        """When that revision was recorded."""
        ...

    @property
    def effective_timestamp(self) -> datetime | None:
        """Only what took effect by then is seen; None for everything."""
        ...

    def query_events(
        self,
        selector: EventSelector,
        options: QueryOptions | None = None,
        *,
        range: QueryRange | None = None,  # noqa: A002 - the contract's word
        direction: QueryDirection | None = None,
        limit: int | None = None,
    ) -> list[Event]:
        """The selected events.

        Raises:
            DatabaseAccessError: the query failed.
        """
        ...

    def view_state(
        self, name: str, version: int, parameters: ViewParameters | None = None
    ) -> StateView | None:
        """A state view's content; None where there is no such view or nothing touched it yet.

        Raises:
            DatabaseAccessError: the view could not be rendered.
        """
        ...


@runtime_checkable
class SpeculativeDatabase(_Readable, Protocol):
    """A database as if some events had been committed: queries and views include them."""

    @property
    def basis(self) -> DatabaseAccess:
        """The database without the speculated events."""
        ...

    @property
    def speculated_event_count(self) -> int:
        """How many events were speculated; ``revision`` is the basis' plus this."""
        ...

    def at_effective_timestamp(self, timestamp: datetime) -> SpeculativeDatabase:
        """Only what took effect by ``timestamp``."""
        ...

    def speculate_with_transaction(self, events: list[ProspectiveEvent]) -> SpeculativeDatabase:
        """With more events on top."""
        ...


@runtime_checkable
class DatabaseAccess(_Readable, Protocol):
    """The database that a ``decide`` is given: one revision, which never changes under it."""

    def at_revision(self, revision: int) -> DatabaseAccess:
        """The same database as of an earlier revision.

        Raises:
            DatabaseAccessError: there is no such revision, or it lies after this one.
        """
        ...

    def at_effective_timestamp(self, timestamp: datetime) -> DatabaseAccess:
        """Only what took effect by ``timestamp``."""
        ...

    def speculate_with_transaction(self, events: list[ProspectiveEvent]) -> SpeculativeDatabase:
        """The database as if ``events`` had been committed."""
        ...


DecideResult: TypeAlias = tuple[list[ProspectiveEvent], list[AppendCondition]]
"""The events to append, and what must hold of the database when they are."""

DecideFunc: TypeAlias = Callable[
    [DatabaseAccess, T, StateChangeMetadata],
    "DecideResult | Iterable[ProspectiveEvent]",
]
"""A rule. It may return ``(events, conditions)``, or only the events."""

StateChangeHandler: TypeAlias = Callable[
    [DatabaseAccess, Command, StateChangeMetadata], DecideResult
]
"""Reads a command's bytes, runs the rule, checks what it returned."""


@overload
def create_state_change_handler(
    command_type: type[T], decide_func: DecideFunc[T]
) -> StateChangeHandler: ...
@overload
def create_state_change_handler(command_type: DecideFunc[Any]) -> StateChangeHandler: ...
def create_state_change_handler(
    command_type: Any, decide_func: DecideFunc[Any] | None = None
) -> StateChangeHandler:
    """The function that runs a rule, natively or in a component: from bytes to checked results.

    Args:
        command_type: a class with ``from_dict``, a dataclass, ``dict``, or :class:`Command` for the
            bytes as they are. With a single argument, that is the rule, and the command's type is
            taken from its annotation.
        decide_func: ``decide(db, command, metadata)``.

    Returns:
        ``handler(db, command, metadata) -> (events, conditions)``. It raises ``StateChangeError``
        and nothing else: of kind validation where the command cannot be read, of the rule's own kind
        where the rule refuses, and internal for everything else, with the exception's type, message
        and last frames.

    Raises:
        InvalidDefinition: the two cannot work; the message names what is missing.
    """
    if decide_func is None:
        decide_func, command_type = command_type, None
    if isinstance(decide_func, staticmethod):
        decide_func = decide_func.__func__
    if not callable(decide_func):
        raise InvalidDefinition(
            f"decide_func is {decide_func!r}; set it to a function decide(db, command, metadata)"
        )
    rule: DecideFunc[Any] = decide_func
    kind = _checked_command_type(command_type or _annotated_command_type(rule))

    def handler(
        db: DatabaseAccess, command: Command, metadata: StateChangeMetadata
    ) -> DecideResult:
        try:
            return checked_decision(rule(db, parse_command(kind, command), metadata))
        except StateChangeError:
            raise
        # SystemExit too: a rule that calls sys.exit would end the process or trap the component.
        except (Exception, SystemExit) as error:
            raise StateChangeError.internal(report(error)) from error

    return handler


def _checked_command_type(command_type: Any) -> type[Any]:
    if not isinstance(command_type, type):
        raise InvalidDefinition(
            f"command_type is {command_type!r}; set it to a dataclass, a class with from_dict, dict, "
            "or Command"
        )
    if command_type in (dict, Command) or hasattr(command_type, "from_dict"):
        return command_type
    if not hasattr(command_type, "__dataclass_fields__"):
        raise InvalidDefinition(
            f"{command_type.__name__} cannot be read from a command: make it a dataclass, or define "
            "from_dict(cls, data) as a classmethod"
        )
    return command_type


def _annotated_command_type(rule: Callable[..., Any]) -> Any:
    try:
        hints = typing.get_type_hints(rule)
    except Exception:  # noqa: BLE001 - annotations are arbitrary code
        hints = dict(getattr(rule, "__annotations__", {}))
    names = list(inspect.signature(rule).parameters)
    annotation = hints.get(names[1]) if len(names) > 1 else None
    if annotation is None:
        raise InvalidDefinition(
            f"the type of the command is not known: set command_type, or annotate "
            f"{getattr(rule, '__name__', 'decide')}(db, command: YourCommand, metadata)"
        )
    return annotation


def checked_decision(result: object) -> DecideResult:
    """What a rule returned, as events and conditions.

    Raises:
        InvalidDecision: it is of the wrong shape; the path names the value at fault.

    >>> checked_decision([ProspectiveEvent("1", "accounts", "opened")])[1]
    []
    """
    if isinstance(result, tuple) and len(result) == 2 and not _is_event(result[0]):
        events, conditions = result
    else:
        events, conditions = result, ()
    return (
        [_checked_event(event, i) for i, event in enumerate(_items(events, "events"))],
        [_checked_condition(item, i) for i, item in enumerate(_items(conditions, "conditions"))],
    )


def _is_event(value: object) -> bool:
    return isinstance(value, (ProspectiveEvent, Event))


def _items(value: object, path: str) -> list[object]:
    if isinstance(value, (list, tuple)):
        return list(value)
    found = "None" if value is None else type(value).__name__
    hint = (
        ""
        if path != "events"
        else "; decide returns [event, ...] or ([event, ...], [condition, ...])"
    )
    raise InvalidDecision(path, f"expected a list, got {found}{hint}")


def _checked_event(event: object, index: int) -> ProspectiveEvent:
    path = f"events[{index}]"
    if not isinstance(event, ProspectiveEvent):
        raise InvalidDecision(path, f"expected a ProspectiveEvent, got {type(event).__name__}")
    problems = "; ".join(str(problem) for problem in event.problems())
    if problems:
        raise InvalidDecision(path, problems)
    return event


def _checked_condition(condition: object, index: int) -> AppendCondition:
    if isinstance(condition, (MinConstraint, MaxConstraint, RangeConstraint)):
        return condition
    raise InvalidDecision(
        f"conditions[{index}]",
        f"expected a condition such as Constraint.must_exist(...), got {type(condition).__name__}",
    )
