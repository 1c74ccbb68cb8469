"""A traceback from inside a component names the user's files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from evidentsource_runtime.host.trace import SourceMap, clean, headline

TRACEBACK = """Traceback (most recent call last):
  File "/0/views/summary.py", line 2, in evolve
  File "/python/json/__init__.py", line 9, in loads
ValueError: no"""

STDERR = f"""folding
{TRACEBACK}

thread '<unnamed>' (1) panicked at runtime/src/lib.rs:1280:25:
Python function threw an unexpected exception
note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace
"""

PANIC = """
thread '<unnamed>' (1) panicked at runtime/src/lib.rs:1686:57:
called `Result::unwrap()` on an `Err` value: CastError { from: 5 }
note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    file = tmp_path / "src" / "views" / "summary.py"
    file.parent.mkdir(parents=True)
    file.write_text("def evolve(x):\n    return json.loads(x)\n")
    os.utime(file, (100, 100))
    return tmp_path


FACTS = {"/0/views/summary.py": "src/views/summary.py"}


def test_a_path_that_the_build_knows_is_led_back(project: Path) -> None:
    file = project / "src" / "views" / "summary.py"
    translated = SourceMap(FACTS, projects=[project / "dist", project]).translate(TRACEBACK)
    assert translated == TRACEBACK.replace("/0/views/summary.py", str(file))


def test_a_path_that_the_build_knows_stays_relative_where_the_project_is_elsewhere() -> None:
    translated = SourceMap(FACTS).translate(TRACEBACK)
    assert translated == TRACEBACK.replace("/0/views/summary.py", "src/views/summary.py")


def test_a_module_is_looked_for_where_the_caller_says(project: Path) -> None:
    file = project / "src" / "views" / "summary.py"
    for known in ({}, FACTS):
        sources = SourceMap(known, roots=[project / "lib", project / "src"])
        assert sources.find("/0/views/summary.py") == str(file)
        assert sources.find("/1/views/summary.py") == str(file)


@pytest.mark.parametrize("path", ["/python/json/__init__.py", "/0", "/world/views/summary.py"])
def test_what_is_not_the_users_stays_as_it_is(project: Path, path: str) -> None:
    assert SourceMap(FACTS, roots=[project / "src"], projects=[project]).find(path) is None


@pytest.mark.parametrize(
    ("built_at", "shown"), [(200, True), (100, True), (99, False), (None, False)]
)
def test_a_line_of_code_is_shown_if_the_file_has_not_changed_since_the_build(
    project: Path, built_at: float | None, shown: bool
) -> None:
    sources = SourceMap(FACTS, projects=[project], built_at=built_at)
    lines = sources.translate(TRACEBACK).splitlines()
    assert (lines[2] == "    return json.loads(x)") is shown
    assert len(lines) == (5 if shown else 4)


def test_a_line_of_code_that_is_there_already_is_not_shown_twice(project: Path) -> None:
    sources = SourceMap(FACTS, projects=[project], built_at=200)
    once = sources.translate(TRACEBACK)
    again = once.replace(str(project / "src" / "views" / "summary.py"), "/0/views/summary.py")
    assert sources.translate(again) == once


@pytest.mark.parametrize("facts", [None, [], {"/0/views/summary.py": 5}, {5: "x"}])
def test_facts_of_another_form_are_left_aside(facts: object) -> None:
    assert SourceMap(facts).translate(TRACEBACK) == TRACEBACK


def test_the_runtimes_own_words_are_left_out_where_there_is_an_exception() -> None:
    assert clean(STDERR) == f"folding\n{TRACEBACK}"


def test_the_runtimes_own_words_stay_where_there_is_nothing_else() -> None:
    assert "CastError" in clean(PANIC)
    assert "RUST_BACKTRACE" not in clean(PANIC)


@pytest.mark.parametrize(
    ("stderr", "line"),
    [
        (STDERR, "ValueError: no"),
        (clean(STDERR), "ValueError: no"),
        (PANIC, "called `Result::unwrap()` on an `Err` value: CastError { from: 5 }"),
        (f"{TRACEBACK}\n\nDuring handling ...\n\n{TRACEBACK[:-2]}yes", "ValueError: yes"),
        ("KeyError", None),
        ("", None),
    ],
)
def test_the_headline_is_the_last_exception_or_the_runtimes_panic(
    stderr: str, line: str | None
) -> None:
    assert headline(stderr) == line
