"""A broken copy of the reference database, and the contract's cases without pytest around them."""

from __future__ import annotations

import importlib
import itertools
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.abc import InspectLoader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import pytest

import evidentsource_core
from evidentsource_runtime.contract import DatabaseUnderTest, ReferenceDriver

_HOME = Path(evidentsource_core.__file__).parent
_ROOMS = ("reference", "rules")
_COPY = "broken_core"


class _Copies(MetaPathFinder, InspectLoader):
    """Imports modules from texts; what was compiled once is not compiled again."""

    def __init__(self, texts: dict[str, str]) -> None:
        self._texts = texts

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in self._texts:
            return None
        return ModuleSpec(fullname, self, is_package=self.is_package(fullname))

    def is_package(self, fullname: str) -> bool:
        return any(name.startswith(f"{fullname}.") for name in self._texts)

    def get_source(self, fullname: str) -> str:
        return self._texts[fullname]

    def get_code(self, fullname: str) -> CodeType:
        return _compiled(self._texts[fullname], f"<{fullname}>")


@cache
def _compiled(text: str, name: str) -> CodeType:
    return compile(text, name, "exec", dont_inherit=True)


def broken_copy(old: str, new: str) -> Any:
    """The reference database and its rules with one text replaced, imported under another name.

    Raises:
        AssertionError: the text does not stand there, or more than once.
    """
    texts, found = {_COPY: ""}, 0
    for path in (file for room in _ROOMS for file in (_HOME / room).glob("*.py")):
        text = path.read_text()
        found += text.count(old)
        text = text.replace(old, new)
        for room in _ROOMS:
            text = text.replace(f"evidentsource_core.{room}", f"{_COPY}.{room}")
        module = ".".join((_COPY, *path.relative_to(_HOME).with_suffix("").parts))
        texts[module.removesuffix(".__init__")] = text
    assert found == 1, f"{old!r} stands there {found} times"
    for name in [each for each in sys.modules if each.partition(".")[0] == _COPY]:
        del sys.modules[name]
    finder = _Copies(texts)
    sys.meta_path.insert(0, finder)
    try:
        return importlib.import_module(f"{_COPY}.reference")
    finally:
        sys.meta_path.remove(finder)


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


@dataclass(frozen=True)
class Case:
    """A test of the contract with one set of its parameters."""

    part: type
    test: Callable[..., None]
    arguments: dict[str, Any]

    def passes(self, new_database: Callable[[], DatabaseUnderTest], **fixtures: Any) -> bool:
        try:
            self.test(self.part(), database=new_database(), **fixtures, **self.arguments)
        except (Exception, pytest.fail.Exception):  # noqa: BLE001 - a broken database fails in any way
            return False
        return True


def failing_case(
    part: type, new_database: Callable[[], DatabaseUnderTest], **fixtures: Any
) -> Case | None:
    """The first case of a part of the contract that fails, None if all pass."""
    return next((case for case in cases(part) if not case.passes(new_database, **fixtures)), None)


def cases(part: type) -> Iterator[Case]:
    """Every test of a class with every set of its parameters."""
    for name, test in vars(part).items():
        if name.startswith("test_"):
            tables = [list(_rows(mark)) for mark in getattr(test, "pytestmark", ())]
            for rows in itertools.product(*tables):
                yield Case(part, test, {key: value for row in rows for key, value in row.items()})


def _rows(mark: pytest.Mark) -> Iterator[dict[str, Any]]:
    names, values = mark.args
    several = not isinstance(names, str)
    for row in values:
        yield dict(zip(names, row, strict=True)) if several else {names: row}
