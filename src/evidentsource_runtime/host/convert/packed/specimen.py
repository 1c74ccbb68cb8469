"""Tiny components with the whole contract, as text: what codecs are tried on.

Their types are made from :mod:`..contract`, so they have every type that crosses the boundary. They
do little: a view gives back its own memory as it is with the arguments in it, byte for byte; a state
change asks the database for its name, lets it go, and refuses with the name. Compiling one takes
milliseconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from evidentsource_runtime.host.convert.contract import (
    DECIDE,
    EVOLVE,
    METHODS,
    TEXT,
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

_WIDTHS: Final[Mapping[str, str]] = {
    "datetime.seconds": "s64",
    "datetime.nanoseconds": "u32",
    "cloudevent-attribute-value.integer": "s32",
    "event-selector-node.and.0": "u32",
    "event-selector-node.and.1": "u32",
    "event-selector-node.or.0": "u32",
    "event-selector-node.or.1": "u32",
    "database-query.limit": "u32",
}
"""Widths in the contract; a whole number that is not listed is a ``u64``."""

# Memory comes from a module of its own, because the functions that the other one imports need it.
_MEMORY: Final = """
  (core module $memory-code
    (memory (export "memory") 1)
    (global $top (export "top") (mut i32) (i32.const 64))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and
        (i32.add (global.get $top) (i32.sub (local.get 2) (i32.const 1)))
        (i32.sub (i32.const 0) (local.get 2))))
      (global.set $top (i32.add (local.get $at) (local.get 3)))
      (block $enough (loop $grow
        (br_if $enough (i32.le_u (global.get $top) (i32.shl (memory.size) (i32.const 16))))
        (br_if $grow (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))
        unreachable))
      (local.get $at)))
  (core instance $memory (instantiate $memory-code))
  (alias core export $memory "memory" (core memory $bytes))
  (alias core export $memory "realloc" (core func $realloc))"""
# The two calls write their result at 16: that there is content, and where; that it is a refusal and
# of which kind, with its text, which the function that they call has put there.
_EVOLVE: Final = """
  (core module $code
    (import "memory" "memory" (memory 1))
    (import "memory" "top" (global $top (mut i32)))
    (func (export "call") (param i32) (result i32)
      (i32.store8 (i32.const 16) (i32.const 1))
      (i32.store (i32.const 20) (i32.const 64))
      (i32.store (i32.const 24) (i32.sub (global.get $top) (i32.const 64)))
      (i32.const 16)))
  (core instance $made (instantiate $code (with "memory" (instance $memory))))"""
ASK_NAME: Final = """
  (alias export $contract "[method]database.name" (func $name))
  (core func $ask (canon lower (func $name) (memory $bytes) (realloc $realloc)))
  (core func $drop (canon resource.drop $database))
  (core module $code
    (import "memory" "memory" (memory 1))
    (import "host" "ask" (func $ask (param i32 i32)))
    (import "host" "drop" (func $drop (param i32)))
    (func (export "call") (param i32) (result i32)
      (call $ask (i32.load (local.get 0)) (i32.const 24))
      (call $drop (i32.load (local.get 0)))
      (i32.store8 (i32.const 16) (i32.const 1))
      (i32.store8 (i32.const 20) (i32.const 0))
      (i32.const 16)))
  (core instance $made (instantiate $code
    (with "memory" (instance $memory))
    (with "host" (instance (export "ask" (func $ask)) (export "drop" (func $drop))))))"""
_RESOURCE: Final = "(sub resource)"


def view_text(widths: Mapping[str, str] | None = None, *, backwards: bool = False) -> str:
    """A component of the world ``state-view``.

    Args:
        widths: widths that are not those of the contract, by ``record.field``.
        backwards: whether the fields of every record stand in the opposite order.
    """
    types = _Types(widths or {}, backwards=backwards)
    function = _function(types, "evolve", EVOLVE)
    return _component(types, "types", (), _EVOLVE, "evolve", function)


def change_text(
    methods: Sequence[str] = ("database.name",),
    widths: Mapping[str, str] | None = None,
    *,
    backwards: bool = False,
    borrows: bool = False,
    code: str = ASK_NAME,
) -> str:
    """A component of the world ``state-change``.

    Args:
        methods: what it imports, by ``resource.function``, among it whatever ``code`` calls.
        widths: widths that are not those of the contract, by ``record.field``.
        backwards: whether the fields of every record stand in the opposite order.
        borrows: whether ``decide`` borrows the database.
        code: what it does: items of a component that end in a core instance ``$made`` with the export
            ``call``, which takes the address of its arguments and gives that of its result.
    """
    types = _Types(widths or {}, backwards=backwards)
    types.declared.update(dict.fromkeys(METHODS, _RESOURCE))
    imports = [_method(types, path) for path in methods]
    function = _function(types, "decide", DECIDE)
    if borrows:
        function = function.replace("(own $database)", "(borrow $database)")
    return _component(types, "state-change-types", imports, code, "decide", function)


def all_methods() -> list[str]:
    """Every function of the contract."""
    return [f"{resource}.{name}" for resource, names in METHODS.items() for name in names]


class _Types:
    """Declares the types that are met, in an order in which each one stands before its use."""

    def __init__(self, widths: Mapping[str, str], *, backwards: bool) -> None:
        self._widths = {**_WIDTHS, **widths}
        self._step = -1 if backwards else 1
        self.declared: dict[str, str] = {}

    def say(self, shape: Shape, key: str) -> str:
        """A type in a component's text; ``key`` is what its width is kept under."""
        match shape:
            case Whole():
                return self._widths.get(key, "u64")
            case Plain(name=name):
                return name
            case Handle(resource=resource):
                return f"(own ${resource})"
            case Many(element=element):
                return f"(list {self.say(element, key)})"
            case Maybe(payload=payload):
                return f"(option {self.say(payload, key)})"
            case Row(elements=elements):
                parts = [self.say(part, f"{key}.{index}") for index, part in enumerate(elements)]
                return f"(tuple {' '.join(parts)})"
            case Outcome(ok=ok, err=err):
                return f"(result {self.say(ok, key)} (error {self.say(err, key)}))"
            case Names(names=names):
                return self._declare("query-direction", "enum", [f'"{name}"' for name in names])
            case Fields(name=name, fields=fields):
                parts = [
                    f'(field "{part}" {self.say(of, f"{name}.{part}")})'
                    for part, of in fields.items()
                ]
                return self._declare(name, "record", parts[:: self._step])
            case Cases(name=name, cases=cases):
                parts = [
                    f'(case "{part}" {self.say(of, f"{name}.{part}")})'
                    for part, of in cases.items()
                ]
                return self._declare(name, "variant", parts)

    def _declare(self, name: str, kind: str, parts: Sequence[str]) -> str:
        self.declared.setdefault(name, f"({kind} {' '.join(parts)})")
        return f"${name}"


def _method(types: _Types, path: str) -> str:
    resource, _, name = path.partition(".")
    method = METHODS[resource][name]
    parameters = [f'(param "self" (borrow ${resource}))'] + [
        f'(param "p{index}" {types.say(kind.value, f"{path}.{index}")})'
        for index, kind in enumerate(method.parameters, 1)
    ]
    shape: Shape = method.result.value
    result = types.say(Outcome(shape, TEXT) if method.can_refuse else shape, path)
    return f'(export "[method]{path}" (func {" ".join(parameters)} (result {result})))'


def _function(types: _Types, name: str, shapes: tuple[tuple[Shape, ...], Shape]) -> str:
    parameters = [
        f'(param "p{index}" {types.say(shape, f"{name}.{index}")})'
        for index, shape in enumerate(shapes[0])
    ]
    return f"{' '.join(parameters)} (result {types.say(shapes[1], name)})"


def _component(
    types: _Types, interface: str, imports: Sequence[str], code: str, export: str, function: str
) -> str:
    declarations: list[str] = []
    for name, text in types.declared.items():
        if text == _RESOURCE:
            declarations.append(f'(export "{name}" (type ${name} {text}))')
        else:
            declarations.append(f"(type ${name}-parts {text})")
            declarations.append(f'(export "{name}" (type ${name} (eq ${name}-parts)))')
    lines = [
        f'(component (import "specimen:contract/{interface}" (instance $contract',
        *declarations,
        *imports,
        "))",
        *[f'(alias export $contract "{name}" (type ${name}))' for name in types.declared],
        _MEMORY,
        code,
        '(alias core export $made "call" (core func $call))',
        f'(func (export "{export}") {function}',
        "(canon lift (core func $call) (memory $bytes) (realloc $realloc))))",
    ]
    return "\n".join(lines)
