"""Builds that fail before they begin leave nothing behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from evidentsource_runtime.build import BuildError, build, build_project

VIEW = "class WitWorld:\n    def evolve(self, state_view, events): ...\n"


@pytest.mark.parametrize(
    ("text", "options", "code"),
    [
        ("def broken(:\n", {}, "syntax-error"),
        ("x = 1\n", {}, "missing-wit-world"),
        ("import ssl\n" + VIEW, {}, "guest-lacks-module"),
        (VIEW, {"world": "state-change"}, "other-world"),
        (VIEW, {"wit": "nowhere.wit"}, "missing-contract"),
        (VIEW, {"reproducible": True, "contract_only": True}, "usage"),
        (VIEW, {"dependencies": ["nowhere-to-be-found"]}, "missing-dependency"),
    ],
)
def test_nothing_is_written(write: Any, text: str, options: dict[str, Any], code: str) -> None:
    folder = write("view.py", text)
    (folder / "old.wasm").write_bytes(b"as it was")
    with pytest.raises(BuildError) as caught:
        build("view.py", output="old.wasm", directory=folder, **options)
    assert caught.value.code == code
    assert sorted(path.name for path in folder.iterdir()) == ["old.wasm", "view.py"]
    assert (folder / "old.wasm").read_bytes() == b"as it was"


def test_a_directory_is_no_output(write: Any) -> None:
    folder = write("view.py", VIEW)
    with pytest.raises(BuildError) as caught:
        build("view.py", output=".", directory=folder)
    assert caught.value.code == "output-is-a-directory"


def test_without_a_project_there_is_nothing_to_build(tmp_path: Path) -> None:
    with pytest.raises(BuildError) as caught:
        build_project(tmp_path)
    assert caught.value.code == "no-project"


def test_a_project_says_what_is_wrong_with_each_of_its_components(write: Any) -> None:
    manifest = """
        [tool.evidentsource]
        database = "bank"
        [tool.evidentsource.state-views.one]
        module = "missing"
        selector = { stream = "accounts" }
        [tool.evidentsource.state-changes.two]
        module = "view"
    """
    folder = write("pyproject.toml", manifest, **{"view.py": VIEW})
    with pytest.raises(BuildError) as caught:
        build_project(folder)
    found = [(problem.code, problem.file, problem.line) for problem in caught.value.problems]
    assert found == [
        ("target-not-found", folder / "pyproject.toml", 4),
        ("other-world", folder / "view.py", 1),
    ]
    assert not (folder / "dist").exists()
