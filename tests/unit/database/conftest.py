"""A database in a file, and the same opened again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import evidentsource_runtime
from evidentsource_runtime.database import Database

Open = Callable[..., Database]


@pytest.fixture
def open_bank(tmp_path: Path) -> Iterator[Open]:
    """Opens ``bank.db``; all that were opened are closed at the end."""
    opened: list[Database] = []

    def open_it(**options: Any) -> Database:
        opened.append(evidentsource_runtime.open(tmp_path / "bank.db", **options))
        return opened[-1]

    yield open_it
    for database in opened:
        database.close()


@pytest.fixture
def bank(open_bank: Open) -> Database:
    """An empty database."""
    return open_bank()
