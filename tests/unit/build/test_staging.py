"""What goes into a build, and what the hash of its inputs depends on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from evidentsource_runtime.build._build import _Plan
from evidentsource_runtime.build.closure import Closure
from evidentsource_runtime.build.staging import (
    Staged,
    absolute_paths,
    relative_origins,
    stage,
)
from evidentsource_runtime.build.wit import read_contract

PACKAGE = {
    "shop/__init__.py": "from shop import money\n",
    "shop/money.py": "",
    "shop/rates.json": "{}",
    "shop/unused.py": "",
    "unrelated.py": "",
    "secret.env": "",
}


def user_files(staged: Staged) -> list[str]:
    return [guest for guest in sorted(staged.files) if guest.startswith("/0/")]


def test_only_what_the_module_leads_to_is_part_of_the_build(read: Any) -> None:
    staged = stage(read("import shop\n", **PACKAGE), (), "")
    assert user_files(staged) == [
        "/0/shop/__init__.py",
        "/0/shop/money.py",
        "/0/shop/rates.json",
        "/0/view.py",
    ]


def test_the_sdk_comes_without_its_test_half_unless_it_is_imported(read: Any) -> None:
    without = stage(read("import evidentsource_functions\n"), (), "")
    assert not any("/testing/" in guest for guest in without.files)
    for text in (
        "from evidentsource_functions.testing import MockDatabase\n",
        "from evidentsource_functions import MockDatabase\n",
    ):
        assert any("/testing/" in guest for guest in stage(read(text), (), "").files)


def test_files_land_where_the_guest_sees_them(read: Any, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    stage(read("import shop\n", **PACKAGE), (), "entry = 1\n").write(folder)
    assert (folder / "0/shop/money.py").is_file()
    assert (folder / "1/evidentsource_component_entry.py").read_text() == "entry = 1\n"
    assert (folder / "1/evidentsource_core/__init__.py").is_file()
    assert list((folder / "2").iterdir()) == []


def test_paths_are_led_back_to_the_users_files(read: Any, tmp_path: Path) -> None:
    staged = stage(read("import shop\n", **PACKAGE), (), "")
    assert relative_origins(staged, tmp_path) == {
        "/0/shop/__init__.py": "shop/__init__.py",
        "/0/shop/money.py": "shop/money.py",
        "/0/view.py": "view.py",
    }
    text = absolute_paths('  File "/0/shop/money.py", line 3\nat /0/view.py:7 in f', staged.origins)
    assert text == f'  File "{tmp_path}/shop/money.py", line 3\nat {tmp_path}/view.py:7 in f'


def plan(closure: Closure, **changes: Any) -> str:
    values: dict[str, Any] = {
        "closure": closure,
        "world": "state-view",
        "pure": False,
        "staged": stage(closure, (), "entry"),
        "wit_files": read_contract(None, "state-view").files,
        "wit_package": "evidentsource:decider",
        "dependencies": (),
    }
    return _Plan(**values | changes).input_hash()


def test_equal_inputs_have_equal_hashes_wherever_they_stand(read: Any, tmp_path: Path) -> None:
    first = plan(read("import shop\n", **PACKAGE))
    (tmp_path / "unrelated.py").write_text("changed = 1\n")
    (tmp_path / "shop/unused.py").write_text("changed = 1\n")
    again = read("import shop\n")
    assert plan(again) == first


@pytest.mark.parametrize(
    "file", ["view.py", "shop/__init__.py", "shop/money.py", "shop/rates.json"]
)
def test_every_file_of_the_build_is_in_the_hash(read: Any, tmp_path: Path, file: str) -> None:
    first = plan(read("import shop\n", **PACKAGE))
    path = tmp_path / file
    changed = path.read_text() + "\n"
    text = changed if file == "view.py" else "import shop\n"
    assert plan(read(text, **{file: changed})) != first


def test_everything_else_that_decides_the_result_is_in_the_hash(read: Any) -> None:
    closure = read("x = 1\n")
    hashes = [
        plan(closure),
        plan(closure, pure=True),
        plan(closure, contract_only=True),
        plan(closure, world="state-change"),
        plan(closure, wit_files={"decider.wit": "package a:b;"}),
        plan(closure, staged=stage(closure, (), "another entry")),
    ]
    assert len(set(hashes)) == len(hashes)
