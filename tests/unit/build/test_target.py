from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from evidentsource_runtime.build import TargetNotFound
from evidentsource_runtime.build.target import find_target


def test_a_file_is_found_from_any_directory(write: Any) -> None:
    folder = write("orders.py", "")
    target = find_target(folder / "orders.py", Path("/"))
    assert (target.module, target.file, target.roots) == ("orders", folder / "orders.py", (folder,))


def test_a_file_in_a_package_gets_its_dotted_name(write: Any) -> None:
    folder = write(
        "shop/orders/view.py", "", **{"shop/__init__.py": "", "shop/orders/__init__.py": ""}
    )
    target = find_target("shop/orders/view.py", folder)
    assert (target.module, target.roots[0]) == ("shop.orders.view", folder)


def test_a_package_is_named_by_its_folder(write: Any) -> None:
    folder = write("shop/__init__.py", "")
    assert find_target("shop", folder).file == folder / "shop" / "__init__.py"


@pytest.mark.parametrize("place", ["", "src/"])
def test_a_module_is_found_in_the_directory_and_in_src(write: Any, place: str) -> None:
    folder = write(f"{place}shop/view.py", "", **{f"{place}shop/__init__.py": ""})
    target = find_target("shop.view", folder)
    assert target.file == folder / f"{place}shop/view.py"


def test_a_module_is_found_from_a_folder_inside_of_the_project(write: Any) -> None:
    folder = write("src/view.py", "", **{"pyproject.toml": "", "deep/down/x.txt": ""})
    target = find_target("view", folder / "deep" / "down")
    assert (target.file, target.project) == (folder / "src/view.py", folder)


def test_modules_in_a_namespace_package_are_found(write: Any) -> None:
    folder = write("shop/view.py", "")
    assert find_target("shop.view", folder).roots == (folder,)


@pytest.mark.parametrize(
    ("named", "message", "hint"),
    [
        ("vieww.py", "there is no file vieww.py", "did you mean view.py?"),
        ("sub/none.py", "there is no file sub/none.py", "check the path"),
        ("vew", "there is no module vew in", "did you mean view?"),
        ("shop.vieww", "there is no module shop.vieww in", "did you mean shop.view?"),
        ("notes.txt", "notes.txt is no Python file", "name a module or a .py file"),
        ("my-view", "'my-view' is neither a module nor a file", "name a module or a .py file"),
    ],
)
def test_what_does_not_exist_is_refused_with_the_nearest_name(
    write: Any, named: str, message: str, hint: str
) -> None:
    folder = write("view.py", "", **{"shop/view.py": "", "notes.txt": ""})
    with pytest.raises(TargetNotFound) as caught:
        find_target(named, folder)
    assert message in str(caught.value)
    assert caught.value.hint is not None
    assert hint in caught.value.hint


def test_a_file_name_that_python_cannot_import_is_refused_with_one_that_it_can(write: Any) -> None:
    folder = write("my-view.py", "")
    with pytest.raises(TargetNotFound) as caught:
        find_target("my-view.py", folder)
    assert caught.value.hint == "rename it, say to my_view"
