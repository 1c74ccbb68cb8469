"""Transactions: what is checked before anything is written, and what is told afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

from evidentsource_core.domain.checks import items
from evidentsource_core.domain.constraints import (
    AppendCondition,
    MaxConstraint,
    MinConstraint,
    RangeConstraint,
)
from evidentsource_core.domain.errors import (
    ConstraintViolations,
    EmptyTransaction,
    EvidentSourceError,
    IdentifierError,
    InvalidConstraints,
    InvalidTransactionId,
    InvalidType,
    TransactionTooLarge,
)
from evidentsource_core.domain.events import Event, ProspectiveEvent
from evidentsource_core.domain.identifiers import EventId
from evidentsource_core.domain.selectors import EventSelector
from evidentsource_core.rules.words import violation_in_words

MAX_EVENTS = 10_000
"""Events that one transaction may have, unless a database is told otherwise."""
MAX_BYTES = 16 * 1024 * 1024
"""Bytes that one transaction may have, unless a database is told otherwise."""

_TIMESTAMP_SIZE = 12


@dataclass(frozen=True, slots=True, eq=False)
class TransactionResult:
    """A committed transaction.

    Args:
        id: the id it was given, or one made for it.
        basis: the revision before its first event.
        revision: the revision of its last event.
        timestamp: when it was recorded.
        events: its events as they were stored, in order.
    """

    id: str
    basis: int
    revision: int
    timestamp: datetime
    events: tuple[Event, ...]

    # Written out, so that one whose events are only made when they are read equals one that has them.
    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TransactionResult):
            return NotImplemented
        return _fields(self) == _fields(other)

    def __hash__(self) -> int:
        return hash(_fields(self))


_fields = attrgetter(*TransactionResult.__slots__)


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that one transaction may have."""

    max_events: int = MAX_EVENTS
    max_bytes: int = MAX_BYTES

    def check_count(self, events: Sequence[object]) -> None:
        """Raises EmptyTransaction for no event, TransactionTooLarge for more than the limit."""
        if not events:
            raise EmptyTransaction
        if len(events) > self.max_events:
            raise TransactionTooLarge(len(events), self.max_events)

    def check_size(self, events: Sequence[ProspectiveEvent]) -> None:
        """Raises TransactionTooLarge for more bytes than the limit."""
        size = sum(event_size(event) for event in events)
        if size > self.max_bytes:
            raise TransactionTooLarge(size, self.max_bytes, "bytes")


def event_size(event: ProspectiveEvent) -> int:
    """Bytes that an event counts for: every text in UTF-8, the payload, 12 for a timestamp.

    >>> event_size(ProspectiveEvent("e-1", "accounts", "opened", data="é"))
    19
    """
    texts = (event.id, event.stream, event.event_type, event.subject)
    size = sum(_value_size(text) for text in (*texts, event.datacontenttype, event.dataschema))
    size += len(event.data_as_bytes() or b"")
    size += 0 if event.time is None else _TIMESTAMP_SIZE
    return size + sum(
        _value_size(name) + _value_size(value.value) for name, value in event.extensions.items()
    )


def _value_size(value: str | bytes | bool | int | datetime | None) -> int:
    if isinstance(value, str):
        return len(value.encode())
    if isinstance(value, bytes):
        return len(value)
    if isinstance(value, bool):
        return 1
    if isinstance(value, int):
        return 4
    return 0 if value is None else _TIMESTAMP_SIZE


def check_transaction_id(value: object) -> str:
    """The id, by the rule of event ids.

    Raises:
        InvalidType: it is no text.
        InvalidTransactionId: it is blank, too long, or has control characters.
    """
    if not isinstance(value, str):
        raise InvalidType("transaction_id", "str or None", value)
    try:
        return EventId(value).value
    except IdentifierError as error:
        raise InvalidTransactionId(value) from error


def check_conditions(conditions: Iterable[object]) -> tuple[AppendCondition, ...]:
    """The conditions, if that is what they are.

    Raises:
        InvalidConstraints: with every one that is not.
    """
    checked: list[AppendCondition] = []
    problems: list[EvidentSourceError] = []
    for index, condition in enumerate(items("conditions", conditions)):
        if isinstance(condition, (MinConstraint, MaxConstraint, RangeConstraint)):
            checked.append(condition)
        else:
            hint = "build it with Constraint"
            path = f"conditions[{index}]"
            problems.append(InvalidType(path, "an append condition", condition, hint))
    if problems:
        raise InvalidConstraints(problems)
    return tuple(checked)


def check_holds(
    conditions: Iterable[AppendCondition], highest_of: Callable[[EventSelector], int]
) -> None:
    """Every condition, each by itself.

    Args:
        conditions: what has to hold.
        highest_of: the highest revision of an event that a selector selects, 0 where there is none.

    Raises:
        ConstraintViolations: with each that does not hold, in words.
    """
    violations: list[str] = []
    for index, condition in enumerate(conditions):
        highest = highest_of(condition.selector)
        if not condition.holds(highest):
            violations.append(violation_in_words(index, condition, highest))
    if violations:
        raise ConstraintViolations(violations)
