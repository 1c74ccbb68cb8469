"""wasmtime's C API behind wasmtime-py: the one place that uses wasmtime's private names.

It reads memory by address, makes calls whose arguments lie in memory of our own, and defines the
functions that wasmtime calls back. wasmtime-py's own way of doing the last has two faults that a host
cannot live with:

- it catches ``Exception`` only, and a ``BaseException`` that leaves such a function ends the process;
- a ``result<option<T>, string>`` cannot be answered with its error, because every Python value counts
  as an ``option``.

The hazards of this module: an address is only a number here, so a wrong one ends the process; and
what one side of the boundary allocates, the same side must free. The major version of wasmtime is
pinned for this module's sake.
"""
# ruff: noqa: SLF001 - see above: private names of wasmtime are what it is for

from __future__ import annotations

import ctypes
import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, TypeAlias

from wasmtime import Config, Store, StoreContext, WasmtimeError, _ffi
from wasmtime.component import Func, LinkerInstance, ResourceAny, ValType

Body: TypeAlias = Callable[[StoreContext, Any, Any], None]
"""Takes the store, wasmtime's array of arguments, and where the result goes. It raises nothing but
:class:`WasmtimeError`, which ends the call."""

Tick: TypeAlias = Callable[[], str | None]

MEMORY: Final[memoryview] = (
    memoryview((ctypes.c_ubyte * (2**63 - 1)).from_address(0)).cast("B").toreadonly()
)
"""The memory of the process by address, to read values where wasmtime put them.

Nothing checks an address: use none but those that wasmtime gave, while the value lives.
"""

_Value = _ffi.wasmtime_component_val_t
_ValuePointer = ctypes.POINTER(_Value)
_ResourcePointer = ctypes.POINTER(_ffi.wasmtime_component_resource_any_t)
_HostResourcePointer = ctypes.POINTER(_ffi.wasmtime_component_resource_host_t)

_numbers = itertools.count(1)
_bodies: dict[int, Body] = {}


def _require(error: Any) -> None:
    if error:
        raise WasmtimeError._from_ptr(error)


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
    _require(error)


def _call_back(
    number: int, context: Any, _type: Any, arguments: Any, _count: int, results: Any, _results: int
) -> int | None:
    store = StoreContext(context)
    try:
        _bodies[number](store, arguments, results)
    except WasmtimeError as error:
        return ctypes.cast(error._consume(), ctypes.c_void_p).value
    finally:
        store._invalidate()
    return 0


def _forget(number: int) -> None:
    _bodies.pop(number, None)


_CALL_BACK = _ffi.wasmtime_component_func_callback_t(_call_back)
_FORGET = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(_forget)


def at_epochs(tick: Tick) -> Any:
    """What :func:`watch` gives a store, to be kept as long as it runs.

    Args:
        tick: called back at an epoch, on the thread of the call; the words that end the call, or None
            where it goes on to the next epoch. It raises nothing.
    """

    def call_back(_context: Any, _data: Any, epochs: Any, kind: Any) -> int | None:
        words = tick()
        if words is not None:
            error = _ffi.wasmtime_error_new(ctypes.create_string_buffer(words.encode()))
            return ctypes.cast(error, ctypes.c_void_p).value
        epochs[0] = 1
        kind[0] = _CONTINUE
        return 0

    return _EpochCallback(call_back)


def watch(store: Store, callback: Any) -> None:
    """Let what runs in ``store`` call back at its deadline, instead of being ended there."""
    _ffi.wasmtime_store_epoch_deadline_callback(store.ptr(), callback, None, _NO_FINALIZER)


_EpochCallback = ctypes.CFUNCTYPE(
    ctypes.c_size_t,
    ctypes.POINTER(_ffi.wasmtime_context_t),
    ctypes.c_void_p,
    ctypes.POINTER(ctypes.c_uint64),
    ctypes.POINTER(ctypes.c_uint8),
)
_NO_FINALIZER = ctypes.CFUNCTYPE(None, ctypes.c_void_p)()
_CONTINUE = 0  # WASMTIME_UPDATE_DEADLINE_CONTINUE


def use_pool(config: Config, sizes: Mapping[str, int]) -> None:
    """Let the engine of ``config`` take instances from a pool.

    Args:
        config: the configuration.
        sizes: how large the pool is and its parts are, by the names of wasmtime's
            ``PoolingAllocationConfig``; what is left out has wasmtime's default.
    """
    pool = _ffi.wasmtime_pooling_allocation_config_new()
    try:
        for name, size in sizes.items():
            getattr(_ffi, f"wasmtime_pooling_allocation_config_{name}_set")(pool, size)
        _ffi.wasmtime_pooling_allocation_strategy_set(config.ptr(), pool)
    finally:
        _ffi.wasmtime_pooling_allocation_config_delete(pool)


def write(kind: ValType, store: StoreContext, value: Any, result: Any) -> None:
    """Write the result of a function with wasmtime-py's conversion."""
    kind.convert_to_c(store, value, result)


def write_outcome(kind: ValType, store: StoreContext, value: Any, result: Any, *, ok: bool) -> None:
    """Write a ``result`` with wasmtime-py's conversion: one of its sides, by the type of that side."""
    payload = _Value()
    kind.convert_to_c(store, value, ctypes.pointer(payload))
    outcome = result.contents
    outcome.kind = _ffi.WASMTIME_COMPONENT_RESULT
    outcome.of.result.is_ok = ok
    outcome.of.result.val = _ffi.wasmtime_component_val_new(ctypes.byref(payload))


def address_of(pointer: Any) -> int:
    """Where a pointer of ctypes points to."""
    return ctypes.addressof(pointer.contents)


@contextmanager
def calling(store: Store, func: Func, arguments: int, count: int) -> Iterator[int]:
    """Call ``func`` with ``count`` values at the address ``arguments``; the address of its result.

    wasmtime reads the arguments and leaves them to the caller. The result is freed at the end of the
    ``with`` block.

    Raises:
        WasmtimeError: the component failed.
    """
    result = _Value()
    function, context = ctypes.byref(func._func), store._context()
    given = ctypes.cast(arguments, _ValuePointer)
    _require(
        _ffi.wasmtime_component_func_call(function, context, given, count, ctypes.byref(result), 1)
    )
    try:
        _require(_ffi.wasmtime_component_func_post_return(function, context))
        yield ctypes.addressof(result)
    finally:
        _ffi.wasmtime_component_val_delete(ctypes.byref(result))


def hand_over(value: int, result: Any) -> None:
    """Give wasmtime a copy of the value at that address, which is wasmtime's own to free."""
    _ffi.wasmtime_component_val_clone(ctypes.cast(value, _ValuePointer), result)


def borrowed(store: StoreContext, resource: int) -> int:
    """The number of the host's resource that is lent at that address. This ends the loan.

    Raises:
        WasmtimeError: it is no resource of the host.
    """
    pointer = ctypes.cast(resource, _ResourcePointer)
    host = _HostResourcePointer()
    _require(
        _ffi.wasmtime_component_resource_any_to_host(store._context(), pointer, ctypes.byref(host))
    )
    try:
        return int(_ffi.wasmtime_component_resource_host_rep(host))
    finally:
        _ffi.wasmtime_component_resource_host_delete(host)


def resource_address(resource: ResourceAny) -> int:
    """What a value that holds ``resource`` points to, as long as ``resource`` is open."""
    return address_of(resource.ptr())


@contextmanager
def converted(kind: ValType, store: Store, value: Any) -> Iterator[int]:
    """The address of a value as wasmtime-py's conversion makes it, until the end of the block."""
    made = _Value()
    kind.convert_to_c(store, value, ctypes.pointer(made))
    try:
        yield ctypes.addressof(made)
    finally:
        _ffi.wasmtime_component_val_delete(ctypes.byref(made))


def converted_back(kind: ValType, value: int) -> Any:
    """What wasmtime-py's conversion makes of a copy of the value at that address."""
    copy = _Value()
    hand_over(value, ctypes.byref(copy))
    return kind.convert_from_c(copy)


def declared_layout() -> dict[str, int]:
    """Sizes and offsets (bytes) and kinds of values, as wasmtime-py declares them."""
    payload = _offset(_Value, "of")
    union = _ffi.wasmtime_component_valunion
    entry = _ffi.wasmtime_component_valrecord_entry
    variant = _ffi.wasmtime_component_valvariant
    result = _ffi.wasmtime_component_valresult
    facts = {
        "value": ctypes.sizeof(_Value),
        "kind": _offset(_Value, "kind"),
        "payload": payload,
        "entry": ctypes.sizeof(entry),
        "entry.name": _offset(entry, "name"),
        "entry.value": _offset(entry, "val"),
        "variant.tag": payload + _offset(union, "variant") + _offset(variant, "discriminant"),
        "variant.value": payload + _offset(union, "variant") + _offset(variant, "val"),
        "result.is-ok": payload + _offset(union, "result") + _offset(result, "is_ok"),
        "result.value": payload + _offset(union, "result") + _offset(result, "val"),
    }
    vectors = {
        "string": _ffi.wasm_name_t,
        "enumeration": _ffi.wasm_name_t,
        "list": _ffi.wasmtime_component_vallist,
        "record": _ffi.wasmtime_component_valrecord,
        "tuple": _ffi.wasmtime_component_valtuple,
    }
    for name, vector in vectors.items():
        start = payload + _offset(union, name)
        facts[f"{name}.size"] = start + _offset(vector, "size")
        facts[f"{name}.data"] = start + _offset(vector, "data")
    for name in (
        "boolean",
        "s8",
        "u8",
        "s16",
        "u16",
        "s32",
        "u32",
        "s64",
        "u64",
        "option",
        "resource",
    ):
        facts[name] = payload + _offset(union, name)
    for name in (
        *("BOOL", "S8", "U8", "S16", "U16", "S32", "U32", "S64", "U64", "STRING", "LIST"),
        *("RECORD", "TUPLE", "VARIANT", "ENUM", "OPTION", "RESULT", "RESOURCE"),
    ):
        facts[name] = getattr(_ffi, f"WASMTIME_COMPONENT_{name}").value
    return facts


def _offset(structure: type[Any], field: str) -> int:
    return int(getattr(structure, field).offset)
