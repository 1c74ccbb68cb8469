"""The savings bank from its sources: equal bytes, events, conditions and errors at every step."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest

from evidentsource_functions.testing import RuleSource
from evidentsource_runtime.build import build_project
from evidentsource_runtime.host import Host
from evidentsource_runtime.testing.components import Component, session_components
from examples.savings_account.bank import HERE
from tests.component.story import play_beside_native

pytestmark = [pytest.mark.component, pytest.mark.xdist_group("bases")]


def test_every_step_of_the_story_gives_the_same_from_pure_source() -> None:
    play_beside_native(session_components().from_source)


def test_every_step_of_the_story_gives_the_same_from_source() -> None:
    def load(source: RuleSource) -> Component:
        return session_components().from_source(dataclasses.replace(source, pure=False))

    play_beside_native(load)


def test_every_step_of_the_story_gives_the_same_as_filled_bases(tmp_path: Path) -> None:
    shutil.copytree(HERE, tmp_path / "bank", ignore=shutil.ignore_patterns("dist"))
    built = build_project(tmp_path / "bank", reproducible=True).results
    host = Host()
    loaded = {result.module: host.load(result.path) for result in built.values()}
    play_beside_native(lambda source: loaded[source.module])
