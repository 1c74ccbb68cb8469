"""Selectors with their texts looked up: trees of numbers and ranges, as small as they get.

Equal attributes become sets of numbers, prefixes ranges over the table of values; sets of one column
are united or intersected, so that a hundred subjects are one term and a contradiction none at all.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol, TypeAlias

import apsw

from evidentsource_core.domain.flat_selectors import AND, EQUALS, OR
from evidentsource_core.domain.selectors import EventSelector
from evidentsource_runtime.store.fetching import fetch
from evidentsource_runtime.store.names import COLUMNS

FEW: Final = 16
"""Values that a prefix is written out to; with more it stays a range."""
_FIRST_SURROGATE, _LAST_SURROGATE, _LAST_CHARACTER = 0xD800, 0xDFFF, 0x10FFFF


class Numbers(NamedTuple):
    """Events of which a column has one of these numbers; none of them: no event at all."""

    column: int
    numbers: frozenset[int]


class Span(NamedTuple):
    """Events of which an attribute's text lies from ``low`` up to ``high``, which is not included."""

    column: int
    low: str
    high: str | None


@dataclass(eq=False, slots=True)
class Group:
    """Several terms, all of which must hold (AND), or at least one (OR); none is of the same kind."""

    operation: int
    sets: dict[int, set[int]] = field(default_factory=dict)
    spans: set[Span] = field(default_factory=set)
    groups: list[Group] = field(default_factory=list)
    depth: int = 1
    weight: int = 0

    def parts(self) -> list[Term]:
        """The terms."""
        numbers = [Numbers(column, frozenset(found)) for column, found in self.sets.items()]
        return [*numbers, *sorted(self.spans, key=str), *self.groups]


Term: TypeAlias = Numbers | Span | Group

NOTHING: Final = Numbers(0, frozenset())
"""The term that no event meets."""


class Lookup(Protocol):
    """The number of a text in a column: ``Names.find`` for readers, ``Names.pending`` for the writer."""

    def __call__(self, db: apsw.Connection, column: int, value: str | None, /) -> int | None:
        """The number, None where no event has the text."""
        ...


def looked_up(db: apsw.Connection, find: Lookup, selector: EventSelector) -> Term:
    """The selector's tree with numbers for texts. It takes a time that grows with the tree's size."""
    program = selector._program()  # noqa: SLF001 - kept there since it is asked for often
    if len(program) == 1:
        return _leaf(db, find, *program[0])
    stack: list[Term] = []
    leaves: dict[tuple[int, int, str | None], Term] = {}
    for step in program:
        operation, column, text = step
        if operation in {AND, OR}:
            right, left = stack.pop(), stack.pop()
            stack.append(_joined(operation, left, right))
            continue
        leaf = leaves.get(step)
        if leaf is None:
            leaf = leaves[step] = _leaf(db, find, operation, column, text)
        stack.append(leaf)
    return _single(stack[0])


def _leaf(db: apsw.Connection, find: Lookup, operation: int, column: int, text: str | None) -> Term:
    if operation == EQUALS:
        number = find(db, column, text)
        return NOTHING if number is None else Numbers(column, frozenset((number,)))
    prefix = text or ""
    span = Span(column, prefix, after_prefix(prefix))
    where, values = in_span("value", span)
    few = fetch(db, f"SELECT id FROM {COLUMNS[column]} WHERE {where} LIMIT {FEW + 1}", values)
    if len(few) > FEW:
        return span
    return Numbers(column, frozenset(number for (number,) in few)) if few else NOTHING


def in_span(name: str, span: Span) -> tuple[str, tuple[str, ...]]:
    """The SQL for "``name`` lies in the span", and its values."""
    if span.high is None:
        return f"{name} >= ?", (span.low,)
    return f"{name} >= ? AND {name} < ?", (span.low, span.high)


def after_prefix(prefix: str) -> str | None:
    """The first text behind all that start so, in the order of characters; None where there is none.

    >>> after_prefix("account.")
    'account/'
    """
    # The order of UTF-8's bytes, by which SQLite compares, is that of the characters.
    while prefix:
        following = ord(prefix[-1]) + 1
        prefix = prefix[:-1]
        if following == _FIRST_SURROGATE:
            following = _LAST_SURROGATE + 1
        if following <= _LAST_CHARACTER:
            return prefix + chr(following)
    return None


def _joined(operation: int, left: Term, right: Term) -> Term:
    base, other = (
        (left, right) if _size(left, operation) >= _size(right, operation) else (right, left)
    )
    if NOTHING in (base, other):
        if operation == AND:
            return NOTHING
        return other if base == NOTHING else base
    # Each term of the tree is used once, so the larger group can take the smaller one in.
    group = base if isinstance(base, Group) and base.operation == operation else None
    if group is None:
        group = Group(operation)
        _take(group, base)
    _take(group, other)
    return NOTHING if operation == AND and not all(group.sets.values()) else group


def _size(term: Term, operation: int) -> int:
    return term.weight if isinstance(term, Group) and term.operation == operation else 0


def _take(group: Group, term: Term) -> None:
    if isinstance(term, Group) and term.operation != group.operation:
        term = _single(term)
    if isinstance(term, Numbers):
        _take_numbers(group, term.column, set(term.numbers))
    elif isinstance(term, Span):
        group.spans.add(term)
        group.weight += 1
    elif term.operation == group.operation:
        for column, numbers in term.sets.items():
            _take_numbers(group, column, numbers)
        group.spans |= term.spans
        group.groups += term.groups
        group.weight += term.weight
        group.depth = max(group.depth, term.depth)
    else:
        group.groups.append(term)
        group.weight += term.weight
        group.depth = max(group.depth, term.depth + 1)


def _take_numbers(group: Group, column: int, numbers: set[int]) -> None:
    known = group.sets.get(column)
    group.weight += 1
    if known is None:
        group.sets[column] = numbers
    elif group.operation == AND:
        known &= numbers
    elif len(known) >= len(numbers):
        known |= numbers
    else:
        numbers |= known
        group.sets[column] = numbers


def _single(term: Term) -> Term:
    """A group of one as that one."""
    if not isinstance(term, Group) or term.groups or len(term.sets) + len(term.spans) > 1:
        return term
    return term.parts()[0]
