"""CloudEvents extension attributes: one value class for each type of the CloudEvents type system.

Source: CloudEvents 1.0.2, "Type System" and "Naming Conventions".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import GeneratorType
from typing import Any, NoReturn, Self, TypeAlias

from evidentsource_core.domain.errors import InvalidExtension, InvalidType, InvalidValue
from evidentsource_core.domain.identifiers import check_text
from evidentsource_core.times import from_parts, to_parts

MIN_INTEGER, MAX_INTEGER = -(2**31), 2**31 - 1
"""CloudEvents integers are signed 32-bit."""

CONTEXT_ATTRIBUTES = frozenset(
    ("id", "source", "specversion", "type", "subject", "time", "datacontenttype", "dataschema")
)
"""Names that belong to CloudEvents itself; no extension may take one."""
_RESERVED = CONTEXT_ATTRIBUTES | {"data", "data_base64"}

_NAME = re.compile(r"[a-z0-9]+\Z")


@dataclass(frozen=True, slots=True)
class BooleanExtension:
    """A boolean attribute."""

    value: bool

    def __post_init__(self) -> None:
        if not isinstance(self.value, bool):
            raise InvalidType("BooleanExtension.value", "bool", self.value)


@dataclass(frozen=True, slots=True)
class IntegerExtension:
    """A whole number of 32 bits with sign."""

    value: int

    def __post_init__(self) -> None:
        if isinstance(self.value, bool) or not isinstance(self.value, int):
            raise InvalidType("IntegerExtension.value", "int", self.value)
        if not MIN_INTEGER <= self.value <= MAX_INTEGER:
            raise InvalidValue(
                "IntegerExtension.value",
                f"{self.value} does not fit into 32 bits",
                "carry it as a StringExtension",
            )


@dataclass(frozen=True, slots=True)
class _TextExtension:
    value: str

    def __post_init__(self) -> None:
        check_text(type(self).__name__, "value", self.value)


class StringExtension(_TextExtension):
    """A text attribute."""

    __slots__ = ()


class UriExtension(_TextExtension):
    """An absolute URI."""

    __slots__ = ()


class UriRefExtension(_TextExtension):
    """A URI reference, which may be relative."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class BinaryExtension:
    """A run of bytes."""

    value: bytes

    def __post_init__(self) -> None:
        if not isinstance(self.value, bytes):
            raise InvalidType("BinaryExtension.value", "bytes", self.value)


@dataclass(frozen=True, slots=True)
class TimestampExtension:
    """A point in time, kept in UTC; it needs a time zone when it is made."""

    value: datetime

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "value", from_parts(*to_parts(self.value, "TimestampExtension.value"))
        )


ExtensionValue: TypeAlias = (
    BooleanExtension
    | IntegerExtension
    | StringExtension
    | BinaryExtension
    | UriExtension
    | UriRefExtension
    | TimestampExtension
)
_EXTENSION_TYPES = (
    BooleanExtension,
    IntegerExtension,
    _TextExtension,
    BinaryExtension,
    TimestampExtension,
)


PlainExtensionValue: TypeAlias = ExtensionValue | str | bool | int | bytes | datetime
"""What an event takes for an attribute; plain Python values become the matching kind."""


def extension_value(name: str, value: object) -> ExtensionValue:
    """``value`` as an extension value; plain Python values become the matching kind.

    Raises:
        InvalidExtension: there is no CloudEvents type for it.

    >>> extension_value("tenant", "acme")
    StringExtension(value='acme')
    """
    if isinstance(value, _EXTENSION_TYPES):
        return value  # type: ignore[return-value]  # _TextExtension stands for its three kinds
    try:
        if isinstance(value, bool):
            return BooleanExtension(value)
        if isinstance(value, int):
            return IntegerExtension(value)
        if isinstance(value, str):
            return StringExtension(value)
        if isinstance(value, (bytes, bytearray, memoryview)):
            return BinaryExtension(bytes(value))
        if isinstance(value, datetime):
            return TimestampExtension(value)
    except ValueError as error:
        raise InvalidExtension(name, str(error)) from error
    raise InvalidExtension(
        name,
        f"a {type(value).__name__} is no CloudEvents value; use str, int, bool, bytes or "
        "datetime, or UriExtension and UriRefExtension for URIs",
    )


class Extensions(dict[str, ExtensionValue]):
    """The extension attributes of an event: a ``dict`` that cannot be changed, and so can be hashed.

    Plain values become the matching kind. ``|`` and ``copy()`` give ordinary dicts to start a changed
    version from.

    Raises:
        InvalidType: ``values`` is no mapping, or a name in it is no ``str``.
        InvalidExtension: there is no CloudEvents type for a value.

    >>> Extensions({"tenant": "acme"}) | {"retry": IntegerExtension(2)}
    {'tenant': StringExtension(value='acme'), 'retry': IntegerExtension(value=2)}
    """

    __slots__ = ()

    def __new__(cls, values: Mapping[str, Any] | None = None) -> Self:
        """The attributes of ``values``, checked."""
        if isinstance(values, GeneratorType):
            # ``dataclasses.asdict`` rebuilds every dict from pairs that it has turned into plain
            # values, which are no attributes any more.
            return dict(values)  # type: ignore[unreachable]  # no caller but dataclasses does this
        self = super().__new__(cls)
        dict.update(self, _checked({} if values is None else values))
        return self

    def __init__(self, values: Mapping[str, Any] | None = None) -> None:
        # Filled by __new__, which runs once: dict's own __init__ adds whenever it is called.
        pass

    def problems(self) -> Iterator[InvalidExtension]:
        """What keeps these attributes out of a new event."""
        for name in self:
            if name in _RESERVED:
                yield InvalidExtension(
                    name, f"CloudEvents defines {name!r} itself; set the event's own field"
                )
            elif not _NAME.match(name):
                yield InvalidExtension(name, "a name has only lower-case letters a-z and digits")

    def __hash__(self) -> int:  # type: ignore[override]  # a dict says None here
        return hash(frozenset(self.items()))

    def copy(self) -> dict[str, ExtensionValue]:
        """A plain dict of the same attributes."""
        return dict(self)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __or__(self, other: Any) -> Any:
        return dict(self) | other

    def __ror__(self, other: Any) -> Any:
        return other | dict(self)

    def __reduce__(self) -> Any:
        return (type(self), (dict(self),))

    def _refuse(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        raise TypeError("extensions are immutable; build a new event with a changed copy")

    __setitem__ = __delitem__ = __ior__ = _refuse
    update = pop = popitem = clear = setdefault = _refuse


def _checked(values: object) -> dict[str, ExtensionValue]:
    if not isinstance(values, (dict, Mapping)):
        raise InvalidType("extensions", "a mapping of names to values", values)
    checked: dict[str, ExtensionValue] = {}
    for name, value in values.items():
        if not isinstance(name, str):
            raise InvalidType("extensions", "str as name of an attribute", name)
        checked[name] = extension_value(name, value)
    return checked


NO_EXTENSIONS = Extensions()
