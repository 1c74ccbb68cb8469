"""Compares the types a component carries with the contract's, and notes its integer widths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from wasmtime import component as wt

from evidentsource_runtime.host.convert.contract import (
    Cases,
    Fields,
    Handle,
    Many,
    Maybe,
    Names,
    Outcome,
    Plain,
    Row,
    Shape,
    Whole,
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Width:
    """The values that a whole number of the contract can have."""

    name: str
    low: int
    high: int


class Mismatch(Exception):
    """A type differs from the contract's; the message names the path to it."""


def _signed(bits: int) -> Width:
    return Width(f"s{bits}", -(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def _unsigned(bits: int) -> Width:
    return Width(f"u{bits}", 0, 2**bits - 1)


_WIDTHS: dict[type[wt.ValType], Width] = {
    wt.S8: _signed(8),
    wt.S16: _signed(16),
    wt.S32: _signed(32),
    wt.S64: _signed(64),
    wt.U8: _unsigned(8),
    wt.U16: _unsigned(16),
    wt.U32: _unsigned(32),
    wt.U64: _unsigned(64),
}
_PLAIN: dict[str, type[wt.ValType]] = {"string": wt.String, "bool": wt.Bool, "u8": wt.U8}
_WORDS: dict[type, str] = {
    **{kind: width.name for kind, width in _WIDTHS.items()},
    **{kind: name for name, kind in _PLAIN.items()},
    wt.ListType: "a list",
    wt.OptionType: "an option",
    wt.TupleType: "a tuple",
    wt.RecordType: "a record",
    wt.VariantType: "a variant",
    wt.EnumType: "an enum",
    wt.ResultType: "a result",
    wt.OwnType: "an owned resource",
    wt.BorrowType: "a borrowed resource",
    Whole: "a whole number",
    Handle: "a resource",
    Many: "a list",
    Maybe: "an option",
    Row: "a tuple",
    Fields: "a record",
    Cases: "a variant",
    Names: "an enum",
    Outcome: "a result",
}


class Matcher:
    """Compares types, and collects what contracts may differ in.

    Attributes:
        widths: of each whole number, under ``record.field`` or ``variant.case``, and outside of those
            under the name of the function.
        orders: the fields of each record, by its name, in the order they have in memory.
    """

    def __init__(self) -> None:
        self.widths: dict[str, Width] = {}
        self.orders: dict[str, tuple[str, ...]] = {}

    def function(
        self,
        name: str,
        shapes: tuple[Sequence[Shape], Shape],
        actual: Sequence[wt.ValType],
        result: wt.ValType | None,
    ) -> None:
        """Compare the parameters and the result of the function ``name``.

        Raises:
            Mismatch: something differs beyond the width of whole numbers and ownership.
        """
        parameters, result_shape = shapes
        if len(actual) != len(parameters):
            raise Mismatch(
                f"{name}: the contract has {len(parameters)} parameters, the component {len(actual)}"
            )
        for index, (shape, kind) in enumerate(zip(parameters, actual, strict=True)):
            self._match(shape, kind, f"{name}: parameter {index + 1}", f"{name}.{index}")
        self._match(result_shape, result, f"{name}: result", name)

    def _match(self, shape: Shape, kind: wt.ValType | None, path: str, key: str) -> None:
        match shape, kind:
            case Whole(), wt.ValType() if type(kind) in _WIDTHS:
                _note(self.widths, key, _WIDTHS[type(kind)], path)
            case (Plain(name=name), _) if type(kind) is _PLAIN[name]:
                pass
            case Handle(), wt.OwnType() | wt.BorrowType():
                pass
            case Many(element=element), wt.ListType():
                self._match(element, kind.element, f"{path}[]", key)
            case Maybe(payload=payload), wt.OptionType():
                self._match(payload, kind.payload, path, key)
            case Row(elements=elements), wt.TupleType():
                numbered = {str(index): element for index, element in enumerate(elements)}
                found = {str(index): element for index, element in enumerate(kind.elements)}
                self._match_parts(numbered, found, path, key)
            case Fields(name=name, fields=fields), wt.RecordType():
                parts = dict(kind.fields)
                self._match_parts(fields, parts, path, name)
                _note(self.orders, name, tuple(parts), path)
            case Cases(name=name, cases=cases), wt.VariantType():
                self._match_parts(cases, dict(kind.cases), path, name)
            case Outcome(ok=ok, err=err), wt.ResultType():
                self._match(ok, kind.ok, path, key)
                self._match(err, kind.err, f"{path}: error", key)
            case Names(names=names), wt.EnumType() if set(kind.names) == set(names):
                pass
            case _:
                raise Mismatch(
                    f"{path}: the contract has {_say(shape)}, the component {_say(kind)}"
                )

    def _match_parts(
        self,
        parts: Mapping[str, Shape],
        actual: Mapping[str, wt.ValType | None],
        path: str,
        key: str,
    ) -> None:
        for name in (*parts, *actual):
            if name not in actual:
                raise Mismatch(f"{path}: it lacks {name}, which the contract has")
            if name not in parts:
                raise Mismatch(f"{path}: it has {name}, which the contract lacks")
        for name, shape in parts.items():
            self._match(shape, actual[name], f"{path}.{name}", f"{key}.{name}")


def _note(known: dict[str, T], key: str, found: T, path: str) -> None:
    """Keep what a type is like; one type is the same wherever it stands."""
    if known.setdefault(key, found) != found:
        raise Mismatch(f"{path}: {key} differs from the {key} in another place of the component")


def _say(type_: Shape | wt.ValType | None) -> str:
    if type_ is None:
        return "nothing"
    if isinstance(type_, Plain):
        return type_.name
    if isinstance(type_, (Names, wt.EnumType)):
        return f"an enum of {', '.join(type_.names)}"
    return _WORDS.get(type(type_), type(type_).__name__)
