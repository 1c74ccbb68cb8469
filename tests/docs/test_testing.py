"""docs/testing.md: every snippet runs, and every failure that it shows is the one that comes."""

from __future__ import annotations

import re
import sys
import unittest
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "testing.md").read_text("utf-8")
_BLOCK = re.compile(
    r"(?:`(?P<file>\w+\.py)`:\n\n)?```(?P<kind>python|text)\n(?P<text>.*?)```", re.DOTALL
)


@dataclass(frozen=True)
class Snippet:
    """A snippet of Python, and the failure that is shown behind it."""

    source: str
    line: int
    failure: str | None


def modules() -> dict[str, str]:
    return {found["file"]: found["text"] for found in _BLOCK.finditer(TEXT) if found["file"]}


def snippets() -> list[Snippet]:
    found = [each for each in _BLOCK.finditer(TEXT) if not each["file"]]
    shown = {
        first.start(): second["text"]
        for first, second in pairwise(found)
        if second["kind"] == "text" and TEXT[first.end() : second.start()].strip() == ""
    }
    return [
        Snippet(each["text"], TEXT.count("\n", 0, each.start()), shown.get(each.start()))
        for each in found
        if each["kind"] == "python"
    ]


@pytest.fixture(scope="module")
def namespace(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What the snippets share, in a folder with the modules that the page shows."""
    folder = tmp_path_factory.mktemp("testing")
    for name, text in modules().items():
        (folder / name).write_text(text, encoding="utf-8")
    names = {Path(name).stem for name in modules()}
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        patch.chdir(folder)
        yield {"__name__": "snippets"}
    for name in names:
        sys.modules.pop(name, None)


def test_every_snippet_runs_as_it_says(namespace: dict[str, Any]) -> None:
    # They stand on each other, so one test runs them all, in order.
    for snippet in snippets():
        run(snippet, namespace)


def run(snippet: Snippet, namespace: dict[str, Any]) -> None:
    before = dict(namespace)
    # Lines in tracebacks are those of the page.
    exec(compile("\n" * snippet.line + snippet.source, "testing.md", "exec"), namespace)
    new = [value for name, value in namespace.items() if before.get(name) is not value]
    tests = [value for value in new if getattr(value, "__name__", "").startswith("test_")]
    for case in new:
        if isinstance(case, type) and issubclass(case, unittest.TestCase):
            suite = unittest.defaultTestLoader.loadTestsFromTestCase(case)
            tests.append(suite.debug)
    if snippet.failure is None:
        for test in tests:
            test()
        return
    (test,) = tests
    with pytest.raises(AssertionError) as caught:
        test()
    assert str(caught.value) == snippet.failure.rstrip("\n")


def test_the_page_shows_two_modules_and_many_snippets() -> None:
    assert list(modules()) == ["account_summary.py", "withdraw.py"]
    assert len(snippets()) >= 12
    assert sum(snippet.failure is not None for snippet in snippets()) == 2
