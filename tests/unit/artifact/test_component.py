"""The own reader of components says what wasmtime says, for components made here from text."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path

import pytest
import wasmtime
from hypothesis import given
from hypothesis import strategies as st
from wasmtime.component import Component

from evidentsource_runtime.artifact import (
    BuildFacts,
    NotAComponent,
    read_component,
    with_facts,
)

VIEW = """
(component
  (import "wasi:io/streams@0.2.9" (instance (export "output" (type (sub resource)))))
  (import "plain" (func (param "x" u32) (result string)))
  (type $u32 u32)
  (import "shape" (type (eq $u32)))
  (core module $m (func (export "f") (result i32) i32.const 1))
  (core instance $i (instantiate $m))
  (component $inner (import "hidden" (func)))
  (instance $outer)
  (func $f (result u32) (canon lift (core func $i "f")))
  (export "evolve" (func $f))
  (export "more:pieces/inner@1.0.0" (instance $outer))
  (@custom "note" "some text")
)
"""
FACTS = BuildFacts("ab" * 32, "state-view", "orders.view", sources={"/0/a.py": "src/a.py"})


def component(tmp_path: Path, text: str = VIEW) -> Path:
    path = tmp_path / "x.wasm"
    path.write_bytes(wasmtime.wat2wasm(text))
    return path


def test_imports_and_exports_are_those_that_wasmtime_sees(tmp_path: Path) -> None:
    path = component(tmp_path)
    found = read_component(path)
    engine = wasmtime.Engine()
    theirs = Component.from_file(engine, str(path)).type
    assert {each.name for each in found.exports} == set(theirs.exports(engine))
    assert {each.name for each in found.imports} == set(theirs.imports(engine))
    assert [(each.name, each.kind) for each in found.exports] == [
        ("evolve", "func"),
        ("more:pieces/inner@1.0.0", "instance"),
    ]
    assert [each.kind for each in found.imports] == ["instance", "func"]
    assert (found.world, found.size, found.facts) == ("state-view", path.stat().st_size, None)


@pytest.mark.parametrize(
    ("names", "world"),
    [
        (["evolve"], "state-view"),
        (["decide"], "state-change"),
        ([], None),
        (["evolve", "decide"], None),
    ],
)
def test_the_world_shows_from_the_exports(
    tmp_path: Path, names: list[str], world: str | None
) -> None:
    exports = "".join(f'(export "{name}" (func $f))' for name in names)
    text = f"""(component
      (core module $m (func (export "f")))
      (core instance $i (instantiate $m))
      (func $f (canon lift (core func $i "f")))
      {exports})"""
    assert read_component(component(tmp_path, text)).world == world


def test_facts_are_kept_in_the_component_and_do_it_no_harm(tmp_path: Path) -> None:
    path = component(tmp_path)
    before = path.read_bytes()
    path.write_bytes(with_facts(before, FACTS))
    assert read_component(path).facts == FACTS
    assert with_facts(before, FACTS) == path.read_bytes()
    Component.from_file(wasmtime.Engine(), str(path))


def test_facts_of_a_newer_version_are_read_as_far_as_they_are_known() -> None:
    text = FACTS.to_json().replace("{", '{"something_new":1,', 1)
    assert BuildFacts.from_json(text) == FACTS


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (None, "no-such-file"),
        (b"", "empty-file"),
        (b"#!/bin/sh\n", "not-a-component"),
        (b"\0asm", "damaged-component"),
        (b"\0asm\x01\0\0\0", "core-module"),
        (b"\0asm\x0d\0\x01\0\x0a\xff\xff\xff\xff\xff\xff", "damaged-component"),
        (b"\0asm\x0d\0\x01\0\x00\x03\x02\xff\xff", "damaged-component"),
        (b"\0asm\x0d\0\x01\0\x0b\x03\x01\x07\x00", "damaged-component"),
        (with_facts(b"\0asm\x0d\0\x01\0", FACTS)[:-1], "damaged-component"),
        (
            with_facts(b"\0asm\x0d\0\x01\0", FACTS).replace(b'"world"', b'"wrold"'),
            "damaged-component",
        ),
    ],
)
def test_what_is_no_component_is_refused_by_what_it_is(
    tmp_path: Path, content: bytes | None, code: str
) -> None:
    path = tmp_path / "x.wasm"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(NotAComponent) as caught:
        read_component(path)
    assert (caught.value.code, caught.value.file) == (code, path)
    assert caught.value.hint or code == "unreadable-file"


def test_a_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotAComponent) as caught:
        read_component(tmp_path)
    assert caught.value.code == "is-a-directory"


@given(data=st.data())
def test_a_damaged_component_is_refused_or_read_and_never_more(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    whole = with_facts(bytes(wasmtime.wat2wasm(VIEW)), FACTS)
    position = data.draw(st.integers(8, len(whole) - 1))
    content = bytearray(whole)
    content[position] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "damaged.wasm"
    path.write_bytes(content[: data.draw(st.integers(position, len(whole)))])
    with contextlib.suppress(NotAComponent):
        read_component(path)


def test_a_component_tells_the_version_of_its_lane(tmp_path: Path) -> None:
    lane = VIEW.replace(
        '(export "evolve" (func $f))',
        '(export "evolve" (func $f)) (export "evidentsource-fold-v1" (func $f))',
    )
    assert read_component(component(tmp_path, lane)).lane == 1
    assert read_component(component(tmp_path)).lane is None


def test_facts_say_that_a_component_is_contract_only_where_it_is() -> None:
    only = replace(FACTS, contract_only=True)
    assert BuildFacts.from_json(only.to_json()) == only
    assert "contract_only" not in FACTS.to_json()
