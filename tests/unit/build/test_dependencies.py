from __future__ import annotations

from pathlib import Path

import pytest

from evidentsource_runtime.build import DependencyError
from evidentsource_runtime.build.dependencies import find_dependencies


def install(site: Path, name: str, files: dict[str, str], requires: tuple[str, ...] = ()) -> None:
    """Put a distribution into a folder, the way an installer records it."""
    facts = site / f"{name.replace('-', '_')}-1.0.dist-info"
    facts.mkdir()
    lines = [f"Requires-Dist: {each}" for each in requires]
    (facts / "METADATA").write_text(
        "\n".join(["Metadata-Version: 2.1", f"Name: {name}", "Version: 1.0", *lines, ""])
    )
    for file, text in files.items():
        (site / file).parent.mkdir(parents=True, exist_ok=True)
        (site / file).write_text(text)
    record = [f"{file},," for file in (*files, f"{facts.name}/METADATA", f"{facts.name}/RECORD")]
    (facts / "RECORD").write_text("\n".join(record))


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def test_a_distribution_comes_with_its_files_and_what_it_requires(site: Path) -> None:
    install(
        site, "needs-more", {"needs/__init__.py": "", "needs/data.json": "{}"}, ("plain-one>=1",)
    )
    install(site, "plain-one", {"plain_one.py": ""})
    found = find_dependencies(["Needs_More"])
    assert [(each.name, each.version, each.files) for each in found] == [
        ("needs-more", "1.0", ("needs/__init__.py", "needs/data.json")),
        ("plain-one", "1.0", ("plain_one.py",)),
    ]
    assert found[0].top_names == {"needs"}
    assert found[1].root == site


def test_extras_and_what_this_environment_did_not_need_are_left_out(site: Path) -> None:
    requires = ('fancy; extra == "fancy"', 'old-backport; python_version < "3.0"')
    install(site, "plain-one", {"plain_one.py": ""}, requires)
    assert [each.name for each in find_dependencies(["plain-one"])] == ["plain-one"]


def test_requirements_may_go_in_a_circle(site: Path) -> None:
    install(site, "first", {"first.py": ""}, ("second",))
    install(site, "second", {"second.py": ""}, ("first",))
    assert [each.name for each in find_dependencies(["first"])] == ["first", "second"]


def test_scripts_and_compiled_twins_are_left_out(site: Path) -> None:
    files = {
        "../bin/tool": "",
        "twin/__init__.py": "",
        "twin/fast.py": "",
        "twin/fast.cpython-311.so": "",
    }
    install(site, "twin", files)
    assert find_dependencies(["twin"])[0].files == ("twin/__init__.py", "twin/fast.py")


@pytest.mark.parametrize(
    ("name", "files", "requires", "code", "words"),
    [
        ("nowhere-to-be-found", None, (), "missing-dependency", "pip install nowhere-to-be-found"),
        (
            "half",
            {"half.py": ""},
            ("nowhere-to-be-found",),
            "missing-dependency",
            "required by half",
        ),
        (
            "native",
            {"native/__init__.py": "", "native/core.so": ""},
            (),
            "native-extension",
            "core.so",
        ),
        ("editable", {"__editable__.pth": ""}, (), "empty-dependency", "install it without -e"),
        ("cattrs>=26", None, (), "bad-dependency", "name the distribution alone"),
    ],
)
def test_what_cannot_be_built_in_is_refused(
    site: Path,
    name: str,
    files: dict[str, str] | None,
    requires: tuple[str, ...],
    code: str,
    words: str,
) -> None:
    if files is not None:
        install(site, name, files, requires)
    with pytest.raises(DependencyError) as caught:
        find_dependencies([name])
    assert caught.value.code == code
    assert words in str(caught.value)
