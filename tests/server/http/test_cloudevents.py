"""CloudEvents over HTTP: structured, batched and binary, in and out."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from hypothesis import given, settings

from evidentsource_core import Event, ProspectiveEvent
from evidentsource_runtime.cloudevents import event_json, prospective_event
from evidentsource_runtime.testing.strategies import prospective_events

HELLO = {"specversion": "1.0", "id": "e-1", "source": "accounts", "type": "opened"}


def stored(web: httpx.Client, bank: str, number: int = 1) -> Any:
    return web.get(f"/api/v1/db/{bank}/events", params={"revisions": str(number)}).json()[0]


def sent(web: httpx.Client, bank: str, **request: Any) -> httpx.Response:
    return web.post(f"/api/v1/db/{bank}/transactions", **request)


def test_an_event_arrives_in_structured_mode(web: httpx.Client, bank: str) -> None:
    event = HELLO | {"subject": "a-1", "time": "2026-01-01T00:00:00.000000Z", "flag": True, "n": 7}
    headers = {"content-type": "application/cloudevents+json; charset=utf-8"}
    assert sent(web, bank, content=json.dumps(event), headers=headers).status_code == 201
    found = stored(web, bank)
    assert found["source"].endswith(f"/db/{bank}/streams/accounts")
    assert found["sequence"] == "00000000000000000001"
    assert {k: found[k] for k in event if k != "source"} == {
        k: v for k, v in event.items() if k != "source"
    }


def test_events_arrive_in_a_batch_in_their_order(web: httpx.Client, bank: str) -> None:
    batch = [HELLO | {"id": f"e-{n}", "data": {"n": n}} for n in range(3)]
    headers = {"content-type": "application/cloudevents-batch+json"}
    answer = sent(web, bank, content=json.dumps(batch), headers=headers)
    assert (answer.status_code, answer.json()["event_count"]) == (201, 3)
    assert [each["data"]["n"] for each in web.get(f"/api/v1/db/{bank}/latest/events").json()] == [
        0, 1, 2,
    ]  # fmt: skip


def test_an_event_arrives_and_leaves_in_binary_mode(web: httpx.Client, bank: str) -> None:
    headers = {
        "ce-specversion": "1.0", "ce-id": "e-1", "ce-source": "accounts", "ce-type": "opened",
        "ce-subject": "%C3%A9%20%25", "ce-region": "eu", "content-type": "image/png",
    }  # fmt: skip
    assert sent(web, bank, content=b"\x89PNG", headers=headers).status_code == 201
    found = stored(web, bank)
    assert (found["subject"], found["region"]) == ("é %", "eu")
    assert found["data_base64"] == "iVBORw=="
    binary = web.get(f"/api/v1/db/{bank}/latest/events/accounts/e-1?mode=binary")
    assert (binary.content, binary.headers["content-type"]) == (b"\x89PNG", "image/png")
    assert binary.headers["ce-subject"] == "%C3%A9%20%25"
    assert binary.headers["ce-sequence"] == "00000000000000000001"


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"specversion": "0.3"}, "event.specversion", "invalid-value"),
        ({"id": None}, "event.id", "invalid-value"),
        ({"source": "https://h/db/other/streams/accounts"}, "event.source", "invalid-value"),
        ({"time": "yesterday"}, "event.time", "invalid-timestamp"),
        ({"data": 1, "data_base64": "AA=="}, "event.data_base64", "invalid-value"),
        ({"data_base64": "no base64!"}, "event.data_base64", "invalid-value"),
        ({"extension": 1.5}, "event.extension", "invalid-value"),
        ({"extension": 2**31}, "event.extension", "invalid-value"),
        ({"datacontenttype": "text/plain", "data": {}}, "event.data", "invalid-value"),
        ({"sequence": "7"}, None, "invalid-events"),
    ],
)
def test_an_event_that_cannot_be_kept_is_refused_by_the_part_at_fault(
    change: dict[str, Any], field: str | None, code: str, web: httpx.Client, bank: str
) -> None:
    headers = {"content-type": "application/cloudevents+json"}
    answer = sent(web, bank, content=json.dumps(HELLO | change), headers=headers)
    assert answer.status_code == 400
    problem = answer.json()
    assert problem["code"] == code
    if field is not None:
        assert problem["detail"].startswith(f"{field}:")
    assert web.get(f"/api/v1/db/{bank}").json()["revision"] == 0


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b"{}", b'"e"', b"\xff"])
@pytest.mark.parametrize(
    "media",
    ["application/cloudevents+json", "application/cloudevents-batch+json", "application/json"],
)
def test_nonsense_is_refused(body: bytes, media: str, web: httpx.Client, bank: str) -> None:
    answer = sent(web, bank, content=body, headers={"content-type": media})
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")


def test_a_media_type_that_is_not_read_is_refused(web: httpx.Client, bank: str) -> None:
    answer = sent(web, bank, content=b"<e/>", headers={"content-type": "application/xml"})
    assert (answer.status_code, answer.json()["field"]) == (400, "content-type")


@pytest.mark.parametrize(
    ("data", "media", "shown"),
    [
        ('{"a": 1}', None, {"data": {"a": 1}}),
        ('{"a": 1}', "application/json", {"data": {"a": 1}}),
        ("5", None, {"data": "5"}),
        ("5", "application/json", {"data": 5}),
        ('"x"', "application/json", {"data": "x"}),
        ("no json", "application/json", {"data_base64": "bm8ganNvbg=="}),
        ("no json", None, {"data": "no json"}),
        ("null", "application/json", {"data": None}),
        ("text", "text/plain", {"data": "text"}),
        (b"\x00", "text/plain", {"data_base64": "AA=="}),
        (None, None, {}),
    ],
)
def test_how_a_payload_is_shown(data: Any, media: str | None, shown: dict[str, Any]) -> None:
    event = ProspectiveEvent("e", "accounts", "t", data=data, datacontenttype=media)
    values = event_json(event)
    assert {
        k: v for k, v in values.items() if k.startswith("data") and k != "datacontenttype"
    } == shown
    back = prospective_event(values, "event")
    given = event.data_as_bytes()
    same = back.data_as_bytes() == given or json.loads(back.data_as_bytes() or b"") == json.loads(
        given or b""
    )
    assert same


@settings(max_examples=60)
@given(prospective_events())
def test_an_event_comes_back_as_it_went_but_for_the_types_json_has_not(
    event: ProspectiveEvent,
) -> None:
    values = json.loads(json.dumps(event_json(event)))
    back = prospective_event(values, "event")
    assert event_json(back) == event_json(event)
    assert (back.id, back.stream, back.event_type, back.subject, back.time) == (
        event.id, event.stream, event.event_type, event.subject, event.time,
    )  # fmt: skip


def test_what_a_database_has_given_is_left_out_where_events_are_read_back() -> None:
    given = {"sequence": "00000000000000000001", "recordedtime": "x", "mine": "y"}
    event = Event("e", "https://h/db/bank/streams/accounts", "t", extensions=given)
    back = prospective_event(event_json(event), "event", "bank", stored=True)
    assert (back.stream, set(back.extensions)) == ("accounts", {"mine"})
