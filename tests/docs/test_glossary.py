"""The glossary: one entry a term, in order, and every Python name in it exists."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import evidentsource_core
import evidentsource_functions

TEXT = (Path(__file__).parents[2] / "docs" / "glossary.md").read_text()
TERMS = re.findall(r"^\*\*(.+)\*\*$", TEXT, re.MULTILINE)
PROVIDED = (
    evidentsource_core,
    evidentsource_functions,
    "evidentsource_functions.testing",
    "evidentsource_functions.wasm",
    "evidentsource_runtime.host",
    "evidentsource_runtime.contract",
    "evidentsource_runtime.testing.machine",
)


def test_terms_stand_in_order_and_once() -> None:
    assert sorted(set(TERMS)) == TERMS


def test_every_term_has_one_definition() -> None:
    assert len(re.findall(r"^: \S", TEXT, re.MULTILINE)) == len(TERMS)


def test_terms_that_are_referred_to_are_there() -> None:
    for term in re.findall(r"[Ss]ee \*(.+?)\*", TEXT):
        assert term in TERMS


def test_every_class_in_the_glossary_can_be_imported() -> None:
    modules = [importlib.import_module(m) if isinstance(m, str) else m for m in PROVIDED]
    names = set(re.findall(r"`([A-Z][A-Za-z]+[a-z])`", TEXT)) - {"WitWorld"}
    assert len(names) > 15
    missing = {name for name in names if not any(hasattr(module, name) for module in modules)}
    assert not missing


def test_every_module_in_the_glossary_can_be_imported() -> None:
    modules = re.findall(r"`(evidentsource_[a-z_.]+)`", TEXT)
    assert modules
    for module in modules:
        importlib.import_module(module)
