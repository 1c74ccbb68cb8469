"""The page on the store: its snippets run, and its errors are those of the code."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path
from typing import Any

import pytest

from evidentsource_runtime import store
from evidentsource_runtime.store import entries, errors, filters, merging, plans, taken, terms

PAGE = (Path(__file__).parents[2] / "docs" / "store.md").read_text()


def test_the_snippets_print_what_stands_below_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    snippets = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", PAGE, re.DOTALL)
    assert len(snippets) == PAGE.count("```python")
    for code, expected in snippets:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(code, names)
        assert printed.getvalue() == expected


def test_every_error_stands_there_with_its_code() -> None:
    told = dict(re.findall(r"\| `(\w+)` \| `([\w-]+)` \|", PAGE))
    own = {
        name: kind.code
        for name, kind in vars(errors).items()
        if isinstance(kind, type)
        and issubclass(kind, errors.StoreError)
        and kind is not errors.StoreError
    }
    assert told == own
    assert all(hasattr(store, name) for name in told)


def test_the_numbers_of_the_ways_are_those_of_the_code() -> None:
    assert f"up to {terms.FEW} subjects" in PAGE
    assert f"one event in {plans.SHARE}" in PAGE
    assert f"up to\n{plans.PROBE:,}" in PAGE
    assert f"{plans.MOST_TERMS:,} terms, or deeper than {plans.MOST_DEPTH}" in PAGE


def test_the_numbers_of_the_index_are_those_of_the_code() -> None:
    assert f"fewer than {merging.FRESH_EVENTS}, have no entries" in PAGE
    assert f"more than {merging.MOST[1]:,} moves on" in PAGE
    assert f"more than {merging.MOST[2]:,} to a third" in PAGE
    assert f"more than {merging.MOST[3]:,} to the last" in PAGE
    assert len(entries.LEVELS) == 4
    assert f"stand for {entries.BLOCK} revisions" in PAGE
    assert f"asks the index for the first {taken._ASKED_FIRST:,} ids" in PAGE
    assert filters._FULL == 4
    assert f"{filters._MOST * 4 // 2**20} MiB at most" in PAGE
