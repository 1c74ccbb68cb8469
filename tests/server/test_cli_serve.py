"""`evidentsource serve` as a process: it says where it listens, and ends cleanly."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

from evidentsource_runtime.cli import main
from evidentsource_runtime.server import Settings, running
from tests.whole import whole

SERVE = "import sys; from evidentsource_runtime.cli import main; sys.exit(main(sys.argv[1:]))"


def serve(data: Path) -> tuple[subprocess.Popen[str], dict[str, Any]]:
    ports = ("--grpc-port", "0", "--http-port", "0", "--json", "--log-json")
    command = (sys.executable, "-c", SERVE, "serve", "--data", str(data), *ports)
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    )
    assert process.stdout is not None
    where: dict[str, Any] = json.loads(process.stdout.readline())
    return process, where


def test_ctrl_c_ends_it_cleanly_open_streams_included(tmp_path: Path) -> None:
    process, where = serve(tmp_path / "bank.db")
    try:
        with httpx.Client(base_url=where["http"], timeout=30.0) as web:
            event = {"specversion": "1.0", "id": "e", "source": "accounts", "type": "t"}
            answer = web.post("/api/v1/db/bank/transactions", json={"events": [event]})
            assert answer.status_code == 201
            headers = {"accept": "text/event-stream"}
            with web.stream("GET", "/api/v1/db/bank/updates", headers=headers) as stream:
                lines = stream.iter_lines()
                assert next(lines) == "id: 1"
                threading.Timer(0.1, process.send_signal, (signal.SIGINT,)).start()
                assert "event: stopping" in list(lines)
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
    assert (process.returncode, out) == (0, "")
    said = [json.loads(line) for line in err.splitlines()]
    assert [each["message"].split()[0] for each in said] == ["gRPC", "HTTP", "stopped"]


INTERRUPTED = """
import importlib, os, signal, sys
where, _, method = sys.argv.pop(1).partition(":")
module, _, name = where.rpartition(".")
kind = getattr(importlib.import_module(module), name)
begin = getattr(kind, method)

def interrupted(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGINT)
    return begin(*args, **kwargs)

setattr(kind, method, interrupted)
from evidentsource_runtime.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize(
    "step",
    [
        pytest.param("evidentsource_runtime.server.service.DatabaseFolder:__init__", marks=whole),
        "evidentsource_runtime.server.grpc.GrpcInterface:start",
        pytest.param("evidentsource_runtime.server.http.HttpInterface:start", marks=whole),
    ],
)
def test_ctrl_c_while_it_starts_ends_it_without_a_traceback_and_leaves_nothing_locked(
    step: str, tmp_path: Path
) -> None:
    ports = ("--grpc-port", "0", "--http-port", "0")
    serve = ("serve", "--data", str(tmp_path / "bank.db"), *ports)
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, step, *serve],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert "gRPC" not in done.stdout  # nobody is told of a server that ends
    with running(Settings(tmp_path / "bank.db", grpc_port=0)):
        pass


def test_what_was_acknowledged_is_there_after_a_kill(tmp_path: Path) -> None:
    process, where = serve(tmp_path / "bank.db")
    with httpx.Client(base_url=where["http"], timeout=30.0) as web:
        event = {"specversion": "1.0", "id": "e", "source": "accounts", "type": "t"}
        answer = web.post("/api/v1/db/bank/transactions", json={"events": [event]})
        process.kill()
    process.communicate()
    assert answer.json()["revision"] == 1
    with running(Settings(tmp_path / "bank.db", grpc_port=0, http_port=0)) as server:
        assert server.http is not None
        found = httpx.get(f"{server.http.url}/api/v1/db/bank/latest/events").json()
    assert [each["id"] for each in found] == ["e"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--host", "0.0.0.0"), "can be reached from other machines"),
        (("--issuer", "me"), "--jwks"),
        (("--tls-key", "key.pem"), "go together"),
        (("--tokens", "nowhere.json"), "tokens file nowhere.json"),
    ],
)
def test_a_set_up_that_cannot_be_is_refused(
    arguments: tuple[str, ...], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", "--data", str(tmp_path), *arguments]) == 1
    assert said in capsys.readouterr().err
