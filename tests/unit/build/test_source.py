from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import evidentsource_functions
from evidentsource_runtime.build import PreflightFailed
from evidentsource_runtime.build.source import read_source

TEXT = """
    import json, os.path as p
    from . import near
    from .deep.er import thing
    from ..up import other
    try:
        import fast
    except ImportError:
        import slow
    if TYPE_CHECKING:
        import only_types
    else:
        import really
    class Inside:
        import in_class
        def method(self):
            from late import one, two
            try:
                import maybe
            except (OSError, ModuleNotFoundError):
                pass
    with open("x") as y:
        import in_with
    match 1:
        case 1:
            import in_match
"""


def test_every_import_is_seen_with_its_place_and_whether_it_may_fail(write: Any) -> None:
    folder = write("a/b/c.py", TEXT)
    found = read_source("a.b.c", folder / "a/b/c.py", "user").imports
    assert [(each.module, each.names, each.function, each.guarded) for each in found] == [
        ("json", (), "", False),
        ("os.path", (), "", False),
        ("a.b", ("near",), "", False),
        ("a.b.deep.er", ("thing",), "", False),
        ("a.up", ("other",), "", False),
        ("fast", (), "", True),
        ("slow", (), "", False),
        ("really", (), "", False),
        ("in_class", (), "", False),
        ("late", ("one", "two"), "method", False),
        ("maybe", (), "method", True),
        ("in_with", (), "", False),
        ("in_match", (), "", False),
    ]
    assert found[0].line == 2


def test_a_relative_import_outside_of_a_package_keeps_its_dots(write: Any) -> None:
    folder = write("c.py", "from . import x\nfrom ..y import z\n")
    found = read_source("c", folder / "c.py", "user").imports
    assert [each.module for each in found] == [".", "..y"]


def test_a_package_starts_relative_imports_at_itself(write: Any) -> None:
    folder = write("a/__init__.py", "from .b import c\n")
    assert read_source("a", folder / "a/__init__.py", "user").imports[0].module == "a.b"


def test_a_syntax_error_names_file_and_line(write: Any) -> None:
    folder = write("c.py", "x = 1\ndef broken(:\n    pass\n")
    with pytest.raises(PreflightFailed) as caught:
        read_source("c", folder / "c.py", "user")
    assert (caught.value.code, caught.value.line) == ("syntax-error", 2)
    assert caught.value.hint == "at: def broken(:"


@pytest.mark.parametrize("content", [b"x = '\xff'\n", b"x = 1\x00\n"])
def test_bytes_that_are_no_source_are_refused(tmp_path: Any, content: bytes) -> None:
    (tmp_path / "c.py").write_bytes(content)
    with pytest.raises(PreflightFailed):
        read_source("c", tmp_path / "c.py", "user")


@pytest.fixture
def collector_lets_others_go_on() -> Iterator[None]:
    def turn(_phase: str, _info: dict[str, int]) -> None:
        time.sleep(0)

    thresholds = gc.get_threshold()
    gc.callbacks.append(turn)
    gc.set_threshold(50)
    yield
    gc.set_threshold(*thresholds)
    gc.callbacks.remove(turn)


@pytest.mark.usefixtures("collector_lets_others_go_on")
def test_threads_that_take_turns_within_a_parse_do_no_harm() -> None:
    files = sorted(Path(evidentsource_functions.__file__).parent.rglob("*.py"))
    with ThreadPoolExecutor(4) as pool:
        read = list(pool.map(lambda file: read_source(file.stem, file, ""), files))
    assert len(read) == len(files)
