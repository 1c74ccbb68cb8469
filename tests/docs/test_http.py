"""The pages on HTTP and on developing: their operations, statuses, commands and output are the code's."""

from __future__ import annotations

import re
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

from evidentsource_runtime.cli.app import make_app
from evidentsource_runtime.server.http.problems import STATUSES
from evidentsource_runtime.server.http.table import OPERATIONS

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "http.md").read_text()
DEV = (DOCS / "dev.md").read_text()


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_every_operation_stands_there(operation: object) -> None:
    method, path, summary = (getattr(operation, name) for name in ("method", "path", "summary"))
    assert f"| `{method} {path}` | {summary} |" in PAGE


def test_no_other_operation_stands_there() -> None:
    told = re.findall(r"^\| `([A-Z]+ /\S+)` \|", PAGE, re.MULTILINE)
    assert told == [f"{operation.method} {operation.path}" for operation in OPERATIONS]


def test_every_status_stands_there() -> None:
    for kind, (status, title) in STATUSES.items():
        assert f"| {status} | {title} | `{kind.value}` |" in PAGE


def test_the_example_prints_what_it_says() -> None:
    code, expected = re.findall(r"```(?:python|text)\n(.*?)```", PAGE, re.DOTALL)
    out = StringIO()
    with redirect_stdout(out):
        exec(compile(code, "docs/http.md", "exec"), {})
    assert out.getvalue() == expected


def test_the_commands_of_the_page_on_developing_are_there() -> None:
    named = set(re.findall(r"evidentsource ([a-z]+)", DEV))
    assert named <= set(make_app())
    for option in set(re.findall(r"`(--[a-z-]+)", DEV)):
        assert option in (DOCS / "cli.md").read_text()
