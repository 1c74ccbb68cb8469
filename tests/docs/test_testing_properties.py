"""docs/testing-properties.md: every snippet runs, and every failure that it shows is the one that comes."""

from __future__ import annotations

import doctest
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

TEXT = (Path(__file__).parents[2] / "docs" / "testing-properties.md").read_text("utf-8")
_MODULES = dict(re.findall(r"`(\w+\.py)`:\n\n```python\n(.*?)```", TEXT, re.DOTALL))
_SNIPPETS = [
    (found["source"], found["failure"])
    for found in re.finditer(
        r"(?<!`:\n\n)```python\n(?P<source>.*?)```(?:\n```text\n(?P<failure>.*?)```)?",
        TEXT,
        re.DOTALL,
    )
]


@pytest.fixture(scope="module")
def namespace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What the snippets share, in a folder with the modules that the page shows."""
    folder = tmp_path_factory.mktemp("properties")
    for name, text in _MODULES.items():
        (folder / name).write_text(text, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield {"__name__": "snippets"}
    for name in _MODULES:
        sys.modules.pop(Path(name).stem, None)


def test_the_page_shows_its_modules_and_failures() -> None:
    assert list(_MODULES) == ["wallet.py", "stamping.py"]
    assert len(_SNIPPETS) == 6
    assert sum(failure is not None for _, failure in _SNIPPETS) == 3


def test_every_snippet_runs_as_it_says(namespace: dict[str, Any]) -> None:
    # They stand on each other, so one test runs them all, in order.
    for source, failure in _SNIPPETS:
        run(source, failure, namespace)


def run(source: str, failure: str | None, namespace: dict[str, Any]) -> None:
    before = dict(namespace)
    exec(compile(source, "testing-properties.md", "exec"), namespace)
    new = [value for name, value in namespace.items() if before.get(name) is not value]
    (test,) = (each for each in new if getattr(each, "__name__", "").startswith("test_"))
    if failure is None:
        test()
        return
    with pytest.raises(AssertionError) as caught:
        test()
    same = doctest.OutputChecker().check_output(failure, f"{caught.value}\n", doctest.ELLIPSIS)
    assert same, str(caught.value)
