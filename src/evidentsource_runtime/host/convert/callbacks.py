"""The functions that wasmtime calls back, and the one place that uses wasmtime's private names.

wasmtime-py's own way of defining a function has two faults that a host cannot live with:

- it catches ``Exception`` only, and a ``BaseException`` that leaves such a function ends the process;
- a ``result<option<T>, string>`` cannot be answered with its error, because every Python value counts
  as an ``option``.

So functions are defined here, with wasmtime-py's conversion of single values and our own way around
it. The major version of wasmtime is pinned for this module's sake.
"""

from __future__ import annotations

import ctypes
import itertools
from collections.abc import Callable
from typing import Any, TypeAlias

from wasmtime import StoreContext, WasmtimeError, _ffi
from wasmtime.component import LinkerInstance, ValType

Body: TypeAlias = Callable[[StoreContext, Any, Any], None]
"""Takes the store, wasmtime's array of arguments, and where the result goes. It raises nothing but
:class:`WasmtimeError`, which ends the call."""

_numbers = itertools.count(1)
_bodies: dict[int, Body] = {}


def define(instance: LinkerInstance, name: str, body: Body) -> None:
    """Define the function ``name``; ``body`` is kept as long as the linker."""
    encoded = name.encode()
    number = next(_numbers)
    _bodies[number] = body
    error: Any = _ffi.wasmtime_component_linker_instance_add_func(
        instance.ptr(), encoded, len(encoded), _CALL_BACK, number, _FORGET
    )
    if error:
        _forget(number)
        raise WasmtimeError._from_ptr(error)  # noqa: SLF001 - how wasmtime-py itself raises it


def _call_back(
    number: int, context: Any, _type: Any, arguments: Any, _count: int, results: Any, _results: int
) -> int | None:
    store = StoreContext(context)
    try:
        _bodies[number](store, arguments, results)
    except WasmtimeError as error:
        return ctypes.cast(error._consume(), ctypes.c_void_p).value  # noqa: SLF001 - it owns it now
    finally:
        store._invalidate()  # noqa: SLF001 - the pointer is good for this call only
    return 0


def _forget(number: int) -> None:
    _bodies.pop(number, None)


_CALL_BACK = _ffi.wasmtime_component_func_callback_t(_call_back)
_FORGET = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(_forget)


def write(kind: ValType, store: StoreContext, value: Any, result: Any) -> None:
    """Write the result of a function."""
    kind.convert_to_c(store, value, result)


def write_outcome(kind: ValType, store: StoreContext, value: Any, result: Any, *, ok: bool) -> None:
    """Write a ``result``: one of its sides, by the type of that side."""
    payload = _ffi.wasmtime_component_val_t()
    kind.convert_to_c(store, value, ctypes.pointer(payload))
    outcome = result.contents
    outcome.kind = _ffi.WASMTIME_COMPONENT_RESULT
    outcome.of.result.is_ok = ok
    outcome.of.result.val = _ffi.wasmtime_component_val_new(ctypes.byref(payload))
