"""The contracts that the packed codec is tried on, each as a component that stands for it."""

from __future__ import annotations

from functools import cache

from evidentsource_runtime.host.convert.packed.specimen import all_methods, change_text, view_text
from evidentsource_runtime.host.convert.packed.trial import Trial
from tests.unit.host.packed.asking import asking_text

NAME = "specimen"
LIMIT = 200
"""Bytes of one value."""

CONTRACTS = ("own", "other")
"""Our contract, and one that differs from it wherever contracts may."""

_OTHER = {
    "datetime.seconds": "u64",
    "datetime.nanoseconds": "s32",
    "cloudevent-attribute-value.integer": "s16",
    "event-selector-node.and.0": "u8",
    "event-selector-node.or.1": "u64",
    "state-view-context.version": "u32",
    "batch-constraint-min.revision": "s64",
    "range-cursor.revision": "s64",
    "database-query.limit": "s64",
    "database.revision": "u32",
}


@cache
def view(contract: str) -> Trial:
    if contract == "own":
        return Trial(view_text(), LIMIT)
    return Trial(view_text(_OTHER, backwards=True), LIMIT)


@cache
def change(contract: str) -> Trial:
    if contract == "own":
        return Trial(change_text(all_methods()), LIMIT)
    return Trial(change_text(all_methods(), _OTHER, backwards=True, borrows=True), LIMIT)


@cache
def asking() -> Trial:
    return Trial(asking_text())
