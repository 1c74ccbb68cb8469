"""Compiled components, kept on disk.

Loading a compiled component is running native code, so an entry counts only if nobody but this user
could have written it: the directory and the file belong to the user, and no one else may write to
them. A digest beside it tells a damaged one. Whatever does not hold is compiled anew.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

from wasmtime import Engine, WasmtimeError
from wasmtime.component import Component

from evidentsource_runtime.cachedir import CacheDirectoryError

MAX_BYTES = 2 * 1024**3
"""Beyond this many bytes in all, the entries unused for longest are removed."""

_log = logging.getLogger("evidentsource.host")


@dataclass(frozen=True)
class _Entry:
    """What the file beside a compiled component says of it."""

    artifact: str
    sha256: str
    size: int
    modified_ns: int
    inode: int


class CompiledCache:
    """A directory of compiled components.

    Two processes may compile the same component at once: each writes a file of its own, and the
    entry that names one of them is replaced in a single step.
    """

    def __init__(self, directory: Path, max_bytes: int = MAX_BYTES) -> None:
        """Use ``directory``, which is made where it is missing.

        Raises:
            CacheDirectoryError: it cannot be made, or others may write to it.
        """
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            problem = _unsafe(directory.stat())
        except OSError as error:
            raise CacheDirectoryError(
                f"the cache directory {directory} cannot be used: {error.strerror or error}"
            ) from error
        if problem:
            raise CacheDirectoryError(
                f"the cache directory {directory} {problem}; compiled components are native code, "
                "so use a directory of your own that nobody else can write to"
            )
        self._directory = directory
        self._max_bytes = max_bytes

    def load(self, engine: Engine, key: str) -> Component | None:
        """The compiled component of that key; None where there is none that can be trusted."""
        try:
            entry = self._trusted(key)
            if entry is None:
                return None
            component = Component.deserialize_file(engine, str(self._directory / entry.artifact))
            os.utime(self._entry_path(key))
        except (OSError, ValueError, TypeError, WasmtimeError) as error:
            _log.warning("a compiled component is not used, and compiled anew: %s", error)
            return None
        return component

    def read(self, key: str) -> bytes | None:
        """The compiled component of that key as it is kept; None where none can be trusted."""
        try:
            entry = self._trusted(key)
            return None if entry is None else (self._directory / entry.artifact).read_bytes()
        except (OSError, ValueError, TypeError) as error:
            _log.warning("a compiled component is not used: %s", error)
            return None

    def store(self, key: str, component: Component) -> None:
        """Keep a compiled component. Failing to is logged; the component runs all the same."""
        self.store_compiled(key, component.serialize())

    def store_compiled(self, key: str, data: bytes | bytearray) -> None:
        """Keep a component that is compiled already; what wrote ``data`` must be trusted."""
        artifact = self._directory / f"{key}-{secrets.token_hex(4)}.cwasm"
        entry = self._entry_path(key)
        try:
            _write(artifact, data)
            facts = artifact.stat()
            text = json.dumps(
                {
                    "artifact": artifact.name,
                    "sha256": hashlib.sha256(data).hexdigest(),
                    "size": facts.st_size,
                    "modified_ns": facts.st_mtime_ns,
                    "inode": facts.st_ino,
                }
            )
            draft = artifact.with_suffix(".json")
            _write(draft, text.encode())
            draft.replace(entry)
            self._remove_others(key, artifact.name)
            self._prune(keep=key)
        except OSError as error:
            artifact.unlink(missing_ok=True)
            _log.warning("a compiled component cannot be kept: %s", error)

    def _entry_path(self, key: str) -> Path:
        return self._directory / f"{key}.json"

    def _trusted(self, key: str) -> _Entry | None:
        try:
            entry = _Entry(**json.loads(_read(self._entry_path(key))))
        except FileNotFoundError:
            return None
        if entry.artifact != Path(entry.artifact).name:
            raise ValueError(f"{entry.artifact!r} lies outside of the cache")
        artifact = self._directory / entry.artifact
        facts = _safe_stat(artifact)
        # What has not been touched since its digest was taken need not be read again.
        known = (facts.st_size, facts.st_mtime_ns, facts.st_ino)
        if known != (entry.size, entry.modified_ns, entry.inode):
            with artifact.open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != entry.sha256:
                    raise ValueError(f"{artifact} is damaged")
        return entry

    def _remove_others(self, key: str, artifact: str) -> None:
        for path in self._directory.glob(f"{key}-*"):
            if path.name != artifact:
                path.unlink(missing_ok=True)

    def _prune(self, keep: str) -> None:
        """Remove the entries unused for longest, until the rest is small enough."""
        entries = sorted(
            self._directory.glob("*.json"), key=lambda path: path.stat().st_mtime, reverse=True
        )
        total = 0
        for entry in entries:
            files = list(self._directory.glob(f"{entry.stem}-*.cwasm"))
            total += sum(path.stat().st_size for path in files)
            if total > self._max_bytes and entry.stem != keep:
                for path in (entry, *files):
                    path.unlink(missing_ok=True)


def _unsafe(facts: os.stat_result) -> str | None:
    """Why somebody else may have written it, in words; None if nobody can have."""
    if not hasattr(os, "getuid"):
        return None
    if facts.st_uid != os.getuid():
        return "belongs to another user"
    if stat.S_IMODE(facts.st_mode) & (stat.S_IWGRP | stat.S_IWOTH):
        return "can be written to by others"
    return None


def _safe_stat(path: Path) -> os.stat_result:
    facts = path.lstat()
    problem = "is no regular file" if not stat.S_ISREG(facts.st_mode) else _unsafe(facts)
    if problem:
        raise ValueError(f"{path} {problem}")
    return facts


def _read(path: Path) -> bytes:
    _safe_stat(path)
    return path.read_bytes()


def _write(path: Path, data: bytes | bytearray) -> None:
    """Write a new file that only its owner can read and write."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
