"""Facts about the distribution that a user relies on."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_every_package_says_that_it_is_typed() -> None:
    packages = sorted(p.parent for p in (ROOT / "src").glob("*/__init__.py"))
    assert packages
    assert [p.name for p in packages if not (p / "py.typed").is_file()] == []


def test_the_wheel_holds_every_package_and_both_contracts() -> None:
    wheel = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert sorted(wheel["packages"]) == sorted(
        f"src/{p.parent.name}" for p in (ROOT / "src").glob("*/__init__.py")
    )
    assert wheel["force-include"] == {
        "interface/decider.wit": "evidentsource_runtime/interface/decider.wit",
        "interface/proto": "evidentsource_runtime/interface/proto",
    }


def test_both_licence_texts_are_there() -> None:
    assert PROJECT["project"]["license"] == "MIT OR Apache-2.0"
    assert "MIT License" in (ROOT / "LICENSE-MIT").read_text(encoding="utf-8")
    assert "Apache License" in (ROOT / "LICENSE-APACHE").read_text(encoding="utf-8")


def test_a_plain_install_brings_six_libraries_and_pins_the_major_version_of_the_engine() -> None:
    names = {
        re.split(r"[<>=]", requirement)[0]: requirement
        for requirement in PROJECT["project"]["dependencies"]
    }
    assert set(names) == {
        "anyio",
        "apsw",
        "componentize-py",
        "cyclopts",
        "platformdirs",
        "wasmtime",
    }
    assert names["wasmtime"] == "wasmtime>=50,<51"


def test_the_changelog_tells_of_this_version() -> None:
    version = PROJECT["project"]["version"]
    assert f"## {version}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
