"""Folding a view: initial state, bytes of one's own, and failures that are never silent."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from evidentsource_core import StateViewEvolveError
from evidentsource_functions import (
    DeserializationFailed,
    Event,
    InvalidDecision,
    InvalidDefinition,
    RenderedStateView,
    SerializationFailed,
    StateViewBase,
    StateViewContext,
    UnsupportedContentType,
    create_state_view_handler,
)
from evidentsource_functions.wasm import StateViewAdapter

NOW = datetime(2024, 1, 1, tzinfo=UTC)


def rendered(
    content: bytes | None = None, content_type: str | None = None, schema: str | None = None
) -> RenderedStateView:
    context = StateViewContext("bank", "count", 1, 9, NOW, content_type, schema)
    return RenderedStateView(context, content, 0, NOW)


def event(n: int, data: str = "{}") -> Event:
    return Event(f"e-{n}", "accounts", "happened", data=data)


def fold(state_class: Any, *events: Event, content: bytes | None = None, **context: Any) -> Any:
    return create_state_view_handler(state_class)(rendered(content, **context), list(events))


@dataclass
class Count(StateViewBase):
    events: int = 0
    ids: list[str] = field(default_factory=list)

    def evolve_event(self, event: Event) -> None:
        self.events += 1
        self.ids.append(event.id)


def test_a_dataclass_needs_only_evolve_event() -> None:
    first = fold(Count, event(1))
    assert json.loads(fold(Count, event(2), event(3), content=first)) == {
        "events": 3,
        "ids": ["e-1", "e-2", "e-3"],
    }


class NeedsFields(StateViewBase):
    def __init__(self, total: int) -> None:
        self.total = total

    def evolve_event(self, event: Event) -> None:
        self.total += 1

    def to_dict(self) -> dict[str, Any]:
        return {"total": self.total}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> NeedsFields:
        return cls(data.get("total", 100))


@dataclass
class NoEmptyDict(StateViewBase):
    total: int = 7

    def evolve_event(self, event: Event) -> None:
        self.total += 1

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> NoEmptyDict:
        return cls(data["total"])


def test_the_initial_state_is_from_dict_of_nothing_else_the_constructors() -> None:
    assert fold(NeedsFields, event(1)) == b'{"total": 101}'
    assert fold(NoEmptyDict, event(1)) == b'{"total": 8}'


def test_a_class_without_an_empty_state_says_so() -> None:
    @dataclass
    class Demanding(StateViewBase):
        owner: str

        def evolve_event(self, event: Event) -> None: ...

    with pytest.raises(InvalidDefinition, match=r"Demanding has no empty state.*default"):
        fold(Demanding)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"null", b"[]", b"\xff", b'{"events": "x"}', b'{"evnts": 1}', b'{"events": NaN}'],
)
def test_content_that_cannot_be_read_is_an_error_never_an_empty_state(content: bytes) -> None:
    with pytest.raises(DeserializationFailed):
        fold(Count, event(1), content=content)


def test_the_content_type_reaches_the_default_codec() -> None:
    assert fold(Count, content_type="Application/JSON; charset=utf-8") is not None
    with pytest.raises(UnsupportedContentType):
        fold(Count, content_type="text/csv")


class Csv(StateViewBase):
    def __init__(self, ids: list[str]) -> None:
        self.ids = ids

    def evolve(self, events: list[Event]) -> None:
        self.ids += [event.id for event in events]

    def serialize(self, content_type: str | None = None) -> bytes | None:
        return f"{content_type}:{','.join(self.ids)}".encode()

    @classmethod
    def deserialize(cls, data: bytes | None, content_type: str | None = None) -> Csv:
        if data is None:
            return cls([])
        head, _, ids = data.decode().partition(":")
        assert head == content_type
        return cls(ids.split(","))


def test_overridden_evolve_serialize_and_deserialize_are_honoured() -> None:
    first = fold(Csv, event(1), content_type="text/csv")
    assert first == b"text/csv:e-1"
    assert fold(Csv, event(2), content=first, content_type="text/csv") == b"text/csv:e-1,e-2"


class Packed:
    """No StateViewBase at all, only the codec's two methods and evolve_event."""

    def __init__(self, seen: bytes) -> None:
        self.seen = seen

    def evolve_event(self, event: Event) -> None:
        self.seen += event.id.encode()

    @classmethod
    def from_bytes(cls, data: bytes | None, content_type: str | None, schema: str | None) -> Packed:
        assert (content_type, schema) == ("application/x-packed", "urn:packed:1")
        return cls(data or b"")

    def to_bytes(self, content_type: str | None, schema: str | None) -> bytes | None:
        assert (content_type, schema) == ("application/x-packed", "urn:packed:1")
        return self.seen or None


def test_a_codec_says_its_own_bytes_and_gets_content_type_and_schema() -> None:
    context: dict[str, Any] = {"content_type": "application/x-packed", "schema": "urn:packed:1"}
    assert fold(Packed, **context) is None
    assert fold(Packed, event(2), content=b"e-1", **context) == b"e-1e-2"


class Failing(Count):
    def evolve_event(self, event: Event) -> None:
        json.loads(event.data_as_string() or "")


class FailingBatch(Count):
    def evolve(self, events: list[Event]) -> None:
        for event in events:
            json.loads(event.data_as_string() or "")


@pytest.mark.parametrize("state_class", [Failing, FailingBatch])
def test_a_failing_evolve_names_the_events_index_id_and_type(state_class: Any) -> None:
    with pytest.raises(StateViewEvolveError) as caught:
        fold(state_class, event(1), event(2, "{"), event(3))
    text = str(caught.value)
    assert "event 1 of 3 (id 'e-2', type 'happened'): JSONDecodeError" in text
    assert "test_state_views:" in text


@pytest.mark.parametrize(
    ("returned", "found"), [("text", "str"), (bytearray(b"x"), "bytearray"), (7, "int")]
)
def test_content_of_a_wrong_type_is_refused(returned: Any, found: str) -> None:
    class Wrong(Count):
        def serialize(self, content_type: str | None = None) -> Any:
            return returned

    with pytest.raises(
        InvalidDecision, match=f"Wrong.serialize: expected bytes or None, got {found}"
    ):
        fold(Wrong)


def test_values_without_a_form_in_json_are_refused_with_their_path() -> None:
    class NotANumber(Count):
        def to_dict(self) -> dict[str, Any]:
            return {"balance": float("nan")}

    with pytest.raises(SerializationFailed, match=r"\$\.balance"):
        fold(NotANumber)


class SaysNothing(StateViewBase):
    pass


@pytest.mark.parametrize(
    ("state_class", "text"),
    [
        (SaysNothing, "define evolve_event"),
        (Count(), "needs a class"),
        (dict, "define evolve_event"),
    ],
)
def test_a_class_that_cannot_fold_is_refused_when_the_handler_is_made(
    state_class: Any, text: str
) -> None:
    with pytest.raises(InvalidDefinition, match=text):
        create_state_view_handler(state_class)


def test_an_adapter_without_a_view_type_is_refused_when_it_is_made() -> None:
    with pytest.raises(InvalidDefinition, match="set state_view_type"):
        type("WitWorld", (StateViewAdapter,), {})()


def test_an_adapter_folds_natively_with_domain_values() -> None:
    class WitWorld(StateViewAdapter):
        state_view_type = Count

    assert WitWorld().evolve(rendered(), [event(1)]) == b'{"events": 1, "ids": ["e-1"]}'


def test_a_parameter_of_the_base_class_is_accepted() -> None:
    assert StateViewBase[Count] is StateViewBase  # type: ignore[misc]
