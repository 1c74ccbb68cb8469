"""The document on the database names everything that one can do with it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from evidentsource_runtime.database import Database, Trace

_PAGE = (Path(__file__).parents[3] / "docs" / "database.md").read_text()
_SAID_BY_THEIR_NAMES = {
    "name", "created_at", "path", "streams", "open", "close", "ends_with",
    "state_view", "code_of_state_view", "code_of_state_change",
}  # fmt: skip


def test_every_call_is_named() -> None:
    calls = {name for name in dir(Database) if not name.startswith("_")}
    assert {name for name in calls - _SAID_BY_THEIR_NAMES if name not in _PAGE} == set()


def test_every_field_of_a_trace_is_named() -> None:
    fields = {each.name for each in dataclasses.fields(Trace)} - {"transaction_id", "revision"}
    assert {name for name in fields if f"`{name}`" not in _PAGE} == set()
