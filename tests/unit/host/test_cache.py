"""Compiled components are kept, and only those are used that this user wrote and nothing damaged."""

from __future__ import annotations

import json
import logging
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from evidentsource_runtime.cachedir import CacheDirectoryError
from evidentsource_runtime.host import CompileProgress, Host
from evidentsource_runtime.host.cache import CompiledCache
from evidentsource_runtime.host.engine import make_engine
from tests.unit.host.wat import NO_CONTENT, state_view

VIEW = state_view()
OTHERS = [state_view(f"(drop (i32.const {number})) {NO_CONTENT}") for number in range(3)]


def compiles(directory: Path, source: bytes = VIEW) -> bool:
    """Whether loading had to compile."""
    told: list[CompileProgress] = []
    Host(directory, progress=told.append).load(source, name="summary")
    assert not told or (told[0].seconds < 0.1 and told[-1].done and not told[0].done)
    return bool(told)


def only(directory: Path, pattern: str) -> Path:
    (path,) = directory.glob(pattern)
    return path


def test_a_component_is_compiled_once(tmp_path: Path) -> None:
    assert [compiles(tmp_path), compiles(tmp_path)] == [True, False]


def test_entries_belong_to_their_owner_alone(tmp_path: Path) -> None:
    compiles(tmp_path / "new" / "cache")
    directory = tmp_path / "new" / "cache"
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()} == {0o600}


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)


def changed(**fields: object) -> Callable[[Path], None]:
    def change(directory: Path) -> None:
        entry = only(directory, "*.json")
        entry.write_text(json.dumps(json.loads(entry.read_text()) | fields))

    return change


def replaced_by_a_link(directory: Path) -> None:
    artifact = only(directory, "*.cwasm")
    artifact.rename(directory / "elsewhere")
    artifact.symlink_to(directory / "elsewhere")


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (lambda directory: flip(only(directory, "*.cwasm")), "is damaged"),
        (lambda directory: os.truncate(only(directory, "*.cwasm"), 100), "is damaged"),
        (lambda directory: only(directory, "*.cwasm").unlink(), "No such file"),
        (lambda directory: only(directory, "*.cwasm").chmod(0o620), "can be written to by others"),
        (lambda directory: only(directory, "*.json").chmod(0o602), "can be written to by others"),
        (lambda directory: only(directory, "*.json").write_text("{"), "Expecting"),
        (lambda directory: only(directory, "*.json").write_text("[]"), ""),
        (changed(further=1), "further"),
        (changed(artifact="../elsewhere"), "lies outside of the cache"),
        (changed(artifact=5), ""),
        (replaced_by_a_link, "is no regular file"),
    ],
)
def test_an_entry_that_cannot_be_trusted_is_told_and_compiled_anew(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    harm: Callable[[Path], object],
    told: str,
) -> None:
    compiles(tmp_path)
    harm(tmp_path)
    with caplog.at_level(logging.WARNING):
        assert compiles(tmp_path)
    assert "is not used, and compiled anew" in caplog.text
    assert told in caplog.text
    assert not compiles(tmp_path)


def test_an_entry_of_somebody_else_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    cache = CompiledCache(tmp_path)
    compiles(tmp_path)
    key = only(tmp_path, "*.json").stem
    assert cache.load(make_engine(), key) is not None
    monkeypatch.setattr(os, "getuid", lambda: tmp_path.stat().st_uid + 1)
    assert cache.load(make_engine(), key) is None
    assert "belongs to another user" in caplog.text


def test_what_was_only_touched_is_read_again_and_used(tmp_path: Path) -> None:
    compiles(tmp_path)
    os.utime(only(tmp_path, "*.cwasm"))
    assert not compiles(tmp_path)


def test_another_wasmtime_finds_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiles(tmp_path)
    monkeypatch.setattr("evidentsource_runtime.host.loading.fingerprint", lambda: "another")
    assert compiles(tmp_path)


def test_one_entry_stays_of_two_that_were_written(tmp_path: Path) -> None:
    compiles(tmp_path)
    key = only(tmp_path, "*.json").stem
    cache = CompiledCache(tmp_path)
    component = cache.load(make_engine(), key)
    assert component is not None
    first = only(tmp_path, "*.cwasm")
    cache.store(key, component)
    assert only(tmp_path, "*.cwasm") != first
    assert not compiles(tmp_path)


def test_what_was_not_used_for_longest_goes_when_the_cache_is_full(tmp_path: Path) -> None:
    for number, source in enumerate(OTHERS):
        compiles(tmp_path, source)
        newest = max(tmp_path.glob("*.json"), key=lambda path: path.stat().st_mtime)
        os.utime(newest, (number, number))
    assert not compiles(tmp_path, OTHERS[0])
    size = max(path.stat().st_size for path in tmp_path.glob("*.cwasm"))
    engine = make_engine()
    small = CompiledCache(tmp_path, max_bytes=size * 5 // 2)
    kept = small.load(
        engine, max(tmp_path.glob("*.json"), key=lambda path: path.stat().st_mtime).stem
    )
    assert kept is not None
    small.store("f" * 64, kept)
    # The new one and the one just used; the others were last used in 1970.
    assert [compiles(tmp_path, source) for source in OTHERS] == [False, True, True]
    assert len(list(tmp_path.glob("*.cwasm"))) == 4


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only for root")
def test_a_component_runs_where_nothing_can_be_kept(tmp_path: Path) -> None:
    Host(tmp_path)
    tmp_path.chmod(0o500)
    assert compiles(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_component_runs_where_the_disk_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(path: Path, _data: bytes) -> None:
        path.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("evidentsource_runtime.host.cache._write", full)
    assert compiles(tmp_path)
    assert "a compiled component cannot be kept" in caplog.text
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mode", [0o770, 0o707])
def test_a_directory_that_others_can_write_to_is_refused(tmp_path: Path, mode: int) -> None:
    tmp_path.chmod(mode)
    with pytest.raises(CacheDirectoryError, match="can be written to by others"):
        Host(tmp_path)


def test_a_directory_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CacheDirectoryError, match="cannot be used"):
        Host(tmp_path / "file")


def test_the_directory_comes_from_the_environment_where_none_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVIDENTSOURCE_CACHE_DIR", str(tmp_path))
    Host().load(VIEW)
    assert len(list((tmp_path / "compiled").glob("*.cwasm"))) == 1


def test_without_a_directory_of_its_own_a_host_compiles_at_every_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("EVIDENTSOURCE_CACHE_DIR", str(tmp_path / "file"))
    assert Host().load(VIEW).facts is None
    assert "components are compiled at every load" in caplog.text
