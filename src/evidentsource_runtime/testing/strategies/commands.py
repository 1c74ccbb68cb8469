"""Commands derived from their dataclass: every value that its annotations allow."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, TypeVar
from uuid import UUID

from hypothesis import strategies as st

from evidentsource_core import EvidentSourceError, InvalidValue
from evidentsource_functions.structure import hints_of
from evidentsource_runtime.testing.strategies.domain import texts
from evidentsource_runtime.testing.strategies.events import drawn

__all__ = ["CommandUnknown", "commands", "values"]

T = TypeVar("T")

_within: list[Any] = []
"""The classes whose fields are being looked at."""

_SIZE = 4
"""Items in a list, a set or a mapping, at most: rules seldom need more to go wrong."""


_DEPTH = 2
"""How often a class may stand within itself, in commands that are drawn."""


class _TooDeepError(Exception):
    """A class stands within itself once too often; whoever can do without it does."""


class CommandUnknown(EvidentSourceError, TypeError):
    """No strategy can be derived for an annotation; ``path`` leads to it."""

    code = "command-unknown"

    def __init__(self, path: str, kind: object, hint: str) -> None:
        super().__init__(f"{path}: nothing is known of {kind!r}; {hint}")
        self.path = path
        self.kind = kind


def commands(command_type: type[T], /, **parts: Any) -> st.SearchStrategy[T]:
    """Commands of a dataclass, each field by its annotation.

    Args:
        command_type: the dataclass.
        **parts: for some fields a strategy or a value in place of what is derived: a rule about
            accounts finds more if there are only two of them.

    Raises:
        InvalidValue: a part is no field of it.
        CommandUnknown: it is no dataclass, or a field's annotation says nothing that can be drawn.

    >>> from dataclasses import dataclass
    >>> from hypothesis import given, strategies as st
    >>> @dataclass
    ... class Deposit:
    ...     account: str
    ...     amount: int
    >>> @given(commands(Deposit, account=st.sampled_from(["ann", "bob"])))
    ... def test_amounts_are_whole(deposit):
    ...     assert deposit.account in ("ann", "bob") and isinstance(deposit.amount, int)
    >>> test_amounts_are_whole()
    """
    if not dataclasses.is_dataclass(command_type):
        hint = "draw it with hypothesis itself: st.builds(...)"
        raise CommandUnknown("command", command_type, f"it is no dataclass; {hint}")
    return typing.cast("st.SearchStrategy[T]", _fields(command_type, "command", parts))


def values(kind: Any, path: str = "value") -> st.SearchStrategy[Any]:
    """Values of an annotation, of every kind that a command's fields may have.

    Texts are any that UTF-8 can carry, numbers finite, times with a zone and in the years 1 to 9999.

    Raises:
        CommandUnknown: it says nothing that can be drawn.
    """
    origin = typing.get_origin(kind)
    arguments = typing.get_args(kind)
    if kind is Any or isinstance(kind, TypeVar):
        return _json()
    if origin in (typing.Union, types.UnionType):
        return _union(arguments, path)
    if origin is typing.Literal:
        return st.sampled_from(arguments)
    if origin is typing.Annotated:
        return values(arguments[0], path)
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        if _within.count(kind) >= _DEPTH:
            raise _TooDeepError(path)
        return _fields(kind, path, {})
    if isinstance(kind, type) and issubclass(kind, Enum):
        return st.sampled_from(list(kind))
    container = origin or kind
    if container in _CONTAINERS:
        return _CONTAINERS[container](arguments, path)
    if kind in _SCALARS:
        return _SCALARS[kind]
    raise CommandUnknown(path, kind, f"give {path.rpartition('.')[2]} a strategy of its own")


def _fields(kind: Any, path: str, parts: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    fields = {each.name: each for each in dataclasses.fields(kind) if each.init}
    for name in parts:
        if name not in fields:
            known = ", ".join(fields)
            raise InvalidValue(
                f"commands({kind.__name__}, {name}=...)", "no such field", f"known: {known}"
            )
    hints = hints_of(kind)
    _within.append(kind)
    try:
        found = {
            name: drawn(parts[name])
            if name in parts
            else values(hints.get(name, Any), f"{path}.{name}")
            for name in fields
        }
    finally:
        _within.pop()
    return st.builds(kind, **found)


def _json() -> st.SearchStrategy[Any]:
    plain = st.none() | st.booleans() | st.integers() | _FLOATS | texts
    return st.recursive(
        plain,
        lambda inner: (
            st.lists(inner, max_size=_SIZE) | st.dictionaries(texts, inner, max_size=_SIZE)
        ),
        max_leaves=_SIZE,
    )


_FLOATS = st.floats(allow_nan=False, allow_infinity=False)
_SCALARS: dict[Any, st.SearchStrategy[Any]] = {
    str: texts,
    int: st.integers(),
    bool: st.booleans(),
    float: _FLOATS,
    None: st.none(),
    type(None): st.none(),
    datetime: st.datetimes(timezones=st.just(UTC)),
    date: st.dates(),
    Decimal: st.decimals(allow_nan=False, allow_infinity=False),
    UUID: st.uuids(),
}


def _union(options: tuple[Any, ...], path: str) -> st.SearchStrategy[Any]:
    found = []
    for each in options:
        with suppress(_TooDeepError):
            found.append(values(each, path))
    if not found:
        raise _TooDeepError(path)
    return st.one_of(found)


def _list(arguments: tuple[Any, ...], path: str) -> st.SearchStrategy[Any]:
    try:
        inner = values(arguments[0] if arguments else Any, f"{path}[]")
    except _TooDeepError:
        return st.builds(list)
    return st.lists(inner, max_size=_SIZE)


def _unordered(arguments: tuple[Any, ...], path: str) -> st.SearchStrategy[Any]:
    # A set of anything can hold what a set can hold.
    inner = values(arguments[0], f"{path}[]") if arguments else st.none() | st.integers() | texts
    return st.sets(inner, max_size=_SIZE)


def _tuple(arguments: tuple[Any, ...], path: str) -> st.SearchStrategy[Any]:
    if not arguments or arguments[-1] is Ellipsis:
        return _list(arguments[:1], path).map(tuple)
    return st.tuples(*(values(each, f"{path}[{i}]") for i, each in enumerate(arguments)))


def _mapping(arguments: tuple[Any, ...], path: str) -> st.SearchStrategy[Any]:
    try:
        inner = values(arguments[1] if arguments else Any, f"{path}.*")
    except _TooDeepError:
        return st.builds(dict)
    return st.dictionaries(texts, inner, max_size=_SIZE)


_Make = Callable[[tuple[Any, ...], str], st.SearchStrategy[Any]]
_CONTAINERS: dict[Any, _Make] = {
    list: _list,
    Sequence: _list,
    set: _unordered,
    frozenset: lambda arguments, path: _unordered(arguments, path).map(frozenset),
    tuple: _tuple,
    dict: _mapping,
    Mapping: _mapping,
}
