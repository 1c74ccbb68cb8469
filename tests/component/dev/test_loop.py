"""The development loop: what is saved serves, from the sandbox, and a mistake stops nothing."""

from __future__ import annotations

import asyncio
import queue
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import httpx
import pytest

from evidentsource_runtime.build import build
from evidentsource_runtime.dev import DevLoop, Report, loop
from evidentsource_runtime.host import Host
from evidentsource_runtime.server import Server, Settings, running
from tests.whole import whole

pytestmark = [pytest.mark.component, pytest.mark.xdist_group("bases")]

MANIFEST = """
[tool.evidentsource]
database = "bank"

[tool.evidentsource.state-changes.say]
module = "say_change"
"""
CHANGE = """
from evidentsource_functions import ProspectiveEvent
from evidentsource_functions.wasm import StateChangeAdapter


def decide(db, command, metadata):
    return [ProspectiveEvent(command["id"], "words", "said", data="first")]


class WitWorld(StateChangeAdapter):
    command_type = dict
    decide_func = decide
"""


PATIENCE = 600
"""Seconds: the first program of a machine waits until a base component is built and compiled."""


@dataclass
class Developed:
    folder: Path
    server: Server
    web: httpx.Client
    told: queue.Queue[Report]

    def wait(self, *what: str) -> Report:
        while True:
            report = self.told.get(timeout=PATIENCE)
            if report.what in what:
                return report

    def save(self, text: str) -> None:
        (self.folder / "say_change.py").write_text(text)

    def say(self, event_id: str) -> httpx.Response:
        path = "/api/v1/db/bank/state-changes/say/latest"
        return self.web.post(path, json={"id": event_id})

    def said(self) -> list[str]:
        return [each["data"] for each in self.web.get("/api/v1/db/bank/latest/events").json()]


@contextmanager
def developing(
    folder: Path, level: Literal["instant", "source", "component"] = "source"
) -> Iterator[Developed]:
    project = folder / "project"
    project.mkdir(exist_ok=True)
    (project / "pyproject.toml").write_text(MANIFEST)
    if not (project / "say_change.py").exists():
        (project / "say_change.py").write_text(CHANGE)
    host = Host(source_roots=[project])
    told: queue.Queue[Report] = queue.Queue()
    settings = Settings(
        folder / "data", grpc_port=0, http_port=0, components=host, create=("bank",)
    )
    with running(settings) as server:
        assert server.http is not None
        develop = DevLoop(server, host, project, level, told.put)
        work = asyncio.run_coroutine_threadsafe(develop.run(), server._loop)
        with httpx.Client(base_url=server.http.url, timeout=60.0) as web:
            yield Developed(project, server, web, told)
        work.cancel()


@pytest.fixture
def developed(tmp_path: Path) -> Iterator[Developed]:
    with developing(tmp_path) as found:
        yield found


@pytest.fixture
def built_in_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Builds as everywhere, of the kind that takes no seconds."""
    monkeypatch.setattr(loop, "build", partial(build, reproducible=True))


def test_what_is_saved_serves_and_a_mistake_leaves_the_last_good_version(
    developed: Developed,
) -> None:
    first = developed.wait("instant")
    assert (first.name, first.version) == ("say", 1)
    developed.wait("ready")
    answer = developed.say("a")
    assert answer.headers["x-evidentsource-input-hash"] == first.input_hash
    assert answer.headers["x-evidentsource-served-by"] == "attached"
    refused = developed.web.post("/api/v1/db/bank/state-changes/say/latest", json={})
    assert refused.status_code == 500
    assert refused.headers["x-evidentsource-input-hash"] == first.input_hash

    developed.save(CHANGE.replace("first", "second"))
    second = developed.wait("instant", "failed")
    assert (second.what, second.version) == ("instant", 2)
    assert developed.say("b").headers["x-evidentsource-input-hash"] == second.input_hash

    developed.save("def broken(:\n")
    failed = developed.wait("failed")
    assert failed.problems[0].code == "syntax-error"
    assert "the last good version goes on serving" in str(failed)
    assert developed.say("c").status_code == 201
    assert developed.said() == ["first", "second", "second"]

    old = developed.web.post("/api/v1/db/bank/state-changes/say/1", json={"id": "d"})
    assert (old.status_code, developed.said()[-1]) == (201, "first")


def test_a_manifest_that_is_wrong_is_told_and_the_project_goes_on(developed: Developed) -> None:
    developed.wait("ready")
    (developed.folder / "pyproject.toml").write_text("[tool.evidentsource]\ndatabase = 7\n")
    assert developed.wait("failed").name == ""
    assert developed.say("a").status_code == 201
    (developed.folder / "pyproject.toml").write_text(MANIFEST + 'description = "Says."\n')
    assert developed.wait("instant").version == 2


@pytest.mark.usefixtures("built_in_a_moment")
def test_what_is_built_takes_over_under_the_same_version_and_is_not_built_again(
    tmp_path: Path,
) -> None:
    with developing(tmp_path, "instant") as developed:
        first, built = developed.wait("instant"), developed.wait("built", "failed")
        assert (built.what, built.version) == ("built", first.version)
        answer = developed.say("a")
        assert answer.headers["x-evidentsource-served-by"] == "component"
        assert answer.headers["x-evidentsource-input-hash"] == built.input_hash

        developed.save(CHANGE.replace("first", "second"))
        assert developed.wait("instant", "failed").version == 2
        assert developed.wait("built", "failed").version == 2
        assert developed.say("b").headers["x-evidentsource-served-by"] == "component"
        assert developed.said() == ["first", "second"]
    with developing(tmp_path, "instant") as again:
        assert again.wait("instant", "built", "failed", "ready").what == "ready"
        assert again.say("c").headers["x-evidentsource-served-by"] == "component"


@whole
@pytest.mark.usefixtures("built_in_a_moment")
def test_the_level_component_serves_built_components_only(tmp_path: Path) -> None:
    with developing(tmp_path, "component") as developed:
        assert developed.wait("instant", "built", "failed").what == "built"
        assert developed.say("a").headers["x-evidentsource-served-by"] == "component"
        developed.save("def broken(:\n")
        assert developed.wait("instant", "built", "failed").problems[0].code == "syntax-error"
        developed.save(CHANGE.replace("first", "second"))
        assert developed.wait("instant", "built", "failed").version == 2
        developed.say("b")
        assert developed.said() == ["first", "second"]
