"""Components that try to do harm, as text: whole contracts around a few lines of code.

Addresses: a decision's result stands at 16; arguments begin at 64; from :data:`FREE` on, memory is
free. In it, an event takes 56 bytes, a condition 32 and a node of a selector 20.
"""

from __future__ import annotations

from wasmtime import wat2wasm

from evidentsource_runtime.host.convert.packed.specimen import change_text

FREE = 40_000
NONE = 20_000
"""Nothing was written here: zeros."""

_REGULAR = """
      (call $ask (i32.load (local.get 0)) (i32.const 24))
      (call $drop (i32.load (local.get 0)))
      (i32.store8 (i32.const 16) (i32.const 1))
      (i32.store8 (i32.const 20) (i32.const 0))
      (i32.const 16)"""
_AT = "database.at-effective-timestamp"
_EXIT = '(import "wasi:cli/exit@0.2.0" (instance $cli (export "exit" (func (param "status" (result))))))'
_INSTEAD = (
    (
        "(core func $drop (canon resource.drop $database))",
        f"""(core func $drop (canon resource.drop $database))
  (alias export $contract "[method]{_AT}" (func $at-host))
  (core func $at (canon lower (func $at-host)))
  (alias export $cli "exit" (func $exit-host))
  (core func $exit (canon lower (func $exit-host)))""",
    ),
    (
        '(import "host" "drop" (func $drop (param i32)))',
        """(import "host" "drop" (func $drop (param i32)))
    (import "host" "at" (func $at (param i32 i64 i32) (result i32)))
    (import "host" "exit" (func $exit (param i32)))
    (func $deeper (param i32) (result i32)
      (i32.add (call $deeper (local.get 0)) (i32.const 1)))""",
    ),
    (
        '(export "drop" (func $drop))',
        '(export "drop" (func $drop)) (export "at" (func $at)) (export "exit" (func $exit))',
    ),
    ("(component ", f"(component {_EXIT} "),
)


def state_change(body: str = _REGULAR, *, memory: str = "") -> bytes:
    """A state change whose ``decide`` does this.

    Args:
        body: instructions that leave the address of the result. ``(local.get 0)`` is the address of
            the arguments, of which the database is the first; beside ``$ask``, ``$drop``, ``$at``
            and ``$exit`` there is ``$deeper``, which never returns.
        memory: the size of its memory in pages, where it is not one.
    """
    text = change_text(("database.name", _AT))
    for old, new in ((_REGULAR, f"(local $i i32) {body}"), *_INSTEAD):
        if text.count(old) != 1:
            raise ValueError(f"{old!r} does not stand once in the component")
        text = text.replace(old, new)
    if memory:
        text = text.replace('(memory (export "memory") 1)', f'(memory (export "memory") {memory})')
    return bytes(wat2wasm(text))


def store(*words: tuple[int, int]) -> str:
    """Instructions that write words of four bytes: where, and what."""
    return " ".join(f"(i32.store (i32.const {at}) (i32.const {word}))" for at, word in words)


def decision(
    events: tuple[int, int] = (NONE, 0), conditions: tuple[int, int] = (NONE, 0), more: str = ""
) -> str:
    """Instructions that decide on lists that are given by address and length."""
    words = zip((20, 24, 28, 32), (*events, *conditions), strict=True)
    return f"{more} {store((16, 0), *words)} (i32.const 16)"


def refusal(kind: int, text: tuple[int, int], more: str = "") -> str:
    """Instructions that refuse with a text that is given by address and length."""
    return f"{more} {store((16, 1), (20, kind), (24, text[0]), (28, text[1]))} (i32.const 16)"


def selecting(*nodes: tuple[int, int, int]) -> str:
    """Instructions that decide on a condition over nodes: a kind and two words each.

    The kinds are 0 for an attribute that is equal, 2 for ``and``, 3 for ``or``.
    """
    words = [(FREE + 8, FREE + 100), (FREE + 12, len(nodes))]
    for index, node in enumerate(nodes):
        at = FREE + 100 + index * 20
        words += [(at + offset * 4, word) for offset, word in enumerate(node)]
    return decision(conditions=(FREE, 1), more=store(*words))
