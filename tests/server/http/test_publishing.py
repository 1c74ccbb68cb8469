"""What is refused when it is published, with the reason, and nothing kept of it."""

from __future__ import annotations

import gc
import io
import json
import time
import zipfile
from typing import Any

import httpx
import pytest
from wasmtime import WasmtimeError

from evidentsource_core import Selector
from evidentsource_runtime.host import ComponentLoadError
from evidentsource_runtime.server import Server, Settings, running
from evidentsource_runtime.server.access import Limits
from evidentsource_runtime.server.publishing import state_change_of, state_view_of
from evidentsource_runtime.server.service import InvalidRequest

CHANGE = {"state_change_name": "deposit"}
VIEW = {"state_view_name": "todos", "event_selector": {"equals": {"stream": {"stream": "todos"}}}}
EMPTY_MODULE = b"\0asm\x01\0\0\0"


def upload(
    web: httpx.Client, bank: str, kind: str, metadata: Any, content: bytes
) -> httpx.Response:
    files: dict[str, Any] = {
        "metadata": (None, json.dumps(metadata), "application/json"),
        "wasm": ("code.wasm", content, "application/wasm"),
    }
    return web.post(f"/api/v1/db/{bank}/{kind}", files=files)


def zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("nonsense.txt", "nonsense")
    return file.getvalue()


@pytest.mark.parametrize(
    "content", [b"", b"nonsense", EMPTY_MODULE, zipped()], ids=lambda c: str(c[:5])
)
@pytest.mark.parametrize(("kind", "metadata"), [("state-changes", CHANGE), ("state-views", VIEW)])
def test_what_is_no_component_is_refused(
    content: bytes, kind: str, metadata: Any, web: httpx.Client, bank: str
) -> None:
    answer = upload(web, bank, kind, metadata, content)
    problem = answer.json()
    assert (answer.status_code, problem["field"]) == (400, "wasm")
    assert problem["detail"].startswith(f"wasm: is no component of a {kind[:-1]} that runs here: ")
    assert not any(web.get(f"/api/v1/db/{bank}/{kind}").json().values())


def errors() -> list[Exception]:
    kinds = (ComponentLoadError, WasmtimeError)
    return [each for each in gc.get_objects() if isinstance(each, kinds)]


@pytest.mark.parametrize("content", [b"nonsense", b"\0asm\x0d\0\1\0nonsense"])
def test_what_was_refused_is_not_kept_until_garbage_is_looked_for(
    content: bytes, web: httpx.Client, bank: str
) -> None:
    """An error that leads to itself keeps the frames that it came through, and the upload in them."""
    gc.collect()
    of_others = errors()
    gc.disable()
    try:
        assert upload(web, bank, "state-changes", CHANGE, content).status_code == 400
        until = time.monotonic() + 5
        while len(errors()) > len(of_others) and time.monotonic() < until:
            time.sleep(0.01)
        assert len(errors()) == len(of_others)
    finally:
        gc.enable()


@pytest.mark.parametrize(
    ("kind", "metadata", "field"),
    [
        ("state-changes", [], "metadata"),
        ("state-changes", {}, "metadata.state_change_name"),
        ("state-changes", {"state_change_name": "1"}, "metadata.state_change_name"),
        ("state-changes", {**CHANGE, "descriptoin": "?"}, "metadata.descriptoin"),
        ("state-changes", {**CHANGE, "description": 1}, "metadata.description"),
        ("state-views", {"state_view_name": "todos"}, "metadata.event_selector"),
        ("state-views", {**VIEW, "event_selector": {"equal": {}}}, "metadata.event_selector.equal"),
        ("state-views", {**VIEW, "query_temporality": "always"}, "metadata.query_temporality"),
    ],
)
def test_metadata_that_is_wrong_is_refused_by_its_field(
    kind: str, metadata: Any, field: str, web: httpx.Client, bank: str
) -> None:
    answer = upload(web, bank, kind, metadata, EMPTY_MODULE)
    assert (answer.status_code, answer.json()["field"]) == (400, field)


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        ({"json": {}}, "content-type"),
        ({"files": {"wasm": ("x", b"x")}}, "metadata"),
        ({"files": {"metadata": (None, b"{}")}}, "wasm"),
        ({"files": {"metadata": (None, b"{}"), "wasm": (None, b"x")}}, "wasm"),
        ({"files": {"metadata": (None, b"{"), "wasm": ("x", b"x")}}, "metadata"),
        ({"content": b"x", "headers": {"content-type": "multipart/form-data; boundary=b"}}, "body"),
        ({"content": b"x", "headers": {"content-type": "multipart/form-data"}}, "body"),
    ],
)
def test_an_upload_of_another_form_is_refused(
    request_: dict[str, Any], field: str, web: httpx.Client, bank: str
) -> None:
    answer = web.post(f"/api/v1/db/{bank}/state-changes", **request_)
    assert (answer.status_code, answer.json()["field"]) == (400, field)


def test_what_is_too_large_is_refused_before_it_is_read(tmp_path: Any) -> None:
    limits = Limits(component_bytes=1000, request_bytes=1000)
    with running(Settings(tmp_path, grpc_port=0, http_port=0, limits=limits)) as server:
        assert server.http is not None
        with httpx.Client(base_url=server.http.url) as web:
            web.post("/api/v1/databases", json={"name": "bank"})
            small = upload(web, "bank", "state-changes", CHANGE, b"x" * 1001)
            large = upload(web, "bank", "state-changes", CHANGE, b"x" * 2_000_000)
            other = web.post("/api/v1/databases", content=b"x" * 1001)
    for answer in (small, large, other):
        assert (answer.status_code, answer.json()["code"]) == (413, "request-too-large")


def test_who_may_not_publish_is_refused(web: httpx.Client, server: Server, bank: str) -> None:
    for headers, status in (({"x-dev-grants": '["writer"]'}, 403), ({}, 400)):
        files: dict[str, Any] = {"metadata": (None, json.dumps(CHANGE)), "wasm": ("x", b"x")}
        answer = web.post(f"/api/v1/db/{bank}/state-changes", files=files, headers=headers)
        assert answer.status_code == status


@pytest.mark.parametrize(
    "written",
    [
        {"or": {"left": {"equals": {"event_type": {"event_type": "a"}}},
                "right": {"equals": {"subject": {"subject": {"has_value": True, "value": "x"}}}}}},
        {"type": "or", "selectors": [{"type": "equals", "attr": {"event_type": "a"}},
                                     {"type": "equals", "attr": {"subject": "x"}}]},
    ],
)  # fmt: skip
def test_both_published_dialects_of_a_selector_are_read(written: Any) -> None:
    view = state_view_of({"state_view_name": "todos", "event_selector": written})
    assert view.selector.bind({}) == Selector.event_type("a") | Selector.subject("x")


def test_a_parameter_is_read() -> None:
    written = {"equals": {"subject": {"parameter": "account_id"}}}
    view = state_view_of({"state_view_name": "todos", "event_selector": written})
    assert view.selector.parameters == {"account_id": "subject"}


def test_a_change_keeps_what_is_said_of_it() -> None:
    change = state_change_of({**CHANGE, "description": "Pay in.", "source_code_uri": "https://h/x"})
    assert (change.description, change.source_code_uri) == ("Pay in.", "https://h/x")
    with pytest.raises(InvalidRequest):
        state_change_of("deposit")
