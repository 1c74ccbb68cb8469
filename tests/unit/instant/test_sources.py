"""What is handed to a base component: the user's modules and what they lead to, nothing else."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from evidentsource_functions.wasm import _instant, _slot
from evidentsource_runtime.build import BuildError
from evidentsource_runtime.build.guest import reason_it_lacks
from evidentsource_runtime.build.wit import read_contract
from evidentsource_runtime.instant import packs
from evidentsource_runtime.instant.base import Base
from evidentsource_runtime.instant.library import BASE_LIBRARY
from evidentsource_runtime.instant.sources import gather
from evidentsource_runtime.instant.world import base_wit

CHANGE = """\
from evidentsource_functions.wasm import StateChangeAdapter
import json
import rules.words
def decide(db, command, metadata): return []
class WitWorld(StateChangeAdapter):
    command_type = dict
    decide_func = decide
"""
VARIANT = Path(__file__).parents[2] / "data" / "host" / "variant.wit"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "rules").mkdir()
    (tmp_path / "change.py").write_text(CHANGE)
    (tmp_path / "rules" / "words.py").write_text("# coding: latin-1\nWORD = 'é'\n", "latin-1")
    (tmp_path / "unused.py").write_text("")
    return tmp_path


def test_the_users_modules_are_taken_and_nothing_of_the_sdk(project: Path) -> None:
    program = gather("change", directory=project)
    assert sorted(program.modules) == ["change", "rules", "rules.words"]
    assert program.modules["rules"].package
    assert program.modules["rules.words"].source == "# coding: latin-1\nWORD = 'é'\n"
    assert program.files == {
        "/0/change.py": project / "change.py",
        "/0/rules/words.py": project / "rules" / "words.py",
    }


def test_the_guest_may_know_modules_by_the_users_own_paths(project: Path) -> None:
    program = gather("change", directory=project, own_paths=True)
    assert program.modules["change"].path == str(project / "change.py")


def test_the_same_sources_give_the_same_text_and_an_edit_another(project: Path) -> None:
    first = gather("change", directory=project)
    assert gather("change.py", directory=project).text == first.text
    assert json.loads(first.text)["entry"] == "change"
    (project / "rules" / "words.py").write_text("WORD = 1")
    assert gather("change", directory=project).input_hash != first.input_hash


def test_what_a_build_refuses_is_refused(project: Path) -> None:
    (project / "rules" / "words.py").write_text("import nowhere")
    with pytest.raises(BuildError) as refused:
        gather("change", directory=project)
    assert refused.value.code == "missing-module"


def test_a_late_import_of_what_the_sdk_loads_is_none(project: Path) -> None:
    (project / "rules" / "words.py").write_text("def f():\n    import tomllib, dataclasses")
    with pytest.raises(BuildError, match="tomllib is imported inside of f"):
        gather("change", directory=project)
    (project / "rules" / "words.py").write_text("def f():\n    import dataclasses")
    gather("change", directory=project)


@pytest.mark.parametrize("name", BASE_LIBRARY)
def test_a_base_has_only_modules_that_a_component_can_have(name: str) -> None:
    assert reason_it_lacks(name) is None


@pytest.mark.parametrize("wit", [None, VARIANT])
@pytest.mark.parametrize(
    ("world", "pure", "names"),
    [
        ("state-view", False, {"evolve", "evidentsource-fold-v1"}),
        ("state-view", True, {"evolve", "evidentsource-fold-v1", "explain-evolve"}),
        ("state-change", False, {"decide"}),
        ("state-change", True, {"decide"}),
    ],
)
def test_a_base_exports_the_contract_and_takes_programs(
    wit: Path | None, world: str, pure: bool, names: set[str]
) -> None:
    (text,) = base_wit(read_contract(wit, world), world, pure=pure).values()
    body = text.split(f"world {world} {{", 1)[1].split("\nworld ", 1)[0]
    exports = {line.split()[1].rstrip(":") for line in body.splitlines() if " export " in line}
    assert exports == names | {_instant.LOAD, _instant.PACK}


def test_bases_differ_by_world_contract_and_purity() -> None:
    keys = {
        Base(world, pure, read_contract(wit, world)).key
        for world in ("state-view", "state-change")
        for pure in (False, True)
        for wit in (None, VARIANT)
    }
    assert len(keys) == 8


def test_bytecode_is_kept_and_damage_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVIDENTSOURCE_CACHE_DIR", str(tmp_path))
    assert packs.kept("a" * 64) is None
    packs.keep("a" * 64, "cGFja2Vk")
    assert packs.kept("a" * 64) == "cGFja2Vk"
    (path,) = (tmp_path / "programs").iterdir()
    path.write_text(path.read_text().replace("cGFj", "cGFk"))
    assert packs.kept("a" * 64) is None


def test_the_bytecode_unused_for_longest_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVIDENTSOURCE_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(packs, "KEPT", 2)
    for name in "abc":
        packs.keep(name * 64, "packed")
    assert len(list((tmp_path / "programs").iterdir())) == 2
    assert packs.kept("c" * 64) == "packed"


def program(modules: dict[str, str], entry: str) -> str:
    rows = {
        name: {"path": f"/0/{name}.py", "source": source, "package": False}
        for name, source in modules.items()
    }
    return json.dumps({"entry": entry, "modules": rows})


@pytest.fixture
def guest(monkeypatch: pytest.MonkeyPatch) -> Iterator[_instant.Base]:
    """The guest's end in this Python; what it imports is forgotten afterwards."""
    monkeypatch.setattr(_instant, "_world", None)
    yield _instant.Base()
    for name in MODULES:
        sys.modules.pop(name, None)


MODULES = {
    "instant_entry": "import instant_inner\nclass WitWorld:\n"
    "    def evolve(self, view, events): return instant_inner.answer(view)",
    "instant_inner": "def answer(view):\n    return [view, __file__, __name__]",
}


@pytest.mark.parametrize("packed", [False, True])
def test_a_program_is_imported_from_text_and_from_bytecode(
    guest: _instant.Base, packed: bool
) -> None:
    text = program(MODULES, "instant_entry")
    assert (
        guest.evidentsource_load_v1(guest.evidentsource_pack_v1(text) if packed else text) is None
    )
    assert guest.evolve(1, []) == [1, "/0/instant_inner.py", "instant_inner"]


@pytest.mark.parametrize(
    ("source", "last"),
    [
        ("def f():\n    raise KeyError(1)\nf()", "KeyError: 1"),
        ("def f(:", "SyntaxError: invalid syntax"),
        ("import sys\nsys.exit(3)", "SystemExit: 3"),
        ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
    ],
)
def test_a_failing_import_shows_the_programs_frames_alone(
    guest: _instant.Base, source: str, last: str
) -> None:
    words = guest.evidentsource_load_v1(
        program({**MODULES, "instant_inner": source}, "instant_entry")
    )
    assert words is not None
    assert words.rstrip().splitlines()[-1] == last
    assert 'File "/0/instant_inner.py", line ' in words
    assert "importlib" not in words
    assert "_instant.py" not in words.replace("/0/", "")


def test_without_a_program_a_base_says_so(
    guest: _instant.Base, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_instant, "_slot_of_component", _slot.noise())
    with pytest.raises(RuntimeError, match="no program was put into it"):
        guest.decide(None, None, None)
