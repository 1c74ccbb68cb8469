"""A folder of sources to look at, and what is said of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from evidentsource_runtime.build.closure import Closure, collect
from evidentsource_runtime.build.dependencies import find_dependencies
from evidentsource_runtime.build.staging import shared_places
from evidentsource_runtime.build.target import find_target

Write = Callable[..., Path]
Read = Callable[..., Closure]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write files into an empty folder: `write("view.py", "...", **{"more.py": "..."})`."""

    def write_files(name: str, text: str, **others: str) -> Path:
        for each, content in {name: text, **others}.items():
            path = tmp_path / each
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(content), encoding="utf-8")
        return tmp_path

    return write_files


@pytest.fixture
def read(write: Write) -> Read:
    """Write files and follow the imports of the first one."""

    def read_files(text: str, dependencies: tuple[str, ...] = (), **others: str) -> Closure:
        folder = write("view.py", text, **others)
        places = shared_places(find_dependencies(dependencies))
        return collect(find_target("view.py", folder), places)

    return read_files
