"""Programs as the guest's own bytecode, kept by the hash of their inputs."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
from pathlib import Path

from evidentsource_runtime.build.cache import write_atomically
from evidentsource_runtime.cachedir import CacheDirectoryError, cache_directory

KEPT = 500
"""Programs that are kept; the longest unused of more go."""

_log = logging.getLogger("evidentsource.instant")


def kept(input_hash: str) -> str | None:
    """Return the program's bytecode; None where there is none, or it was damaged."""
    try:
        path = _path(input_hash)
        digest, _, packed = path.read_text("ascii").partition("\n")
        os.utime(path)
    except (OSError, UnicodeDecodeError):
        return None
    return packed if digest == hashlib.sha256(packed.encode()).hexdigest() else None


def keep(input_hash: str, packed: str) -> None:
    """Keep a program's bytecode. Where that fails, it is only slower the next time."""
    digest = hashlib.sha256(packed.encode()).hexdigest()
    try:
        write_atomically(_path(input_hash), f"{digest}\n{packed}".encode())
        _make_room()
    except (OSError, CacheDirectoryError) as error:
        _log.warning("a program's bytecode cannot be kept: %s", error)


def _path(input_hash: str) -> Path:
    return cache_directory("programs") / f"{input_hash}.txt"


def _make_room() -> None:
    paths = list(cache_directory("programs").glob("*.txt"))
    if len(paths) <= KEPT:
        return
    for path in sorted(paths, key=_used_at, reverse=True)[KEPT:]:
        path.unlink(missing_ok=True)


def _used_at(path: Path) -> float:
    with contextlib.suppress(FileNotFoundError):
        return path.stat().st_mtime
    return 0.0
