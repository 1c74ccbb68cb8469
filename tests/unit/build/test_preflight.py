"""What is refused before building, each with file, line and what to do instead."""

from __future__ import annotations

import importlib.machinery
from typing import Any

import pytest

from evidentsource_runtime.build import PreflightFailed
from evidentsource_runtime.build.guest import LACKING, REMOVED
from evidentsource_runtime.build.preflight import check_imports

SDK = "from evidentsource_functions.wasm import StateViewAdapter\n"


def refused(read: Any, text: str, **others: str) -> PreflightFailed:
    with pytest.raises(PreflightFailed) as caught:
        check_imports(read(text, **others))
    return caught.value


@pytest.mark.parametrize("module", sorted({*LACKING, *REMOVED} - {"msvcrt"}))
def test_modules_that_the_guest_lacks_are_refused_with_a_reason(read: Any, module: str) -> None:
    error = refused(read, f"import json\nimport {module}\n")
    assert (error.code, error.line) == ("guest-lacks-module", 2)
    assert error.hint


def test_a_module_that_the_guest_lacks_may_be_tried(read: Any) -> None:
    check_imports(read("try:\n    import ssl\nexcept ImportError:\n    ssl = None\n"))


@pytest.mark.parametrize(
    ("text", "others"),
    [
        ("def f():\n    import sqlite3\n", {}),
        ("import helper\ndef f():\n    import sqlite3\n", {"helper.py": "import json\n"}),
        ("def f():\n    import helper\n", {"helper.py": ""}),
        (
            "import shop\ndef f():\n    from shop import late\n",
            {"shop/__init__.py": "", "shop/late.py": ""},
        ),
        (SDK + "def f():\n    import sqlite3\n", {}),
    ],
)
def test_an_import_inside_of_a_function_that_nothing_loads_is_refused(
    read: Any, text: str, others: dict[str, str]
) -> None:
    error = refused(read, text, **others)
    assert error.code == "late-import"
    assert error.line == len(text.splitlines())
    assert (
        error.hint == "import it at the top of a module, so that it becomes part of the component"
    )


@pytest.mark.parametrize(
    ("text", "others"),
    [
        ("import json\ndef f():\n    import json\n", {}),
        ("import helper\ndef f():\n    import json\n", {"helper.py": "import json\n"}),
        ("import json\ndef f():\n    import json.decoder\n", {}),
        (SDK + "def f():\n    import json\n", {}),
        ("def f():\n    import math, sys, time, itertools, zlib\n", {}),
        ("import uuid\ndef f():\n    import hashlib\n", {}),
        ("import datetime\ndef f():\n    import _strptime\n", {}),
        ("import helper\ndef f():\n    import helper\n", {"helper.py": ""}),
        ("def f():\n    try:\n        import sqlite3\n    except ImportError:\n        pass\n", {}),
        ("def f():\n    import wit_world\n", {}),
    ],
)
def test_an_import_inside_of_a_function_that_something_loads_is_fine(
    read: Any, text: str, others: dict[str, str]
) -> None:
    check_imports(read(text, **others))


def test_a_module_that_does_not_exist_is_refused_with_the_nearest_name(read: Any) -> None:
    error = refused(read, "import helper\nimport helpr\n", **{"helper.py": ""})
    assert (error.code, error.line, error.hint) == ("missing-module", 2, "did you mean helper?")


def test_problems_in_imported_modules_name_their_own_file(read: Any) -> None:
    error = refused(read, "import helper\n", **{"helper.py": "\nimport ssl\n"})
    assert error.file is not None
    assert (error.file.name, error.line) == ("helper.py", 2)


def test_every_problem_is_said_at_once(read: Any) -> None:
    error = refused(read, "import ssl\nimport lzma\nimport nowhere\n")
    assert [problem.line for problem in error.problems] == [1, 2, 3]


def test_an_installed_module_that_is_not_named_is_refused_with_the_option_that_names_it(
    read: Any,
) -> None:
    error = refused(read, "import attrs\n")
    assert error.code == "undeclared-dependency"
    assert error.hint is not None
    assert "--dependency attrs" in error.hint


def test_a_named_dependency_is_part_of_the_build(read: Any) -> None:
    check_imports(read("import attrs\nimport attr._make\n", dependencies=("attrs",)))


def test_an_installed_native_extension_is_refused(read: Any) -> None:
    error = refused(read, "import wasmtime\n")
    assert error.code == "native-extension"


def test_a_native_extension_of_the_users_own_is_refused(read: Any) -> None:
    name = "fast" + importlib.machinery.EXTENSION_SUFFIXES[0]
    error = refused(read, "import fast\n", **{name: ""})
    assert (error.code, error.line) == ("native-extension", 1)
    assert name in str(error)


def test_a_module_named_like_one_of_pythons_is_refused(read: Any) -> None:
    error = refused(read, "import types\n", **{"types.py": ""})
    assert (error.code, error.hint) == ("shadowed-module", "rename types.py")


def test_a_relative_import_without_a_package_is_refused(read: Any) -> None:
    error = refused(read, "from . import helper\n", **{"helper.py": ""})
    assert (error.code, error.line) == ("relative-import", 1)


def test_the_runtime_does_not_go_into_a_component(read: Any) -> None:
    assert refused(read, "import evidentsource_runtime.host\n").code == "not-in-a-component"


def test_what_only_a_type_checker_imports_is_not_looked_at(read: Any) -> None:
    check_imports(read("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import ssl\n"))


def test_modules_may_import_each_other_in_a_circle(read: Any) -> None:
    check_imports(read("import helper\n", **{"helper.py": "import view\n"}))
