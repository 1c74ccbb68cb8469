"""The compiled form of a filled base component: made of our own base's, or compiled."""

from __future__ import annotations

from pathlib import Path

import pytest
from wasmtime import Engine, Store, wat2wasm
from wasmtime.component import Component, Linker

from evidentsource_functions.wasm import _slot
from evidentsource_runtime.artifact import slot
from evidentsource_runtime.host import patched as room
from evidentsource_runtime.host.cache import CompiledCache
from evidentsource_runtime.host.engine import make_engine

EMPTY = bytes(_slot.noise())


def component(data: bytes = EMPTY, *, first: int = 7) -> bytes:
    """A component whose function gives the byte at 16, where a slot's content begins."""
    text = "".join(f"\\{byte:02x}" for byte in data)
    return bytes(
        wat2wasm(f"""(component
          (core module $m (memory 10) (data (i32.const 0) "{text}")
            (func (export "f") (result i32) i32.const {first} drop i32.const 16 i32.load8_u))
          (core instance $i (instantiate $m))
          (func (export "f") (result u32) (canon lift (core func $i "f"))))""")
    )


def answer(engine: Engine, compiled: Component) -> int:
    store = Store(engine)
    store.set_epoch_deadline(1)
    func = Linker(engine).instantiate(store, compiled).get_func(store, "f")
    assert func is not None
    number: int = func(store)
    return number


class Compiler:
    """Compiles a base where it is asked to, and counts."""

    def __init__(self, engine: Engine, cache: CompiledCache) -> None:
        self.engine = engine
        self.cache = cache
        self.count = 0

    def __call__(self, digest: str, base: bytes) -> None:
        self.count += 1
        self.cache.store(f"key-{digest}", Component(self.engine, base))


@pytest.fixture
def cache(tmp_path: Path) -> CompiledCache:
    return CompiledCache(tmp_path / "compiled")


@pytest.fixture
def engine() -> Engine:
    return make_engine()


@pytest.fixture
def compiler(engine: Engine, cache: CompiledCache) -> Compiler:
    return Compiler(engine, cache)


def patched(data: bytes, key: str, cache: CompiledCache, compiler: Compiler) -> Component | None:
    return room.patched(data, lambda digest: f"key-{digest}", key, compiler.engine, cache, compiler)


def test_one_base_is_compiled_for_many_contents(cache: CompiledCache, compiler: Compiler) -> None:
    base = component()
    for content in (b"a", b"b", b"c"):
        compiled = patched(slot.fill(base, content), content.decode(), cache, compiler)
        assert compiled is not None
        assert answer(compiler.engine, compiled) == content[0]
        kept = cache.load(compiler.engine, content.decode())
        assert kept is not None
        assert answer(compiler.engine, kept) == content[0]
    assert compiler.count == 1


def test_a_component_of_another_base_gets_another_compiled_form(
    cache: CompiledCache, compiler: Compiler
) -> None:
    for first in (7, 8):
        assert patched(slot.fill(component(first=first), b"a"), "k", cache, compiler) is not None
    assert compiler.count == 2


def test_what_has_no_filled_slot_is_left_to_the_compiler(
    cache: CompiledCache, compiler: Compiler
) -> None:
    assert patched(component(), "k", cache, compiler) is None
    assert compiler.count == 0


def test_a_slot_outside_of_the_initial_memory_is_not_filled(
    engine: Engine, cache: CompiledCache, caplog: pytest.LogCaptureFixture
) -> None:
    class Forger(Compiler):
        def __call__(self, digest: str, base: bytes) -> None:
            honest = bytes(Component(self.engine, component(b"other")).serialize())
            self.cache.store_compiled(f"key-{digest}", honest + EMPTY)

    assert patched(slot.fill(component(), b"a"), "k", cache, Forger(engine, cache)) is None
    assert "not in the initial memory" in caplog.text


def test_a_damaged_compiled_base_is_not_used(
    cache: CompiledCache, compiler: Compiler, tmp_path: Path
) -> None:
    assert patched(slot.fill(component(), b"a"), "a", cache, compiler) is not None
    for path in (tmp_path / "compiled").glob("key-*.cwasm"):
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    compiled = patched(slot.fill(component(), b"b"), "b", cache, compiler)
    assert compiled is not None
    assert answer(compiler.engine, compiled) == ord("b")
    assert compiler.count == 2
