"""Bytecode of earlier builds is laid where the guest looks for it, and is that of the same source."""

from __future__ import annotations

import importlib.util
import marshal
import os
from pathlib import Path

import pytest

from evidentsource_runtime.build import bytecode
from evidentsource_runtime.build.bytecode import Bytecode
from evidentsource_runtime.build.guest import CACHE_TAG

HEAD = importlib.util.MAGIC_NUMBER + bytes(4) + b"time" + b"size"
CONTENT = HEAD + marshal.dumps(compile("x = 1", "m.py", "exec"))


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EVIDENTSOURCE_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache" / "bytecode"


def source(folder: Path, text: str = "x = 1", name: str = "m") -> Path:
    path = folder / f"{name}.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def beside(path: Path) -> Path:
    return path.parent / "__pycache__" / f"{path.stem}.{CACHE_TAG}.pyc"


def compile_as_the_guest_does(path: Path) -> None:
    beside(path).parent.mkdir(exist_ok=True)
    beside(path).write_bytes(CONTENT)


def a_build(folder: Path, *, tool: str = "1", text: str = "x = 1", name: str = "m") -> Path:
    """Build with one module; where its bytecode is afterwards."""
    path = source(folder, text, name)
    build = Bytecode(tool, leave_out=["entry"])
    build.lay(folder)
    if not beside(path).exists():
        compile_as_the_guest_does(path)
    build.gather()
    build.keep()
    return beside(path)


def laid(content: bytes) -> bool:
    return content == CONTENT[:4] + b"\1\0\0\0" + CONTENT[8:]


def test_the_next_build_of_the_same_source_finds_it_wherever_the_source_stands(
    tmp_path: Path,
) -> None:
    assert a_build(tmp_path / "first").read_bytes() == CONTENT
    assert laid(a_build(tmp_path / "second" / "elsewhere", name="other").read_bytes())


@pytest.mark.parametrize(
    "another",
    [{"text": "x = 2"}, {"tool": "2"}],
    ids=["another source", "another compiler"],
)
def test_what_it_was_not_made_of_does_not_get_it(tmp_path: Path, another: dict[str, str]) -> None:
    a_build(tmp_path / "first")
    assert not laid(a_build(tmp_path / "second", **another).read_bytes())


def test_python_takes_what_was_laid_and_asks_no_more_about_the_source(tmp_path: Path) -> None:
    a_build(tmp_path / "first")
    path = a_build(tmp_path / "second")
    # As the guest would find it: under the name that this Python has for it.
    cached = Path(importlib.util.cache_from_source(str(tmp_path / "second" / "m.py")))
    path.rename(cached)
    os.utime(tmp_path / "second" / "m.py", (1, 1))
    spec = importlib.util.spec_from_file_location("m", tmp_path / "second" / "m.py")
    assert spec is not None
    assert spec.loader is not None
    code = spec.loader.get_code("m")  # type: ignore[attr-defined]  # that of files has it
    assert code.co_filename == str(tmp_path / "second" / "m.py")
    assert cached.read_bytes()[4:8] == b"\1\0\0\0"


def test_the_entry_of_a_component_is_not_kept(tmp_path: Path, cache: Path) -> None:
    a_build(tmp_path / "first", name="entry")
    assert not list(cache.iterdir())


@pytest.mark.parametrize(
    "damage", [b"", b"short", b"\0" * 200], ids=["empty", "cut", "other bytes"]
)
def test_what_was_damaged_is_left_out(tmp_path: Path, cache: Path, damage: bytes) -> None:
    a_build(tmp_path / "first")
    (kept,) = cache.iterdir()
    kept.write_bytes(damage)
    assert a_build(tmp_path / "second").read_bytes() == CONTENT
    assert laid(a_build(tmp_path / "third").read_bytes())


def test_a_file_that_is_still_being_unpacked_is_looked_at_again(tmp_path: Path) -> None:
    a_build(tmp_path / "first")
    path = source(tmp_path / "second", "x =")
    build = Bytecode("1")
    build.lay(tmp_path / "second")
    assert not beside(path).exists()
    path.write_text("x = 1")
    build.lay(tmp_path / "second")
    assert laid(beside(path).read_bytes())


def test_a_folder_that_brings_nothing_new_is_not_looked_at_for_ever(tmp_path: Path) -> None:
    a_build(tmp_path / "first")
    build = Bytecode("1")
    for _ in range(100):
        build.lay(tmp_path / "second")  # nothing there yet: it is waited for
    source(tmp_path / "second", "x = 2", "early")
    for _ in range(100):
        build.lay(tmp_path / "second")
    late = source(tmp_path / "second", name="late")
    build.lay(tmp_path / "second")
    assert not beside(late).exists()


def test_what_was_not_used_for_longest_goes_first(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_build(tmp_path / "first")
    (old,) = cache.iterdir()
    os.utime(old, (1, 1))
    monkeypatch.setattr(bytecode, "LIMIT", old.stat().st_size)
    a_build(tmp_path / "second", text="x = 2")
    (new,) = cache.iterdir()
    assert new != old


def test_a_cache_that_is_cleared_meanwhile_fails_no_build(tmp_path: Path, cache: Path) -> None:
    path = source(tmp_path / "first")
    build = Bytecode("1")
    build.lay(tmp_path / "first")
    compile_as_the_guest_does(path)
    build.gather()
    cache.rmdir()
    build.keep()
    assert not cache.exists()
    assert a_build(tmp_path / "second").exists()


def test_a_folder_that_vanishes_meanwhile_harms_nothing(tmp_path: Path, cache: Path) -> None:
    path = source(tmp_path / "first")
    build = Bytecode("1")
    build.lay(tmp_path / "first")
    path.unlink()
    build.gather()
    build.keep()
    assert not list(cache.iterdir())
