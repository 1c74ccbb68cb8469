"""Built components, kept by the hash of their inputs.

A component is written beside its place and moved there as a whole, so a reader never sees half of
one, and two processes that build the same input wait for each other instead of building twice.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from evidentsource_runtime.artifact import NotAComponent, read_component
from evidentsource_runtime.cachedir import cache_directory

LIMIT = 2 * 1024**3
"""Bytes that the cache may take; beyond that, what was not used for longest goes."""


def cached(input_hash: str) -> bytes | None:
    """Return the component that was built from these inputs; None where there is none.

    One that was damaged on the disk counts as none, and is built again.
    """
    path = _path(input_hash)
    try:
        read_component(path)
        os.utime(path)
        return path.read_bytes()
    except (NotAComponent, OSError):
        return None


def keep(input_hash: str, component: bytes) -> None:
    """Keep a component for the next build of the same inputs."""
    path = _path(input_hash)
    write_atomically(path, component)
    _make_room(path)


@contextlib.contextmanager
def building(input_hash: str) -> Iterator[None]:
    """Hold the right to build these inputs; another process that wants to waits."""
    try:
        import fcntl  # noqa: PLC0415 - POSIX only; elsewhere two processes may build the same twice
    except ImportError:
        yield
        return
    lock = _path(input_hash).with_suffix(".lock")
    with lock.open("wb") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(stream, fcntl.LOCK_UN)


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file as a whole: it is there with all of its content, or as it was before.

    Raises:
        OSError: it cannot be written; nothing is left behind.
    """
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        # mkstemp makes files for the owner alone; an output is an ordinary file.
        mask = os.umask(0)
        os.umask(mask)
        Path(name).chmod(0o666 & ~mask)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def contents() -> list[Path]:
    """Return the kept components, the longest unused first."""
    entries: list[tuple[float, Path]] = []
    for path in cache_directory("components").glob("*.wasm"):
        with contextlib.suppress(FileNotFoundError):
            entries.append((path.stat().st_mtime, path))
    return [path for _, path in sorted(entries)]


def _make_room(newest: Path) -> None:
    paths = contents()
    total = sum(_size(path) for path in paths)
    for path in paths:
        if total <= LIMIT:
            return
        if path != newest:
            total -= _size(path)
            path.unlink(missing_ok=True)
            path.with_suffix(".lock").unlink(missing_ok=True)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _path(input_hash: str) -> Path:
    return cache_directory("components") / f"{input_hash}.wasm"
