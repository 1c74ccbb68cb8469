"""What the guest compiled in earlier builds, laid beside the sources of the next one.

componentize-py unpacks the standard library for each build anew, and the guest compiles what is
imported of it, and of the SDK. That takes time, and what compiling leaves behind in the guest's memory
becomes part of the component: more to load, and more to put back for every instance. So the bytecode
of a module is kept under the digest of its source, and the guest finds it where Python looks for it.

The hazard: bytecode is code. It is kept where the user alone can write, and with a digest, by which a
damaged one is known and left out. Bytecode of another Python the guest itself refuses. The user's own
modules are compiled each time: they are what changes from build to build.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from evidentsource_runtime.build.guest import CACHE_TAG
from evidentsource_runtime.cachedir import cache_directory

LIMIT: Final = 64 * 1024**2
"""Bytes that are kept; beyond that, what was not used for longest goes."""

_SETTLED: Final = 20
"""Looks at a folder that brought nothing new, after which it is taken for whole."""
_LAID: Final = (1).to_bytes(4, "little")
"""Says in the head of bytecode that it holds whatever became of the source (PEP 552): times of sources
differ from build to build, and here their digest is what counts."""
_DIGEST: Final = hashlib.sha256().digest_size


class Bytecode:
    """The bytecode of one build.

    Args:
        tool: the version of componentize-py, which brings the compiler.
        leave_out: names of modules that are not kept.

    Raises:
        CacheDirectoryError: there is nowhere to keep it.
    """

    def __init__(self, tool: str, leave_out: Iterable[str] = ()) -> None:
        self._directory = cache_directory("bytecode")
        self._tool = f"{tool}|{CACHE_TAG}|".encode()
        self._leave_out = frozenset(leave_out)
        self._sizes: dict[Path, int] = {}
        self._looks: Counter[Path] = Counter()
        self._done: set[Path] = set()
        self._compiled: dict[str, bytes] = {}

    def lay(self, root: Path) -> None:
        """Put what is known beside the sources under ``root``.

        It may be called again while the folder is being filled, and does nothing once that is over.
        """
        if self._looks[root] >= _SETTLED:
            return
        with contextlib.suppress(OSError):
            for source in root.rglob("*.py"):
                size = source.stat().st_size
                # A file that is being unpacked may not be whole yet.
                if self._sizes.get(source) != size:
                    self._sizes[source] = size
                    self._looks[root] = 0
                    self._lay_one(source)
        if root in self._looks:
            self._looks[root] += 1

    def _lay_one(self, source: Path) -> None:
        known = self._known(self._path(source))
        target = _beside(source)
        if known is not None and not target.exists():
            target.parent.mkdir(exist_ok=True)
            _write(target, known)
            self._done.add(target)

    def gather(self) -> None:
        """Take what the guest has compiled, by now, of the sources that were seen."""
        for source in self._sizes:
            target = _beside(source)
            if target in self._done or source.stem in self._leave_out:
                continue
            with contextlib.suppress(OSError):
                content = target.read_bytes()
                self._compiled[self._path(source).name] = content[:4] + _LAID + content[8:]
                self._done.add(target)

    def keep(self) -> None:
        """Keep what was gathered for the next build, which does without where that fails."""
        with contextlib.suppress(OSError):
            for name, content in self._compiled.items():
                _write(self._directory / name, hashlib.sha256(content).digest() + content)
            if self._compiled:
                _make_room(self._directory)

    def _path(self, source: Path) -> Path:
        digest = hashlib.sha256(self._tool + source.read_bytes())
        return self._directory / f"{digest.hexdigest()}.pyc"

    @staticmethod
    def _known(path: Path) -> bytes | None:
        try:
            data = path.read_bytes()
            os.utime(path)
        except OSError:
            return None
        digest, content = data[:_DIGEST], data[_DIGEST:]
        return content if hashlib.sha256(content).digest() == digest else None


def _beside(source: Path) -> Path:
    return source.parent / "__pycache__" / f"{source.stem}.{CACHE_TAG}.pyc"


def _write(path: Path, content: bytes) -> None:
    # As a whole: the guest, or another build, may look at any moment. Not synced: a digest tells.
    handle, name = tempfile.mkstemp(prefix=".", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _make_room(directory: Path) -> None:
    found: list[tuple[float, int, Path]] = []
    for path in directory.glob("*.pyc"):
        with contextlib.suppress(FileNotFoundError):
            facts = path.stat()
            found.append((facts.st_mtime, facts.st_size, path))
    total = sum(size for _, size, _ in found)
    for _, size, path in sorted(found):
        if total <= LIMIT:
            return
        total -= size
        path.unlink(missing_ok=True)
