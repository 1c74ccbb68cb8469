"""Components in WebAssembly's text form: small ones, which compile in no time, and strange ones."""

from __future__ import annotations

from wasmtime import wat2wasm

_TYPES = """
  (type $datetime-type (record (field "seconds" s64) (field "nanoseconds" u32)))
  (export $datetime "datetime" (type $datetime-type))
  (type $data-type (variant (case "binary" (list u8)) (case "string" string)))
  (export $data "cloudevent-data" (type $data-type))
  (type $value-type (variant
    (case "boolean" bool) (case "integer" s32) (case "string" string) (case "binary" (list u8))
    (case "uri" string) (case "uri-ref" string) (case "timestamp" $datetime)))
  (export $value "cloudevent-attribute-value" (type $value-type))
  (type $event-type (record
    (field "id" string) (field "source" string) (field "specversion" string)
    (field "type" string) (field "data" (option $data))
    (field "attributes" (list (tuple string $value)))))
  (export $event "cloudevent" (type $event-type))
  (type $context-type (record
    (field "database" string) (field "name" string) (field "version" u64)
    (field "database-revision" u64) (field "database-revision-timestamp" $datetime)
    (field "content-type" (option string)) (field "content-schema" (option string))))
  (export $context "state-view-context" (type $context-type))
  (type $rendered-type (record
    (field "context" $context) (field "content" (option (list u8)))
    (field "last-modified-revision" u64) (field "last-modified-timestamp" $datetime)))
  (export $rendered "rendered-state-view" (type $rendered-type))
"""

_MEMORY = """
    (memory (export "memory") 4)
    (global $free (mut i32) (i32.const 4096))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
      (global.set $free (i32.add (local.get $at) (local.get 3)))
      (local.get $at))
"""

NO_CONTENT = "(i32.const 0)"
"""Points to zeros, and a zero stands for none."""


def state_view(body: str = NO_CONTENT, *changes: tuple[str, str], more: str = "") -> bytes:
    """A state view whose ``evolve`` does this, some of its text exchanged.

    Args:
        body: instructions that leave the address of an ``option<list<u8>>``.
        changes: pairs of what to exchange and for what, to get another contract.
        more: further items of the component.
    """
    text = f"""(component
  (core module $code
    {_MEMORY}
    (func (export "evolve") (param $given i32) (result i32) {body})
  )
  (core instance $core (instantiate $code))
  {_TYPES}
  (func (export "evolve")
    (param "state-view" $rendered) (param "events" (list $event)) (result (option (list u8)))
    (canon lift (core func $core "evolve")
      (memory (core memory $core "memory")) (realloc (core func $core "realloc"))))
  {more}
)"""
    for old, new in changes:
        if old not in text:
            raise ValueError(f"{old!r} is no part of the component")
        text = text.replace(old, new)
    return bytes(wat2wasm(text))


def component(items: str) -> bytes:
    """Any component."""
    return bytes(wat2wasm(f"(component {items})"))


def exporting(name: str) -> str:
    """Items that export a function without parameters or result."""
    return f"""
  (core module $empty (func (export "run")))
  (core instance $one (instantiate $empty))
  (func (export "{name}") (canon lift (core func $one "run")))"""


def view_with_lane(evolve: str, fold: str, *changes: tuple[str, str]) -> bytes:
    """A state view that exports the lane as well.

    Args:
        evolve: as in :func:`state_view`.
        fold: instructions that leave the address of the list of answers, which take 36 bytes each.
            The header is at ``$header``, of the size ``$size``; memory up to 4096 is free.
        changes: as in :func:`state_view`.
    """
    code = """(core instance $core (instantiate $code))
  (func (export "evidentsource-fold-v1")
    (param "header" string)
    (param "contents" (list (tuple (option string) (option (list u8)))))
    (param "batches" (list string))
    (result (list (tuple (option string) (option (list u8)) (option string))))
    (canon lift (core func $core "fold")
      (memory (core memory $core "memory")) (realloc (core func $core "realloc"))))"""
    function = f"""(func (export "fold") (param $header i32) (param $size i32)
      (param i32 i32 i32 i32) (result i32) {fold})
    (func (export "evolve")"""
    return state_view(
        evolve,
        ('(func (export "evolve") (param $given', function + " (param $given"),
        ("(core instance $core (instantiate $code))", code),
        *changes,
    )
