"""What is loaded is one of the two kinds of component, and everything else is told apart."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path
from typing import Any

import pytest

from evidentsource_core import Event, StateViewContext
from evidentsource_core.times import EPOCH
from evidentsource_runtime.artifact import FACTS_SECTION, BuildFacts, with_facts
from evidentsource_runtime.host import (
    ComponentInputError,
    ComponentLoadError,
    Host,
    StateViewComponent,
    loading,
)
from evidentsource_runtime.host.convert.shapes import read_contract
from tests.unit.host.wat import NO_CONTENT, component, exporting, state_view

CONTEXT = StateViewContext("bank", "summary", 1, 1, EPOCH)
CORE_MODULE = b"\x00asm\x01\x00\x00\x00"
DATABASE = '(import "acme:rules/state-change-types@1.2.3" (instance {}))'


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path / "cache")


def refused(host: Host, source: bytes | Path) -> ComponentLoadError:
    with pytest.raises(ComponentLoadError) as caught:
        host.load(source)
    return caught.value


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file is empty"),
        (b"not wasm", "no WebAssembly"),
        (b"(component)", "no WebAssembly"),
        (CORE_MODULE, "a core WebAssembly module, not a component"),
        (state_view()[:-40], "it is no valid component"),
        (state_view()[:8] + b"\xff" * 40, "it is no valid component"),
    ],
    ids=["empty", "garbage", "text", "core module", "cut off", "damaged"],
)
def test_what_is_no_component_is_told_and_leaves_no_file(
    host: Host, tmp_path: Path, content: bytes, words: str
) -> None:
    path = tmp_path / "summary.wasm"
    path.write_bytes(content)
    error = refused(host, path)
    assert words in error.reason
    assert (error.component, error.code) == ("summary", "component-load-error")
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.parametrize("name", ["missing.wasm", "."])
def test_a_path_that_cannot_be_read_is_told(host: Host, tmp_path: Path, name: str) -> None:
    assert "cannot be read" in refused(host, tmp_path / name).reason


BOTH = state_view(more=exporting("decide"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (component(exporting("run")), "another world: it exports run; a state view exports"),
        (component(""), "another world: it exports nothing"),
        (BOTH, "it exports both evolve and decide"),
        (component(exporting("evolve")), "evolve: the contract has 2 parameters, the component 0"),
        (component(exporting("decide")), "decide: the contract has 3 parameters, the component 0"),
        (
            component('(instance $none) (export "evolve" (instance $none))'),
            "another world: it exports evolve",
        ),
    ],
    ids=["another", "empty", "both", "other view", "other change", "no function"],
)
def test_a_component_of_another_world_is_told_and_leaves_no_file(
    host: Host, tmp_path: Path, content: bytes, words: str
) -> None:
    assert words in str(refused(host, content))
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            ('(field "name" string)', '(field "title" string)'),
            "parameter 1.context: it lacks name, which the contract has",
        ),
        (
            ('(field "name" string)', '(field "name" string) (field "region" string)'),
            "parameter 1.context: it has region, which the contract lacks",
        ),
        (
            ('(field "id" string)', '(field "id" (list u8))'),
            "parameter 2[].id: the contract has string, the component a list",
        ),
        (
            ('(case "boolean" bool)', '(case "boolean" u8)'),
            "parameter 2[].attributes[].1.boolean: the contract has bool, the component u8",
        ),
        (
            ('(field "seconds" s64)', '(field "seconds" f64)'),
            "the contract has a whole number, the component F64",
        ),
        (
            ('(field "content" (option (list u8)))', '(field "content" (list u8))'),
            "parameter 1.content: the contract has an option, the component a list",
        ),
        (
            ("(result (option (list u8)))", "(result (option (list u16)))"),
            "result[]: the contract has u8, the component u16",
        ),
        (
            ("(list (tuple string $value))", "(list (tuple string string $value))"),
            "it has 2, which the contract lacks",
        ),
        (
            ('(case "uri" string)', '(case "uri")'),
            "uri: the contract has string, the component nothing",
        ),
    ],
    ids=lambda value: value[1][:30] if isinstance(value, tuple) else "",
)
def test_a_contract_that_differs_in_more_than_widths_is_refused_by_the_path(
    host: Host, change: tuple[str, str], words: str
) -> None:
    error = refused(host, state_view(NO_CONTENT, change))
    assert words in error.reason
    assert "built for another contract" in error.reason
    assert error.hint is not None


@pytest.mark.parametrize(
    ("imported", "words"),
    [
        ('(import "tell" (func))', "it imports the function tell"),
        (
            '(import "acme:mail/outbox@1.0.0" (instance (export "send" (func))))',
            "it imports send of acme:mail/outbox@1.0.0",
        ),
        (
            DATABASE.format('(export "cursor" (type (sub resource)))'),
            "acme:rules/state-change-types@1.2.3 has a resource cursor, unknown to the contract",
        ),
        (
            DATABASE.format('(export "commit" (func))'),
            "has a function commit, unknown to the contract",
        ),
        (
            DATABASE.format(
                '(export "database" (type $db (sub resource))) (export "[method]database.revision" '
                '(func (param "self" (borrow $db)) (result string)))'
            ),
            "database.revision: result: the contract has a whole number, the component string",
        ),
    ],
    ids=["function", "interface", "resource", "unknown method", "another method"],
)
def test_an_import_that_no_host_of_this_contract_gives_is_refused_by_name(
    host: Host, imported: str, words: str
) -> None:
    assert words in refused(host, state_view(more=imported)).reason


def test_an_export_beside_the_contract_is_left_alone(host: Host) -> None:
    loaded = host.load(state_view(more=exporting("further")))
    assert isinstance(loaded, StateViewComponent)
    assert loaded.evolve(None, [], CONTEXT) is None


def test_narrow_numbers_are_accepted_and_held_to_their_width(host: Host) -> None:
    narrow = ('(field "version" u64)', '(field "version" u8)')
    loaded = host.load(state_view(NO_CONTENT, narrow))
    assert isinstance(loaded, StateViewComponent)
    assert loaded.evolve(None, [], CONTEXT) is None
    wide = StateViewContext("bank", "summary", 256, 1, EPOCH)
    with pytest.raises(ComponentInputError, match="256 does not fit into the u8") as caught:
        loaded.evolve(None, [], wide)
    assert caught.value.field == "state-view.context.version"


def test_an_attribute_that_is_too_wide_for_the_contract_is_refused(host: Host) -> None:
    narrow = ('(case "integer" s32)', '(case "integer" s8)')
    loaded = host.load(state_view(NO_CONTENT, narrow))
    assert isinstance(loaded, StateViewComponent)
    with pytest.raises(ComponentInputError, match="s8") as caught:
        loaded.evolve(None, [Event("e", "s", "t", extensions={"n": 128})], CONTEXT)
    assert caught.value.field == "events[0].extensions.n"


STARTS_BADLY = """
  (core module $bad (func $start unreachable) (start $start))
  (core instance (instantiate $bad))"""


def test_a_component_that_cannot_start_is_refused_when_it_is_loaded(host: Host) -> None:
    error = refused(host, state_view(more=STARTS_BADLY))
    assert error.reason.startswith("it cannot be started: ")


@pytest.mark.parametrize(
    ("file", "given", "name"),
    [
        ("account summary.v2.wasm", None, "account_summary.v2"),
        ("summary.wasm", "my-view", "my-view"),
        (None, "my-view", "my-view"),
    ],
)
def test_a_component_is_named_after_its_file_unless_it_is_given_a_name(
    host: Host, tmp_path: Path, file: str | None, given: str | None, name: str
) -> None:
    source: bytes | Path = state_view()
    if file is not None:
        source = tmp_path / file
        source.write_bytes(state_view())
    assert host.load(source, name=given).name == name


def test_a_component_from_bytes_is_named_after_them(host: Host) -> None:
    loaded = host.load(memoryview(state_view()))
    assert loaded.digest == hashlib.sha256(state_view()).hexdigest()
    assert loaded.name == f"component-{loaded.digest[:8]}"
    assert repr(loaded) == f"<StateViewComponent {loaded.name} {loaded.digest[:12]}>"


def test_the_facts_of_the_build_are_read_out_of_the_component(host: Host) -> None:
    facts = BuildFacts("0" * 64, "state-view", "summary", sources={"/0/summary.py": "summary.py"})
    assert host.load(with_facts(state_view(), facts)).facts == facts
    assert host.load(state_view()).facts is None


def test_facts_that_cannot_be_read_are_told_and_keep_nothing_from_running(
    host: Host, caplog: pytest.LogCaptureFixture
) -> None:
    body = bytes([len(FACTS_SECTION)]) + FACTS_SECTION.encode() + b"{"
    with caplog.at_level(logging.WARNING):
        loaded = host.load(state_view() + b"\x00" + bytes([len(body)]) + body)
    assert loaded.facts is None
    assert "the facts of the build cannot be read" in caplog.text


@pytest.mark.parametrize(
    ("options", "name"),
    [({"source_roots": "src"}, "source_roots"), ({"batch_size": 0}, "batch_size")],
)
def test_a_host_that_cannot_work_is_refused_when_it_is_made(
    tmp_path: Path, options: dict[str, int], name: str
) -> None:
    with pytest.raises((TypeError, ValueError), match=name):
        Host(tmp_path, **options)  # type: ignore[arg-type]  # wrong on purpose


def test_a_contract_is_read_once_for_all_hosts_and_no_more_than_some_are_kept(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def reading(name: str, *rest: Any) -> Any:
        read.append(name)
        return read_contract(name, *rest)

    monkeypatch.setattr(loading, "read_contract", reading)
    known: dict[str, Any] = {}
    monkeypatch.setattr(loading, "_CONTRACTS", known)
    monkeypatch.setattr(loading, "_MOST_CONTRACTS", 2)
    for index in range(3):
        host.load(state_view(more=exporting(f"other-{index}")), name=f"view-{index}")
    assert len(known) == 2
    another = Host(tmp_path / "elsewhere")
    for index in (2, 0):
        another.load(state_view(more=exporting(f"other-{index}")), name=f"again-{index}")
    assert read == ["view-0", "view-1", "view-2", "again-0"]
