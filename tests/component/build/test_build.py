"""Builds from beginning to end by the command line: what comes out, what comes from the cache."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from evidentsource_core import Event
from evidentsource_runtime.build import BuildError, build
from evidentsource_runtime.cli import main
from evidentsource_runtime.host import Host, StateViewComponent
from tests.component.build.conftest import CONTEXT
from tests.whole import whole

ROOT = Path(__file__).parents[3]
QUICKSTART = ROOT / "examples" / "quickstart"

pytestmark = [pytest.mark.component, pytest.mark.xdist_group("builds")]

VIEW = """
import json
import wit_world
class WitWorld(wit_world.WitWorld):
    def evolve(self, state_view, events):
        return json.dumps({"events": len(events)}).encode()
"""


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


@whole
def test_what_the_guest_compiled_for_one_build_is_laid_for_the_next(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVIDENTSOURCE_CACHE_DIR", str(tmp_path / "cache"))
    (project / "view.py").write_text(VIEW)
    first = build("view")
    kept = list((tmp_path / "cache" / "bytecode").iterdir())
    assert len(kept) > 30
    (project / "view.py").write_text(f"{VIEW}\n# another\n")
    second = build("view", output="second.wasm")
    assert sorted((tmp_path / "cache" / "bytecode").iterdir()) == sorted(kept)
    # Compiling leaves nothing behind in a memory in which nothing was compiled.
    assert second.size < first.size * 0.9
    counts = []
    for made in (first, second):
        view = Host().load(made.path)
        assert isinstance(view, StateViewComponent)
        counts.append(view.evolve(None, [Event("e", "accounts", "t")], CONTEXT))
    assert counts == [b'{"events": 1}'] * 2


@pytest.mark.parametrize("module", ["my_state_view", pytest.param("my_state_change", marks=whole)])
def test_the_quick_start_builds_by_the_command_line(
    module: str, project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(QUICKSTART / f"{module}.py", project)
    output = tmp_path / "out.wasm"
    assert main(["build", f"{module}.py", "-o", str(output)]) == 0
    said = capsys.readouterr().out
    assert f"world    {module.removeprefix('my_').replace('_', '-')}" in said
    assert re.search(r"size     \d+\.\d MB", said)
    (digest,) = re.findall(r"inputs   sha256:([0-9a-f]{64})", said)
    assert main(["inspect", str(output), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["input_hash"], facts["size"]) == (digest, output.stat().st_size)
    assert facts["lane"] == (1 if module == "my_state_view" else None)
    assert main(["build", f"{module}.py", "-o", str(output), "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert (again["cached"], again["input_hash"]) == (True, digest)


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
    shutil.copy(QUICKSTART / "my_state_view.py", project)
    build("my_state_view", output="kept.wasm")
    (project / "file").write_text("")
    with pytest.raises(BuildError) as caught:
        build("my_state_view", output="file/view.wasm")
    assert caught.value.code == "unwritable-output"
