"""A state change that asks for events and proposes just those: they cross the boundary both ways."""

from __future__ import annotations

from evidentsource_runtime.host.convert.packed.specimen import change_text

# At 36 stands a selector's one node (equals, stream) with its text at 56; the answer comes to 0, and
# the decision is written at 16: the events of the answer and no conditions, or its error as internal.
_CODE = """
  (alias export $contract "[method]database.query-events" (func $query))
  (core func $ask (canon lower (func $query) (memory $bytes) (realloc $realloc)))
  (core func $drop (canon resource.drop $database))
  (core module $code
    (import "memory" "memory" (memory 1))
    (import "host" "ask" (func $ask (param
      i32 i32 i32 i32 i32 i32 i64 i32 i64 i32 i64 i32 i32 i32 i32 i32)))
    (import "host" "drop" (func $drop (param i32)))
    (data (i32.const 36) "\\00\\00\\00\\00\\00\\00\\00\\00\\38\\00\\00\\00\\08\\00\\00\\00")
    (data (i32.const 56) "accounts")
    (func (export "call") (param $given i32) (result i32)
      (call $ask (i32.load (local.get $given))
        (i32.const 36) (i32.const 1)
        (i32.const 0)
        (i32.const 0)
        (i32.const 0) (i64.const 0) (i32.const 0) (i64.const 0)
        (i32.const 0) (i64.const 0) (i32.const 0)
        (i32.const 0)
        (i32.const 1) (i32.const 7)
        (i32.const 0))
      (call $drop (i32.load (local.get $given)))
      (i32.store8 (i32.const 16) (i32.load8_u (i32.const 0)))
      (if (i32.load8_u (i32.const 0))
        (then
          (i32.store8 (i32.const 20) (i32.const 4))
          (i64.store (i32.const 24) (i64.load (i32.const 4))))
        (else
          (i64.store (i32.const 20) (i64.load (i32.const 4)))
          (i64.store (i32.const 28) (i64.const 0))))
      (i32.const 16)))
  (core instance $made (instantiate $code
    (with "memory" (instance $memory))
    (with "host" (instance (export "ask" (func $ask)) (export "drop" (func $drop))))))"""

METHODS = ("database.name", "database.query-events")


def asking_text() -> str:
    return change_text(METHODS, code=_CODE)
