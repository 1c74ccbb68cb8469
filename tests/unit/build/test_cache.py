from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from evidentsource_runtime.build import cache
from evidentsource_runtime.cachedir import CacheDirectoryError, cache_directory, cache_root

COMPONENT = b"\0asm\x0d\0\x01\0"


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EVIDENTSOURCE_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_what_was_kept_comes_back() -> None:
    assert cache.cached("a" * 64) is None
    cache.keep("a" * 64, COMPONENT)
    assert cache.cached("a" * 64) == COMPONENT


def test_a_damaged_component_counts_as_none(own_cache: Path) -> None:
    cache.keep("a" * 64, COMPONENT + b"\x00\x02\x01a")
    path = own_cache / "components" / ("a" * 64 + ".wasm")
    path.write_bytes(path.read_bytes()[:-1])
    assert cache.cached("a" * 64) is None


def test_beyond_the_limit_the_longest_unused_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "LIMIT", 3 * len(COMPONENT))
    for age, name in enumerate("abc"):
        cache.keep(name, COMPONENT)
        os.utime(cache_directory("components") / f"{name}.wasm", (1000 + age, 1000 + age))
    assert cache.cached("a") == COMPONENT
    cache.keep("d", COMPONENT)
    assert [path.stem for path in cache.contents()] == ["c", "a", "d"]


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="a matter of POSIX permissions")
def test_the_directory_is_the_owners_alone_and_an_open_one_is_refused(own_cache: Path) -> None:
    directory = cache_directory("components")
    assert directory.stat().st_mode & 0o777 == 0o700
    directory.chmod(0o770)
    with pytest.raises(CacheDirectoryError, match="chmod go-w"):
        cache_directory("components")


def test_a_cache_that_cannot_be_made_says_which_variable_moves_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("EVIDENTSOURCE_CACHE_DIR", str(tmp_path / "file"))
    with pytest.raises(CacheDirectoryError, match="EVIDENTSOURCE_CACHE_DIR"):
        cache_directory("components")


def test_without_the_variable_it_is_the_platforms_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EVIDENTSOURCE_CACHE_DIR")
    assert cache_root().name == "evidentsource"


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "x.wasm"
    path.write_bytes(b"old")
    with pytest.raises(TypeError):
        cache.write_atomically(path, "not bytes")  # type: ignore[arg-type]
    assert (path.read_bytes(), sorted(each.name for each in tmp_path.iterdir())) == (
        b"old",
        ["x.wasm"],
    )


@pytest.mark.skipif(sys.platform == "win32", reason="locks are a matter of POSIX here")
def test_two_processes_that_build_the_same_wait_for_each_other(tmp_path: Path) -> None:
    program = """
import sys, time
from evidentsource_runtime.build import cache
with cache.building("same"):
    with open(sys.argv[1], "a") as log:
        log.write("in\\n"); log.flush(); time.sleep(0.2); log.write("out\\n")
"""
    log = tmp_path / "log"
    command = [sys.executable, "-c", program, str(log)]
    processes = [subprocess.Popen(command) for _ in range(3)]
    assert [process.wait() for process in processes] == [0, 0, 0]
    assert log.read_text().split() == ["in", "out"] * 3
