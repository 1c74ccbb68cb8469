from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from evidentsource_runtime.build import ContractError, shipped_contract
from evidentsource_runtime.build.wit import read_contract

OTHER = """
package elsewhere:rules@2.1.0-rc.1;
// world state-change { in a comment }
/* world nothing {} */
interface types { record state { x: u8 } }
world state-view {
    use types.{state};
    export evolve: func(
        state-view: state,
    ) -> option<list<u8>>;
}
world %special { include state-view; }
"""


@pytest.mark.parametrize("world", ["state-view", "state-change"])
def test_the_shipped_contract_has_both_worlds(world: str) -> None:
    contract = read_contract(None, world)
    assert contract.path == shipped_contract()
    assert contract.package == "evidentsource:decider"
    assert contract.worlds == ("state-view", "state-change")


def test_another_contract_is_read_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "other.wit"
    file.write_text(OTHER)
    contract = read_contract(file, "state-view")
    assert (contract.package, contract.worlds) == (
        "elsewhere:rules@2.1.0-rc.1",
        ("state-view", "special"),
    )
    assert contract.files == {"other.wit": OTHER}


def test_a_folder_is_a_package_with_its_dependencies(tmp_path: Path) -> None:
    (tmp_path / "deps").mkdir()
    (tmp_path / "deps" / "other.wit").write_text(OTHER)
    (tmp_path / "own.wit").write_text("package a:b; world state-change {}")
    contract = read_contract(tmp_path, "state-change")
    assert (contract.package, contract.worlds) == ("a:b", ("state-change",))
    assert sorted(contract.files) == ["deps/other.wit", "own.wit"]


def test_a_pure_state_view_gets_an_export_that_says_why_it_failed(tmp_path: Path) -> None:
    file = tmp_path / "other.wit"
    file.write_text(OTHER)
    (text,) = read_contract(file, "state-view").with_explanation().values()
    assert (
        text.count(
            "export explain-evolve: func(\n        state-view: state,\n    ) -> option<string>;"
        )
        == 1
    )
    assert (
        text.replace(text[text.index("\n    export explain") : text.index("string>;") + 8], "")
        == OTHER
    )


@pytest.mark.parametrize("world", ["state-view", "special"])
def test_a_world_of_any_contract_takes_further_exports(tmp_path: Path, world: str) -> None:
    (tmp_path / "deps").mkdir()
    (tmp_path / "deps" / "world.wit").write_text(OTHER)
    (tmp_path / "own.wit").write_text(f"/* world {world} {{ */\n{OTHER}")
    contract = read_contract(tmp_path, world)
    assert not contract.exports("further")
    files = contract.with_exports(world, " export further: func();")
    assert files["deps/world.wit"] == OTHER
    opening = OTHER.replace("%special", "special").partition(f"world {world} {{")[0]
    text = files["own.wit"].replace("%special", "special")
    assert text == (
        f"/* world {world} {{ */\n{opening}world {world} {{ export further: func();"
        + OTHER.replace("%special", "special")[len(f"{opening}world {world} {{") :]
    )
    assert replace(contract, files=files).exports("further")


def test_exports_for_a_world_that_is_not_there_are_refused() -> None:
    with pytest.raises(ContractError, match="no world state-vew") as caught:
        read_contract(None, "state-view").with_exports("state-vew", "")
    assert caught.value.hint == "did you mean state-view?"


@pytest.mark.parametrize(
    ("content", "code", "hint"),
    [
        (None, "missing-contract", "leave --wit out"),
        ("package a:b; world state-views {}", "no-such-world", "did you mean state-views?"),
        ("package a:b;", "no-such-world", "worlds: none"),
        (b"\xff\xfe", "unreadable-contract", ""),
    ],
)
def test_a_contract_that_does_not_serve_is_refused(
    tmp_path: Path, content: str | bytes | None, code: str, hint: str
) -> None:
    file = tmp_path / "x.wit"
    if isinstance(content, str):
        file.write_text(content)
    elif content is not None:
        file.write_bytes(content)
    with pytest.raises(ContractError) as caught:
        read_contract(file, "state-view")
    assert (caught.value.code, caught.value.file) == (code, file)
    assert hint in (caught.value.hint or "")
