"""The page on running components: its numbers, codes and names are those of the code."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from evidentsource_runtime import host
from evidentsource_runtime.host import ComponentLimitError, Limits, errors, limits, output

PAGE = (Path(__file__).parents[2] / "docs" / "hosting.md").read_text()


@pytest.mark.parametrize("name", [field.name for field in fields(Limits)])
def test_every_limit_stands_there_with_its_default(name: str) -> None:
    assert f"| `{name}` | {getattr(Limits(), name):,} |" in PAGE


def test_every_error_stands_there_with_its_code() -> None:
    told = dict(re.findall(r"\| `(Component\w+|HostCallError)` \| `([\w-]+)` \|", PAGE))
    own = {
        name: kind.code
        for name, kind in vars(errors).items()
        if isinstance(kind, type)
        and issubclass(kind, errors.ComponentError)
        and not name.startswith("_")
    }
    del own["ComponentError"]
    assert told == own
    assert all(hasattr(host, name) for name in told)


def test_bounds_without_a_keyword_are_what_it_says() -> None:
    assert f"{limits.NESTED_CALLS} calls inside of each other" in PAGE
    assert f"{output.DEFAULT_CAP // 1024} KiB of each stream" in PAGE


def test_a_limit_reads_as_it_says() -> None:
    error = ComponentLimitError("deposit", "time", 30.0, 30.05, "seconds")
    assert f"`{error}`" in PAGE
