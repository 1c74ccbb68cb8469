"""Builds from beginning to end: what comes out, what comes from the cache, what fails and how."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import wasmtime
from wasmtime.component import Component

from evidentsource_runtime.artifact import read_component
from evidentsource_runtime.build import BuildError, BuildResult, build, build_project
from evidentsource_runtime.cli import main
from tests.component.build.conftest import Evolve, Make
from tests.whole import whole

ROOT = Path(__file__).parents[3]
QUICKSTART = ROOT / "examples" / "quickstart"

pytestmark = [pytest.mark.component, pytest.mark.xdist_group("build")]

VIEW = """
import json
import wit_world
class WitWorld(wit_world.WitWorld):
    def evolve(self, state_view, events):
        return json.dumps({"events": len(events)}).encode()
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    yield folder
    assert [path.name for path in folder.iterdir() if path.name.startswith(".")] == []


@whole
def test_a_component_is_built_once_and_then_taken_from_the_cache(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "view.py").write_text(VIEW)
    told: list[tuple[str, float]] = []
    with monkeypatch.context() as patch:
        patch.setenv("EVIDENTSOURCE_CACHE_DIR", str(tmp_path / "cache"))
        first = build("view", progress=lambda what, seconds: told.append((what, seconds)))
        again = build(project / "view.py", output="out/again.wasm")
    assert (first.path, first.cached, first.world) == (project / "view.wasm", False, "state-view")
    assert first.exports == ("evolve",)
    assert first.size == first.path.stat().st_size
    assert {what for what, _ in told} == {"building"}
    assert told[-1][1] > 1
    assert sorted(path.name for path in project.iterdir()) == ["out", "view.py", "view.wasm"]

    assert (again.cached, again.input_hash) == (True, first.input_hash)
    assert again.path.read_bytes() == first.path.read_bytes()


EDITED = """
from evidentsource_functions import StateViewBase
from evidentsource_functions.wasm import StateViewAdapter


class View(StateViewBase):
    word: str = "word"

    def evolve_event(self, event):
        pass

    def to_dict(self):
        return {"said": self.word}


class WitWorld(StateViewAdapter):
    state_view_type = View
"""


def test_an_edit_is_built(project: Path, evolve: Evolve) -> None:
    hashes = set()
    for word in ("first", "second"):
        (project / "view.py").write_text(EDITED.replace("word", word))
        built = build("view", reproducible=True)
        hashes.add(built.input_hash)
        assert evolve(built.path, "a") == f'{{"said": "{word}"}}'.encode()
    assert len(hashes) == 2


def test_the_facts_of_a_build_are_in_the_component(make: Make) -> None:
    built = make("impure_change", pure=True)
    found = read_component(built.path)
    assert (found.world, found.size, built.exports) == ("state-change", built.size, ("decide",))
    facts = found.facts
    assert facts is not None
    assert (facts.input_hash, facts.module, facts.world) == (
        built.input_hash,
        "impure_change",
        "state-change",
    )
    assert facts.sources == {
        "/0/impure.py": "tests/data/build/impure.py",
        "/0/impure_change.py": "tests/data/build/impure_change.py",
    }
    assert str(ROOT) not in facts.to_json()


def test_the_reader_sees_in_a_real_component_what_wasmtime_sees(guest_facts: BuildResult) -> None:
    path = guest_facts.path
    found = read_component(path)
    engine = wasmtime.Engine()
    kind = Component.from_file(engine, str(path)).type
    assert {each.name for each in found.imports} == set(kind.imports(engine))
    assert {each.name for each in found.exports} == set(kind.exports(engine))


@pytest.mark.parametrize("module", ["my_state_view", "my_state_change"])
def test_the_quick_start_builds_by_the_command_line(
    module: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out.wasm"
    assert main(["build", str(QUICKSTART / f"{module}.py"), "-o", str(output)]) == 0
    said = capsys.readouterr().out
    assert f"world    {module.removeprefix('my_').replace('_', '-')}" in said
    assert re.search(r"size     \d+\.\d MB", said)
    (digest,) = re.findall(r"inputs   sha256:([0-9a-f]{64})", said)
    assert main(["inspect", str(output), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["input_hash"], facts["size"]) == (digest, output.stat().st_size)
    assert facts["lane"] == (1 if module == "my_state_view" else None)
    assert main(["build", str(QUICKSTART / f"{module}.py"), "-o", str(output), "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert (again["cached"], again["input_hash"]) == (True, digest)


def test_another_contract_is_built_against_and_nothing_else_where_that_is_asked(
    guest_facts: BuildResult,
) -> None:
    assert guest_facts.exports == ("evolve",)
    found = read_component(guest_facts.path)
    assert [each.name for each in found.exports if each.kind == "func"] == ["evolve"]
    assert found.facts is not None
    assert found.facts.contract_only
    assert "elsewhere:rules/state-view-types@2.1.0" in {each.name for each in found.imports}
    assert found.facts.wit_package == "elsewhere:rules@2.1.0"


BROKEN_AT_IMPORT = VIEW + "\ndef load():\n    return 1 / 0\n\nTABLE = load()\n"


def test_what_fails_while_it_is_imported_shows_the_guests_traceback(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "view.py").write_text(BROKEN_AT_IMPORT)
    (project / "view.wasm").write_bytes(b"as it was")
    assert main(["build", "view", "--json"]) == 1
    output = capsys.readouterr()
    (error,) = json.loads(output.out)["errors"]
    assert (error["code"], error["file"], error["line"]) == (
        "import-failed",
        str(project / "view.py"),
        9,
    )
    traceback = error["guest_traceback"]
    assert traceback.splitlines()[0] == "Traceback (most recent call last):"
    assert f'  File "{project / "view.py"}", line 11, in <module>' in traceback
    assert traceback.endswith("ZeroDivisionError: division by zero")
    assert "componentize" not in traceback
    assert output.err == ""
    assert (project / "view.wasm").read_bytes() == b"as it was"
    assert sorted(path.name for path in project.iterdir()) == ["view.py", "view.wasm"]


def test_a_project_is_built_with_its_metadata(project: Path, evolve: Evolve) -> None:
    for name in ("my_state_view", "my_state_change"):
        (project / f"{name}.py").write_bytes((QUICKSTART / f"{name}.py").read_bytes())
    (project / "pyproject.toml").write_text(
        '[tool.evidentsource]\ndatabase = "bank"\n'
        "[tool.evidentsource.state-views.account]\n"
        'module = "my_state_view"\nselector = { subject = { parameter = "account_id" } }\n'
        "[tool.evidentsource.state-changes.account]\n"
        'module = "my_state_change.py"\ndescription = "Deposit."\n'
    )
    (project / "deep").mkdir()
    events: list[tuple[str, str]] = []
    result = build_project(
        project / "deep", progress=lambda name, what, _: events.append((name, what))
    )
    folder = project / "dist" / "components"
    assert sorted(path.name for path in folder.iterdir()) == [
        "account.state-change.json",
        "account.state-change.wasm",
        "account.state-view.json",
        "account.state-view.wasm",
    ]
    metadata = json.loads(result.metadata["account.state-view"].read_text("utf-8"))
    assert metadata["event_selector"] == {"equals": {"subject": {"parameter": "account_id"}}}
    assert json.loads((folder / "account.state-change.json").read_text("utf-8")) == {
        "state_change_name": "account",
        "description": "Deposit.",
    }
    assert events.count(("account", "done")) == 2
    content = evolve(folder / "account.state-view.wasm")
    assert json.loads(content or b"")["transaction_count"] == 0


def test_a_process_that_is_told_to_stop_leaves_nothing_behind(
    project: Path, tmp_path: Path
) -> None:
    (project / "view.py").write_text(VIEW + "# interrupted\n")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    environment = os.environ | {"TMPDIR": str(scratch)}
    program = "import sys; from evidentsource_runtime.cli import main; sys.exit(main())"
    process = subprocess.Popen(
        [sys.executable, "-c", program, "build", "view", "--force"],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert process.stderr.readline().startswith("building view")
    process.send_signal(2)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert said == "error: interrupted; nothing was written\n"
    assert sorted(path.name for path in project.iterdir()) == ["view.py"]
    assert list(scratch.iterdir()) == []


def test_an_unwritable_output_is_an_error_and_the_build_is_kept(project: Path) -> None:
    build(QUICKSTART / "my_state_view.py", output=project / "kept.wasm")
    (project / "file").write_text("")
    with pytest.raises(BuildError) as caught:
        build(QUICKSTART / "my_state_view.py", output="file/view.wasm")
    assert caught.value.code == "unwritable-output"
