"""docs/server.md: its program runs, and its tables say what the code does."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path

import pytest

from evidentsource_runtime.server.access import Limits, parse_grants
from evidentsource_runtime.server.grpc.calls import SERVICE
from evidentsource_runtime.server.grpc.status import code_of
from evidentsource_runtime.server.service import Kind

TEXT = (Path(__file__).parents[2] / "docs" / "server.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def section(title: str) -> str:
    return TEXT.split(f"\n## {title}\n")[1].split("\n## ")[0]


def first_cells(title: str) -> list[str]:
    return re.findall(r"^\| `(\w+)` \|", section(title), re.MULTILINE)


def test_the_program_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (program,) = blocks("python")
    exec(compile(program, "docs/server.md", "exec"), {})
    assert capsys.readouterr().out.startswith("127.0.0.1:")


def test_every_status_is_explained_once() -> None:
    assert sorted(first_cells("Errors")) == sorted({code_of(kind).name for kind in Kind})


def test_every_limit_is_listed_with_its_default() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([\d,]+) \|", section("Limits"), re.MULTILINE)
    defaults = Limits()
    expected = {each.name: getattr(defaults, each.name) for each in fields(Limits)}
    assert {name: float(number.replace(",", "")) for name, number in rows} == expected


def test_the_grants_that_are_shown_are_grants() -> None:
    shown = [parse_grants(json.loads(text)) for text in blocks("json")]
    assert all(grants.database_creator for grants in shown)


def test_every_call_that_is_named_is_one_of_the_contract() -> None:
    calls = {method.name for method in SERVICE.methods}
    named = set(re.findall(r"`([A-Z][a-z]\w+)`", section("The calls")))
    unknown = {name for name in named if name not in calls}
    assert not unknown
