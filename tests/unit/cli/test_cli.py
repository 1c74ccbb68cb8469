"""The command line, as far as it needs no build."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import evidentsource_functions
from evidentsource_runtime.cli import main


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EVIDENTSOURCE_CACHE_DIR", str(tmp_path / "cache"))
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def test_the_version_is_the_sdks(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.strip() == evidentsource_functions.__version__


BAD_INPUT: dict[str, tuple[list[str], str, str]] = {
    "a missing module": (["build", "nowhere"], "error: there is no module nowhere", "hint: "),
    "a syntax error": (
        ["build", "broken.py"],
        "error: broken.py:2: syntax error",
        "hint: at: def f(:",
    ),
    "no export": (
        ["build", "plain.py"],
        "error: plain.py: the module has no WitWorld",
        "hint: define",
    ),
    "no project": (["build"], "error: there is no pyproject.toml", "hint: name a module"),
    "an option for one component": (
        ["build", "-o", "x.wasm"],
        "--output belongs to one component",
        "hint: name",
    ),
    "an empty file": (["inspect", "empty.wasm"], "empty.wasm: the file is empty", "hint: build it"),
    "no component": (
        ["inspect", "plain.py"],
        "plain.py: the file is no WebAssembly",
        "hint: build it",
    ),
    "no file": (["inspect", "x.wasm"], "x.wasm: there is no such file", "hint: give the path"),
}


@pytest.mark.parametrize("case", BAD_INPUT)
def test_bad_input_is_one_clear_error(
    here: Path, case: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "broken.py").write_text("x = 1\ndef f(:\n")
    (here / "plain.py").write_text("x = 1\n")
    (here / "empty.wasm").write_bytes(b"")
    before = sorted(path.name for path in here.iterdir())
    arguments, words, hint = BAD_INPUT[case]
    assert main(arguments) == 1
    output = capsys.readouterr()
    assert output.out == ""
    assert [line.startswith("error: ") for line in output.err.splitlines()].count(True) == 1
    assert words in output.err
    assert hint in output.err
    assert "Traceback" not in output.err
    assert sorted(path.name for path in here.iterdir()) == before


@pytest.mark.parametrize(
    "case", sorted(set(BAD_INPUT) - {"no project", "an option for one component"})
)
def test_errors_come_as_json_too(here: Path, case: str, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "broken.py").write_text("x = 1\ndef f(:\n")
    (here / "plain.py").write_text("x = 1\n")
    (here / "empty.wasm").write_bytes(b"")
    assert main([*BAD_INPUT[case][0], "--json"]) == 1
    output = capsys.readouterr()
    assert output.err == ""
    (error,) = json.loads(output.out)["errors"]
    assert {"code", "message", "hint"} <= set(error)


@pytest.mark.parametrize(
    "arguments", [["buidl"], ["build", "--nope"], ["inspect"], ["build", "x", "--jobs", "0"]]
)
def test_a_wrong_call_has_a_status_of_its_own(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert "--help shows what there is" in capsys.readouterr().err


def test_the_cache_can_be_shown_and_cleared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "cache" / "components"
    kept.mkdir(parents=True, mode=0o700)
    (kept / "a.wasm").write_bytes(b"x" * 2000)
    (tmp_path / "cache" / "not-ours").write_text("stays")
    assert main(["cache"]) == 0
    assert "components   1 files, 2.0 kB" in capsys.readouterr().out
    assert main(["cache", "clear", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["removed"][0]["size"] == 2000
    assert sorted(path.name for path in (tmp_path / "cache").iterdir()) == ["not-ours"]
    assert main(["cache", "show"]) == 0
    assert "empty" in capsys.readouterr().out


def test_a_cache_that_others_may_write_to_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "cache" / "components"
    kept.mkdir(parents=True)
    kept.chmod(0o777)
    assert main(["cache", "clear"]) == 1
    assert "chmod go-w" in capsys.readouterr().err
