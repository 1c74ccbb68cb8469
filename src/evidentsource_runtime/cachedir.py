"""Where built and compiled components are kept between runs.

Whoever can write a compiled component into this directory can run native code as its owner, so
the directory belongs to the user alone, and one that others can write to is refused.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

import platformdirs

ENVIRONMENT_VARIABLE = "EVIDENTSOURCE_CACHE_DIR"


class CacheDirectoryError(OSError):
    """The cache directory cannot be made, or is not safe to use."""


def cache_directory(kind: str) -> Path:
    """Make and return the directory for one kind of kept file.

    The directory lies under the platform's user cache directory, or under the path in the
    environment variable `EVIDENTSOURCE_CACHE_DIR`. It is readable and writable by its owner only.

    Args:
        kind: the name of the room inside the cache, such as "components".

    Raises:
        CacheDirectoryError: it cannot be made, belongs to somebody else, or others may write to
            it; the message says which and what to do.

    Example:
        >>> import os, tempfile
        >>> os.environ["EVIDENTSOURCE_CACHE_DIR"] = tempfile.mkdtemp()
        >>> cache_directory("components").name
        'components'
        >>> del os.environ["EVIDENTSOURCE_CACHE_DIR"]
    """
    directory = cache_root() / kind
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        directory.mkdir(mode=0o700, exist_ok=True)
        facts = directory.stat()
    except OSError as error:
        raise CacheDirectoryError(
            f"the cache directory {directory} cannot be used: {error.strerror or error}; "
            f"set {ENVIRONMENT_VARIABLE} to a directory of your own"
        ) from error
    if hasattr(os, "getuid"):
        _refuse_unsafe(directory, facts)
    return directory


def cache_root() -> Path:
    """Return the directory that holds every kind of kept file; it need not exist."""
    override = os.environ.get(ENVIRONMENT_VARIABLE)
    if override:
        return Path(override).expanduser().absolute()
    return Path(platformdirs.user_cache_dir("evidentsource", appauthor=False))


def _refuse_unsafe(directory: Path, facts: os.stat_result) -> None:
    if facts.st_uid != os.getuid():
        raise CacheDirectoryError(
            f"the cache directory {directory} belongs to another user; "
            f"set {ENVIRONMENT_VARIABLE} to a directory of your own"
        )
    if stat.S_IMODE(facts.st_mode) & (stat.S_IWGRP | stat.S_IWOTH):
        raise CacheDirectoryError(
            f"others may write to the cache directory {directory}; "
            f"run `chmod go-w {directory}`, or set {ENVIRONMENT_VARIABLE} to a directory of your own"
        )
