"""A broken copy of the reference database, and the contract's cases without pytest around them."""

from __future__ import annotations

import importlib
import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import evidentsource_core
from evidentsource_runtime.contract import DatabaseUnderTest, ReferenceDriver

_HOME = Path(evidentsource_core.__file__).parent
_ROOMS = ("reference", "rules")
_numbers = itertools.count()


def broken_copy(directory: Path, old: str, new: str) -> Any:
    """The reference database and its rules with one text replaced, imported under another name.

    Raises:
        AssertionError: the text does not stand there, or more than once.
    """
    name = f"broken_core_{next(_numbers)}"
    found = 0
    for path in (file for room in _ROOMS for file in (_HOME / room).glob("*.py")):
        text = path.read_text()
        found += text.count(old)
        text = text.replace(old, new)
        for room in _ROOMS:
            text = text.replace(f"evidentsource_core.{room}", f"{name}.{room}")
        copy = directory / name / path.relative_to(_HOME)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(text)
    assert found == 1, f"{old!r} stands there {found} times"
    sys.path.insert(0, str(directory))
    try:
        return importlib.import_module(f"{name}.reference")
    finally:
        sys.path.remove(str(directory))


def driver_of(package: Any) -> type[ReferenceDriver]:
    """The reference's driver over another package's database, with limits that are soon met."""

    class SmallDriver(ReferenceDriver):
        max_events = 50
        max_bytes = 200_000

        def __init__(self) -> None:
            super().__init__()
            self.database = package.ReferenceDatabase(
                "bank",
                clock=self._clock,
                max_events=self.max_events,
                max_bytes=self.max_bytes,
                view_batch_size=20,
            )

    return SmallDriver


def failing_case(
    part: type, new_database: Callable[[], DatabaseUnderTest], **fixtures: Any
) -> str | None:
    """The first case of a part of the contract that fails, None if all pass."""
    for name, test, arguments in cases(part):
        try:
            test(part(), database=new_database(), **fixtures, **arguments)
        except (Exception, pytest.fail.Exception) as error:  # noqa: BLE001 - a broken database fails in any way
            return f"{name}({arguments}): {error!r}"
    return None


def cases(part: type) -> Iterator[tuple[str, Callable[..., None], dict[str, Any]]]:
    """Every test of a class with every set of its parameters."""
    for name, test in vars(part).items():
        if name.startswith("test_"):
            tables = [list(_rows(mark)) for mark in getattr(test, "pytestmark", ())]
            for rows in itertools.product(*tables):
                yield name, test, {key: value for row in rows for key, value in row.items()}


def _rows(mark: pytest.Mark) -> Iterator[dict[str, Any]]:
    names, values = mark.args
    several = not isinstance(names, str)
    for row in values:
        yield dict(zip(names, row, strict=True)) if several else {names: row}
