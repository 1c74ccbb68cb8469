"""The savings bank as a database in memory, its rules native or as components.

Both come from the same manifest, ``pyproject.toml``: the names, selectors and parameters stand there
once.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from evidentsource_core import StateViewDefinition
from evidentsource_core.reference import ReferenceDatabase
from evidentsource_functions import create_state_view_handler
from evidentsource_runtime.build import ComponentSpec, ProjectResult, read_manifest
from evidentsource_runtime.host import Host, StateViewComponent

HERE = Path(__file__).parent
OPENED_FOR_BUSINESS = datetime(2024, 1, 31, 9, tzinfo=UTC)

Rule = Callable[..., Any]
"""What runs a component: ``evolve`` of a view, ``decide`` of a change."""


class Clock:
    """A clock that moves one minute at each look, so that a story reads the same every time."""

    def __init__(self, start: datetime = OPENED_FOR_BUSINESS) -> None:
        self._now = start

    def __call__(self) -> datetime:
        self._now += timedelta(minutes=1)
        return self._now


def native_rules() -> Callable[[ComponentSpec], Rule]:
    """The rules as they are: plain Python in this process."""

    def rule(spec: ComponentSpec) -> Rule:
        world = importlib.import_module(f"{__package__}.{spec.module}").WitWorld()
        if isinstance(spec.definition, StateViewDefinition):
            return create_state_view_handler(world.state_view_type)
        decide: Rule = world.decide
        return decide

    return rule


def component_rules(project: ProjectResult, host: Host) -> Callable[[ComponentSpec], Rule]:
    """The rules as components, run in wasmtime."""

    def rule(spec: ComponentSpec) -> Rule:
        component = host.load(project.results[spec.name].path)
        if isinstance(component, StateViewComponent):
            return component.handler()
        return component.decide

    return rule


def open_bank(rule: Callable[[ComponentSpec], Rule]) -> ReferenceDatabase:
    """An empty bank into which every view and change of the manifest is published."""
    manifest = read_manifest(HERE / "pyproject.toml")
    bank = ReferenceDatabase(manifest.database, clock=Clock(), created_at=OPENED_FOR_BUSINESS)
    for spec in manifest.components:
        if isinstance(spec.definition, StateViewDefinition):
            bank.publish_state_view(spec.definition, rule(spec))
        else:
            bank.publish_state_change(spec.definition, rule(spec))
    return bank
