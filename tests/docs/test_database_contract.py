"""docs/database-contract.md: the driver and the test that it shows are run, and its tables are whole."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from evidentsource_runtime.contract import Capability

TEXT = (Path(__file__).parents[2] / "docs" / "database-contract.md").read_text("utf-8")
FILES = dict(re.findall(r"`(\w+\.py)`:\n\n```python\n(.*?)```", TEXT, re.DOTALL))

# Without its faulthandler: on leaving, that takes wasmtime's handlers of signals with it.
WITHIN = ("-p", "no:faulthandler")


def test_a_store_is_held_to_the_contract_as_the_page_says(pytester: pytest.Pytester) -> None:
    for name, text in FILES.items():
        pytester.path.joinpath(name).write_text(text, encoding="utf-8")
    done = pytester.runpytest_inprocess(
        *WITHIN,
        "test_mystore.py",
        "-k",
        "Revision or revision or views or not_there",
        "-rs",
        "-p",
        "no:cacheprovider",
    )
    outcomes = done.parseoutcomes()
    assert outcomes["passed"] > 20
    assert outcomes["skipped"] > 5
    assert "failed" not in outcomes
    done.stdout.fnmatch_lines(["*MyDriver lacks VIEWS: the store folds nothing*"])


def test_a_class_that_does_not_say_how_to_make_a_database_is_told(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile(
        """
        from evidentsource_runtime.contract import DatabaseContract

        class TestNothing(DatabaseContract):
            pass
        """
    )
    done = pytester.runpytest_inprocess(
        *WITHIN, "-k", "test_a_snapshot_never_changes", "-p", "no:cacheprovider"
    )
    done.stdout.fnmatch_lines(["*TestNothing does not say how to make a database*"])


def test_a_driver_that_neither_has_a_capability_nor_says_why_not_is_told(
    pytester: pytest.Pytester,
) -> None:
    pytester.path.joinpath("mystore.py").write_text(
        FILES["mystore.py"].replace(
            '        Capability.CLOCK: "it takes the system\'s time",\n', ""
        )
    )
    pytester.path.joinpath("test_mystore.py").write_text(FILES["test_mystore.py"])
    done = pytester.runpytest_inprocess(*WITHIN, "-k", "clock_is_behind", "-p", "no:cacheprovider")
    done.stdout.fnmatch_lines(["*MyDriver has no set_time, which Capability.CLOCK asks for*"])


def test_every_capability_stands_in_the_table() -> None:
    assert re.findall(r"^\| `([A-Z_]+)` \|", TEXT, re.MULTILINE) == [
        each.name for each in Capability
    ]
