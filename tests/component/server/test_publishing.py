"""Components published over HTTP: by curl's form, again and again, every version callable."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

import evidentsource_runtime
from evidentsource_core import StateChangeDefinition, StateChangeName
from evidentsource_runtime.build import ProjectResult, build, build_project, read_manifest
from evidentsource_runtime.cli import main, publish_command
from evidentsource_runtime.cli.asked_server import AskedServer
from evidentsource_runtime.cli.publish_command import planned, send
from evidentsource_runtime.database import UnusableCode
from evidentsource_runtime.host import Host
from evidentsource_runtime.server import Settings, running
from evidentsource_runtime.server.access import EVERYTHING, Principal, StaticTokens

DATA = Path(__file__).parents[2] / "data" / "host"
pytestmark = [pytest.mark.component, pytest.mark.xdist_group("bases")]
SAY = """
from evidentsource_functions import ProspectiveEvent
from evidentsource_functions.wasm import StateChangeAdapter


def decide(db, command, metadata):
    return [ProspectiveEvent(command["id"], "words", "said")]


class WitWorld(StateChangeAdapter):
    command_type = dict
    decide_func = decide
"""


@pytest.fixture(scope="module")
def components(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("components")
    found = {}
    for world in ("state-view", "state-change"):
        path = folder / f"{world}.wasm"
        build(DATA / f"echo_{world[6:]}.py", output=path, world=world, reproducible=True)
        found[world] = path.read_bytes()
    return found


@pytest.fixture
def web(tmp_path: Path) -> Iterator[httpx.Client]:
    with running(Settings(tmp_path, grpc_port=0, http_port=0, create=("bank",))) as server:
        assert server.http is not None
        with httpx.Client(base_url=server.http.url, timeout=60.0) as client:
            yield client


def upload(web: httpx.Client, kind: str, metadata: Any, content: bytes) -> httpx.Response:
    files: dict[str, Any] = {
        "metadata": (None, json.dumps(metadata), "application/json"),
        "wasm": ("code.wasm", content, "application/wasm"),
    }
    return web.post(f"/api/v1/db/bank/{kind}", files=files)


def test_a_component_is_published_and_older_versions_stay_callable(
    web: httpx.Client, components: dict[str, bytes]
) -> None:
    metadata = {"state_change_name": "echo", "description": "Echoes."}
    for version in (1, 2):
        answer = upload(web, "state-changes", metadata, components["state-change"])
        assert (answer.status_code, answer.json()) == (
            201, {"state_change_name": "echo", "version": version},
        )  # fmt: skip
    listed = web.get("/api/v1/db/bank/state-changes").json()["state_changes"]
    assert [each["version"] for each in listed] == [1, 2]
    assert all(each["code"]["kind"] == "component" for each in listed)
    hashes = {each["code"]["input_hash"] for each in listed}
    for asked in ("1", "2", "latest"):
        answer = web.post(f"/api/v1/db/bank/state-changes/echo/{asked}", json={"id": asked})
        assert answer.status_code != 404, answer.text
        if answer.is_success:
            assert answer.headers["x-evidentsource-input-hash"] in hashes
    assert web.post("/api/v1/db/bank/state-changes/echo/3", json={}).status_code == 404


def test_a_project_publishes_what_the_server_has_not_got(
    web: httpx.Client, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("project")

    def built(description: str) -> ProjectResult:
        (folder / "pyproject.toml").write_text(
            f'[tool.evidentsource]\ndatabase = "bank"\n[tool.evidentsource.state-changes.echo]\n'
            f'module = "echo_change"\n{description}'
        )
        manifest = read_manifest(folder / "pyproject.toml")
        result = build(
            DATA / "echo_change.py",
            output=folder / "echo.wasm",
            world="state-change",
            reproducible=True,
        )
        metadata = folder / "echo.json"
        metadata.write_text(json.dumps(manifest.components[0].metadata()))
        return ProjectResult(manifest, {"echo": result}, {"echo": metadata})

    with AskedServer(str(web.base_url), "bank", None) as server:
        for description, why, version in (
            ("", "new", 1),
            ("", "unchanged", 1),
            ('description = "Echoes."', "changed: description", 2),
            ("", "changed: description", 3),
        ):
            (step,) = planned(built(description), server)
            assert (step.why, step.version, step.needed) == (why, version, why != "unchanged")
            if step.needed:
                assert send(step, server, quiet=True)["version"] == version


def test_the_command_prints_its_plan_asks_first_and_sends_only_what_changed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a token from the environment, without which nothing is told or done."""
    project = tmp_path / "project"
    project.mkdir()
    (project / "say_change.py").write_text(SAY)
    (project / "pyproject.toml").write_text(
        '[tool.evidentsource]\ndatabase = "bank"\n'
        '[tool.evidentsource.state-changes.say]\nmodule = "say_change"\n'
    )
    monkeypatch.setattr(publish_command, "build_project", partial(build_project, reproducible=True))
    tokens = StaticTokens.of({"good": Principal("ann", EVERYTHING)})
    settings = Settings(
        tmp_path / "data", grpc_port=0, http_port=0, create=("bank",), authenticator=tokens
    )
    with running(settings) as server:
        assert server.http is not None
        publish = ("publish", "--project", str(project), "--url", server.http.url)

        def run(*options: str) -> tuple[int, str, str]:
            status = main([*publish, *options])
            printed = capsys.readouterr()
            return status, printed.out, printed.err

        monkeypatch.delenv("EVIDENTSOURCE_TOKEN", raising=False)
        assert "not authenticated" in run("--yes")[2]
        monkeypatch.setenv("EVIDENTSOURCE_TOKEN", "good")
        status, plan, told = run()
        assert (status, "v1  new" in plan, "there is nobody to ask" in told) == (1, True, True)
        assert run("--yes")[1].endswith("published say.v1\n")
        assert json.loads(run("--dry-run", "--json")[1])["plan"][0]["why"] == "unchanged"


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl on this machine")
def test_curl_publishes_a_component_as_the_platform_documents_it(
    web: httpx.Client, components: dict[str, bytes], tmp_path: Path
) -> None:
    (tmp_path / "metadata.json").write_text('{"state_change_name": "echo"}')
    (tmp_path / "echo.wasm").write_bytes(components["state-change"])
    done = subprocess.run(
        ["curl", "-sS", "--fail-with-body", f"{web.base_url}/api/v1/db/bank/state-changes",
         "-F", "metadata=@metadata.json;type=application/json",
         "-F", "wasm=@echo.wasm;type=application/wasm"],
        cwd=tmp_path, capture_output=True, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout) == {"state_change_name": "echo", "version": 1}


def test_a_component_of_the_other_world_is_refused(
    web: httpx.Client, components: dict[str, bytes]
) -> None:
    view = {"state_view_name": "echo", "event_selector": {"stream": "accounts"}}
    answer = upload(web, "state-views", view, components["state-change"])
    assert (answer.status_code, answer.json()["field"]) == (400, "wasm")
    assert "is a state change" in answer.json()["detail"]
    assert upload(web, "state-views", view, components["state-view"]).status_code == 201


def test_a_component_settles_as_the_code_of_a_version_that_had_it_outside_the_file(
    components: dict[str, bytes], tmp_path: Path
) -> None:
    definition = StateChangeDefinition(StateChangeName("echo"))
    content = components["state-change"]
    with evidentsource_runtime.open(tmp_path / "bank.db") as db:
        attached = Host().load(content, name="echo")
        db.publish_state_change(definition, attached)
        before = db.code_of_state_change("echo", 1)
        assert before is not None
        assert before.kind == "attached"
        assert db.settle_state_change("echo", content).version == 1
        after = db.code_of_state_change("echo", None)
        assert after is not None
        assert (after.kind, after.input_hash) == ("component", before.input_hash)
        with pytest.raises(UnusableCode, match="is in the file"):
            db.settle_state_change("echo", content)
    with evidentsource_runtime.open(tmp_path / "bank.db") as db:
        assert [each.origin.kind for each in db.state_changes()] == ["component"]
        assert len(db.state_changes()) == 1
