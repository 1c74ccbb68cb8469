"""What was built of which source, so that a start does not build what it has built before."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from evidentsource_runtime.build.cache import write_atomically

__all__ = ["Memory"]

_MOST = 1_000


class Memory:
    """Input hashes of components by the hashes of their sources, in a file.

    A file that is lost or damaged costs builds, and nothing else.

    Args:
        path: the file.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Memory(Path(folder, "built.json")).keep("source", "component")
    ...     Memory(Path(folder, "built.json")).built("source")
    'component'
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, str] = {}
        with suppress(OSError, ValueError):
            known = json.loads(path.read_bytes())
            self._known = {str(k): str(v) for k, v in dict(known).items()}

    def built(self, source: str) -> str | None:
        """The input hash of what was built of a source."""
        return self._known.get(source)

    def keep(self, source: str, input_hash: str) -> None:
        """Remember what was built of a source."""
        self._known.pop(source, None)
        self._known[source] = input_hash
        self._known = dict(list(self._known.items())[-_MOST:])
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(self._path, json.dumps(self._known).encode())
