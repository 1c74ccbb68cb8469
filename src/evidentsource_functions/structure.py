"""Plain JSON values to dataclasses and back, by their annotations.

What a state or command class without its own ``from_dict`` and ``to_dict`` gets. An error names the
path to the value at fault. Supported: dataclasses, str, int, float, bool, None, Any, list, tuple,
set, frozenset, dict with str keys, unions, Literal, Enum, datetime, date, Decimal, UUID.
"""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from enum import Enum
from typing import Any, TypeVar
from uuid import UUID

from evidentsource_core.domain.errors import EvidentSourceError
from evidentsource_core.times import format_rfc3339, parse_rfc3339

T = TypeVar("T")


class StructureError(EvidentSourceError, ValueError):
    """A value does not fit its annotation; ``path`` leads to it, say ``command.items[2].quantity``."""

    code = "structure-error"

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


def structure(kind: type[T], value: Any, path: str = "value") -> T:
    """``value`` as a ``kind``.

    Raises:
        StructureError: it does not fit.

    >>> @dataclasses.dataclass
    ... class Deposit:
    ...     account: str
    ...     amount: int
    >>> structure(Deposit, {"account": "a-1", "amount": "5"}, "command")
    Traceback (most recent call last):
    ...
    evidentsource_functions.structure.StructureError: command.amount: expected int, got str
    """
    return typing.cast(T, _structure(kind, value, path))


def unstructure(value: Any) -> Any:
    """``value`` as plain values that JSON can hold; unknown types stay as they are.

    >>> unstructure({"due": date(2024, 1, 31), "limit": Decimal("1.50")})
    {'due': '2024-01-31', 'limit': '1.50'}
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = dataclasses.fields(value)
        return {field.name: unstructure(getattr(value, field.name)) for field in fields}
    if isinstance(value, Enum):
        return unstructure(value.value)
    if isinstance(value, dict):
        return {key: unstructure(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [unstructure(item) for item in value]
    if isinstance(value, (set, frozenset)):
        # The order of a set is the hash seed's, which differs from build to build.
        return sorted(
            (unstructure(item) for item in value), key=lambda item: (str(type(item)), item)
        )
    if isinstance(value, datetime):
        return format_rfc3339(value)
    if isinstance(value, (date, Decimal, UUID)):
        return str(value)
    return value


_hints: dict[object, dict[str, Any]] = {}


def hints_of(kind: object) -> dict[str, Any]:
    """A class's annotations with every name resolved; empty where one cannot be."""
    if kind not in _hints:
        try:
            _hints[kind] = typing.get_type_hints(kind)
        except Exception:  # noqa: BLE001 - annotations are arbitrary code, and unusable ones are legal
            _hints[kind] = {}
    return _hints[kind]


def resolve_hints(kind: Any) -> None:
    """Resolve the annotations of a class, and of those that it speaks of, ahead of the first value."""
    waiting, seen = [kind], set()
    while waiting:
        each = waiting.pop()
        waiting += typing.get_args(each)
        if isinstance(each, type) and dataclasses.is_dataclass(each) and each not in seen:
            seen.add(each)
            waiting += hints_of(each).values()


def is_plain(kind: Any) -> bool:
    """Whether an annotation speaks of nothing but what JSON itself has.

    >>> (is_plain(list[int] | None), is_plain(Decimal))
    (True, False)
    """
    if kind in (str, int, float, bool, list, dict, tuple, None, type(None), Any, Ellipsis):
        return True
    origin = typing.get_origin(kind)
    if origin is typing.Literal:
        return True
    if origin in (typing.Union, types.UnionType, list, dict, tuple, set, frozenset):
        return all(is_plain(argument) for argument in typing.get_args(kind))
    return False


def structure_fields(kind: type[T], value: Any, path: str) -> T:
    """A dataclass from a mapping of its fields; unknown names are refused."""
    if not isinstance(value, Mapping):
        raise StructureError(path, f"expected an object, got {_name_of(value)}")
    hints = hints_of(kind)
    fields = {f.name: f for f in dataclasses.fields(kind) if f.init}  # type: ignore[arg-type]  # checked by the callers
    for name in value:
        if name not in fields:
            near = get_close_matches(str(name), fields, 1)
            hint = f"; did you mean {near[0]}?" if near else f"; known: {', '.join(fields)}"
            raise StructureError(f"{path}.{name}", f"unknown field{hint}")
    arguments: dict[str, Any] = {}
    for name, spec in fields.items():
        if name in value:
            hint = hints.get(name, Any)
            arguments[name] = _structure(hint, value[name], f"{path}.{name}")
        elif spec.default is dataclasses.MISSING and spec.default_factory is dataclasses.MISSING:
            raise StructureError(f"{path}.{name}", "is missing")
    return kind(**arguments)


def _structure(kind: Any, value: Any, path: str) -> Any:
    origin = typing.get_origin(kind)
    if kind is Any or isinstance(kind, TypeVar):
        return value
    if origin in (typing.Union, types.UnionType):
        return _union(typing.get_args(kind), value, path)
    if origin is typing.Literal:
        if any(value == option and type(value) is type(option) for option in typing.get_args(kind)):
            return value
        raise StructureError(path, f"expected one of {typing.get_args(kind)}, got {value!r}")
    if origin is typing.Annotated:
        return _structure(typing.get_args(kind)[0], value, path)
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return structure_fields(kind, value, path)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _attempt(kind, value, path, kind.__name__)
    container = origin or kind
    if container in _CONTAINERS:
        return _CONTAINERS[container](container, typing.get_args(kind), value, path)
    if kind in _SCALARS:
        return _SCALARS[kind](value, path)
    if isinstance(kind, type) and isinstance(value, kind):
        return value
    raise StructureError(path, f"no rule for {kind!r}; write from_dict for this class")


def _union(options: Sequence[Any], value: Any, path: str) -> Any:
    if value is None and type(None) in options:
        return None
    errors: list[StructureError] = []
    for option in options:
        if option is type(None):
            continue
        try:
            return _structure(option, value, path)
        except StructureError as error:
            errors.append(error)
    if len(errors) == 1:
        raise errors[0]
    raise StructureError(path, "fits none of: " + "; ".join(error.reason for error in errors))


def _exactly(kind: type[Any]) -> Callable[[Any, str], Any]:
    def check(value: Any, path: str) -> Any:
        if isinstance(value, kind) and (kind is bool or not isinstance(value, bool)):
            return value
        raise StructureError(path, f"expected {kind.__name__}, got {_name_of(value)}")

    return check


def _float(value: Any, path: str) -> float:
    if isinstance(value, float):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError:
            number = math.inf  # no float is that large
        if number != value:
            raise StructureError(path, f"{value} cannot be a float without loss")
        return number
    raise StructureError(path, f"expected float, got {_name_of(value)}")


def _none(value: Any, path: str) -> None:
    if value is not None:
        raise StructureError(path, f"expected null, got {_name_of(value)}")


def _parsed(label: str, parse: Callable[[str], Any]) -> Callable[[Any, str], Any]:
    def read(value: Any, path: str) -> Any:
        if not isinstance(value, str):
            raise StructureError(path, f"expected {label} as text, got {_name_of(value)}")
        return _attempt(parse, value, path, label)

    return read


def _decimal(value: Any, path: str) -> Decimal:
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        return Decimal(value)
    if isinstance(value, float):
        raise StructureError(path, "expected Decimal as text, got float, which is not exact")
    number: Decimal = _parsed("Decimal", Decimal)(value, path)
    return number


def _attempt(kind: Callable[[Any], Any], value: Any, path: str, label: str) -> Any:
    try:
        return kind(value)
    except (ValueError, InvalidOperation) as error:
        raise StructureError(path, f"{value!r} is no {label}") from error


_SCALARS: Mapping[Any, Callable[[Any, str], Any]] = {
    str: _exactly(str),
    int: _exactly(int),
    bool: _exactly(bool),
    float: _float,
    None: _none,
    type(None): _none,
    datetime: _parsed("datetime", parse_rfc3339),
    date: _parsed("date", date.fromisoformat),
    Decimal: _decimal,
    UUID: _parsed("UUID", UUID),
}


def _sequence(container: Any, arguments: tuple[Any, ...], value: Any, path: str) -> Any:
    if not isinstance(value, (list, tuple)):
        raise StructureError(path, f"expected a list, got {_name_of(value)}")
    item_kind = arguments[0] if arguments else Any
    items = [_structure(item_kind, item, f"{path}[{i}]") for i, item in enumerate(value)]
    return items if container in (list, Sequence) else container(items)


def _tuple(_container: Any, arguments: tuple[Any, ...], value: Any, path: str) -> Any:
    if not arguments or arguments[-1] is Ellipsis:
        return tuple(_sequence(list, arguments[:1], value, path))
    if not isinstance(value, (list, tuple)) or len(value) != len(arguments):
        raise StructureError(path, f"expected a list of {len(arguments)} values")
    pairs = zip(arguments, value, strict=True)
    return tuple(_structure(kind, item, f"{path}[{i}]") for i, (kind, item) in enumerate(pairs))


def _mapping(_container: Any, arguments: tuple[Any, ...], value: Any, path: str) -> Any:
    if not isinstance(value, Mapping):
        raise StructureError(path, f"expected an object, got {_name_of(value)}")
    item_kind = arguments[1] if arguments else Any
    return {key: _structure(item_kind, item, f"{path}.{key}") for key, item in value.items()}


_CONTAINERS: Mapping[Any, Callable[[Any, tuple[Any, ...], Any, str], Any]] = {
    list: _sequence,
    Sequence: _sequence,
    set: _sequence,
    frozenset: _sequence,
    tuple: _tuple,
    dict: _mapping,
    Mapping: _mapping,
}


def _name_of(value: Any) -> str:
    return "null" if value is None else type(value).__name__
