from __future__ import annotations

from pathlib import Path

import pytest

from evidentsource_core import Parameter, QueryTemporality, Selector, StateViewDefinition
from evidentsource_runtime.build import ManifestError, read_manifest

GOOD = """
[project]
name = "bank"

[tool.evidentsource]
database = "bank"
dependencies = ["attrs"]

[tool.evidentsource.state-views.account-summary]
module = "bank.account_summary"
description = "One account."
selector = { all = [{ stream = "accounts" }, { subject = { parameter = "account_id" } }] }
temporality = "effective_timestamp"
content-type = "application/cbor"
schema = "https://example.com/summary.json"
dependencies = ["cattrs"]

[tool.evidentsource.state-views.all]
module = "bank/all.py"
selector.stream = "accounts"
pure = true

[tool.evidentsource.state-changes.deposit]
module = "bank.deposit"
description = "Pay in."
source-code-uri = "https://example.com/deposit.py"
contract-only = true
"""


def read(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "pyproject.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_project_names_its_components(tmp_path: Path) -> None:
    manifest = read_manifest(read(tmp_path, GOOD))
    assert manifest.database == "bank"
    summary, everything, deposit = manifest.components
    assert (summary.name, summary.world, summary.module) == (
        "account-summary",
        "state-view",
        "bank.account_summary",
    )
    assert summary.dependencies == ("attrs", "cattrs")
    assert (summary.pure, everything.pure, everything.dependencies) == (False, True, ("attrs",))
    assert (summary.contract_only, deposit.contract_only) == (False, True)
    assert isinstance(summary.definition, StateViewDefinition)
    assert summary.definition.selector == Selector.stream("accounts") & Parameter.subject(
        "account_id"
    )
    assert summary.definition.temporality is QueryTemporality.EFFECTIVE_TIMESTAMP
    assert [each.line for each in manifest.components] == [9, 18, 23]
    assert deposit.world == "state-change"


def test_the_metadata_is_what_is_published(tmp_path: Path) -> None:
    summary, everything, deposit = read_manifest(read(tmp_path, GOOD)).components
    assert summary.metadata() == {
        "state_view_name": "account-summary",
        "description": "One account.",
        "content_type": "application/cbor",
        "content_schema": "https://example.com/summary.json",
        "event_selector": {
            "and": {
                "left": {"equals": {"stream": {"stream": "accounts"}}},
                "right": {"equals": {"subject": {"parameter": "account_id"}}},
            }
        },
        "query_temporality": "effective_timestamp",
    }
    assert everything.metadata() == {
        "state_view_name": "all",
        "content_type": "application/json",
        "event_selector": {"equals": {"stream": {"stream": "accounts"}}},
        "query_temporality": "revision",
    }
    assert deposit.metadata() == {
        "state_change_name": "deposit",
        "description": "Pay in.",
        "source_code_uri": "https://example.com/deposit.py",
    }


def test_names_may_be_written_with_underscores(tmp_path: Path) -> None:
    text = GOOD.replace("content-type", "content_type").replace(
        "state-views.all", "state_views.all"
    )
    text = text.replace("state-views.account", "state_views.account")
    assert len(read_manifest(read(tmp_path, text)).components) == 3


REFUSED: dict[str, tuple[str, str, str, int | None, str]] = {
    "a misspelled setting": ("database =", "databse =", "unknown-key", 6, "did you mean database?"),
    "a misspelled kind": (
        "state-changes.deposit",
        "state-change.deposit",
        "unknown-key",
        23,
        "did you mean state-changes?",
    ),
    "a misspelled key": (
        'module = "bank.deposit"',
        'modul = "bank.deposit"',
        "unknown-key",
        24,
        "did you mean module?",
    ),
    "a selector for a change": (
        'description = "Pay in."',
        "selector = {}",
        "unknown-key",
        25,
        "known are module",
    ),
    "no database": ('database = "bank"\n', "", "missing-key", 5, 'add database = "..."'),
    "no module": ('module = "bank.deposit"\n', "", "missing-key", 23, 'add module = "..."'),
    "no selector": ('selector.stream = "accounts"\n', "", "missing-key", 18, "add selector"),
    "a wrong selector": (
        '{ stream = "accounts" }, {',
        '{ streem = "accounts" }, {',
        "bad-selector",
        12,
        "did you mean stream?",
    ),
    "a wrong name in a selector": (
        'selector.stream = "accounts"',
        'selector.stream = "no good"',
        "bad-selector",
        20,
        "",
    ),
    "a wrong temporality": (
        '"effective_timestamp"',
        '"effective_time"',
        "unknown-temporality",
        13,
        "did you mean effective",
    ),
    "a wrong type": ("pure = true", 'pure = "yes"', "wrong-type", 21, "write pure = true"),
    "a wrong type of another flag": (
        "contract-only = true",
        "contract-only = 1",
        "wrong-type",
        27,
        "write contract-only = true",
    ),
    "a number for a text": (
        'module = "bank.deposit"',
        "module = 3",
        "wrong-type",
        24,
        "write module",
    ),
    "wrong dependencies": (
        'dependencies = ["cattrs"]',
        'dependencies = "cattrs"',
        "wrong-type",
        16,
        '["cattrs"]',
    ),
    "a wrong database": ('database = "bank"', 'database = "b k"', "bad-name", 6, ""),
    "a wrong name": ("state-changes.deposit", 'state-changes."de posit"', "bad-name", 23, ""),
    "broken toml": ('database = "bank"', "database = bank", "bad-toml", 6, ""),
    "no components": (
        GOOD[GOOD.index("[tool.evidentsource.state-views.acc") :],
        "",
        "no-components",
        5,
        "state-views.NAME",
    ),
    "no manifest": (
        GOOD[GOOD.index("[tool.") :],
        "",
        "no-manifest",
        None,
        "add [tool.evidentsource]",
    ),
    "a component that is no table": (
        GOOD[GOOD.index("[tool.evidentsource.state-changes") :],
        "[tool.evidentsource.state-changes]\ndeposit = 1\n",
        "wrong-type",
        24,
        "[tool.evidentsource.state-changes.deposit]",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_wrong_manifest_is_refused_with_the_line_and_the_nearest_name(
    tmp_path: Path, case: str
) -> None:
    before, after, code, line, hint = REFUSED[case]
    assert before in GOOD
    file = read(tmp_path, GOOD.replace(before, after))
    with pytest.raises(ManifestError) as caught:
        read_manifest(file)
    error = caught.value
    assert (error.code, error.line, error.file) == (code, line, file)
    assert hint in (error.hint or "")
